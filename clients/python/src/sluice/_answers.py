"""What an answer of the gateway means for the records of the body that it answers."""

from __future__ import annotations

import email.utils
import json
import time
from typing import Any, NamedTuple, Optional, Union


class Refusal(NamedTuple):
    """A record that the gateway does not take, ever."""

    #: of the record in its body, from 0
    at: int
    field: str
    reason: str


class Stored(NamedTuple):
    """The gateway has all records in Redis but these."""

    refusals: tuple[Refusal, ...]
    #: how many more were refused than are told one by one
    refused_more: int = 0


class Later(NamedTuple):
    """The whole body is sent again, with the same ids."""

    reason: str
    retry_after_s: Optional[float] = None
    #: some of it may be stored
    is_in_doubt: bool = True


class TooMuch(NamedTuple):
    """The body is not taken as it is: its halves are tried, and a single record is refused."""

    reason: str


Answer = Union[Stored, Later, TooMuch]

#: Nothing of the body was looked at.
_UNTOUCHED = frozenset((401, 404, 405, 407, 415))


def read_answer(status: int, body: bytes, retry_after: str | None, records: int) -> Answer:
    """Decide by what a gateway says. What does not say it as a gateway does comes from something in between, and is no answer.

    :param retry_after: the header, in seconds or as a date
    :param records: in the body that was sent
    """
    content = _parse(body)
    rejected = _read_rejected(content, records)
    if status == 202:
        return _read_accepted(content, rejected, records)
    code = _error_code(content)
    if status in (400, 403, 413) and rejected is not None and len(rejected.refusals) + rejected.refused_more >= records:
        return rejected
    if code is not None and (status == 413 or (status == 400 and code != "invalid-encoding")):
        return TooMuch(f"{status} {code}")
    reason = f"the answer was {status}" if code is None else f"the answer was {status} {code}"
    return Later(reason, _read_retry_after(retry_after), status not in _UNTOUCHED)


def _read_accepted(content: Any, rejected: Stored | None, records: int) -> Answer:
    if not isinstance(content, dict) or rejected is None:
        return Later("the answer was 202 without the counts of a gateway")
    told = [_count(content, name) for name in ("accepted", "duplicates", "sampledOut")]
    refused = len(rejected.refusals) + rejected.refused_more
    accepted, duplicates, sampled_out = told
    # Duplicates are stored, too, whether or not they are counted among the accepted.
    if records not in (accepted + sampled_out + refused, accepted + duplicates + sampled_out + refused):
        return Later(f"the answer was 202 for {accepted + refused} of {records} records")
    return rejected


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _count(content: dict[str, Any], name: str) -> int:
    value = content.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _read_rejected(content: Any, records: int) -> Stored | None:
    """Return what is refused, or None if the answer has no such list."""
    if not isinstance(content, dict) or not isinstance(content.get("rejected"), list):
        return None
    refusals = []
    for item in content["rejected"]:
        index = item.get("index") if isinstance(item, dict) else None
        if not isinstance(index, int) or not 0 <= index < records:
            return None
        refusals.append(Refusal(index, str(item.get("field", ""))[:200], str(item.get("reason", ""))[:500]))
    return Stored(tuple(refusals), _count(content, "rejectedMore"))


def _error_code(content: Any) -> str | None:
    error = content.get("error") if isinstance(content, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code[:100] if isinstance(code, str) else None


def _read_retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
