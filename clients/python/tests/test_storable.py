from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import unittest
import uuid
from typing import Any

from sluice._notes import Notes
from sluice._storable import Bounds, Conversion
from sluice._text import cut, length_of, to_storable


def convert(
    value: Any, *, depth: int = 64, nodes: int = 1_000, string_units: int = 1_000, chars: float = 10_000
) -> tuple[Any, str]:
    notes = Notes()
    bounds = Bounds(depth=depth, nodes=nodes, string_units=string_units, chars=chars)
    converted = Conversion(bounds, notes).convert(value, "input")
    json.dumps(converted, allow_nan=False).encode()
    return converted, notes.text() or ""


@dataclasses.dataclass
class Point:
    x: int
    y: decimal.Decimal


class Model:
    """As pydantic has them."""

    def model_dump(self) -> dict[str, Any]:
        return {"name": "m", "at": datetime.date(2026, 1, 2)}


class Colour(enum.Enum):
    RED = "red"


class Attributes:
    def __init__(self) -> None:
        self.shown = 1
        self._hidden = 2


class Hostile:
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no")


class StorableTest(unittest.TestCase):
    def test_plain_json_is_kept_without_a_note(self) -> None:
        value = {"a": [1, 2.5, "text", None, True], "b": {"c": "ü 😀"}}
        self.assertEqual(convert(value), (value, ""))

    def test_what_json_lacks_becomes_text_or_a_list(self) -> None:
        utc = datetime.timezone.utc
        cases: list[tuple[Any, Any]] = [
            (decimal.Decimal("12.50"), "12.50"),
            (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=utc), "2026-01-02T03:04:05+00:00"),
            (datetime.date(2026, 1, 2), "2026-01-02"),
            (datetime.timedelta(seconds=90), "0:01:30"),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            ({3}, [3]),
            (frozenset(("a",)), ["a"]),
            (b"abc", "[3 bytes]"),
            (memoryview(b"abcd"), "[4 bytes]"),
            (float("nan"), "NaN"),
            (float("inf"), "Infinity"),
            (float("-inf"), "-Infinity"),
            (2**53, "9007199254740992"),
            (-(2**63), "-9223372036854775808"),
            (10**5_000, "[integer of 16610 bits]"),
            (Point(1, decimal.Decimal("2")), {"x": 1, "y": "2"}),
            (Model(), {"name": "m", "at": "2026-01-02"}),
            (Colour.RED, "red"),
            (collections.deque([1, 2]), [1, 2]),
            (ValueError("bad"), "ValueError: bad"),
            (Attributes(), {"shown": 1}),
            (print, "[builtin_function_or_method]"),
            (object(), "[object]"),
            ("a\0b\ud800", "a\ufffdb\ufffd"),
        ]
        for value, expected in cases:
            with self.subTest(type(value).__name__, expected=str(expected)):
                converted, notes = convert(value)
                self.assertEqual(converted, expected)
                self.assertIn("input", notes)

    def test_what_json_has_under_another_type_is_kept_without_a_note(self) -> None:
        Pair = collections.namedtuple("Pair", "a b")
        for value, expected in [
            ((1, 2), [1, 2]),
            (Pair(1, 2), [1, 2]),
            (collections.OrderedDict(a=1), {"a": 1}),
            (collections.defaultdict(int, a=1), {"a": 1}),
            ({None: "b", True: "c"}, {"true": "c", "null": "b"}),
            ({2: "a", 1.5: "b"}, {"2": "a", "1.5": "b"}),
        ]:
            self.assertEqual(convert(value), (expected, ""))

    def test_cycles_are_cut_and_repetitions_are_not(self) -> None:
        cycle: list[Any] = [1]
        cycle.append(cycle)
        self.assertEqual(convert(cycle), ([1, "[circular]"], "input[1]: cycle cut"))
        shared = {"a": 1}
        self.assertEqual(convert([shared, shared]), ([shared, shared], ""))

    def test_bounds_hold(self) -> None:
        deep: Any = "end"
        for _ in range(10_000):
            deep = [deep]
        converted, notes = convert(deep, depth=3)
        self.assertEqual(converted, [[["[too deep]"]]])
        self.assertIn("nested too deeply", notes)
        converted, notes = convert(list(range(1_000)), nodes=11)
        self.assertEqual(converted, list(range(10)))
        self.assertIn("cut from 1000 to 10 items", notes)
        converted, notes = convert("x" * 5_000, string_units=10)
        self.assertEqual(converted, "x" * 10 + "…")
        self.assertIn("cut from 5000 to 10 characters", notes)
        converted, notes = convert(["x" * 90] * 1_000, chars=1_000)
        self.assertLess(len(json.dumps(converted)), 1_500)

    def test_what_raises_when_it_is_read_costs_only_itself(self) -> None:
        converted, notes = convert({"good": 1, "bad": Hostile()})
        self.assertEqual(converted["good"], 1)
        self.assertEqual(converted["bad"], "[unreadable: RuntimeError]")
        self.assertIn("could not be read", notes)

    def test_notes_describe_the_first_changes_and_count_the_others(self) -> None:
        _, notes = convert([b""] * 8)
        self.assertEqual(notes.count("bytes left out"), 5)
        self.assertTrue(notes.endswith("; 3 more values changed"))


class TextTest(unittest.TestCase):
    def test_lengths_are_units_of_utf_16_and_no_character_is_cut_in_half(self) -> None:
        self.assertEqual(length_of("a😀"), 3)
        self.assertEqual(cut("a😀b", 2), "a")
        self.assertEqual(cut("a😀b", 3), "a😀")

    def test_a_pair_of_surrogates_becomes_its_character(self) -> None:
        self.assertEqual(to_storable("\ud83d\ude00"), "😀")
        self.assertEqual(to_storable("\ude00\ud83d"), "\ufffd\ufffd")
