from __future__ import annotations

import asyncio
import threading
import unittest
import uuid
from typing import Any

from sluice import CompletedRequestSender, RecordRefused, RecordUnsent, SenderClosed, SenderStats, SendTimeout, SettingsError

from .fake_gateway import FakeGateway, hang, refuse, reject


def request(**values: Any) -> dict[str, Any]:
    return {"requestId": str(uuid.uuid4()), "createdBy": "org-7", "statusCode": 200, "responseBody": "ok", **values}


def sender(gateway: FakeGateway, **options: Any) -> CompletedRequestSender:
    return CompletedRequestSender(gateway.url, environment={}, **options)


def accounts_hold(stats: SenderStats) -> bool:
    return stats.accepted == stats.sent + stats.rejected + stats.dropped + stats.in_doubt + stats.buffered


class SenderTest(unittest.TestCase):
    def test_what_is_sent_arrives_and_is_counted(self) -> None:
        with FakeGateway() as gateway:
            requests = sender(gateway)
            for _ in range(20):
                requests.send(**request())
            requests.close()
            self.assertEqual(len(gateway.records), 20)
            self.assertEqual(requests.stats(), SenderStats(20, 0, 0, 0, 0, 20, 0, 0, 0, 0))

    def test_begin_is_put_at_the_address_of_the_request_before_its_end(self) -> None:
        with FakeGateway() as gateway:
            requests = sender(gateway)
            one = request()
            requests.begin(requestId=one["requestId"].upper(), createdBy="org-7", durable=True)
            requests.send(**one, durable=True)
            self.assertEqual(gateway.paths, [f"/v1/requests/{one['requestId']}/begin", "/v1/requests"])
            self.assertNotIn("statusCode", gateway.bodies[0][0])
            requests.close()

    def test_a_full_buffer_makes_sends_wait_in_order_and_drops_nothing(self) -> None:
        ending = threading.Event()
        with FakeGateway(hang(ending)) as gateway:
            requests = sender(gateway, buffer_max_records=2)
            requests.send(**request())
            gateway.wait_for(lambda: len(gateway.bodies) == 1)
            requests.send(**request())
            threads = []
            for at in range(5):
                threads.append(threading.Thread(target=requests.send, kwargs=request(createdBy=f"org-{at}")))
                threads[-1].start()
                while requests.stats().waiting <= at:
                    threads[-1].join(0.001)
            self.assertEqual(requests.stats().accepted, 2)
            ending.set()
            for thread in threads:
                thread.join()
            requests.close()
            sent = [record["createdBy"] for body in gateway.bodies[1:] for record in body if record["createdBy"] != "org-7"]
            self.assertEqual(sent, [f"org-{at}" for at in range(5)])
            self.assertEqual(requests.stats(), SenderStats(7, 0, 0, 0, 0, 7, 0, 0, 0, 0))

    def test_a_send_waits_no_longer_than_its_timeout_and_is_then_not_accepted(self) -> None:
        ending = threading.Event()
        with FakeGateway(hang(ending)) as gateway:
            requests = sender(gateway, buffer_max_records=1)
            requests.send(**request())
            with self.assertRaises(SendTimeout) as caught:
                requests.send(**request(), timeout=0.05)
            self.assertFalse(caught.exception.is_accepted)
            ending.set()
            requests.close()
            self.assertEqual(requests.stats(), SenderStats(1, 0, 1, 0, 0, 1, 0, 0, 0, 0))

    def test_a_durable_send_returns_when_the_gateway_has_the_record(self) -> None:
        with FakeGateway(refuse(503, "redis-away", "0"), reject("createdBy")) as gateway:
            requests = sender(gateway)
            with self.assertRaises(RecordRefused) as caught:
                requests.send(**request(), durable=True)
            self.assertEqual(caught.exception.field, "createdBy")
            requests.send(**request(), durable=True)
            self.assertEqual(len(gateway.records), 1)
            requests.close()
            self.assertEqual(requests.stats(), SenderStats(2, 0, 0, 0, 0, 1, 1, 0, 0, 0))

    def test_a_durable_send_that_times_out_is_still_sent(self) -> None:
        ending = threading.Event()
        with FakeGateway(hang(ending)) as gateway:
            requests = sender(gateway)
            with self.assertRaises(SendTimeout) as caught:
                requests.send(**request(), durable=True, timeout=0.05)
            self.assertTrue(caught.exception.is_accepted)
            ending.set()
            requests.close()
            self.assertEqual(requests.stats().sent, 1)

    def test_close_ends_what_waits_and_counts_what_is_left(self) -> None:
        ending = threading.Event()
        with FakeGateway(*[hang(ending)] * 100) as gateway:
            requests = sender(gateway, buffer_max_records=1, gateway_timeout_s=0.2)
            errors: list[BaseException] = []

            def send(**options: Any) -> None:
                try:
                    requests.send(**request(), **options)
                except Exception as error:
                    errors.append(error)

            durable = threading.Thread(target=send, kwargs={"durable": True})
            durable.start()
            gateway.wait_for(lambda: len(gateway.bodies) >= 2)
            waiting = threading.Thread(target=send)
            waiting.start()
            while requests.stats().waiting == 0:
                waiting.join(0.001)
            requests.close(0.1)
            waiting.join()
            durable.join()
            self.assertEqual({type(error) for error in errors}, {SenderClosed, RecordUnsent})
            stats = requests.stats()
            self.assertTrue(accounts_hold(stats))
            self.assertEqual(stats.closed + stats.accepted, 2)
            with self.assertRaises(SenderClosed):
                requests.send(**request())
            ending.set()

    def test_asyncio_waits_without_blocking_the_loop(self) -> None:
        ending = threading.Event()

        async def service() -> None:
            await requests.asend(**request())
            gateway.wait_for(lambda: len(gateway.bodies) == 1)
            waiting = [asyncio.ensure_future(requests.asend(**request(createdBy=f"org-{at}"), durable=True)) for at in range(3)]
            cancelled = asyncio.ensure_future(requests.asend(**request(createdBy="cancelled")))
            late = asyncio.ensure_future(requests.asend(**request(createdBy="late"), timeout=0.01))
            while requests.stats().waiting < 5:
                await asyncio.sleep(0)
            cancelled.cancel()
            with self.assertRaises(SendTimeout):
                await late
            with self.assertRaises(asyncio.CancelledError):
                await cancelled
            ending.set()
            await asyncio.gather(*waiting)
            await requests.abegin(requestId=str(uuid.uuid4()), createdBy="org-7", durable=True)
            await requests.aclose()

        with FakeGateway(hang(ending)) as gateway:
            requests = sender(gateway, buffer_max_records=1)
            asyncio.run(service())
            creators = {record["createdBy"] for record in gateway.records.values()}
            self.assertEqual(creators, {"org-7", "org-0", "org-1", "org-2"})
            self.assertEqual(requests.stats(), SenderStats(5, 0, 2, 0, 0, 5, 0, 0, 0, 0))

    def test_what_can_never_be_accepted_is_refused_at_once(self) -> None:
        with FakeGateway() as gateway:
            requests = sender(gateway, buffer_max_bytes=65_536, max_body_bytes=1_048_576)
            with self.assertRaisesRegex(ValueError, "requestId"):
                requests.send(**request(requestId="7"))
            with self.assertRaisesRegex(ValueError, "more than the whole buffer"):
                requests.send(**request(responseBody="x" * 70_000))
            requests.close()
            self.assertEqual(requests.stats().refused, 2)

    def test_an_unknown_argument_is_left_out_and_logged(self) -> None:
        with FakeGateway() as gateway:
            requests = sender(gateway)
            with self.assertLogs("sluice", "WARNING") as logged:
                requests.send(**request(colour="red"))
                asyncio.run(requests.asend(**request(colour="red")))
            self.assertIn("colour", logged.output[0])
            self.assertNotIn("red", logged.output[0])
            requests.close()
            self.assertEqual(requests.stats().sent, 2)

    def test_a_gateway_is_required(self) -> None:
        with self.assertRaisesRegex(SettingsError, "SLUICE_GATEWAY_URL"):
            CompletedRequestSender(environment={})

    def test_no_key_is_in_a_message(self) -> None:
        with self.assertRaises(SettingsError) as caught:
            CompletedRequestSender("http://h", api_key_pepper="short", environment={})
        self.assertNotIn("short,", str(caught.exception))
        self.assertIn("SLUICE_API_KEY_PEPPER", str(caught.exception))
