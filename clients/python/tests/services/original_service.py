"""A service that records as the original does: asyncio, an observer from a container, one awaited record() per run.

Two lines are another's than in the original: the import, and the construction without a repository.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any, Optional

from sluice import ExecutionObserver as DslExecutionObserver


class DslError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Container:
    """As a dependency container has it: made at import, outside of a running loop."""

    observer = DslExecutionObserver()


class DslStrategy:
    def __init__(self, observer: Any) -> None:
        self._observer = observer

    async def calculate_points(self, user: str, value: float) -> Optional[float]:
        started = time.perf_counter()
        status, code, points, case = "ok", None, None, None
        trace: list[dict[str, Any]] = []
        try:
            await asyncio.sleep(0)
            trace.append({"nodeId": "div.left", "type": "literal", "value": 10})
            trace.append({"nodeId": "div.right", "type": "field", "value": value, "path": "data.value"})
            if value == 0:
                raise DslError("DSL_ARITH_DIV_BY_ZERO")
            points, case = 10 / value, "DIVIDED"
            return points
        except DslError as error:
            status, code = "error", error.code
            raise
        finally:
            await self._observer.record(
                strategyId="5f95995e-7e12-462c-a036-77249c32a6d2",
                strategyVersion=3,
                strategyType="DSL_FULL",
                realmId="north",
                externalGameId="game-1",
                externalTaskId="task-1",
                externalUserId=user,
                status=status,
                errorCode=code,
                points=points,
                caseName=case,
                durationMs=(time.perf_counter() - started) * 1000.0,
                nodesExecuted=len(trace),
                trace=trace,
                parentStrategyId=None,
            )
            # The engine goes on with its own list.
            trace.clear()


async def serve() -> None:
    strategy = DslStrategy(Container.observer)
    runs = int(os.environ["TEST_RUNS"])
    results = await asyncio.gather(
        *(strategy.calculate_points(f"user-{at}", at % 5) for at in range(runs)), return_exceptions=True
    )
    await Container.observer.drain()
    drained = Container.observer.stats()._asdict()
    await Container.observer.record(
        strategyId="last", strategyVersion=1, strategyType="DSL_EXTEND", realmId=None, externalGameId=None,
        externalTaskId=None, externalUserId=None, status="timeout", errorCode="DSL_TIMEOUT", points=None, caseName=None,
        durationMs=501.5, nodesExecuted=0, trace=None, parentStrategyId="default",
    )  # fmt: skip
    await Container.observer.aclose()
    failed = sum(isinstance(result, DslError) for result in results)
    print(json.dumps({"failed": failed, "drained": drained, "closed": Container.observer.stats()._asdict()}))


if __name__ == "__main__":
    asyncio.run(serve())
    sys.exit(0)
