"""Text that PostgreSQL and the contracts accept. Lengths are UTF-16 units, as the contracts count them."""

from __future__ import annotations

from typing import Any

REPLACEMENT = "\ufffd"


def length_of(text: str) -> int:
    """Return the length of the text in UTF-16 units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_storable(text: str) -> bool:
    """Tell whether the text has neither a NUL nor a lone surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def to_storable(text: str) -> str:
    """Replace each NUL and each lone surrogate with U+FFFD. Two surrogates that make a pair become the character."""
    if is_storable(text):
        return text
    well_formed = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return well_formed.replace("\0", REPLACEMENT)


def cut(text: str, max_units: int) -> str:
    """Return the beginning of a storable text, at most so many units long. A character is not cut in half."""
    if len(text) <= max_units and length_of(text) <= max_units:
        return text
    units = text[:max_units].encode("utf-16-le")[: max_units * 2]
    return units.decode("utf-16-le", "ignore")


def quote(value: object) -> str:
    """Describe a value in a note: its type, and the beginning of what it says if it is short and plain."""
    if isinstance(value, str):
        return '"' + cut(to_storable(value[:60]), 60) + '"'
    if isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 64):
        return str(value)
    return kind_of(value)


def kind_of(value: object) -> str:
    """Name the type of a value in a note."""
    return to_storable(type(value).__name__[:60])


def plain(value: object) -> Any:
    """Return a text or number of a subclass as the text or number that it is, since methods of a subclass may do anything.

    What cannot even be asked for its class is named by it.
    """
    kind = type(value)
    if value is None or kind is str or kind is int or kind is bool or kind is float:
        return value
    try:
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int.__index__(value)
        if isinstance(value, float):
            return float.__float__(value)
    except Exception:
        return f"[{kind_of(value)}]"
    return value
