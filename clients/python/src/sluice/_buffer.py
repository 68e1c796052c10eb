"""Records on their way to the gateway, bounded by number and by bytes."""

from __future__ import annotations

from collections import deque
from typing import Callable, Generic, Optional, TypeVar

from ._tallies import Tally


class Entry:
    """A record that waits to be sent."""

    __slots__ = ("data", "failure", "is_line", "on_settled", "path", "realm", "size", "strategy_type", "tally")

    def __init__(
        self,
        data: bytes,
        *,
        is_line: bool,
        failure: bool = False,
        realm: str = "",
        strategy_type: str = "",
        path: str | None = None,
        on_settled: Optional[Callable[[Exception | None], None]] = None,
    ) -> None:
        #: a snapshot, or the line of NDJSON without its end
        self.data = data
        self.is_line = is_line
        #: a failed run: dropped last, sent first
        self.failure = failure
        #: the labels that a drop is counted under
        self.realm = realm
        self.strategy_type = strategy_type
        #: where it goes alone; None: into the body of many
        self.path = path
        #: told once what became of the record: None when the gateway has it
        self.on_settled = on_settled
        #: where it is counted once it is in the buffer
        self.tally: Tally | None = None
        self.size = len(data) + ENTRY_BYTES


#: What an entry takes beside its data, about.
ENTRY_BYTES = 200

E = TypeVar("E", bound=Entry)


class RecordBuffer(Generic[E]):
    """Holds records until the gateway has them. Not thread-safe: its owner has the lock.

    Without room, failures go before successes: a new failure evicts the oldest waiting successes, and a new success is turned
    away. Records that were taken to be sent are never evicted. Failures are taken first, so they are also the last to be lost
    in a crash.
    """

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._failures: deque[E] = deque()
        self._successes: deque[E] = deque()
        self._success_bytes = 0
        #: waiting and taken
        self.records = 0
        self.bytes = 0

    @property
    def waiting(self) -> int:
        """Records that wait to be taken."""
        return len(self._failures) + len(self._successes)

    def has_room_for(self, size: int) -> bool:
        return self.records < self._max_records and self.bytes + size <= self._max_bytes

    def offer(self, entry: E) -> list[E]:
        """Add the entry if possible. Return what was dropped: older successes, the entry itself, or nothing."""
        dropped: list[E] = []
        if self.records >= self._max_records or self.bytes + entry.size > self._max_bytes:
            if not entry.failure or not self._could_have_room_for(entry):
                return [entry]
            while not self.has_room_for(entry.size):
                oldest = self._successes.popleft()
                self._success_bytes -= oldest.size
                self.records -= 1
                self.bytes -= oldest.size
                dropped.append(oldest)
        if entry.failure:
            self._failures.append(entry)
        else:
            self._successes.append(entry)
            self._success_bytes += entry.size
        self.records += 1
        self.bytes += entry.size
        return dropped

    def take(self, max_records: int, max_bytes: int) -> list[E]:
        """Take the next entries, failures first: at most so many records and bytes, but at least one if there is any.

        An entry with a path of its own is taken alone.
        """
        taken: list[E] = []
        size = 0
        for queue in (self._failures, self._successes):
            while queue:
                entry = queue[0]
                if taken and (len(taken) >= max_records or size + entry.size > max_bytes or entry.path is not None):
                    return taken
                queue.popleft()
                if queue is self._successes:
                    self._success_bytes -= entry.size
                taken.append(entry)
                size += entry.size
                if entry.path is not None:
                    return taken
        return taken

    def take_all(self) -> list[E]:
        """Take everything that waits."""
        taken = [*self._failures, *self._successes]
        self._failures.clear()
        self._successes.clear()
        self._success_bytes = 0
        return taken

    def release(self, entries: list[E]) -> None:
        """Free the room of entries that were taken."""
        self.records -= len(entries)
        self.bytes -= sum(entry.size for entry in entries)

    def _could_have_room_for(self, entry: E) -> bool:
        return (
            self.records + 1 - len(self._successes) <= self._max_records
            and self.bytes + entry.size - self._success_bytes <= self._max_bytes
        )
