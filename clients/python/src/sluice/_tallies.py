"""Counts records by minute and realm, for the ledger. Whoever calls has the lock of the delivery."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Callable, Iterator, Optional

from ._fields import read_text
from ._notes import Notes

#: Where realms are not told apart any more.
UNNAMED_REALM = "*"
#: In a minute; further ones are counted together.
_MOST_REALMS = 200
#: While so many are kept, the last of them goes on.
_MOST_MINUTES = 1_440
#: While so many are kept, the realms of new minutes are counted together.
_MOST_TALLIES = 10_000
#: The latest minute that the ledger takes.
_LATEST_MINUTE = 4_223_371_679


class Tally:
    """The records of one minute and one realm. Each is counted under the one thing that has become of it."""

    __slots__ = ("disabled", "dropped", "handed", "minute", "realm", "refused", "reported", "sampled_out", "waiting")

    def __init__(self, minute: int, realm: Optional[str]) -> None:
        self.minute = minute
        self.realm = realm
        self.sampled_out = self.disabled = 0
        #: by the reason
        self.dropped: dict[str, int] = {}
        #: in the buffer
        self.waiting = 0
        #: accepted by the gateway, which counts them from there on
        self.handed = 0
        #: by the gateway, because of their content
        self.refused = 0
        #: `progress` at the last report that the gateway has taken
        self.reported = 0

    @property
    def recorded(self) -> int:
        dropped = sum(self.dropped.values())
        return self.sampled_out + self.disabled + dropped + self.waiting + self.handed + self.refused

    @property
    def progress(self) -> int:
        """Grows with everything that a report says."""
        return self.recorded + sum(self.dropped.values()) + self.handed + self.refused

    def drop(self, reason: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def leave(self, reason: str) -> None:
        """A record that was in the buffer is dropped."""
        self.waiting -= 1
        self.drop(reason)

    def hand(self) -> None:
        self.waiting -= 1
        self.handed += 1

    def refuse(self) -> None:
        self.waiting -= 1
        self.refused += 1

    def counters(self) -> dict[str, Any]:
        """Return what a report says, without what is 0."""
        counters: dict[str, Any] = {
            "recorded": self.recorded,
            "sampledOut": self.sampled_out,
            "disabled": self.disabled,
            "dropped": dict(self.dropped),
            "refused": self.refused,
            "handed": self.handed,
        }
        return {name: value for name, value in counters.items() if value}

    def add(self, other: Tally) -> None:
        self.sampled_out += other.sampled_out
        self.disabled += other.disabled
        for reason, records in other.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + records
        self.waiting += other.waiting
        self.handed += other.handed
        self.refused += other.refused


class Tallies:
    """The tallies of one sender in one process.

    :param on_minute: told when the first record of a minute comes
    :param clock: seconds since 1970
    """

    def __init__(self, on_minute: Callable[[], object], clock: Callable[[], float] = time.time) -> None:
        self._on_minute = on_minute
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in the child of a fork."""
        self._minutes: dict[int, dict[Optional[str], Tally]] = {}
        self._past = Tally(0, None)
        self._closed: deque[int] = deque(maxlen=_MOST_MINUTES)
        self._kept = 0
        #: by the clock, and the one that is counted in
        self._clock_minute = self._minute = -1
        self._current: dict[Optional[str], Tally] = {}

    def of(self, realm: Any) -> Tally:
        """Return the tally of this minute and a realm, whatever a caller gives as one."""
        minute = int(self._clock() // 60)
        if minute != self._clock_minute:
            self._turn(minute)
        try:
            return self._current[realm]
        except Exception:  # unknown, or a value whose own code raises
            return self._find(realm)

    def all(self) -> Iterator[Tally]:
        """Return those that are kept, oldest first."""
        for realms in self._minutes.values():
            yield from realms.values()

    def total(self) -> Tally:
        """Return the sum over the life of the sender."""
        total = Tally(0, None)
        total.add(self._past)
        for tally in self.all():
            total.add(tally)
        return total

    def let_go(self) -> None:
        """Let go of the minutes that are over, and of which the gateway was told all that can still be said."""
        now = int(self._clock() // 60)
        for minute, realms in list(self._minutes.items()):
            if minute == self._minute and now == self._clock_minute:
                continue
            if any(tally.waiting or tally.progress > tally.reported for tally in realms.values()):
                continue
            for tally in realms.values():
                self._past.add(tally)
            del self._minutes[minute]
            self._kept -= len(realms)
            # What was said of a minute only grows, so that it cannot begin again from zero.
            self._closed.append(minute)
            if minute == self._minute:
                self._clock_minute = -1

    def _turn(self, clock_minute: int) -> None:
        self._clock_minute = clock_minute
        minute = min(max(clock_minute, 0), _LATEST_MINUTE)
        while minute in self._closed:
            minute += 1
        if minute not in self._minutes and len(self._minutes) >= _MOST_MINUTES:
            minute = next(reversed(self._minutes))
        self._minute = minute
        self._current = self._minutes.setdefault(minute, {})
        self._on_minute()

    def _find(self, given: Any) -> Tally:
        try:
            realm = read_text(Notes(), "realmId", given)
        except Exception:  # a value whose own code raises
            realm = None
        tally = self._current.get(realm)
        if tally is not None:
            return tally
        if len(self._current) >= _MOST_REALMS or self._kept >= _MOST_TALLIES:
            realm = UNNAMED_REALM
        tally = self._current.get(realm)
        if tally is None:
            tally = self._current[realm] = Tally(self._minute, realm)
            self._kept += 1
        return tally
