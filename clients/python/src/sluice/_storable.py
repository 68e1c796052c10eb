"""Any Python value as JSON that PostgreSQL accepts."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import types
import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Callable, Iterable, Sized

from ._notes import Notes
from ._text import cut, kind_of, length_of, to_storable

#: Beyond it, a number loses digits wherever JSON numbers are doubles.
LARGEST_EXACT_INT = 2**53 - 1
#: Beyond it, writing the digits takes longer than a record may take.
_LARGEST_INT_BITS = 4_096

_TIMES = (datetime.datetime, datetime.date, datetime.time)
_CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType)


class Bounds:
    """Limits of one conversion: levels of nesting, values, units of one text, and units of everything, roughly."""

    __slots__ = ("chars", "depth", "nodes", "string_units")

    def __init__(self, *, depth: int, nodes: int, string_units: int, chars: float) -> None:
        self.depth = depth
        self.nodes = nodes
        self.string_units = string_units
        self.chars = chars


class Conversion:
    """Copies one value as storable JSON.

    Nothing is left out silently: what JSON lacks becomes text or a list, cycles and values beyond the bounds become a
    marker, and the notes are told of each. Does no more work than the bounds allow, and never raises, whatever the
    value's own code does.
    """

    def __init__(self, bounds: Bounds, notes: Notes) -> None:
        self._bounds = bounds
        self._notes = notes
        self._ancestors: set[int] = set()
        self.nodes = 0
        #: units of the document, a lower bound
        self.chars = 0
        self.longest_string = 0

    @property
    def is_over(self) -> bool:
        """Whether the document is longer than allowed, and incomplete."""
        return self.chars > self._bounds.chars

    def convert(self, value: Any, path: str) -> Any:
        if self._is_spent():
            return self._changed(path, "cut, too many values", "[cut]")
        self.nodes += 1
        self.chars += 2
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return self._text(value, path)
        if kind is int:
            return self._integer(value, path)
        if kind is float:
            return self._float(value, path)
        return self._object(value, path)

    def _is_spent(self) -> bool:
        return self.nodes >= self._bounds.nodes or self.chars > self._bounds.chars

    def _changed(self, path: str, what: str, substitute: Any) -> Any:
        self._notes.changed(path, what)
        return substitute

    def _text(self, text: str, path: str) -> str:
        units = length_of(text) if len(text) <= self._bounds.string_units else len(text)
        if units > self._bounds.string_units:
            kept = cut(to_storable(text[: self._bounds.string_units]), self._bounds.string_units) + "…"
            self._notes.changed(path, f"cut from {units} to {self._bounds.string_units} characters")
        else:
            kept = to_storable(text)
            if kept is not text:
                self._notes.changed(path, "NUL or a lone surrogate replaced")
        self.chars += len(kept) + 1
        self.longest_string = max(self.longest_string, units)
        return kept

    def _integer(self, number: int, path: str) -> Any:
        if -LARGEST_EXACT_INT <= number <= LARGEST_EXACT_INT:
            return int(number)
        if number.bit_length() > _LARGEST_INT_BITS:
            return self._changed(path, "a huge integer left out", f"[integer of {number.bit_length()} bits]")
        return self._changed(path, "an integer beyond 2^53 stored as text", self._text(str(int(number)), path))

    def _float(self, number: float, path: str) -> Any:
        if number - number == 0.0:
            return float(number)
        text = "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
        return self._changed(path, f"{text} stored as text", text)

    def _object(self, value: Any, path: str) -> Any:
        if id(value) in self._ancestors:
            return self._changed(path, "cycle cut", "[circular]")
        if len(self._ancestors) >= self._bounds.depth:
            return self._changed(path, "cut, nested too deeply", "[too deep]")
        self._ancestors.add(id(value))
        try:
            return self._known(value, path)
        except Exception as error:  # the value's own code may raise anything
            return self._changed(path, "could not be read", f"[unreadable: {kind_of(error)}]")
        finally:
            self._ancestors.discard(id(value))

    def _known(self, value: Any, path: str) -> Any:
        kind = kind_of(value)
        if isinstance(value, enum.Enum):
            return self._changed(path, f"{kind} stored as its value", self.convert(value.value, path))
        if isinstance(value, str):
            return self._text(str.__str__(value), path)
        if isinstance(value, int):
            return self._integer(int.__index__(value), path)
        if isinstance(value, float):
            return self._float(float.__float__(value), path)
        if isinstance(value, Mapping):
            return self._mapping(value.items(), path, value)
        if isinstance(value, (list, tuple)):
            return self._list(value, path, len(value))
        if isinstance(value, decimal.Decimal):
            return self._changed(path, f"{kind} stored as text", self._text(str(value), path))
        if isinstance(value, _TIMES):
            return self._changed(path, f"{kind} stored as text", self._text(value.isoformat(), path))
        if isinstance(value, (uuid.UUID, datetime.timedelta)):
            return self._changed(path, f"{kind} stored as text", self._text(str(value), path))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._changed(path, "bytes left out", f"[{memoryview(value).nbytes} bytes]")
        if isinstance(value, BaseException):
            return self._changed(path, f"{kind} stored as its message", self._text(f"{kind}: {value}", path))
        if isinstance(value, _CODE):
            return self._changed(path, f"{kind} stored as its type", f"[{kind}]")
        dump = getattr(value, "model_dump", None)
        if callable(dump):
            return self._changed(path, f"{kind} stored as its fields", self.convert(dump(), path))
        if dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value)]
            return self._attributes(value, names, path)
        if isinstance(value, AbstractSet):
            return self._changed(path, f"{kind} stored as a list", self._list(value, path, len(value)))
        if isinstance(value, Sized) and isinstance(value, Iterable):
            return self._changed(path, f"{kind} stored as a list", self._list(value, path, len(value)))
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict) and attributes:
            return self._attributes(value, [name for name in attributes if not name.startswith("_")], path)
        return self._changed(path, f"{kind} stored as its type", f"[{kind}]")

    def _list(self, items: Iterable[Any], path: str, total: int) -> list[Any]:
        copy: list[Any] = []
        for item in items:
            if self._is_spent():
                break
            copy.append(self.convert(item, f"{path}[{len(copy)}]"))
        if len(copy) < total:
            self._notes.changed(path, f"cut from {total} to {len(copy)} items")
        return copy

    def _mapping(self, items: Iterable[tuple[Any, Any]], path: str, whole: Sized) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        kept = 0
        for key, item in items:
            if self._is_spent():
                break
            name = self._key(key, path)
            if name in copy:
                self._notes.changed(f"{path}.{name}", "replaces another of the same name")
            copy[name] = self.convert(item, f"{path}.{name}")
            kept += 1
        if kept < len(whole):
            self._notes.changed(path, f"cut from {len(whole)} to {kept} keys")
        return copy

    def _key(self, key: Any, path: str) -> str:
        if isinstance(key, str):
            return self._text(str.__str__(key), f"{path} key")
        if key is None or isinstance(key, (bool, int, float)):
            return json.dumps(key)
        try:
            text = str(key)
        except Exception:
            text = f"[{kind_of(key)}]"
        self._notes.changed(f"{path} key", f"{kind_of(key)} stored as text")
        return self._text(text, f"{path} key")

    def _attributes(self, value: Any, names: list[str], path: str) -> dict[str, Any]:
        self._notes.changed(path, f"{kind_of(value)} stored as its fields")
        read: Callable[[str], Any] = lambda name: self._attribute(value, name, f"{path}.{name}")
        return self._mapping(((name, read(name)) for name in names), path, names)

    def _attribute(self, value: Any, name: str, path: str) -> Any:
        try:
            return getattr(value, name)
        except Exception as error:
            return self._changed(path, "could not be read", f"[unreadable: {kind_of(error)}]")
