from __future__ import annotations

import asyncio
import decimal
import random
import threading
import unittest
import warnings
from typing import Any

from sluice import ExecutionObserver, NoopExecutionObserver, ObserverStats, SettingsError

from .fake_gateway import FakeGateway, hang, refuse

#: The arguments of the original, all of them.
RUN: dict[str, Any] = {
    "strategyId": "s-1", "strategyVersion": 2, "strategyType": "DSL_FULL", "realmId": "north", "externalGameId": "g",
    "externalTaskId": "t", "externalUserId": "u", "status": "ok", "errorCode": None, "points": 3.0, "caseName": "GOLD",
    "durationMs": 1.25, "nodesExecuted": 2, "trace": [{"nodeId": "a", "type": "literal", "value": 1}],
}  # fmt: skip
FAILED = {**RUN, "status": "error", "errorCode": "DSL_ARITH_DIV_BY_ZERO", "points": None, "caseName": None}


def observer(gateway: FakeGateway | str | None, **options: Any) -> ExecutionObserver:
    url = gateway.url if isinstance(gateway, FakeGateway) else gateway
    options = {"sample_rate": 1, "environment": {}, "exit_timeout_s": 5, **options}
    return ExecutionObserver(url, **options)


def accounts_of(stats: ObserverStats) -> int:
    return sum(stats) - stats.recorded


