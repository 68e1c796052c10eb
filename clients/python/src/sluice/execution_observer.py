"""The observer of strategy executions."""

from __future__ import annotations

import os
import random as random_module
import threading
import time
from typing import Any, Awaitable, Literal, Mapping, NamedTuple, NoReturn, Optional, Protocol

from . import _process, _settings
from ._buffer import Entry
from ._delivery import Delivery, Drained
from ._execution_record import Execution, cut_trace, is_failure, take_snapshot, write_snapshot
from ._metrics import UNKNOWN, ExecutionMetrics, Series
from ._problems import ProblemLog
from ._settings import KIB, MIB, ObserverSettings
from ._span import active_span
from ._waiting import DONE, in_thread

__all__ = ["Depth", "ExecutionObserver", "NoopExecutionObserver", "ObserverStats"]

DRAIN_TIMEOUT_S = 30.0
UNKNOWN_ARGUMENTS = "unknown arguments were left out"


class HasRandom(Protocol):
    """Such as random.Random, or the module itself."""

    def random(self) -> float: ...


class Depth(NamedTuple):
    """What a buffer holds now, including what is being sent."""

    records: int
    #: of the process' memory, about
    bytes: int


class ObserverStats(NamedTuple):
    """What became of every call of record() in this process, since the observer was created or the process was forked.

    `recorded` is the sum of all others.
    """

    recorded: int
    sampled_out: int
    #: recorded while disabled, or without a gateway
    disabled: int
    #: no room, after close, or unsent at close: surely not stored
    dropped: int
    #: the gateway has it in Redis
    sent: int
    #: by the gateway, because of its content
    refused: int
    #: given up at close after a body was sent and not answered: perhaps stored
    in_doubt: int
    #: in the buffer now
    buffered: int


class _Counts:
    """Counts what became of records. Whoever calls has the observer's lock."""

    def __init__(self, metrics: ExecutionMetrics, problems: ProblemLog) -> None:
        self._metrics = metrics
        self._problems = problems
        self.reset()

    def reset(self) -> None:
        self.recorded = self.sampled_out = self.disabled = self.dropped = 0
        self.sent = self.refused = self.in_doubt = 0

    def on_sent(self, records: int) -> None:
        self.sent += records
        self._metrics.outcome("sent", records)

    def on_refused(self, records: int) -> None:
        self.refused += records
        self._metrics.outcome("refused", records)

    def on_in_doubt(self, records: int) -> None:
        self.in_doubt += records
        self._metrics.outcome("in_doubt", records)

    def on_dropped(self, entries: list[Entry]) -> None:
        self.dropped += len(entries)
        for entry in entries:
            self._metrics.dropped(entry.realm, entry.strategy_type)
        self._problems.report("execution records dropped", count=len(entries))

    def on_send_failed(self) -> None:
        self._metrics.send_failed()

    def on_room(self) -> None:
        return None


