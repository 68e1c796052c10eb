"""Records and ends in some way, without closing the observer. Prints the counts of each process as a line of JSON.

TEST_HOW: in which. TEST_RECORDS: how many each process records.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from typing import Any

from sluice import ExecutionObserver

RUN: dict[str, Any] = {"strategyId": "s", "status": "error", "durationMs": 1, "trace": [{"nodeId": "a"}]}
observer = ExecutionObserver()


def say(**values: Any) -> None:
    os.write(1, (json.dumps(values) + "\n").encode())


def record(name: str, count: int) -> None:
    for at in range(count):
        observer.record(**RUN, externalUserId=f"{name}-{at}")


def fork(name: str, count: int) -> int:
    """Return the process id in the parent; the child records and ends as a worker of gunicorn does."""
    pid = os.fork()
    if pid:
        return pid
    record(name, count)
    say(name=name, recorded=observer.stats().recorded)
    sys.exit(0)


def wait(pids: list[int]) -> None:
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    say(codes=codes)


def in_child(name: str, count: int) -> None:
    record(name, count)
    say(name=name, recorded=observer.stats().recorded)


def main() -> None:
    how, count = os.environ["TEST_HOW"], int(os.environ["TEST_RECORDS"])
    if how == "end":
        record("main", count)
    elif how == "exception":
        record("main", count)
        raise SystemExit(3)
    elif how == "thread":
        thread = threading.Thread(target=record, args=("main", count))
        thread.start()
    elif how == "fork":
        record("main", count)
        wait([fork(f"child{child}", count) for child in range(3)])
    elif how == "fork-before":
        wait([fork(f"child{child}", count) for child in range(3)])
        record("main", count)
    elif how == "fork-busy":
        recording = threading.Thread(target=record, args=("main", count))
        recording.start()
        wait([fork(f"child{child}", 5) for child in range(20)])
        recording.join()
    elif how == "multiprocessing":
        record("main", count)
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=in_child, args=(f"child{child}", count)) for child in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
    else:
        raise ValueError(how)


if __name__ == "__main__":
    main()
