"""How long to wait before a repetition."""

from __future__ import annotations

from typing import Callable

#: Upper bound of the first wait and of every wait, in seconds.
BASE_S = 0.1
LARGEST_S = 5.0
#: The longest that a gateway can ask for, in seconds.
LARGEST_RETRY_AFTER_S = 60.0


def backoff_s(attempt: int, retry_after_s: float | None, random: Callable[[], float]) -> float:
    """Return the wait in seconds: exponential with full jitter, and after what the gateway asked for.

    :param attempt: failures so far less one
    :param retry_after_s: of the answer; at most a minute counts. The jitter comes on top, so that senders do not come
        back at once
    :param random: uniform in [0, 1)
    """
    jitter = random() * min(LARGEST_S, BASE_S * 2.0 ** min(attempt, 30))
    if retry_after_s is None:
        return jitter
    return min(max(retry_after_s, 0.0), LARGEST_RETRY_AFTER_S) + min(jitter, 1.0)
