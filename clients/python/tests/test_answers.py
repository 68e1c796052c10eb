from __future__ import annotations

import email.utils
import json
import time
import unittest
from typing import Any

from sluice._answers import Answer, Later, Refusal, Stored, TooMuch, read_answer
from sluice._backoff import backoff_s


def answer(status: int, content: Any = b"", *, retry_after: str | None = None, records: int = 3) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_answer(status, body, retry_after, records)


def error(code: str, **others: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "no"}, **others}


class AnswerTest(unittest.TestCase):
    def test_202_with_all_records_is_stored(self) -> None:
        self.assertEqual(answer(202, {"accepted": 3, "rejected": []}), Stored(()))
        self.assertEqual(answer(202, {"accepted": 3, "duplicates": 2, "rejected": []}), Stored(()))
        self.assertEqual(answer(202, {"accepted": 1, "duplicates": 2, "rejected": []}), Stored(()))

    def test_202_names_what_is_refused(self) -> None:
        told = {"accepted": 1, "rejected": [{"index": 2, "field": "status", "reason": "no"}], "rejectedMore": 1}
        self.assertEqual(answer(202, told), Stored((Refusal(2, "status", "no"),), 1))

    def test_202_that_does_not_add_up_is_no_answer(self) -> None:
        contents: list[Any] = [b"", b"{", b"[]", {"accepted": 2, "rejected": []}, {"accepted": 3}]
        for content in [*contents, {"accepted": 2, "rejected": [{"index": 9}]}]:
            with self.subTest(content):
                self.assertIsInstance(answer(202, content), Later)

    def test_a_body_that_is_refused_as_a_whole_is_refused_record_by_record(self) -> None:
        rejected = [{"index": at, "field": "status", "reason": "no"} for at in range(3)]
        for status in (400, 403, 413):
            told = answer(status, error("all-rejected", rejected=rejected))
            assert isinstance(told, Stored)
            self.assertEqual(len(told.refusals), 3)

    def test_a_body_that_is_too_large_or_broken_is_halved(self) -> None:
        self.assertEqual(answer(413, error("too-large")), TooMuch("413 too-large"))
        self.assertEqual(answer(400, error("invalid-json")), TooMuch("400 invalid-json"))

    def test_what_may_pass_is_sent_again_after_the_time_that_the_gateway_names(self) -> None:
        self.assertEqual(answer(429, error("quota-exceeded"), retry_after="7"), Later("the answer was 429 quota-exceeded", 7.0))
        self.assertEqual(answer(503, error("redis-away"), retry_after="2"), Later("the answer was 503 redis-away", 2.0))
        dated = answer(503, b"", retry_after=email.utils.formatdate(time.time() + 30))
        assert isinstance(dated, Later) and dated.retry_after_s is not None
        self.assertAlmostEqual(dated.retry_after_s, 30, delta=3)
        self.assertEqual(answer(503, b"", retry_after="soon"), Later("the answer was 503", None))

    def test_a_wrong_token_leaves_nothing_in_doubt(self) -> None:
        self.assertEqual(answer(401, error("unauthenticated")), Later("the answer was 401 unauthenticated", None, False))

    def test_what_is_not_said_by_a_gateway_never_costs_a_record(self) -> None:
        for status in (200, 204, 301, 400, 403, 404, 405, 408, 413, 415, 500, 502, 504):
            with self.subTest(status):
                self.assertIsInstance(answer(status, b"<html>no</html>"), Later)


class BackoffTest(unittest.TestCase):
    def test_waits_grow_to_five_seconds_with_full_jitter(self) -> None:
        self.assertEqual([backoff_s(at, None, lambda: 1.0) for at in (0, 1, 2, 10, 10_000)], [0.1, 0.2, 0.4, 5.0, 5.0])
        self.assertEqual(backoff_s(9, None, lambda: 0.0), 0.0)

    def test_what_the_gateway_asks_for_is_waited_and_jitter_comes_on_top(self) -> None:
        self.assertEqual(backoff_s(0, 3, lambda: 0.0), 3)
        self.assertEqual(backoff_s(9, 3, lambda: 1.0), 4)
        self.assertEqual(backoff_s(0, 86_400, lambda: 0.0), 60)
