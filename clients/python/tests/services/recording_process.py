"""Records executions, and prints its counts as lines of JSON: now and then, and at the end, when it is closed.

TEST_NAME and TEST_RECORDS: what is recorded is of the users NAME-0 to NAME-(RECORDS - 1). TEST_PER_SECOND: how fast.
"""

from __future__ import annotations

import json
import os
import sys
import time

from sluice import ExecutionObserver

SAY_EVERY_S = 0.05


def main() -> None:
    name, count = os.environ["TEST_NAME"], int(os.environ["TEST_RECORDS"])
    per_second = float(os.environ.get("TEST_PER_SECOND", "1e9"))
    observer = ExecutionObserver(sample_rate=1)
    begun = said = time.monotonic()
    for at in range(count):
        failure = at % 10 == 0
        observer.record(
            strategyId="s-1",
            strategyVersion=1,
            strategyType="DSL_FULL",
            realmId="north",
            externalUserId=f"{name}-{at}",
            status="error" if failure else "ok",
            errorCode="DSL_UNEXPECTED" if failure else None,
            points=None if failure else float(at),
            durationMs=1.5,
            nodesExecuted=3,
            trace=[{"nodeId": f"node-{node}", "type": "literal", "value": node} for node in range(3)],
        )
        now = time.monotonic()
        if now - said > SAY_EVERY_S:
            said = now
            say(observer, False)
        ahead = begun + at / per_second - now
        if ahead > 0.005:
            time.sleep(ahead)
    observer.close(float(os.environ.get("TEST_CLOSE_S", "60")))
    say(observer, True)


def say(observer: ExecutionObserver, is_closed: bool) -> None:
    sys.stdout.write(json.dumps({**observer.stats()._asdict(), "closed": is_closed}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
