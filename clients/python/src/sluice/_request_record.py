"""One request of an LLM gateway, from the arguments of send() or begin() to a line of NDJSON."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, Callable, Mapping, NamedTuple, Optional

from ._fields import IDENTIFIER_UNITS, read_span_id, read_text, read_time_ms, read_uuid, to_iso, to_number
from ._notes import Notes
from ._storable import Bounds, Conversion
from ._text import is_storable, kind_of, length_of, plain, quote, to_storable

ENDPOINT_UNITS = 2_048
SERVICE_TIERS = frozenset(("auto", "default", "flex", "priority", "background"))
DEFAULT_TIER = "priority"
#: Stored in place of an invalid status: a failure that no server sends, so that it stands out.
NO_STATUS = 599
_API_KEY_CHARS = 65_536

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

HashApiKey = Callable[[str], str]


class RequestContext(NamedTuple):
    """What is decided outside of the record."""

    now_ms: int
    #: of UTF-8; of a longer body only the beginning is sent
    max_body_bytes: int
    #: None: the gateway hashes the key
    hash_api_key: Optional[HashApiKey]


def api_key_hash(pepper: str) -> HashApiKey:
    """Return the function that hashes API keys as the SDK and the gateway do: HMAC-SHA256, 64 hexadecimal digits."""
    key = pepper.encode()
    return lambda api_key: hmac.new(key, api_key.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def require_request_id(value: Any) -> str:
    """Return the id in lower case.

    :raises ValueError: when it is no UUID; nobody who looks for the request would know an id of our own
    """
    value = plain(value)
    known = read_uuid(value)
    if known is None:
        raise ValueError(f"requestId is {quote(value)}; give a UUID, the same one to begin() and send()")
    return known


def require_creator(value: Any) -> str:
    """Return the owner of the request, without spaces around it. It is never cut or repaired: the result might be somebody else.

    :raises ValueError: when it is no text, blank, too long, or contains what PostgreSQL refuses
    """
    remedy = f"give the id of the person or organisation that the request belongs to, at most {IDENTIFIER_UNITS} characters"
    if not isinstance(value, str):
        raise ValueError(f"createdBy is {kind_of(value)}; {remedy}, as text")
    trimmed = value.strip() if len(value) <= IDENTIFIER_UNITS * 4 else value
    if not trimmed:
        raise ValueError(f"createdBy is blank; {remedy}")
    if length_of(trimmed) > IDENTIFIER_UNITS:
        raise ValueError(f"createdBy has {len(trimmed)} characters; {remedy}")
    if not is_storable(trimmed):
        raise ValueError(f"createdBy contains a NUL or a lone surrogate; {remedy}, without these")
    return trimmed


def write_request(values: Mapping[str, Any], context: RequestContext, *, has_ended: bool) -> bytes:
    """Return the line of NDJSON, without its end. Everything but `requestId` and `createdBy` is repaired, and `notes` says how.

    :raises ValueError: that names `requestId` or `createdBy` and the remedy
    """
    notes = Notes()
    values = {name: plain(value) for name, value in values.items()}
    record: dict[str, Any] = {
        "requestId": require_request_id(values.get("requestId")),
        "createdBy": require_creator(values.get("createdBy")),
        "model": read_text(notes, "model", values.get("model")) or "unknown",
        "endpoint": read_text(notes, "endpoint", values.get("endpoint"), ENDPOINT_UNITS) or "",
        "serviceTier": _read_tier(values.get("serviceTier"), notes),
    }
    start_ms, end_ms = _read_times(values, context.now_ms, notes, has_ended=has_ended)
    record["startedAt"] = to_iso(start_ms)
    _put_body(record, "request", values.get("requestBody"), context, notes)
    _put_api_key(record, values, context, notes)
    for name, digits in (("traceId", 32), ("spanId", 16)):
        span_id = read_span_id(notes, name, values.get(name), digits)
        if span_id is not None:
            record[name] = span_id
    provider = read_text(notes, "provider", values.get("provider"))
    if provider:
        record["provider"] = provider
    if has_ended:
        record["completedAt"] = to_iso(end_ms)
        record["statusCode"] = _read_status(values.get("statusCode"), notes)
        _put_body(record, "response", values.get("responseBody"), context, notes)
        for name in ("isStream", "isIncomplete"):
            record[name] = _read_flag(name, values.get(name), notes)
        first_ms = _read_first_token(values.get("firstTokenAt"), start_ms, end_ms, notes)
        if first_ms is not None:
            record["firstTokenAt"] = to_iso(first_ms)
    text = notes.text()
    if text is not None:
        record["notes"] = text
    return _encode(record).encode()


def _read_tier(value: Any, notes: Notes) -> str:
    if isinstance(value, str) and value in SERVICE_TIERS:
        return value
    if value is not None:
        notes.changed("serviceTier", f"{quote(value)} is not known, stored as {DEFAULT_TIER}")
    return DEFAULT_TIER


def _read_times(values: Mapping[str, Any], now_ms: int, notes: Notes, *, has_ended: bool) -> tuple[int, int]:
    """Return when the request began and ended. A missing time is taken from the other; the end is never first."""
    start = read_time_ms(values.get("startedAt"))
    end = read_time_ms(values.get("completedAt")) if has_ended else None
    if start is None:
        instead = "the time of the call" if end is None else "completedAt"
        notes.changed("startedAt", f"{_missing(values.get('startedAt'))}, {instead} is stored")
        start = end if end is not None else now_ms
    if has_ended and end is None:
        notes.changed("completedAt", f"{_missing(values.get('completedAt'))}, the time of the call is stored")
    end = now_ms if end is None else end
    if has_ended and end < start:
        notes.changed("completedAt", f"{to_iso(end)} is before startedAt, which is stored for both")
    return start, max(start, end)


def _read_first_token(value: Any, start_ms: int, end_ms: int, notes: Notes) -> int | None:
    """Return when the first token arrived; None when that is not known, or not within the request."""
    if value is None:
        return None
    first = read_time_ms(value)
    if first is None:
        notes.changed("firstTokenAt", f"{quote(value)} is no time, left out")
        return None
    if start_ms <= first <= end_ms:
        return first
    notes.changed("firstTokenAt", f"{to_iso(first)} is not between startedAt and completedAt, left out")
    return None


def _missing(value: Any) -> str:
    return "is missing" if value is None else f"{quote(value)} is no time"


def _read_status(value: Any, notes: Notes) -> int:
    number = value
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        number = int(value)
    if isinstance(number, (int, float)) and not isinstance(number, bool) and to_number(number) is not None:
        code = int(number)
        if code == number and 100 <= code <= 599:
            if number is not value:
                notes.changed("statusCode", "text stored as a number")
            return code
    notes.changed("statusCode", f"{quote(value)} is no status code of HTTP, stored as {NO_STATUS}")
    return NO_STATUS


def _read_flag(name: str, value: Any, notes: Notes) -> bool:
    if isinstance(value, bool):
        return value
    if value is not None:
        notes.changed(name, f"{kind_of(value)} stored as false")
    return False


def _put_api_key(record: dict[str, Any], values: Mapping[str, Any], context: RequestContext, notes: Notes) -> None:
    # A note never shows a value here: it may be a key in the wrong field.
    key = values.get("apiKey")
    if isinstance(key, str) and 0 < len(key) <= _API_KEY_CHARS:
        if context.hash_api_key is not None:
            record["apiKeyHash"] = context.hash_api_key(key)
        else:
            record["apiKey"] = to_storable(key)
        return
    if key is not None and not (isinstance(key, str) and key == ""):
        notes.changed("apiKey", "no text, or too long, left out")
    digest = values.get("apiKeyHash")
    if isinstance(digest, str) and len(digest) == 64 and all(digit in "0123456789abcdefABCDEF" for digit in digest):
        record["apiKeyHash"] = digest.lower()
    elif digest is not None:
        notes.changed("apiKeyHash", "not 64 hexadecimal digits, left out")


def _put_body(record: dict[str, Any], of: str, body: Any, context: RequestContext, notes: Notes) -> None:
    """Text stays text. Bytes that are not UTF-8, and text with a NUL, are kept exactly, as base64."""
    name = f"{of}Body"
    data = _to_bytes(name, body, context, notes)
    kept = _cut_body(data, context.max_body_bytes)
    if kept is not data:
        notes.changed(name, f"has {len(data)} bytes, the sender has cut it")
        data = kept
    text = _as_text(data)
    if text is not None:
        record[name] = text
        return
    record[name] = base64.b64encode(data).decode()
    record[f"{of}Encoding"] = "base64"


def _as_text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _cut_body(data: bytes, gateway_keeps: int) -> bytes:
    """Cut at the beginning of a character, a little beyond what the gateway keeps, so that it marks the body as cut."""
    end = gateway_keeps + 1
    if len(data) <= end + 3:
        return data
    for _ in range(3):
        if data[end] & 0xC0 == 0x80:
            end += 1
    return data[:end]


def _to_bytes(name: str, body: Any, context: RequestContext, notes: Notes) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, str):
        try:
            return body.encode()
        except UnicodeEncodeError:
            notes.changed(name, "a lone surrogate replaced")
            return body.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    most = context.max_body_bytes
    value = Conversion(Bounds(depth=64, nodes=100_000, string_units=most, chars=most), notes).convert(body, name)
    notes.changed(name, f"{kind_of(body)} stored as JSON")
    return _encode(value).encode()
