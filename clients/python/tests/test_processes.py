"""Processes that fork, and processes that end."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest
from typing import Any

from .fake_gateway import FakeGateway, hang

HERE = pathlib.Path(__file__).parent


def run(gateway: FakeGateway, how: str, count: int, **environment: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the lines that the process has printed."""
    ended = subprocess.run(
        [sys.executable, str(HERE / "services" / "leaving_process.py")],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SLUICE_GATEWAY_URL": gateway.url,
            "SLUICE_EXIT_TIMEOUT_S": "20",
            "TEST_HOW": how,
            "TEST_RECORDS": str(count),
            **environment,
        },
        stdout=subprocess.PIPE,
        timeout=60,
    )
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


def users(gateway: FakeGateway) -> list[str]:
    return sorted(record["externalUserId"] for record in gateway.records.values())


def expected(*names: str, count: int) -> list[str]:
    return sorted(f"{name}-{at}" for name in names for at in range(count))


class EndTest(unittest.TestCase):
    def test_what_is_buffered_is_sent_when_the_process_ends(self) -> None:
        for how in ("end", "exception", "thread"):
            with self.subTest(how), FakeGateway() as gateway:
                code, _ = run(gateway, how, 100)
                self.assertEqual(code, 3 if how == "exception" else 0)
                self.assertEqual(users(gateway), expected("main", count=100))

    def test_the_end_does_not_wait_longer_than_it_may(self) -> None:
        ending = threading.Event()
        with FakeGateway(*[hang(ending)] * 100) as gateway:
            begun = time.monotonic()
            code, _ = run(gateway, "end", 10, SLUICE_EXIT_TIMEOUT_S="0.5")
            self.assertEqual(code, 0)
            self.assertLess(time.monotonic() - begun, 20)
            ending.set()


@unittest.skipUnless(hasattr(os, "fork"), "there is no fork on this system")
class ForkTest(unittest.TestCase):
    def test_each_process_sends_its_own_records_once(self) -> None:
        for how in ("fork", "fork-before", "multiprocessing"):
            with self.subTest(how), FakeGateway() as gateway:
                code, lines = run(gateway, how, 50)
                self.assertEqual(code, 0)
                children = {line["name"]: line["recorded"] for line in lines if "name" in line}
                self.assertEqual(children, {"child0": 50, "child1": 50, "child2": 50})
                self.assertEqual(users(gateway), expected("main", "child0", "child1", "child2", count=50))
                self.assertEqual(max(gateway.arrivals.values()), 1)

    def test_a_fork_in_the_middle_of_recording_hangs_nobody(self) -> None:
        with FakeGateway() as gateway:
            code, lines = run(gateway, "fork-busy", 2_000)
            self.assertEqual(code, 0)
            self.assertEqual([line["codes"] for line in lines if "codes" in line], [[0] * 20])
            names = [f"child{child}" for child in range(20)]
            self.assertEqual(users(gateway), sorted(expected("main", count=2_000) + expected(*names, count=5)))
