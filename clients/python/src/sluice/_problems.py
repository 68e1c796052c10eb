"""Log lines about problems that may occur with every record and must not fill the log."""

from __future__ import annotations

import logging
import threading
import time

logger = logging.getLogger("sluice")

#: At most one line of a kind in so many seconds.
INTERVAL_S = 1.0


class ProblemLog:
    """Logs each kind of problem at most once a second, with the number since the last line. Never raises."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, as in the child of a fork."""
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def report(self, message: str, cause: object = None, *, count: int = 1) -> None:
        """Report a problem.

        :param message: constant, so that lines of a kind can be counted
        :param cause: an exception, or text; never a value of the caller's
        """
        # A lock that is taken belongs to a line that is being written, perhaps by this very thread.
        if not self._lock.acquire(blocking=False):
            return
        try:
            total = self._counts.get(message, 0) + count
            now = time.monotonic()
            if now - self._last.get(message, float("-inf")) < INTERVAL_S:
                self._counts[message] = total
                return
            self._counts[message] = 0
            self._last[message] = now
            logger.warning("%s (count=%d%s)", message, total, "" if cause is None else f", cause={describe(cause)}")
        except Exception:  # a handler of the host's may do anything
            pass
        finally:
            self._lock.release()


def describe(cause: object) -> str:
    """Describe an exception of the network in a line."""
    if isinstance(cause, BaseException):
        return f"{type(cause).__name__}: {cause}"[:300]
    return str(cause)[:300]