class ObserverTest(unittest.TestCase):
    def test_awaited_or_not_a_record_is_recorded_by_the_call(self) -> None:
        async def service(observed: ExecutionObserver) -> None:
            await observed.record(**RUN)
            observed.record(**RUN)
            await asyncio.gather(observed.record(**RUN), asyncio.create_task(observed.record(**RUN)))  # type: ignore[arg-type]
            await observed.drain()

        with FakeGateway() as gateway, warnings.catch_warnings():
            warnings.simplefilter("error")
            observed = observer(gateway)
            observed.record(**RUN)
            asyncio.run(service(observed))
            self.assertEqual(len(gateway.records), 5)
            self.assertEqual(observed.stats(), ObserverStats(5, 0, 0, 0, 5, 0, 0, 0))
            observed.close()

    def test_a_service_without_asyncio_flushes_and_closes(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway)
            observed.record(**RUN)
            self.assertEqual(observed.flush(), (1, 0))
            self.assertEqual(len(gateway.records), 1)
            observed.record(**RUN)
            self.assertEqual(observed.close(), (1, 0))
            self.assertEqual(observed.close(), (0, 0))
            observed.record(**RUN)
            self.assertEqual(observed.stats(), ObserverStats(3, 0, 0, 1, 2, 0, 0, 0))
            self.assertEqual(len(gateway.records), 2)

    def test_the_row_has_what_the_original_stored(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway, sample_rate=0.5, rng=random.Random(1))  # 0.13: kept
            observed.record(**RUN, parentStrategyId="default")
            observed.close()
            (record,) = gateway.records.values()
            for name, value in RUN.items():
                self.assertEqual(record.get(name), value)
            self.assertEqual((record["parentStrategyId"], record["sampleRate"]), ("default", 0.5))

    def test_failures_are_kept_at_rate_0_and_ok_runs_are_not(self) -> None:
        class Never:
            def random(self) -> float:
                raise AssertionError("asked although there is nothing to decide")

        with FakeGateway() as gateway:
            observed = observer(gateway, sample_rate=0, rng=Never())
            observed.record(**RUN)
            for status in ("error", "timeout", "limit", "cancelled", "unheard of", None):
                observed.record(**{**FAILED, "status": status})
            observed.close()
            self.assertEqual(observed.stats(), ObserverStats(7, 1, 0, 0, 6, 0, 0, 0))

    def test_a_seeded_generator_decides_which_ok_runs_are_kept(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway, sample_rate=0.3, rng=random.Random(7))
            for at in range(100):
                observed.record(**{**RUN, "strategyVersion": at})
            observed.close()
            same = random.Random(7)
            expected = [at for at in range(100) if same.random() < 0.3]
            self.assertEqual(sorted(record["strategyVersion"] for record in gateway.records.values()), expected)

    def test_disabled_stores_nothing_not_even_failures(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway, enabled=False)
            observed.record(**FAILED)
            observed.configure(enabled=True)
            observed.record(**FAILED)
            observed.close()
            self.assertEqual(observed.stats(), ObserverStats(2, 0, 1, 0, 1, 0, 0, 0))

    def test_without_a_gateway_nothing_is_stored_and_nothing_raises(self) -> None:
        observed = observer(None)
        observed.record(**RUN)
        self.assertEqual(observed.flush(), (0, 0))
        self.assertEqual(observed.stats(), ObserverStats(1, 0, 1, 0, 0, 0, 0, 0))
        observed.close()

    def test_a_long_trace_keeps_its_head_and_its_tail(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway, trace_limit=4)
            trace = [{"nodeId": str(at)} for at in range(10)]
            observed.record(**{**RUN, "trace": trace})
            observed.close()
            (record,) = gateway.records.values()
            self.assertEqual([entry["nodeId"] for entry in record["trace"]], ["0", "1", "8", "9"])
            self.assertEqual(record["traceLength"], 10)
            self.assertIn("trace cut from 10 to 4 entries", record["notes"])

    def test_later_changes_of_the_caller_do_not_matter(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway)
            trace: list[dict[str, Any]] = [{"nodeId": "a", "value": {"list": [1]}}]
            run_input: dict[str, Any] = {"data": [1]}
            observed.record(**{**RUN, "trace": trace}, input=run_input)
            trace[0]["value"]["list"].append("changed")
            trace.append({"nodeId": "changed"})
            run_input["data"].clear()
            observed.close()
            (record,) = gateway.records.values()
            self.assertEqual(record["trace"], [{"nodeId": "a", "value": {"list": [1]}}])
            self.assertEqual(record["input"], {"data": [1]})

    def test_no_value_makes_record_raise(self) -> None:
        class Hostile:
            def __getattribute__(self, name: str) -> Any:
                raise RuntimeError("no")

            def __eq__(self, other: object) -> bool:
                raise RuntimeError("no")

            def __hash__(self) -> int:
                raise RuntimeError("no")

            def __str__(self) -> str:
                raise RuntimeError("no")

        cycle: list[Any] = []
        cycle.append(cycle)
        values: list[Any] = [
            Hostile(), [Hostile()], {"a": Hostile()}, cycle, b"\xff", float("nan"), 10**400, "\ud800\0", object(), print,
            decimal.Decimal("NaN"), {Hostile: 1}, True, -1, [], {}, (), set(), iter([]),
        ]  # fmt: skip
        with FakeGateway() as gateway:
            observed = observer(gateway)
            for value in values:
                for name in (*RUN, "input", "errorMessage", "attempt", "recordedAt", "id", "traceId", "spanId"):
                    observed.record(**{**RUN, name: value})
            stats = observed.stats()
            observed.close()
            self.assertEqual(stats.recorded, len(values) * (len(RUN) + 7))
            self.assertEqual(observed.stats().dropped, 0)
            self.assertEqual(len(gateway.records), stats.recorded)

    def test_a_wrong_call_is_recorded_as_far_as_it_goes(self) -> None:
        with FakeGateway() as gateway:
            observed = observer(gateway)
            with self.assertLogs("sluice", "WARNING") as logged:
                observed.record(strategy_id="s")
            self.assertIn("strategy_id", logged.output[0])
            observed.close()
            (record,) = gateway.records.values()
            self.assertEqual((record["strategyId"], record["status"], record["durationMs"]), ("unknown", "error", 0))

    def test_the_buffer_drops_ok_runs_before_failures_and_counts_them(self) -> None:
        ending = threading.Event()
        with FakeGateway(hang(ending)) as gateway:
            observed = observer(gateway, queue_maxsize=10)
            observed.record(**RUN)
            gateway.wait_for(lambda: len(gateway.bodies) == 1)  # it is being sent, and stays
            for at in range(20):
                observed.record(**{**RUN, "strategyVersion": at})
            for at in range(5):
                observed.record(**{**FAILED, "strategyVersion": at})
            self.assertEqual(observed.stats().dropped, 16)
            self.assertEqual(observed.depth().records, 10)
            ending.set()
            observed.close()
            stats = observed.stats()
            self.assertEqual((stats.recorded, stats.sent, stats.dropped), (26, 10, 16))
            kept = [record for record in gateway.records.values() if record["status"] == "error"]
            self.assertEqual(len(kept), 5)
            # Failures are sent first.
            self.assertEqual([record["status"] for record in gateway.bodies[-1]][:5], ["error"] * 5)

    def test_a_closed_gateway_leaves_everything_counted(self) -> None:
        with FakeGateway() as gateway:
            url = gateway.url
        observed = observer(url)
        for _ in range(10):
            observed.record(**RUN)
        self.assertEqual(observed.close(0.3), (0, 10))
        # Nothing was ever sent: surely not stored.
        self.assertEqual(observed.stats(), ObserverStats(10, 0, 0, 10, 0, 0, 0, 0))

    def test_close_keeps_its_deadline_and_what_was_sent_without_an_answer_is_in_doubt(self) -> None:
        ending = threading.Event()
        with FakeGateway(hang(ending)) as gateway:
            observed = observer(gateway, gateway_timeout_s=0.2)
            observed.record(**RUN)
            gateway.wait_for(lambda: len(gateway.bodies) == 1)
            gateway.behaviours = [hang(ending)] * 1_000
            gateway.wait_for(lambda: len(gateway.bodies) == 2)
            observed.record(**RUN)
            observed.close(0.2)
            self.assertEqual(observed.stats(), ObserverStats(2, 0, 0, 1, 0, 0, 1, 0))
            ending.set()

    def test_what_is_being_sent_at_close_for_the_first_time_is_in_doubt(self) -> None:
        ending = threading.Event()
        with FakeGateway(hang(ending)) as gateway:
            observed = observer(gateway)
            observed.record(**RUN)
            gateway.wait_for(lambda: len(gateway.bodies) == 1)
            observed.record(**RUN)
            observed.close(0.2)
            # One was sent, and nobody knows what became of it; the other one was not.
            self.assertEqual(observed.stats(), ObserverStats(2, 0, 0, 1, 0, 0, 1, 0))
            ending.set()

    def test_a_body_that_broke_a_connection_is_in_doubt_though_the_gateway_is_gone(self) -> None:
        gateway = FakeGateway()
        observed = observer(gateway)
        observed.record(**RUN)
        observed.flush(30)
        gateway.behaviours = [lambda handler, records: gateway.close()]
        observed.record(**RUN)
        gateway.wait_for(lambda: len(gateway.bodies) == 2)
        observed.close(0.5)
        self.assertEqual(observed.stats(), ObserverStats(2, 0, 0, 0, 1, 0, 1, 0))

    def test_many_threads_record_and_every_call_is_counted_once(self) -> None:
        with FakeGateway(*[refuse(503, "redis-away", "0")] * 3) as gateway:
            observed = observer(gateway, sample_rate=0.5, queue_maxsize=200)

            def work() -> None:
                for at in range(500):
                    observed.record(**(FAILED if at % 10 == 0 else RUN))

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                stats = observed.stats()
                self.assertEqual(stats.recorded, accounts_of(stats))
                thread.join()
            observed.close()
            stats = observed.stats()
            self.assertEqual((stats.recorded, accounts_of(stats)), (2_000, 2_000))
            self.assertEqual(len(gateway.records), stats.sent)

    def test_an_observer_may_be_used_from_one_loop_after_the_other(self) -> None:
        async def service() -> None:
            await observed.record(**RUN)
            await observed.drain()

        with FakeGateway() as gateway:
            observed = observer(gateway)
            for _ in range(3):
                asyncio.run(service())
            asyncio.run(observed.aclose())  # type: ignore[arg-type]
            self.assertEqual(len(gateway.records), 3)

    def test_drain_does_not_block_the_loop(self) -> None:
        ending = threading.Event()

        async def service() -> int:
            await observed.record(**RUN)
            drain = asyncio.ensure_future(observed.drain())
            turns = 0
            while not gateway.bodies:
                turns += 1
                await asyncio.sleep(0)
            self.assertFalse(drain.done())
            ending.set()
            await drain
            return turns

        with FakeGateway(hang(ending)) as gateway:
            observed = observer(gateway)
            self.assertGreater(asyncio.run(service()), 0)
            observed.close()

    def test_the_noop_accepts_everything(self) -> None:
        async def service() -> None:
            await NoopExecutionObserver().record(anything=1)
            await NoopExecutionObserver().drain()
            await NoopExecutionObserver().aclose()

        asyncio.run(service())


