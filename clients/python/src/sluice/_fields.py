"""Scalar fields of any type, read as the type of their column. Every change is noted."""

from __future__ import annotations

import datetime
import decimal
import math
import re
import uuid
from typing import Any

from ._notes import Notes
from ._text import cut, kind_of, length_of, quote, to_storable

IDENTIFIER_UNITS = 512
MESSAGE_UNITS = 4_096
#: PostgreSQL's integer.
LARGEST_INTEGER = 2_147_483_647

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]*", re.IGNORECASE)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_LATEST_MS = 253_402_214_400_000
#: A longer text is no number and no time.
_SCALAR_CHARS = 100


def read_text(notes: Notes, name: str, value: Any, max_units: int = IDENTIFIER_UNITS) -> str | None:
    """Read a text; None if there is none."""
    if value is None:
        return None
    if type(value) is str:
        if len(value) <= max_units and value.isascii() and "\0" not in value:
            return value
        text = value
    elif isinstance(value, str):
        text = str.__str__(value)
    else:
        text = _to_text(value)
        notes.changed(name, f"{kind_of(value)} stored as text")
    kept = to_storable(text[: max_units + 1])
    if len(text) > max_units or length_of(kept) > max_units:
        kept = cut(kept, max_units)
        notes.changed(name, f"cut from {len(text)} to {max_units} characters")
    elif kept is not text and kept != text:
        notes.changed(name, "NUL or a lone surrogate replaced")
    return kept


def read_decimal(notes: Notes, name: str, value: Any) -> float | int | None:
    """Read a finite number; None if there is none."""
    if value is None:
        return None
    kind = type(value)
    if kind is float and value - value == 0.0:
        return float(value)
    if kind is int and -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return int(value)
    number = to_number(value)
    if number is None:
        notes.changed(name, f"{quote(value)} is no number that can be stored, left out")
    elif kind is not float and kind is not int:
        notes.changed(name, f"{kind_of(value)} stored as a number")
    return number


def read_integer(notes: Notes, name: str, value: Any, least: int) -> int | None:
    """Read a whole number within PostgreSQL's integer; None if there is none."""
    if type(value) is int and least <= value <= LARGEST_INTEGER:
        return int(value)
    number = read_decimal(notes, name, value)
    if number is None:
        return None
    bounded = min(max(round(number), least), LARGEST_INTEGER)
    if bounded != number:
        notes.changed(name, f"{number} stored as {bounded}")
    return bounded


def read_uuid(value: Any) -> str | None:
    """Return the text of a UUID in lower case, or None if the value is none."""
    if isinstance(value, uuid.UUID):
        value = str(value)
    if isinstance(value, str) and len(value) == 36 and _UUID.fullmatch(value):
        return value.lower()
    return None


def read_time_ms(value: Any) -> int | None:
    """Return ms since 1970 of a datetime, of ms since 1970, or of ISO 8601. None if it is no time from 1970 to 9999.

    A datetime without a zone counts as UTC, as the original stores it.
    """
    ms: float | None
    if isinstance(value, datetime.datetime):
        try:
            ms = _datetime_ms(value)
        except Exception:  # of its zone, which is code of the caller's
            ms = None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        ms = to_number(value)
    elif isinstance(value, str) and len(value) <= _SCALAR_CHARS:
        ms = _parse_iso_ms(value)
    else:
        ms = None
    return int(ms) if ms is not None and 0 <= ms <= _LATEST_MS else None


def read_span_id(notes: Notes, name: str, value: Any, digits: int) -> str | None:
    """Read an id of OpenTelemetry; one that is none, or all zeros, is left out."""
    if value is None:
        return None
    if type(value) is str and len(value) == digits and _HEX.fullmatch(value) and value.strip("0"):
        return value.lower()
    notes.changed(name, f"{quote(value)} is no {name} of OpenTelemetry, left out")
    return None


def to_iso(ms: int) -> str:
    """Write a time as ISO 8601 in UTC, with milliseconds."""
    at = _EPOCH + datetime.timedelta(milliseconds=ms)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1_000:03d}Z"


def _datetime_ms(at: datetime.datetime) -> float:
    if at.utcoffset() is None:
        at = at.replace(tzinfo=datetime.timezone.utc)
    return math.floor((at - _EPOCH) / datetime.timedelta(milliseconds=1))


def _parse_iso_ms(text: str) -> float | None:
    # datetime.fromisoformat reads the zone Z, and fractions of any length, only from Python 3.11 on.
    text = re.sub(r"[Zz]$", "+00:00", text.strip())
    fraction = re.search(r"\.(\d+)", text)
    if fraction:
        text = text.replace(fraction.group(0), "." + fraction.group(1)[:6].ljust(6, "0"), 1)
    try:
        return _datetime_ms(datetime.datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def to_number(value: Any) -> float | int | None:
    """Return the value as a finite number; None if it is none."""
    try:
        if isinstance(value, str):
            if len(value) > _SCALAR_CHARS:
                return None
            number = float(value)
        elif isinstance(value, (int, float, decimal.Decimal)):
            number = float(value)
        else:
            return None
    except (ValueError, OverflowError, decimal.InvalidOperation):
        return None
    return number if math.isfinite(number) else None


def _to_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"  # as JSON has it
    try:
        return str(value) if isinstance(value, (int, float, uuid.UUID, decimal.Decimal)) else f"[{kind_of(value)}]"
    except ValueError:  # an integer of more digits than Python writes
        return f"[{kind_of(value)}]"
