"""What a sender tells the ledger: at each full minute in which something has changed, once more when it is idle, and at its end.

A report is never repeated, as the next one says all of it again.
"""

from __future__ import annotations

import json
import re
import secrets
import socket
import time
from typing import Any, Callable, Optional

from ._answers import Stored
from ._gateway import Gateway
from ._tallies import Tallies, Tally

#: Of a report. Further minutes go into the next ones.
_MOST_BYTES = 65_536
_MOST_MINUTES = 2_000
#: So many reports a minute, when one does not hold all that has changed.
_MOST_AT_ONCE = 10
#: The longest that a close waits for the last report, in seconds.
LAST_REPORT_S = 2.0
_AFTER_MINUTE_S = 0.02


class Reports:
    """The reports of one sender in one process.

    :param records: what they are about: executions or requests
    :param lock: of the delivery
    """

    def __init__(self, records: str, tallies: Tallies, gateway: Gateway, clock: Callable[[], float] = time.time) -> None:
        self._path = f"/v1/reports?records={records}"
        self._tallies = tallies
        self._gateway = gateway
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Begin a life of its own, as in the child of a fork."""
        host = re.sub("[^A-Za-z0-9-]", "-", socket.gethostname())[:40] or "host"
        self._identity = {
            "v": 4,
            "producer": f"{host}-{secrets.token_hex(5)}",
            "epoch": max(0, int(self._clock() * 1_000)),
            "life": secrets.token_hex(5),
        }
        self._number = 0
        #: what the gateway has taken last
        self._told: dict[str, Any] = {}
        self._is_idle_told = False
        #: by the monotonic clock; None: there is nothing to tell
        self._due_s: Optional[float] = None

    def begin(self) -> None:
        """The first record of a minute has come."""
        self._is_idle_told = False
        if self._due_s is None:
            self._due_s = time.monotonic() + self._until_next_minute_s()

    def wait_s(self) -> Optional[float]:
        """Return the seconds until the next report, 0 if it is due; None if there is nothing to tell."""
        return None if self._due_s is None else max(0.0, self._due_s - time.monotonic())

    def report(self, lock: Any) -> None:
        """Tell what has changed. The lock is not held while the network is waited for."""
        with lock:
            state = self._state()
            is_idle = state == self._told and not self._has_untold()
            if is_idle and self._is_idle_told:
                self._due_s = None
                return
            self._due_s = time.monotonic() + self._until_next_minute_s()
        for _ in range(_MOST_AT_ONCE):
            is_told, is_all = self._send(lock, is_final=False)
            if not is_told:
                return
            if is_all:
                break
        self._is_idle_told = is_idle

    def say_goodbye(self, lock: Any) -> None:
        """Send the last report, if anything was ever counted."""
        with lock:
            if not self._tallies.total().progress:
                return
        is_told, is_all = True, False
        while is_told and not is_all:
            is_told, is_all = self._send(lock, is_final=True)

    def _send(self, lock: Any, *, is_final: bool) -> tuple[bool, bool]:
        """Return whether the gateway has taken the report, and whether nothing was left for another one."""
        with lock:
            state = self._state()
            body, told, is_all = self._write(state, is_final)
        answer = self._gateway.send("POST", self._path, body, "application/json", 1)
        is_told = isinstance(answer, Stored) and not answer.refusals
        if is_told:
            with lock:
                self._told = state
                for tally, progress in told:
                    tally.reported = progress
                self._tallies.let_go()
        return is_told, is_all

    def _state(self) -> dict[str, Any]:
        total = self._tallies.total()
        return {"waitingRecords": total.waiting, "totals": total.counters()}

    def _has_untold(self) -> bool:
        return any(tally.waiting or tally.progress > tally.reported for tally in self._tallies.all())

    def _write(self, state: dict[str, Any], is_final: bool) -> tuple[bytes, list[tuple[Tally, int]], bool]:
        self._number += 1
        report: dict[str, Any] = {
            "number": self._number,
            "at": max(0, int(self._clock() * 1_000)),
            "kind": "python",
            "isFinal": False,
            "lastSeq": 0,
            "chunkedRecords": 0,
            "unacknowledged": [],
            "spilledRecords": 0,
            "takenOverRecords": 0,
            **state,
            "minutes": [],
        }
        job: dict[str, Any] = {**self._identity, "report": report}
        size = len(_to_json(job))
        told: list[tuple[Tally, int]] = []
        is_all = True
        for tally in self._tallies.all():
            progress = tally.progress
            if progress == tally.reported:
                continue
            row = [tally.minute, tally.realm, tally.counters()]
            size += len(_to_json(row)) + 1
            is_all = size <= _MOST_BYTES and len(told) < _MOST_MINUTES
            if not is_all:
                break
            report["minutes"].append(row)
            told.append((tally, progress))
        report["isFinal"] = is_final and is_all
        return _to_json(job), told, is_all

    def _until_next_minute_s(self) -> float:
        return 60.0 - self._clock() % 60.0 + _AFTER_MINUTE_S


def _to_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