class ExecutionObserver:
    """Reports executions: updates the metrics at once, and sends sampled records to the gateway from a thread of its own.

    May be created at import: nothing connects, and no thread starts, before the first record is kept. Safe in threads, with
    and without asyncio, and across forks: a child has a buffer and a thread of its own, and its counts begin at 0.

    :param gateway_url: of `sluice gateway`, in place of the original's repository, such as ``http://127.0.0.1:9466``; default
        ``SLUICE_GATEWAY_URL``. Without any, there are metrics only, and nothing is stored
    :param rng: decides about ok runs by ``random()``; called for nothing else. Default: the module ``random``
    :param queue_maxsize: most records in the buffer, 1 to 10,000,000; default ``DSL_EXECUTION_LOG_QUEUE_MAXSIZE``, else 10,000
    :param gateway_token: default ``SLUICE_GATEWAY_TOKEN``
    :param gateway_timeout_s: seconds after which a gateway that has not answered counts as away; default
        ``SLUICE_GATEWAY_TIMEOUT_S``, else 30
    :param enabled: False stores nothing, not even failures; default ``DSL_EXECUTION_LOG_ENABLED``, else True
    :param sample_rate: the share of ok runs to keep; default ``DSL_EXECUTION_LOG_SAMPLE_RATE``, else 0.05
    :param trace_limit: entries of a trace to keep, half from its head and half from its tail, 0 or less keeps all; default
        ``DSL_EXECUTION_LOG_TRACE_LIMIT``, else 200
    :param buffer_max_bytes: most bytes in the buffer; default ``SLUICE_BUFFER_MAX_BYTES``, else 32 MiB
    :param record_max_bytes: of the JSON of a record, a larger one is cut until it fits; default ``SLUICE_RECORD_MAX_BYTES``,
        else 64 KiB
    :param exit_timeout_s: seconds that the flush at the end of the process may take; default ``SLUICE_EXIT_TIMEOUT_S``, else 5
    :param registry: of prometheus_client; default: its own
    :param max_series: label sets of one metric; default ``SLUICE_METRICS_MAX_SERIES``, else 1,000
    :param environment: default ``os.environ``
    :raises ValueError: that names every setting that is out of its range
    """

    def __init__(
        self,
        gateway_url: Optional[str] = None,
        *,
        rng: Optional[HasRandom] = None,
        queue_maxsize: Optional[int] = None,
        gateway_token: Optional[str] = None,
        gateway_timeout_s: Optional[float] = None,
        enabled: Optional[bool] = None,
        sample_rate: Optional[float] = None,
        trace_limit: Optional[int] = None,
        buffer_max_bytes: Optional[int] = None,
        record_max_bytes: Optional[int] = None,
        exit_timeout_s: Optional[float] = None,
        registry: Any = None,
        max_series: Optional[int] = None,
        environment: Optional[Mapping[str, str]] = None,
    ) -> None:
        reader = _settings.Reader(os.environ if environment is None else environment)
        gateway = reader.gateway(gateway_url, gateway_token, gateway_timeout_s)
        self._settings = _settings.read_observer(reader, enabled, sample_rate, trace_limit)
        max_records = reader.integer(queue_maxsize, "DSL_EXECUTION_LOG_QUEUE_MAXSIZE", 10_000, 1, 10_000_000)
        max_bytes = reader.integer(buffer_max_bytes, "SLUICE_BUFFER_MAX_BYTES", 32 * MIB, 64 * KIB, 4_096 * MIB)
        self._record_max_bytes = reader.integer(record_max_bytes, "SLUICE_RECORD_MAX_BYTES", 64 * KIB, 16 * KIB, 16 * MIB)
        series = reader.integer(max_series, "SLUICE_METRICS_MAX_SERIES", 1_000, 10, 1_000_000)
        self.exit_timeout_s = _settings.read_exit_timeout(reader, exit_timeout_s)
        reader.check()

        self._random = (random_module if rng is None else rng).random
        self._problems = ProblemLog()
        self._metrics = ExecutionMetrics(registry, series, self._problems)
        self._counts = _Counts(self._metrics, self._problems)
        self._lock = threading.RLock()
        self._delivery: Delivery | None = None
        _process.register(self)
        if gateway is None:
            self._problems.report("no SLUICE_GATEWAY_URL: executions are counted in the metrics but not stored")
            return
        self._delivery = Delivery(
            gateway,
            records="executions",
            name="sluice-executions",
            max_records=max_records,
            max_bytes=max_bytes,
            write=self._write,
            listener=self._counts,
            problems=self._problems,
        )
        self._lock = self._delivery.lock
        self._metrics.watch(self)

    # Called around a fork.

    def lock_for_fork(self) -> bool:
        return self._lock.acquire(timeout=_process.LOCK_FOR_FORK_S)

    def unlock_after_fork(self) -> None:
        self._lock.release()

    def reset_in_child(self) -> None:
        """What the buffer holds is the parent's, whose thread sends it."""
        self._metrics.reset_in_child()
        self._counts.reset()
        self._lock = threading.RLock()
        if self._delivery is not None:
            self._delivery.reset_in_child()
            self._lock = self._delivery.lock

    def record(
        self,
        *,
        strategyId: Optional[str] = None,
        status: Optional[str] = None,
        durationMs: float = 0,
        strategyVersion: int = 0,
        strategyType: str = "unknown",
        realmId: Optional[str] = None,
        externalGameId: Optional[str] = None,
        externalTaskId: Optional[str] = None,
        externalUserId: Optional[str] = None,
        errorCode: Optional[str] = None,
        points: Optional[float] = None,
        caseName: Optional[str] = None,
        nodesExecuted: int = 0,
        trace: Optional[list[dict[str, Any]]] = None,
        parentStrategyId: Optional[str] = None,
        input: Any = None,
        errorMessage: Optional[str] = None,
        failedNodeId: Optional[str] = None,
        astHash: Optional[str] = None,
        attempt: int = 1,
        recordedAt: Any = None,
        id: Optional[str] = None,
        traceId: Optional[str] = None,
        spanId: Optional[str] = None,
        **unknown: NoReturn,
    ) -> Awaitable[None]:
        """Report one execution. Never waits and never raises.

        It updates the metrics. Then, if enabled and with a gateway, it keeps a failure and samples an ok run. What it keeps is
        copied, so that later changes to trace and input do not matter. If the buffer is full, ok runs are dropped before
        failures, and every drop is counted.

        The call does all of its work. What it returns may be awaited, as with the original, and need not be.

        An argument that it does not know is left out, and a line of the log says so; a type checker refuses it.

        :param strategyId: the definition that ran; stored as "unknown" without one
        :param status: "ok", "error", "timeout", "limit" or "cancelled"; anything else is stored as "error", with a note
        :param durationMs: wall-clock time of the whole run, in ms
        :param trace: entries in evaluation order; of a failed run those up to the failure
        :param input: the input of the run, so that it can be replayed; any JSON
        :param attempt: 1 for the first attempt at an event
        :param recordedAt: when the run ended: a datetime, ms since 1970, or ISO 8601; default: now
        :param id: a UUID that identifies the run, if the caller has one; default: a new UUIDv7
        :param traceId: 32 hexadecimal digits, and spanId 16; default: those of the active span of OpenTelemetry
        """
        series = _NO_SERIES
        delivery = self._delivery
        try:
            if unknown:
                self._problems.report(UNKNOWN_ARGUMENTS, ", ".join(unknown))
            failure = status != "ok" if type(status) is str else is_failure(status)
            label = "ok" if not failure else _failure_label(status)
            series = self._observe(realmId, strategyType, label, errorCode, durationMs, nodesExecuted)
            enabled, rate, trace_limit = self._settings
            if delivery is None or not enabled:
                return self._leave_out("disabled", realmId)
            if not failure and not (rate > 0 and self._random() < rate):
                return self._leave_out("sampled_out", realmId)
            trace_length: Optional[int] = None
            kept: Any = trace
            if kept is not None:
                if type(kept) is tuple:
                    kept = list(kept)
                if type(kept) is list:
                    trace_length = len(kept)
                    kept = cut_trace(kept, trace_limit)
            if traceId is None and spanId is None:
                traceId, spanId = active_span()
            data, is_line = take_snapshot(
                Execution(
                    time.time_ns() // 1_000_000, rate, trace_length, strategyId, strategyVersion, strategyType, realmId,
                    externalGameId, externalTaskId, externalUserId, status, errorCode, points, caseName, durationMs,
                    nodesExecuted, kept, parentStrategyId, input, errorMessage, failedNodeId, astHash, attempt, recordedAt,
                    id, traceId, spanId,
                ),
                self._record_max_bytes,
            )  # fmt: skip
            entry = Entry(data, is_line=is_line, failure=failure, realm=series.realm, strategy_type=series.strategy_type)
        except Exception as error:  # a value whose own code raises, or no memory for the copy
            self._problems.report("an execution could not be recorded", error)
            entry = Entry(b"", is_line=True, realm=series.realm, strategy_type=series.strategy_type)
            delivery = None
        with self._lock:
            self._counts.recorded += 1
            tally = None if self._delivery is None else self._delivery.tallies.of(realmId)
            if delivery is None or tally is None or delivery.is_closing:
                dropped = [entry]
                if tally is not None:
                    tally.drop("unreadable" if delivery is None else "closed")
            else:
                dropped = delivery.offer(entry, tally)
            if dropped:
                self._counts.on_dropped(dropped)
        return DONE

    def _leave_out(self, outcome: Literal["disabled", "sampled_out"], realm: Any) -> Awaitable[None]:
        with self._lock:
            self._counts.recorded += 1
            tally = None if self._delivery is None else self._delivery.tallies.of(realm)
            if outcome == "disabled":
                self._counts.disabled += 1
                if tally is not None:
                    tally.disabled += 1
            else:
                self._counts.sampled_out += 1
                if tally is not None:
                    tally.sampled_out += 1
        self._metrics.outcome(outcome)
        return DONE

    def _observe(self, realm: Any, strategy_type: Any, status: str, code: Any, duration_ms: Any, nodes: Any) -> Series:
        try:
            return self._metrics.observe(realm, strategy_type, status, code, duration_ms, nodes)
        except Exception as error:
            self._problems.report("execution metrics could not be updated", error)
            return _NO_SERIES

    def _write(self, copy: bytes) -> bytes | None:
        try:
            return write_snapshot(copy, self._record_max_bytes)
        except Exception as error:
            self._problems.report("an execution could not be written", error)
            return None

    def configure(
        self,
        *,
        enabled: Optional[bool] = None,
        sample_rate: Optional[float] = None,
        trace_limit: Optional[int] = None,
    ) -> None:
        """Change settings for all later records.

        :raises ValueError: when a value is out of its range; then nothing changes
        """
        reader = _settings.Reader({})
        now = self._settings
        changed: ObserverSettings = _settings.read_observer(
            reader,
            now.enabled if enabled is None else enabled,
            now.sample_rate if sample_rate is None else sample_rate,
            now.trace_limit if trace_limit is None else trace_limit,
        )
        reader.check()
        self._settings = changed

    def stats(self) -> ObserverStats:
        """Return the counts of this process."""
        counts = self._counts
        with self._lock:
            return ObserverStats(
                counts.recorded,
                counts.sampled_out,
                counts.disabled,
                counts.dropped,
                counts.sent,
                counts.refused,
                counts.in_doubt,
                self.depth().records,
            )

    def depth(self) -> Depth:
        """Return what the buffer holds now, including what is being sent."""
        if self._delivery is None:
            return Depth(0, 0)
        buffer = self._delivery.buffer
        return Depth(buffer.records, buffer.bytes)

    def flush(self, timeout_s: float = DRAIN_TIMEOUT_S) -> Drained:
        """Send what is buffered, and wait for it. What is left after the timeout stays in the buffer."""
        return Drained(0, 0) if self._delivery is None else self._delivery.flush(timeout_s)

    async def drain(self, timeout_s: float = DRAIN_TIMEOUT_S) -> Drained:
        """The same as flush(), for asyncio, by its name in the original."""
        return await in_thread(lambda: self.flush(timeout_s))

    def close(self, timeout_s: Optional[float] = None) -> Drained:
        """Flush and stop; what could not be sent by then is given up and counted. Later records are dropped and counted.

        :param timeout_s: default: exit_timeout_s. A second call returns at once
        """
        drained = Drained(0, 0)
        if self._delivery is not None:
            drained = self._delivery.close(self.exit_timeout_s if timeout_s is None else timeout_s)
        self._metrics.unwatch(self)
        _process.unregister(self)
        return drained

    async def aclose(self, timeout_s: Optional[float] = None) -> Drained:
        """The same as close(), for asyncio."""
        return await in_thread(lambda: self.close(timeout_s))


class NoopExecutionObserver:
    """Accepts everything and does nothing: for code that runs without observability."""

    def record(self, **_: Any) -> Awaitable[None]:
        return DONE

    async def drain(self, timeout_s: float = DRAIN_TIMEOUT_S) -> Drained:
        return Drained(0, 0)

    async def aclose(self, timeout_s: Optional[float] = None) -> Drained:
        return Drained(0, 0)


def _failure_label(status: Any) -> str:
    """Return the status that a failure is counted under: the one that is stored."""
    return status if type(status) is str and status in _FAILURES else "error"


_FAILURES = frozenset(("error", "timeout", "limit", "cancelled"))
_NO_SERIES = Series(UNKNOWN, UNKNOWN, lambda _seconds: None, lambda _nodes: None)
