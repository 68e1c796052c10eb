"""Sends what is in a buffer to the gateway, from a thread of its own.

The thread starts with the first record and sends one body at a time, failures first. It repeats a body, with the same ids,
until the gateway has answered for each of its records. All state is under one lock, which no thread holds while it waits for
the network.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from typing import Any, Callable, NamedTuple, Protocol

from . import _process
from ._answers import Answer, Later, Refusal, Stored, TooMuch
from ._backoff import backoff_s
from ._buffer import Entry, RecordBuffer
from ._gateway import Gateway
from ._problems import ProblemLog
from ._reports import LAST_REPORT_S, Reports
from ._tallies import Tallies, Tally

#: A body is sent when it has so many records or bytes, or when its first record has waited so long.
BODY_RECORDS = 1_000
BODY_BYTES = 1_048_576
MAX_WAIT_S = 0.05

#: The longest wait before a repetition while a flush or a close waits, unless the gateway asks for more.
_HURRIED_WAIT_S = 0.5

#: How long the thread writes records before it lets go of the interpreter, and for how long. Without it, a thread of the
#: service that comes back from waiting would get the interpreter only after Python's switch interval, 5 ms.
_SLICE_S = 0.0005
_BREATH_S = 0.00005


class RecordRefused(Exception):
    """The gateway permanently refuses a record because of its content."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.field or 'record'}: {refusal.reason}")
        self.field = refusal.field
        self.reason = refusal.reason


class RecordUnsent(Exception):
    """The sender was closed before the gateway had answered for a record."""


class Listener(Protocol):
    """Told what became of records, each of them once."""

    def on_sent(self, records: int) -> None: ...
    def on_refused(self, records: int) -> None: ...
    def on_dropped(self, entries: list[Entry]) -> None: ...
    def on_in_doubt(self, records: int) -> None: ...
    def on_send_failed(self) -> None: ...
    def on_room(self) -> None: ...


class Drained(NamedTuple):
    """What a flush or a close has reached."""

    #: records that left the buffer meanwhile
    flushed: int
    #: records that are still there, or, after close, that were given up
    unflushed: int


class _Body:
    """Records that are sent together, and repeated together."""

    __slots__ = ("entries", "is_in_doubt", "lines")

    def __init__(self, entries: list[Entry], lines: list[bytes], is_in_doubt: bool = False) -> None:
        self.entries = entries
        self.lines = lines
        #: some of it may be stored already
        self.is_in_doubt = is_in_doubt

    def halves(self) -> tuple[_Body, _Body]:
        middle = len(self.entries) // 2
        return (
            _Body(self.entries[:middle], self.lines[:middle], self.is_in_doubt),
            _Body(self.entries[middle:], self.lines[middle:], self.is_in_doubt),
        )


