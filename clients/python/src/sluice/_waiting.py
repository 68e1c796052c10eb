"""Awaitables for code with and without asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator
from typing import Any, Callable, TypeVar

T = TypeVar("T")


class Done(Coroutine[Any, Any, None]):
    """An awaitable that is done: what returns it may be called plainly, awaited, or given to create_task().

    A real coroutine that nobody awaits would warn, and would not have run.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield  # makes this a generator

    def send(self, value: Any) -> Any:
        raise StopIteration

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        raise typ if val is None else val

    def close(self) -> None:
        return None


DONE = Done()


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread of its own.

    Not in the loop's executor: its threads may all be busy, and the work has a deadline.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as thrown:
            error = thrown
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            pass

    threading.Thread(target=run, name="sluice-wait", daemon=True).start()
    return await future
