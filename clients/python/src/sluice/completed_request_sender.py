"""The sender of completed requests."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from typing import Any, Callable, Collection, Mapping, NamedTuple, NoReturn, Optional, Union

from . import _process, _settings
from ._buffer import ENTRY_BYTES, Entry
from ._delivery import Delivery, Drained
from ._metrics import RequestMetrics
from ._problems import ProblemLog
from ._request_record import RequestContext, api_key_hash, require_request_id, write_request
from ._settings import KIB, MIB
from ._span import active_span
from ._waiting import in_thread
from .execution_observer import DRAIN_TIMEOUT_S, UNKNOWN_ARGUMENTS, Depth

__all__ = ["Body", "CompletedRequestSender", "SendTimeout", "SenderClosed", "SenderStats"]

#: A body as it was received: text, bytes, or JSON, which is stored as its text.
Body = Union[str, bytes, bytearray, memoryview, dict[str, Any], list[Any], None]


class SendTimeout(TimeoutError):
    """There was no room, or with `durable` no answer, within the timeout.

    `is_accepted` tells the two apart: True: the record is in the buffer and is still sent.
    """

    def __init__(self, is_accepted: bool) -> None:
        super().__init__("the gateway had not answered in time" if is_accepted else "there was no room in time")
        self.is_accepted = is_accepted


class SenderClosed(RuntimeError):
    """The sender is closed and accepts no more records."""


class SenderStats(NamedTuple):
    """What became of every call in this process, and of every record that was accepted.

    Calls that have ended are the sum of the first four. Accepted records are the sum of `sent`, `rejected`, `dropped`,
    `in_doubt` and `buffered`.
    """

    accepted: int
    #: no record, or larger than the whole buffer
    refused: int
    #: timed out or cancelled before they were accepted
    aborted: int
    #: after close, and still waiting for room at its end
    closed: int
    #: calls that wait for room now
    waiting: int
    #: the gateway has it in Redis
    sent: int
    #: by the gateway, because of its content
    rejected: int
    #: unsent at close: surely not stored
    dropped: int
    #: given up at close after a body was sent and not answered: perhaps stored
    in_doubt: int
    #: in the buffer now
    buffered: int


class _Waiter:
    """A call that waits for room."""

    __slots__ = ("entry", "is_admitted", "is_over", "wake")

    def __init__(self, entry: Entry, wake: Callable[[], None]) -> None:
        self.entry = entry
        self.wake = wake
        self.is_admitted = False
        self.is_over = False


class CompletedRequestSender:
    """Sends the records of requests: at once into a bounded buffer, and from there to the gateway from a thread of its own.

    While the buffer is full, calls wait in their order. Nothing that was accepted is dropped to make room.

    :param gateway_url: of `sluice gateway`; default ``SLUICE_GATEWAY_URL``, and one of the two is required
    :param gateway_token: default ``SLUICE_GATEWAY_TOKEN``
    :param gateway_timeout_s: seconds after which a gateway that has not answered counts as away; default
        ``SLUICE_GATEWAY_TIMEOUT_S``, else 30
    :param buffer_max_records: default ``SLUICE_REQUEST_BUFFER_MAX_RECORDS``, else 10,000
    :param buffer_max_bytes: default ``SLUICE_REQUEST_BUFFER_MAX_BYTES``, else 64 MiB
    :param max_body_bytes: of a longer body only the beginning is sent; default ``SLUICE_MAX_BODY_BYTES``, else 1 MiB. Give what
        the gateway has
    :param api_key_pepper: hashes API keys here, so that they do not leave the process; default ``SLUICE_API_KEY_PEPPER``. Without
        it they go to the gateway, which hashes them with its own
    :param exit_timeout_s: seconds that the flush at the end of the process may take; default ``SLUICE_EXIT_TIMEOUT_S``, else 5
    :param registry: of prometheus_client; default: its own
    :raises ValueError: that names every setting that is missing or out of its range; it shows no secret
    """

    def __init__(
        self,
        gateway_url: Optional[str] = None,
        *,
        gateway_token: Optional[str] = None,
        gateway_timeout_s: Optional[float] = None,
        buffer_max_records: Optional[int] = None,
        buffer_max_bytes: Optional[int] = None,
        max_body_bytes: Optional[int] = None,
        api_key_pepper: Optional[str] = None,
        exit_timeout_s: Optional[float] = None,
        registry: Any = None,
        environment: Optional[Mapping[str, str]] = None,
    ) -> None:
        reader = _settings.Reader(os.environ if environment is None else environment)
        gateway = reader.gateway(gateway_url, gateway_token, gateway_timeout_s)
        records = reader.integer(buffer_max_records, "SLUICE_REQUEST_BUFFER_MAX_RECORDS", 10_000, 1, 10_000_000)
        self._max_bytes = reader.integer(
            buffer_max_bytes, "SLUICE_REQUEST_BUFFER_MAX_BYTES", 64 * MIB, 64 * KIB, 4_096 * MIB
        )
        self._max_body_bytes = reader.integer(max_body_bytes, "SLUICE_MAX_BODY_BYTES", MIB, KIB, 64 * MIB)
        pepper = reader.pepper(api_key_pepper, "SLUICE_API_KEY_PEPPER")
        self.exit_timeout_s = _settings.read_exit_timeout(reader, exit_timeout_s)
        reader.check()
        if gateway is None:
            raise _settings.SettingsError(
                "SLUICE_GATEWAY_URL is not set. Set it, or give gateway_url: requests are not sent without it"
            )

        self._hash_api_key = None if pepper is None else api_key_hash(pepper)
        self._problems = ProblemLog()
        self._metrics = RequestMetrics(registry, self._problems)
        self._reset_counts()
        self._delivery = Delivery(
            gateway,
            records="requests",
            name="sluice-requests",
            max_records=records,
            max_bytes=self._max_bytes,
            write=lambda line: line,
            listener=self,
            problems=self._problems,
        )
        self._metrics.watch(self)
        _process.register(self)

    def send(
        self,
        *,
        requestId: str,
        createdBy: str,
        statusCode: Optional[int] = None,
        model: Optional[str] = None,
        endpoint: Optional[str] = None,
        serviceTier: Optional[str] = None,
        startedAt: Any = None,
        completedAt: Any = None,
        requestBody: Body = None,
        responseBody: Body = None,
        isStream: bool = False,
        isIncomplete: bool = False,
        apiKey: Optional[str] = None,
        apiKeyHash: Optional[str] = None,
        traceId: Optional[str] = None,
        spanId: Optional[str] = None,
        provider: Optional[str] = None,
        firstTokenAt: Any = None,
        timeout: Optional[float] = None,
        durable: bool = False,
        **unknown: NoReturn,
    ) -> None:
        """Send the record of a request that has ended. Returns when it is in the buffer or, with `durable`, in Redis.

        Blocks while the buffer is full, behind earlier calls. An argument that it does not know is left out, and a line of the
        log says so. Only `requestId` and `createdBy` must be valid; everything else is
        repaired if it cannot be stored, and the `notes` of the row say how.

        :param requestId: a UUID, the same one to begin and to send
        :param createdBy: the person or organisation that the request belongs to, at most 512 characters; never cut or repaired
        :param statusCode: of HTTP, 100 to 599; anything else is stored as 599
        :param startedAt: a datetime, ms since 1970, or ISO 8601; default: `completedAt`, else now
        :param completedAt: default: now
        :param isStream: the response is a stream of server-sent events, as they were sent
        :param isIncomplete: the caller disconnected, or the stream broke, before the end
        :param provider: who serves the model, such as ``openai``; default: what the bodies say beyond doubt
        :param firstTokenAt: when the first token of the answer arrived
        :param timeout: seconds that the call may wait; default: for ever
        :param durable: returns only when the gateway has the record in Redis
        :raises ValueError: when `requestId` or `createdBy` is invalid, or the record is larger than the whole buffer
        :raises SendTimeout: when the timeout has passed
        :raises SenderClosed: after close(), or when it ends the wait
        :raises RecordRefused: with `durable`, when the gateway refuses the record because of its content
        :raises RecordUnsent: with `durable`, when the sender is closed before the gateway has answered
        """
        self._report_unknown(unknown)
        values = _values_of(locals(), _ENDED)
        self._send(self._write(values, None), timeout, durable)

    async def asend(self, *, timeout: Optional[float] = None, durable: bool = False, **request: Any) -> None:
        """The same as send(), for asyncio: it waits without blocking the loop. A cancelled call is not accepted any more."""
        await self._asend(self._write(self._known(request, _ENDED), None), timeout, durable)

    def begin(
        self,
        *,
        requestId: str,
        createdBy: str,
        model: Optional[str] = None,
        endpoint: Optional[str] = None,
        serviceTier: Optional[str] = None,
        startedAt: Any = None,
        requestBody: Body = None,
        apiKey: Optional[str] = None,
        apiKeyHash: Optional[str] = None,
        traceId: Optional[str] = None,
        spanId: Optional[str] = None,
        provider: Optional[str] = None,
        timeout: Optional[float] = None,
        durable: bool = False,
        **unknown: NoReturn,
    ) -> None:
        """Like send(), for a request that still runs: its row is in state `processing` until its end.

        For a background request, give `durable` before you tell the caller that it runs.
        """
        self._report_unknown(unknown)
        values = _values_of(locals(), _BEGUN)
        self._send(self._write(values, requestId), timeout, durable)

    async def abegin(self, *, timeout: Optional[float] = None, durable: bool = False, **request: Any) -> None:
        """The same as begin(), for asyncio."""
        await self._asend(self._write(self._known(request, _BEGUN), request.get("requestId")), timeout, durable)

    def stats(self) -> SenderStats:
        """Return the counts of this process."""
        with self._delivery.lock:
            return SenderStats(
                self._accepted,
                self._refused,
                self._aborted,
                self._closed,
                len(self._waiting),
                self._sent,
                self._rejected,
                self._dropped,
                self._in_doubt,
                self._delivery.buffer.records,
            )

    def depth(self) -> Depth:
        """Return what the buffer holds now, including what is being sent, but not what waits for room."""
        buffer = self._delivery.buffer
        return Depth(buffer.records, buffer.bytes)

    def flush(self, timeout_s: float = DRAIN_TIMEOUT_S) -> Drained:
        """Send what is buffered, and wait for it. What is left after the timeout stays in the buffer."""
        return self._delivery.flush(timeout_s)

    async def drain(self, timeout_s: float = DRAIN_TIMEOUT_S) -> Drained:
        """The same as flush(), for asyncio."""
        return await in_thread(lambda: self.flush(timeout_s))

    def close(self, timeout_s: Optional[float] = None) -> Drained:
        """Flush and stop. What could not be sent by then is given up and counted; calls that still wait end with SenderClosed.

        :param timeout_s: default: exit_timeout_s. A second call returns at once
        """
        drained = self._delivery.close(self.exit_timeout_s if timeout_s is None else timeout_s)
        with self._delivery.lock:
            waiting = list(self._waiting)
            self._waiting.clear()
            for waiter in waiting:
                waiter.is_over = True
                waiter.wake()
        self._metrics.unwatch(self)
        _process.unregister(self)
        return drained

    async def aclose(self, timeout_s: Optional[float] = None) -> Drained:
        """The same as close(), for asyncio."""
        return await in_thread(lambda: self.close(timeout_s))

    # Called around a fork.

    def lock_for_fork(self) -> bool:
        return self._delivery.lock.acquire(timeout=_process.LOCK_FOR_FORK_S)

    def unlock_after_fork(self) -> None:
        self._delivery.lock.release()

    def reset_in_child(self) -> None:
        """What the buffer holds is the parent's, whose thread sends it."""
        self._reset_counts()
        self._delivery.reset_in_child()

    def _reset_counts(self) -> None:
        self._accepted = self._refused = self._aborted = self._closed = 0
        self._sent = self._rejected = self._dropped = self._in_doubt = 0
        self._waiting: deque[_Waiter] = deque()

    def _known(self, request: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        self._report_unknown(request.keys() - set(names))
        return {name: request.get(name) for name in names}

    def _report_unknown(self, names: Collection[str]) -> None:
        if names:
            self._problems.report(UNKNOWN_ARGUMENTS, ", ".join(sorted(names)))

    def _write(self, values: Mapping[str, Any], begun_id: Optional[str]) -> Entry:
        """:param begun_id: of a request that still runs; None: it has ended"""
        if values.get("traceId") is None and values.get("spanId") is None:
            trace_id, span_id = active_span()
            values = {**values, "traceId": trace_id, "spanId": span_id}
        context = RequestContext(time.time_ns() // 1_000_000, self._max_body_bytes, self._hash_api_key)
        try:
            line = write_request(values, context, has_ended=begun_id is None)
            path = None if begun_id is None else f"/v1/requests/{require_request_id(begun_id)}/begin"
            if len(line) + ENTRY_BYTES > self._max_bytes:
                raise ValueError(f"the record has {len(line)} bytes, more than the whole buffer")
        except ValueError:
            self._count("refused")
            raise
        return Entry(line, is_line=True, path=path)

    def _send(self, entry: Entry, timeout: Optional[float], durable: bool) -> None:
        started = time.monotonic()
        settled = _Settled() if durable else None
        if settled is not None:
            event = threading.Event()
            settled.wake = event.set
            entry.on_settled = settled
        waiter = self._admit(entry, lambda: None)
        if waiter is not None:
            room = threading.Event()
            waiter.wake = room.set
            if not (waiter.is_admitted or waiter.is_over):
                room.wait(timeout)
            self._end_wait(waiter, started)
        if settled is not None:
            left = None if timeout is None else max(0.0, timeout - (time.monotonic() - started))
            if not event.wait(left):
                raise SendTimeout(is_accepted=True)
            settled.check()

    async def _asend(self, entry: Entry, timeout: Optional[float], durable: bool) -> None:
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        settled = _Settled() if durable else None
        answered: asyncio.Future[None] = loop.create_future()
        if settled is not None:
            settled.wake = _waker(loop, answered)
            entry.on_settled = settled
        room: asyncio.Future[None] = loop.create_future()
        waiter = self._admit(entry, _waker(loop, room))
        if waiter is not None:
            try:
                await asyncio.wait_for(room, timeout)
            except asyncio.TimeoutError:
                pass
            except asyncio.CancelledError:
                self._cancel(waiter, started)
                raise
            self._end_wait(waiter, started)
        if settled is not None:
            left = None if timeout is None else max(0.0, timeout - (time.monotonic() - started))
            try:
                await asyncio.wait_for(answered, left)
            except asyncio.TimeoutError:
                raise SendTimeout(is_accepted=True) from None
            settled.check()

    def _admit(self, entry: Entry, wake: Callable[[], None]) -> _Waiter | None:
        """Put the entry into the buffer, or into the line of those that wait."""
        with self._delivery.lock:
            if self._delivery.is_closing:
                self._count("closed")
                raise SenderClosed("the sender is closed and accepts no more records")
            if not self._waiting and self._delivery.buffer.has_room_for(entry.size):
                self._accept(entry)
                return None
            waiter = _Waiter(entry, wake)
            self._waiting.append(waiter)
            return waiter

    def _accept(self, entry: Entry) -> None:
        self._delivery.offer(entry, self._delivery.tallies.of(None))
        self._count("accepted")

    def _end_wait(self, waiter: _Waiter, started: float) -> None:
        """:raises SendTimeout: when there was no room; SenderClosed"""
        self._metrics.waited(time.monotonic() - started)
        with self._delivery.lock:
            if waiter.is_admitted:
                return
            if waiter.is_over:
                self._count("closed")
                raise SenderClosed("the sender was closed while the call waited for room")
            self._leave_line(waiter)
        raise SendTimeout(is_accepted=False)

    def _cancel(self, waiter: _Waiter, started: float) -> None:
        self._metrics.waited(time.monotonic() - started)
        with self._delivery.lock:
            if waiter.is_over:
                self._count("closed")
            elif not waiter.is_admitted:
                self._leave_line(waiter)

    def _leave_line(self, waiter: _Waiter) -> None:
        self._count("aborted")
        try:
            self._waiting.remove(waiter)
        except ValueError:  # the line of the parent process, before a fork
            pass
        # The next one may be smaller.
        self.on_room()

    def _count(self, result: str) -> None:
        with self._delivery.lock:
            setattr(self, f"_{result}", getattr(self, f"_{result}") + 1)
        self._metrics.called(result)

    # Told by the delivery, which has its lock then.

    def on_room(self) -> None:
        """Admit as many of those that wait, in order, as there is room for."""
        while self._waiting and self._delivery.buffer.has_room_for(self._waiting[0].entry.size):
            waiter = self._waiting.popleft()
            waiter.is_admitted = True
            self._accept(waiter.entry)
            waiter.wake()

    def on_sent(self, records: int) -> None:
        self._sent += records
        self._metrics.outcome("sent", records)

    def on_refused(self, records: int) -> None:
        self._rejected += records
        self._metrics.outcome("refused", records)

    def on_dropped(self, entries: list[Entry]) -> None:
        self._dropped += len(entries)
        self._metrics.outcome("dropped", len(entries))
        self._problems.report("request records dropped", count=len(entries))

    def on_in_doubt(self, records: int) -> None:
        self._in_doubt += records
        self._metrics.outcome("in_doubt", records)

    def on_send_failed(self) -> None:
        self._metrics.send_failed()


class _Settled:
    """What became of the record of a durable call."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._error: Exception | None = None

    def __call__(self, error: Exception | None) -> None:
        self._error = error
        self.wake()

    def check(self) -> None:
        if self._error is not None:
            raise self._error


def _waker(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> Callable[[], None]:
    def settle() -> None:
        if not future.done():
            future.set_result(None)

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(settle)
        except RuntimeError:  # the loop is closed: nobody waits any more
            pass

    return wake


_BEGUN = (
    "requestId",
    "createdBy",
    "model",
    "endpoint",
    "serviceTier",
    "startedAt",
    "requestBody",
    "apiKey",
    "apiKeyHash",
    "traceId",
    "spanId",
    "provider",
)
_ENDED = (*_BEGUN, "statusCode", "completedAt", "responseBody", "isStream", "isIncomplete", "firstTokenAt")


def _values_of(arguments: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: arguments[name] for name in names}
