"""What happens to senders when the process forks or ends."""

from __future__ import annotations

import atexit
import os
import sys
import time
from typing import Any, Protocol


#: A fork waits no longer for a lock, in seconds.
LOCK_FOR_FORK_S = 1.0


class Sender(Protocol):
    """What owns a thread and a buffer."""

    @property
    def exit_timeout_s(self) -> float:
        """Seconds that the flush at the end of the process may take."""

    def lock_for_fork(self) -> bool:
        """Wait until no thread of ours is within metrics or logging, whose locks a child would inherit; a second at most."""

    def unlock_after_fork(self) -> None:
        """Undo that in the parent."""

    def reset_in_child(self) -> None:
        """Begin anew: what the buffer holds is the parent's, whose thread sends it."""

    def close(self, timeout_s: float) -> Any:
        """Flush and stop."""


#: Kept until it is closed, even if nobody else keeps it: it may hold records.
_open: dict[int, Sender] = {}
_is_registered = False
_locked: list[Sender] = []


def register(sender: Sender) -> None:
    """Flush the sender when the process ends, and reset it in the child of a fork."""
    global _is_registered
    _open[id(sender)] = sender
    if _is_registered:
        return
    _is_registered = True
    atexit.register(_close_all)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_lock_all, after_in_parent=_unlock_all, after_in_child=_reset_all)


def unregister(sender: Sender) -> None:
    _open.pop(id(sender), None)


def flush_in_multiprocessing_child() -> None:
    """Call this in the child, when there is something to flush.

    Children of multiprocessing end with os._exit(), without atexit, but call finalizers of their own before.
    """
    module = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if module is None or process is None or process.parent_process() is None:
        return
    try:
        module.Finalize(None, _close_all, exitpriority=10)
    except Exception:  # what is not documented may change
        pass


def _lock_all() -> None:
    _locked[:] = [sender for sender in list(_open.values()) if sender.lock_for_fork()]


def _unlock_all() -> None:
    for sender in _locked:
        sender.unlock_after_fork()
    _locked.clear()


def _reset_all() -> None:
    _locked.clear()
    for sender in list(_open.values()):
        sender.reset_in_child()


def _close_all() -> None:
    """Close all within the time of the one that may take longest."""
    senders = list(_open.values())
    started = time.monotonic()
    for sender in senders:
        left = sender.exit_timeout_s - (time.monotonic() - started)
        sender.close(max(left, 0.1))
