"""Runs the cases of the conformance kit through this client.

Reads `{"case": …, "to": "executions" | "requests" | "begin", "input": {…}}` from the lines of stdin, and hands each input to
the client as a service would. Prints `{"case": …, "field": …, "reason": …}` for each refusal. See contracts/README.md.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Callable, Optional

from sluice import CompletedRequestSender, ExecutionObserver, RecordRefused

#: Long enough for every case, and short enough to fail.
TIMEOUT_S = 60.0


def main() -> None:
    observer = ExecutionObserver(sample_rate=1)
    sender = CompletedRequestSender()

    def record(**run: Any) -> None:
        before = observer.stats().refused
        observer.record(**run)
        observer.flush(TIMEOUT_S)
        if observer.stats().refused > before:
            raise RefusedByGateway

    ways: dict[str, Callable[..., None]] = {
        "executions": record,
        "requests": lambda **request: sender.send(**request, durable=True, timeout=TIMEOUT_S),
        "begin": lambda **request: sender.begin(**request, durable=True, timeout=TIMEOUT_S),
    }
    for line in sys.stdin.buffer:
        case = json.loads(line)
        if not isinstance(case["input"], dict):
            # Nobody can call record() with it; a request is refused.
            if case["to"] != "executions":
                refuse(case, None, "no object")
            continue
        try:
            ways[case["to"]](**case["input"])
        except RefusedByGateway:
            refuse(case, None, "the gateway does not take it")
        except RecordRefused as error:
            refuse(case, error.field, error.reason)
        except (TypeError, ValueError) as error:
            refuse(case, field_of(str(error)), str(error))
    for closed in (observer.close(TIMEOUT_S), sender.close(TIMEOUT_S)):
        if closed.unflushed:
            sys.exit(f"{closed.unflushed} records were not answered for")


class RefusedByGateway(Exception):
    """An observer does not tell which field it was: nobody waits for its records."""


def field_of(message: str) -> Optional[str]:
    """Return the field that a message names: a missing or unknown argument, or the first word of the client's own."""
    named = re.search(r"argument[^']*'(\w+)'", message) or re.match(r"(\w+) (?:is|has|contains)\b", message)
    return named.group(1) if named else None


def refuse(case: dict[str, Any], field: Optional[str], reason: str) -> None:
    sys.stdout.write(json.dumps({"case": case["case"], "field": field, "reason": reason[:500]}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
