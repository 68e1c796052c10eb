"""A service that sends through the gateway what it reads from standard input as lines of JSON, until that ends.

Arguments: `executions` or `requests`, as record() of the observer and send() and begin() of the sender take them. It prints what
became of them as lines of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

from sluice import CompletedRequestSender, ExecutionObserver

CLOSE_TIMEOUT_S = 60
SAY_EVERY_S = 0.05
LONGEST_LINE = 64 * 1_048_576


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def send_executions() -> None:
    observer = ExecutionObserver()
    is_over = threading.Event()

    def say_counts() -> None:
        while not is_over.wait(SAY_EVERY_S):
            say(observer.stats()._asdict())

    saying = threading.Thread(target=say_counts, daemon=True)
    saying.start()
    for line in sys.stdin.buffer:
        observer.record(**json.loads(line))
    observer.close(CLOSE_TIMEOUT_S)
    is_over.set()
    saying.join()
    say(observer.stats()._asdict())


async def send_requests() -> None:
    sender = CompletedRequestSender()
    lines = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    calls: set[asyncio.Task[None]] = set()

    async def call(number: int, begin: bool, request: dict[str, Any]) -> None:
        try:
            await (sender.abegin(durable=True, **request) if begin else sender.asend(**request))
        except Exception as error:
            say({"call": number, "error": str(error)})
        else:
            say({"call": number})

    while line := await lines.readline():
        task = asyncio.create_task(call(**json.loads(line)))
        calls.add(task)
        task.add_done_callback(calls.discard)
    await asyncio.gather(*calls)
    await sender.aclose(CLOSE_TIMEOUT_S)
    say({"stats": sender.stats()._asdict()})


if __name__ == "__main__":
    if sys.argv[1] == "executions":
        send_executions()
    else:
        asyncio.run(send_requests())