class Delivery:
    """The way of the records of one observer or sender.

    :param records: what they are, executions or requests: the gateway has a path for bodies of many
    :param write: turns a snapshot into a line, or None where it cannot; must not raise
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        records: str,
        name: str,
        max_records: int,
        max_bytes: int,
        write: Callable[[bytes], bytes | None],
        listener: Listener,
        problems: ProblemLog,
    ) -> None:
        self._gateway = gateway
        self._path = f"/v1/{records}"
        self._name = name
        self._limits = (max_records, max_bytes)
        self._write = write
        self._listener = listener
        self._problems = problems
        self._random = random.Random()
        self.tallies = Tallies(self._on_minute)
        self._reports = Reports(records, self.tallies, gateway)
        self.is_closing = False
        self._begin()

    def _begin(self) -> None:
        # Reentrant: a signal handler or a finaliser that records must not wait for the code that it has interrupted.
        self.lock = threading.RLock()
        self._work = threading.Condition(self.lock)
        self._pause = threading.Condition(self.lock)
        self._settled = threading.Condition(self.lock)
        self._ended = threading.Condition(self.lock)
        self._has_ended = False
        self.buffer: RecordBuffer[Entry] = RecordBuffer(*self._limits)
        self._in_flight: list[_Body] = []
        self._thread: threading.Thread | None = None
        self._is_idle = False
        self._is_lingering = False
        self._flushers = 0
        self._left = 0
        self._is_given_up = False

    def reset_in_child(self) -> None:
        """Begin anew in the child of a fork, without the parent's records, connection and thread."""
        self._begin()
        self.tallies.reset()
        self._reports.reset()
        self._gateway.close()
        self._problems.reset()
        self._random = random.Random()

    def offer(self, entry: Entry, tally: Tally) -> list[Entry]:
        """Put the entry into the buffer. Return what was dropped for it, or the entry itself."""
        with self.lock:
            buffer = self.buffer
            entry.tally = tally
            tally.waiting += 1
            dropped = buffer.offer(entry)
            _leave(dropped, "bufferFull")
            self._left += len(dropped)
            if self._thread is None:
                self._start()
            if self._is_idle or (self._is_lingering and buffer.waiting >= BODY_RECORDS):
                self._is_idle = self._is_lingering = False
                self._work.notify()
            return dropped

    def _on_minute(self) -> None:
        """The first record of a minute is counted: the thread has something to tell."""
        with self.lock:
            self._reports.begin()
            if self._thread is None and not self.is_closing:
                self._start()
            if self._is_idle:
                self._is_idle = False
                self._work.notify()

    def flush(self, timeout_s: float) -> Drained:
        """Send what is buffered without waiting for full bodies. What is left after the timeout stays."""
        with self.lock:
            before = self._left
            until = self._left + self.buffer.records
            self._wait_until_settled(until, timeout_s)
            return Drained(self._left - before, min(self.buffer.records, max(until - self._left, 0)))

    def close(self, timeout_s: float) -> Drained:
        """Flush and stop. What the gateway has not answered for by then is given up and counted."""
        with self.lock:
            if self.is_closing:
                return Drained(0, 0)
            before = self._left
            deadline = time.monotonic() + timeout_s
            self.is_closing = True
            try:
                if self.buffer.records:
                    self._start()
                    # All of it, with those that still wait for room.
                    self._wait_until_settled(sys.maxsize, timeout_s)
            finally:
                flushed = self._left - before
                given_up = self._give_up()
            if self._thread is not None:
                self._ended.wait_for(lambda: self._has_ended, min(deadline - time.monotonic(), LAST_REPORT_S))
            self._gateway.interrupt()
        return Drained(flushed, given_up)

    def _wait_until_settled(self, until: int, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        self._flushers += 1
        self._work.notify()
        # A pause before a repetition ends now: there may not be another chance.
        self._pause.notify()
        try:
            while self.buffer.records and self._left < until:
                left = deadline - time.monotonic()
                if left <= 0 or (self._thread is None and not self._start()):
                    return
                self._settled.wait(left)
        finally:
            self._flushers -= 1

    def _give_up(self) -> int:
        """Count what is left, and end the thread."""
        self._is_given_up = True
        waiting = self.buffer.take_all()
        doubtful = [entry for body in self._in_flight if body.is_in_doubt for entry in body.entries]
        unsent = [entry for body in self._in_flight if not body.is_in_doubt for entry in body.entries]
        is_sending = bool(self._in_flight)
        self._in_flight.clear()
        _leave(waiting + unsent, "unsent")
        _leave(doubtful, "inDoubt")
        self._release(waiting + unsent, self._listener.on_dropped)
        self._release(doubtful, lambda entries: self._listener.on_in_doubt(len(entries)))
        for entry in waiting + unsent + doubtful:
            _tell(entry, RecordUnsent("the sender was closed before the gateway had answered"))
        self._work.notify_all()
        self._pause.notify_all()
        if is_sending:
            self._gateway.interrupt()
        return len(waiting) + len(unsent) + len(doubtful)

    def _release(self, entries: list[Entry], tell: Callable[[list[Entry]], None]) -> None:
        if not entries:
            return
        self.buffer.release(entries)
        self._left += len(entries)
        tell(entries)
        self._settled.notify_all()
        if not self._is_given_up:
            self._listener.on_room()

    def _start(self) -> bool:
        if self._thread is not None and self._thread.is_alive():
            return True
        if self._is_given_up:
            return False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads, or the interpreter ends
            self._thread = None
            self._problems.report("the sending thread could not be started; it is tried again", error)
            return False
        _process.flush_in_multiprocessing_child()
        return True

    # From here on: the thread's own.

    def _run(self) -> None:
        lock = self.lock
        while True:
            entries = self._next_entries()
            if entries is None:
                self._report(self._reports.report)
                continue
            if not entries:
                break
            try:
                self._deliver(entries)
            except Exception as error:  # a mistake of our own; the records stay accounted for
                self._problems.report("sending has failed unexpectedly; records are dropped", error)
                with lock:
                    lost = [entry for body in self._in_flight for entry in body.entries]
                    self._in_flight.clear()
                    _leave(lost, "unsent")
                    self._release(lost, self._listener.on_dropped)
                for entry in lost:
                    _tell(entry, error)
        self._report(self._reports.say_goodbye)
        self._gateway.close()
        with lock:
            self._has_ended = True
            self._ended.notify_all()

    def _report(self, tell: Callable[[Any], None]) -> None:
        try:
            tell(self.lock)
        except Exception as error:  # a mistake of our own, which must not end the thread
            self._problems.report("a report to the ledger could not be made", error)

    def _next_entries(self) -> list[Entry] | None:
        """Wait for records. Return none of them at the end, and None when a report is due."""
        with self.lock:
            deadline: float | None = None
            while not self._is_given_up:
                waiting = self.buffer.waiting
                report_in_s = self._reports.wait_s()
                if report_in_s == 0.0 and not self.is_closing:
                    return None
                now = time.monotonic()
                if waiting and deadline is None:
                    deadline = now + MAX_WAIT_S
                if waiting and deadline is not None:
                    is_urgent = self._flushers > 0 or self.is_closing
                    if is_urgent or waiting >= BODY_RECORDS or now >= deadline:
                        entries = self.buffer.take(BODY_RECORDS, BODY_BYTES)
                        self._in_flight = [_Body(entries, [])]
                        return entries
                    self._is_lingering = True
                    self._work.wait(deadline - now)
                    self._is_lingering = False
                else:
                    self._is_idle = True
                    self._work.wait(report_in_s)
                    self._is_idle = False
            return []

    def _deliver(self, entries: list[Entry]) -> None:
        self._write_bodies(entries)
        failures = 0
        while True:
            with self.lock:
                if not self._in_flight:
                    return
                body = self._in_flight[0]
                was_in_doubt = body.is_in_doubt
            answer = self._send(body)
            with self.lock:
                body.is_in_doubt = was_in_doubt or (isinstance(answer, Later) and answer.is_in_doubt)
            if isinstance(answer, Stored) and answer.refused_more and any(entry.on_settled for entry in body.entries):
                # Somebody waits to know whether it is his record that is refused and not told of.
                self._divide(body, "too many refusals to tell")
            elif isinstance(answer, Stored):
                failures = 0
                self._settle(body, answer)
            elif isinstance(answer, TooMuch):
                self._divide(body, answer.reason)
            else:
                self._repeat_later(body, answer, failures)
                failures += 1

    def _write_bodies(self, entries: list[Entry]) -> None:
        """Write lines, and begin another body where one would get too long. Then these bodies are in flight."""
        bodies: list[_Body] = []
        unwritable: list[Entry] = []
        size = 0
        slice_end = time.perf_counter() + _SLICE_S
        for entry in entries:
            line = entry.data if entry.is_line else self._write(entry.data)
            if line is None:
                unwritable.append(entry)
                continue
            if not bodies or size + len(line) > BODY_BYTES:
                bodies.append(_Body([], []))
                size = 0
            bodies[-1].entries.append(entry)
            bodies[-1].lines.append(line)
            size += len(line) + 1
            if time.perf_counter() > slice_end:
                time.sleep(_BREATH_S)
                slice_end = time.perf_counter() + _SLICE_S
        with self.lock:
            if not self._is_given_up:
                self._in_flight = bodies
                _leave(unwritable, "unreadable")
                self._release(unwritable, self._listener.on_dropped)

    def _send(self, body: _Body) -> Answer:
        records = len(body.entries)
        path = body.entries[0].path
        begin = lambda: self._may_begin(body)
        if path is not None:
            return self._gateway.send("PUT", path, body.lines[0], "application/json", records, begin)
        return self._gateway.send("POST", self._path, b"\n".join(body.lines), "application/x-ndjson", records, begin)

    def _may_begin(self, body: _Body) -> bool:
        """From now on some of it may be stored, until an answer says otherwise. Return False if it was given up meanwhile."""
        with self.lock:
            body.is_in_doubt = True
            return body in self._in_flight

    def _settle(self, body: _Body, answer: Stored) -> None:
        refusals = {refusal.at: refusal for refusal in answer.refusals}
        refused = min(len(refusals) + answer.refused_more, len(body.entries))
        with self.lock:
            if not self._leave_flight(body):
                return
            self.buffer.release(body.entries)
            self._left += len(body.entries)
            # Of those that are refused and not told of, only the number is known.
            untold = answer.refused_more
            for index, entry in enumerate(body.entries):
                is_refused = index in refusals or untold > 0
                untold -= is_refused and index not in refusals
                if entry.tally is not None and is_refused:
                    entry.tally.refuse()
                elif entry.tally is not None:
                    entry.tally.hand()
            if refused < len(body.entries):
                self._listener.on_sent(len(body.entries) - refused)
            if refused:
                self._listener.on_refused(refused)
            self._settled.notify_all()
            self._listener.on_room()
        for refusal in refusals.values():
            self._problems.report("the gateway refuses records; they are left out", f"{refusal.field}: {refusal.reason}")
        for index, entry in enumerate(body.entries):
            known = refusals.get(index)
            _tell(entry, None if known is None else RecordRefused(known))

    def _divide(self, body: _Body, reason: str) -> None:
        if len(body.entries) == 1:
            self._settle(body, Stored((Refusal(0, "", f"the gateway does not take it ({reason})"),)))
            return
        with self.lock:
            if body in self._in_flight:
                place = self._in_flight.index(body)
                self._in_flight[place : place + 1] = body.halves()

    def _repeat_later(self, body: _Body, answer: Later, failures: int) -> None:
        self._problems.report("records could not be sent; they are sent again", answer.reason)
        wait_s = backoff_s(failures, answer.retry_after_s, self._random.random)
        with self.lock:
            self._listener.on_send_failed()
            if self._flushers:
                wait_s = min(wait_s, max(answer.retry_after_s or 0.0, _HURRIED_WAIT_S))
            if body in self._in_flight:
                self._pause.wait(wait_s)

    def _leave_flight(self, body: _Body) -> bool:
        """Return False if the body was given up meanwhile, and its records are counted."""
        if body not in self._in_flight:
            return False
        self._in_flight.remove(body)
        return True


def _tell(entry: Entry, error: Exception | None) -> None:
    if entry.on_settled is not None:
        entry.on_settled(error)


def _leave(entries: list[Entry], reason: str) -> None:
    for entry in entries:
        if entry.tally is not None:
            entry.tally.leave(reason)
