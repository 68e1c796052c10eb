"""What the gateway is told for the ledger."""

from __future__ import annotations

import json
import threading
import unittest
from typing import Any, Optional

from sluice import CompletedRequestSender
from sluice._answers import Answer, Later, Stored
from sluice._reports import Reports
from sluice._tallies import Tallies

from .fake_gateway import FakeGateway, hang, refuse, reject
from .test_observer import FAILED, RUN, observer


class Taker:
    """Keeps the reports that it takes."""

    def __init__(self) -> None:
        self.is_away = False
        self.jobs: list[dict[str, Any]] = []
        self.sizes: list[int] = []

    def send(self, method: str, path: str, body: bytes, content_type: str, records: int) -> Answer:
        if self.is_away:
            return Later("away")
        self.jobs.append(json.loads(body))
        self.sizes.append(len(body))
        return Stored(())


class ReportsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now_s = 60_000.0
        self.taker = Taker()
        self.tallies = Tallies(lambda: self.reports.begin(), lambda: self.now_s)
        self.reports = Reports("executions", self.tallies, self.taker, lambda: self.now_s)

    def minute(self) -> list[dict[str, Any]]:
        """What is told at the next full minute."""
        before = len(self.taker.jobs)
        self.now_s += 60
        self.reports.report(threading.RLock())
        return [job["report"] for job in self.taker.jobs[before:]]

    def test_nothing_is_told_of_nothing(self) -> None:
        self.assertIsNone(self.reports.wait_s())
        self.reports.say_goodbye(threading.RLock())
        self.assertEqual(self.taker.jobs, [])

    def test_a_minute_is_told_once_more_when_nothing_has_changed_and_then_not_again(self) -> None:
        self.tallies.of("a").sampled_out += 3
        self.assertIsNotNone(self.reports.wait_s())
        (first,) = self.minute()
        self.assertEqual(first["minutes"], [[1_000, "a", {"recorded": 3, "sampledOut": 3}]])
        self.assertEqual((first["number"], first["isFinal"], first["kind"]), (1, False, "python"))
        (idle,) = self.minute()
        self.assertEqual((idle["number"], idle["minutes"], idle["totals"]), (2, [], {"recorded": 3, "sampledOut": 3}))
        self.assertEqual(self.minute(), [])
        self.assertIsNone(self.reports.wait_s())
        self.tallies.of("a").sampled_out += 1
        (again,) = self.minute()
        self.assertEqual(again["minutes"], [[1_003, "a", {"recorded": 1, "sampledOut": 1}]])

    def test_what_was_not_taken_is_told_by_the_next_one(self) -> None:
        self.taker.is_away = True
        self.tallies.of("a").sampled_out += 1
        self.assertEqual(self.minute(), [])
        self.tallies.of(None).disabled += 2
        self.assertEqual(self.minute(), [])
        self.taker.is_away = False
        (healed,) = self.minute()
        self.assertEqual(
            healed["minutes"],
            [[1_000, "a", {"recorded": 1, "sampledOut": 1}], [1_001, None, {"recorded": 2, "disabled": 2}]],
        )
        self.assertEqual(healed["number"], 3)

    def test_many_minutes_go_into_several_reports_and_only_the_last_one_is_final(self) -> None:
        self.taker.is_away = True
        for minute in range(300):
            for realm in range(10):
                self.tallies.of(f"realm-{realm}-" + "x" * 60).sampled_out += 1
            self.minute()
        self.taker.is_away = False
        self.reports.say_goodbye(threading.RLock())
        reports = [job["report"] for job in self.taker.jobs]
        self.assertGreater(len(reports), 2)
        self.assertLessEqual(max(self.taker.sizes), 65_536)
        self.assertEqual([report["isFinal"] for report in reports], [False] * (len(reports) - 1) + [True])
        rows = [(minute, realm) for report in reports for minute, realm, _ in report["minutes"]]
        self.assertEqual((len(rows), len(set(rows))), (3_000, 3_000))


