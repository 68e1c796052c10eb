"""A service of gunicorn's: the observer is made, and records, before gunicorn forks its workers."""

from __future__ import annotations

import os
from typing import Any, Callable

from sluice import ExecutionObserver

observer = ExecutionObserver(sample_rate=1)
observer.record(strategyId="loading", status="ok", durationMs=1, externalUserId="preload")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    user = environ["PATH_INFO"].strip("/")
    observer.record(strategyId="s", status="ok", durationMs=1, externalUserId=user)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body))), ("Connection", "close")])
    return [body]
