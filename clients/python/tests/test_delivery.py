"""What the client does when the gateway refuses, breaks off, hangs or is something else."""

from __future__ import annotations

import threading
import time
import unittest
from typing import Any

from sluice import ObserverStats

from .fake_gateway import (
    Behaviour,
    FakeGateway,
    drip,
    hang,
    refuse,
    reject,
    reset,
    say,
    say_raw,
    store,
    store_and_answer_half,
    store_silently,
    too_large_above,
)
from .test_observer import FAILED, RUN, observer


class RepetitionTest(unittest.TestCase):
    """Whatever happens to a body, it is sent again with the same ids, and then counted once."""

    def survives(self, *behaviours: Behaviour, **options: Any) -> FakeGateway:
        with FakeGateway(*behaviours) as gateway:
            observed = observer(gateway, **options)
            for at in range(50):
                observed.record(**{**RUN, "strategyVersion": at})
            observed.close(20)
            self.assertEqual(observed.stats(), ObserverStats(50, 0, 0, 0, 50, 0, 0, 0))
            self.assertEqual(sorted(record["strategyVersion"] for record in gateway.records.values()), list(range(50)))
            self.assertGreater(max(gateway.arrivals.values()), 1)
            return gateway

    def test_503_and_429(self) -> None:
        self.survives(refuse(503, "redis-away", "0"), refuse(429, "quota-exceeded", "0"), refuse(503, "buffer-full"))

    def test_a_connection_that_is_reset_before_the_answer(self) -> None:
        self.survives(reset, reset, reset)

    def test_a_body_that_was_stored_without_an_answer(self) -> None:
        self.survives(store_silently, store_silently)

    def test_half_an_answer(self) -> None:
        self.survives(store_and_answer_half)

    def test_garbage_in_place_of_an_answer(self) -> None:
        self.survives(
            say_raw(b"SSH-2.0-OpenSSH_9.2\r\n"), say_raw(b""), say(202, b"<html>"), say(200, b"{}"), say(502, b"Bad Gateway"),
            say(202, b'{"accepted": 1, "rejected": []}'), say(202, b"x" * 2_000_000),
        )  # fmt: skip

    def test_a_redirect_is_not_followed(self) -> None:
        self.survives(say_raw(b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"))

    def test_a_gateway_that_hangs(self) -> None:
        ending = threading.Event()
        self.survives(hang(ending), gateway_timeout_s=0.3)
        ending.set()

    def test_an_answer_that_never_ends(self) -> None:
        ending = threading.Event()
        self.survives(drip(ending), gateway_timeout_s=0.3)
        ending.set()

    def test_a_body_that_is_too_large_is_halved(self) -> None:
        gateway = self.survives(too_large_above(8))
        self.assertLessEqual(len(gateway.bodies[-1]), 8)

    def test_a_token_that_is_not_valid_yet(self) -> None:
        with FakeGateway() as gateway:
            gateway.token = "the right one"
            observed = observer(gateway, gateway_token="a-wrong-one")
            observed.record(**RUN)
            gateway.wait_for(lambda: len(gateway.bodies) >= 2)
            gateway.token = "a-wrong-one"
            observed.close(20)
            self.assertEqual(observed.stats().sent, 1)


class DeliveryTest(unittest.TestCase):
    def test_retry_after_is_honoured(self) -> None:
        with FakeGateway(refuse(503, "redis-away", "1")) as gateway:
            observed = observer(gateway)
            observed.record(**RUN)
            gateway.wait_for(lambda: len(gateway.records) == 1)
            self.assertGreaterEqual(gateway.times[1] - gateway.times[0], 1)
            observed.close()

    def test_records_that_are_refused_cost_only_themselves(self) -> None:
        with FakeGateway(reject("status", "realmId")) as gateway:
            observed = observer(gateway)
            for at in range(10):
                observed.record(**{**RUN, "strategyVersion": at})
            observed.close()
            self.assertEqual(observed.stats(), ObserverStats(10, 0, 0, 0, 8, 2, 0, 0))
            self.assertEqual(len(gateway.records), 8)

    def test_a_body_that_is_refused_as_a_whole_is_counted_and_not_repeated(self) -> None:
        with FakeGateway(reject("status")) as gateway:
            observed = observer(gateway)
            observed.record(**RUN)
            observed.close()
            self.assertEqual(observed.stats().refused, 1)
            self.assertEqual(len(gateway.bodies), 1)

    def test_a_record_that_no_body_is_small_enough_for_is_refused_alone(self) -> None:
        def huge_is_too_large(handler: Any, records: list[Any]) -> None:
            handler.fake.behaviours.insert(0, huge_is_too_large)
            if any(record["strategyVersion"] == 5 for record in records):
                handler.answer(413, {"error": {"code": "too-large", "message": "no"}})
            else:
                store(handler, records)

        with FakeGateway(huge_is_too_large) as gateway:
            observed = observer(gateway)
            for at in range(10):
                observed.record(**{**RUN, "strategyVersion": at})
            observed.close()
            self.assertEqual(observed.stats(), ObserverStats(10, 0, 0, 0, 9, 1, 0, 0))

    def test_one_connection_serves_many_bodies_and_is_opened_again_when_the_gateway_has_closed_it(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway)
            for _ in range(5):
                observed.record(**RUN)
                observed.flush()
            self.assertEqual((len(gateway.bodies), gateway.connections), (5, 1))
            self.assertEqual(observed.stats().sent, 5)
            gateway.behaviours = [say_raw(b"")]
            observed.record(**RUN)
            observed.flush()
            self.assertEqual(gateway.connections, 2)
            observed.close()

    def test_bodies_are_compressed_ndjson_with_the_token(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway.url + "/prefix/", gateway_token="token-0123456789")
            for _ in range(100):
                observed.record(**RUN)
            observed.close()
            self.assertEqual(set(gateway.paths), {"/prefix/v1/executions"})
            headers = gateway.headers[0]
            self.assertEqual(headers["Content-Type"], "application/x-ndjson")
            self.assertEqual(headers["Content-Encoding"], "gzip")
            self.assertEqual(headers["Authorization"], "Bearer token-0123456789")

    def test_a_gateway_that_comes_back_gets_everything(self) -> None:
        with FakeGateway() as gateway:
            port = gateway.port
            observed = observer(gateway)
            observed.record(**RUN)
            observed.flush()
        for at in range(30):
            observed.record(**(FAILED if at % 3 else RUN))
        time.sleep(0.3)  # some attempts fail
        with FakeGateway(port=port) as gateway:
            observed.close(20)
            self.assertEqual(len(gateway.records), 30)
            self.assertEqual(observed.stats().sent, 31)

    def test_a_thread_that_cannot_start_is_tried_again(self) -> None:
        start = threading.Thread.start

        def fail(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with FakeGateway() as gateway:
            observed = observer(gateway)
            threading.Thread.start = fail  # type: ignore[method-assign]
            try:
                observed.record(**RUN)
            finally:
                threading.Thread.start = start  # type: ignore[method-assign]
            self.assertEqual(observed.depth().records, 1)
            observed.record(**RUN)
            observed.close()
            self.assertEqual(len(gateway.records), 2)
