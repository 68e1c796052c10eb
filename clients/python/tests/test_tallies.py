from __future__ import annotations

import random
import unittest
from typing import Any

from sluice._tallies import Tallies, Tally


class Clock:
    def __init__(self, minute: int = 1_000) -> None:
        self.minute = minute

    def __call__(self) -> float:
        return self.minute * 60.0 + 7


def sums(tallies: Tallies) -> dict[str, Any]:
    return tallies.total().counters()


def report(tallies: Tallies) -> list[tuple[int, Any, dict[str, Any]]]:
    """What a report that is taken tells."""
    told = [(tally.minute, tally.realm, tally.counters()) for tally in tallies.all() if tally.progress > tally.reported]
    for tally in tallies.all():
        tally.reported = tally.progress
    tallies.let_go()
    return told


class TalliesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.begun = 0
        self.tallies = Tallies(self.begin, self.clock)

    def begin(self) -> None:
        self.begun += 1

    def test_records_are_counted_by_the_minute_and_the_realm_of_the_call(self) -> None:
        for minute, realm in ((1, "a"), (1, "b"), (1, "a"), (2, None), (2, "a")):
            self.clock.minute = minute
            self.tallies.of(realm).sampled_out += 1
        rows = {(tally.minute, tally.realm): tally.sampled_out for tally in self.tallies.all()}
        self.assertEqual(rows, {(1, "a"): 2, (1, "b"): 1, (2, None): 1, (2, "a"): 1})
        self.assertEqual(self.begun, 2)

    def test_a_realm_is_counted_under_the_text_that_its_row_has(self) -> None:
        class Rude:
            __hash__ = None  # type: ignore[assignment]

            def __str__(self) -> str:
                raise RuntimeError

        for realm in (7, "7", Rude(), "x" * 600, "a\0b", "\ud800", ["list"]):
            self.tallies.of(realm).disabled += 1
        realms = [tally.realm or "" for tally in self.tallies.all()]
        self.assertEqual(self.tallies.of("7").disabled, 2)
        self.assertTrue(all(len(realm) <= 512 and "\0" not in realm for realm in realms))
        "".join(realms).encode()  # no lone surrogate

    def test_more_realms_than_are_told_apart_are_counted_together(self) -> None:
        for at in range(1_000):
            self.tallies.of(f"r{at}").sampled_out += 1
        self.assertEqual(self.tallies.of("*").sampled_out, 800)
        self.assertEqual(sums(self.tallies), {"recorded": 1_000, "sampledOut": 1_000})

    def test_a_session_of_many_days_that_nobody_takes_reports_of_is_bounded_and_loses_no_count(self) -> None:
        for minute in range(5_000):
            self.clock.minute = minute
            for realm in range(20):
                self.tallies.of(f"r{realm}").sampled_out += 1
        self.assertLess(sum(1 for _ in self.tallies.all()), 12_000)
        self.assertEqual(sums(self.tallies)["sampledOut"], 100_000)

    def test_a_minute_that_was_told_and_let_go_does_not_begin_again_when_the_clock_is_set_back(self) -> None:
        told: dict[tuple[int, Any], int] = {}
        total = 0
        rng = random.Random(7)
        for _ in range(2_000):
            self.clock.minute += rng.choice((0, 0, 1, 1, 2, -1, -3, 40, -40))
            for _ in range(rng.randrange(3)):
                self.tallies.of(rng.choice(("a", "b"))).sampled_out += 1
                total += 1
            if rng.random() < 0.5:
                for minute, realm, counters in report(self.tallies):
                    # The reader keeps the greatest.
                    told[minute, realm] = max(told.get((minute, realm), 0), counters["recorded"])
        report(self.tallies)
        for minute, realm, counters in ((t.minute, t.realm, t.counters()) for t in self.tallies.all()):
            told[minute, realm] = max(told.get((minute, realm), 0), counters["recorded"])
        self.assertEqual(sum(told.values()), total)
        self.assertEqual(sums(self.tallies)["recorded"], total)

    def test_a_record_that_waits_keeps_its_minute(self) -> None:
        tally = self.tallies.of("a")
        tally.waiting += 1
        report(self.tallies)
        self.clock.minute += 5
        self.tallies.of("a").disabled += 1
        report(self.tallies)
        tally.hand()
        self.assertEqual(report(self.tallies)[0], (1_000, "a", {"recorded": 1, "handed": 1}))


class TallyTest(unittest.TestCase):
    def test_what_a_report_says_only_grows(self) -> None:
        tally = Tally(1, None)
        before: dict[str, Any] = {}
        tally.waiting += 4
        for move in (tally.hand, tally.refuse, lambda: tally.leave("bufferFull"), lambda: tally.leave("unsent")):
            progress = tally.progress
            move()
            self.assertGreater(tally.progress, progress)
            counters = tally.counters()
            now = {**counters, **counters.pop("dropped", {})}
            self.assertEqual(now["recorded"], 4)
            for name in before.keys() - {"dropped"}:
                self.assertGreaterEqual(now[name], before[name])
            before = now
        self.assertEqual(tally.waiting, 0)