def told(gateway: FakeGateway) -> dict[tuple[str, int, Optional[str]], dict[str, Any]]:
    """What the ledger knows at the end: the last of each life, minute and realm."""
    known = {}
    for _, job in gateway.reports:
        for minute, realm, counters in job["report"]["minutes"]:
            known[job["life"], minute, realm] = counters
    return known


def sum_of(gateway: FakeGateway, name: str) -> int:
    return sum(counters.get(name, 0) for counters in told(gateway).values())


class SenderReportsTest(unittest.TestCase):
    def test_the_last_report_tells_what_the_counts_tell(self) -> None:
        with FakeGateway(reject("status")) as gateway:
            observed = observer(gateway, sample_rate=0)
            for _ in range(5):
                observed.record(**FAILED)
            for _ in range(3):
                observed.record(**RUN)
            observed.record(**{**RUN, "realmId": "south"})
            observed.configure(enabled=False)
            observed.record(**FAILED)
            observed.close()
            ((path, job),) = gateway.reports
            self.assertEqual(path, "/v1/reports?records=executions")
            report = job["report"]
            self.assertTrue(report["isFinal"])
            stats = observed.stats()
            self.assertEqual(
                report["totals"],
                {"recorded": 10, "sampledOut": 4, "disabled": 1, "refused": 1, "handed": 4},
            )
            self.assertEqual((stats.recorded, stats.sent, stats.refused), (10, 4, 1))
            self.assertEqual({realm for _, realm, _ in report["minutes"]}, {"north", "south"})
            self.assertEqual(sum_of(gateway, "recorded"), 10)

    def test_records_that_only_were_sampled_out_are_reported_and_nothing_is_when_there_were_none(self) -> None:
        with FakeGateway() as gateway:
            observer(gateway).close()
            self.assertEqual(gateway.reports, [])
            observed = observer(gateway, sample_rate=0)
            observed.record(**RUN)
            observed.close()
            self.assertEqual(sum_of(gateway, "sampledOut"), 1)
            self.assertEqual(gateway.bodies, [])

    def test_what_could_not_be_sent_is_told_with_its_reason_if_the_gateway_takes_the_report(self) -> None:
        with FakeGateway(*[refuse(503, "redis-away", "0")] * 1_000) as gateway:
            observed = observer(gateway, queue_maxsize=2)
            for _ in range(5):
                observed.record(**RUN)
            observed.close(0.5)
            observed.record(**RUN)
            totals = gateway.reports[-1][1]["report"]["totals"] if gateway.reports else None
            stats = observed.stats()
            self.assertEqual((stats.dropped, stats.in_doubt), (4, 2))
            if totals is not None:
                self.assertEqual(totals, {"recorded": 5, "dropped": {"bufferFull": 3, "inDoubt": 2}})

    def test_a_gateway_that_does_not_take_reports_takes_records_all_the_same(self) -> None:
        for status in (404, 403, 500):
            with self.subTest(status), FakeGateway() as gateway:
                gateway.report_statuses = [status]
                observed = observer(gateway)
                observed.record(**RUN)
                observed.close()
                self.assertEqual(observed.stats().sent, 1)

    def test_a_gateway_that_hangs_holds_a_close_no_longer_than_it_may_take(self) -> None:
        ending = threading.Event()
        with FakeGateway(hang(ending)) as gateway:
            observed = observer(gateway)
            observed.record(**RUN)
            self.assertEqual(observed.close(0.3).unflushed, 1)
            ending.set()

    def test_requests_have_no_realm(self) -> None:
        with FakeGateway() as gateway:
            sender = CompletedRequestSender(gateway.url, environment={})
            for at in range(3):
                sender.send(requestId=f"0199a000-0000-7000-8000-00000000000{at}", createdBy="me", statusCode=200)
            sender.close()
            self.assertEqual([path for path, _ in gateway.reports], ["/v1/reports?records=requests"])
            self.assertEqual({realm for _, _, realm in told(gateway)}, {None})
            self.assertEqual(sum_of(gateway, "handed"), 3)
