"""Records strategy executions and completed requests through a Sluice gateway.

Two lines change in a service that used the original's observer: the import, and the construction without a repository.
"""

from __future__ import annotations

from ._delivery import Drained, RecordRefused, RecordUnsent
from ._settings import SettingsError
from .completed_request_sender import Body, CompletedRequestSender, SenderClosed, SenderStats, SendTimeout
from .execution_observer import Depth, ExecutionObserver, NoopExecutionObserver, ObserverStats

__all__ = [
    "Body",
    "CompletedRequestSender",
    "Depth",
    "Drained",
    "ExecutionObserver",
    "NoopExecutionObserver",
    "ObserverStats",
    "RecordRefused",
    "RecordUnsent",
    "SendTimeout",
    "SenderClosed",
    "SenderStats",
    "SettingsError",
]