class SettingsTest(unittest.TestCase):
    def test_the_environment_is_that_of_the_original_and_arguments_go_first(self) -> None:
        with FakeGateway() as gateway:
            gateway.token = "token-0123456789"
            environment = {
                "SLUICE_GATEWAY_URL": gateway.url,
                "SLUICE_GATEWAY_TOKEN": "token-0123456789",
                "DSL_EXECUTION_LOG_SAMPLE_RATE": "0",
                "DSL_EXECUTION_LOG_TRACE_LIMIT": "1",
                "DSL_EXECUTION_LOG_QUEUE_MAXSIZE": "2",
            }
            observed = ExecutionObserver(environment=environment)
            observed.record(**RUN)
            observed.record(**{**FAILED, "trace": [{"a": 1}, {"b": 2}]})
            observed.close()
            self.assertEqual(observed.stats()[:2], (2, 1))
            (record,) = gateway.records.values()
            self.assertEqual(record["trace"], [{"a": 1}])
            off = ExecutionObserver(environment={**environment, "DSL_EXECUTION_LOG_ENABLED": "off"}, sample_rate=1)
            off.record(**RUN)
            self.assertEqual(off.stats().disabled, 1)
            off.close()

    def test_settings_out_of_range_are_refused_all_at_once_and_no_secret_is_shown(self) -> None:
        with self.assertRaises(SettingsError) as caught:
            ExecutionObserver(
                "http://user:secret@host",
                sample_rate=7,
                queue_maxsize=0,
                environment={"DSL_EXECUTION_LOG_TRACE_LIMIT": "many", "SLUICE_GATEWAY_TOKEN": "se cret"},
            )
        message = str(caught.exception)
        for name in ("SLUICE_GATEWAY_URL", "SLUICE_GATEWAY_TOKEN", "SAMPLE_RATE", "TRACE_LIMIT", "QUEUE_MAXSIZE"):
            self.assertIn(name, message)
        self.assertNotIn("secret", message)
        self.assertNotIn("se cret", message)

    def test_a_url_that_no_body_can_be_sent_to_is_refused(self) -> None:
        for url, problem in (
            ("http://h:9466/a b", "spaces"),
            ("http://h:9466/pr\u00e4fix", "beyond ASCII"),
            ("http://h:9466/\r\nX: y", "spaces"),
            ("http://a..b:9466", "host"),
            ("http://" + "a" * 64 + ":9466", "host"),
            ("http://h:0", "port 0"),
            ("http://h:9466/v1/executions", "leave out /v1/"),
            ("http://h/prefix/v1/requests/", "leave out /v1/"),
        ):
            with self.subTest(url=url), self.assertRaisesRegex(ValueError, problem):
                ExecutionObserver(url, environment={})
        for url in ("http://[::1]:9466", "http://b\u00fccher.example", "https://h/a%20b/", " http://h:1\n"):
            with self.subTest(url=url):
                ExecutionObserver(url, environment={}).close(0)

    def test_a_repository_in_place_of_the_url_is_refused(self) -> None:
        with self.assertRaisesRegex(SettingsError, "in place of a repository"):
            ExecutionObserver(object(), environment={})  # type: ignore[arg-type]

    def test_configure_changes_all_or_nothing(self) -> None:
        observed = observer(None)
        with self.assertRaises(SettingsError):
            observed.configure(trace_limit=5, sample_rate=2)
        observed.configure(sample_rate=0.25)
        self.assertEqual(observed._settings, (True, 0.25, 200))
        observed.close()
