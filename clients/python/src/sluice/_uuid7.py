"""UUIDv7 of RFC 9562."""

from __future__ import annotations

import os

_LARGEST_MS = (1 << 48) - 1


def uuid7(now_ms: int) -> str:
    """Make a UUIDv7: 48 bits of time in ms since 1970, the rest random.

    The random bits come from the kernel at each call, so a forked process never repeats those of its parent.
    """
    ms = min(max(now_ms, 0), _LARGEST_MS)
    bits = int.from_bytes(os.urandom(10), "big")
    high = ms << 16 | 0x7000 | (bits >> 68)
    low = 0x8 << 60 | (bits & ((1 << 62) - 1))
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
