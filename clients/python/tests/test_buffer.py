from __future__ import annotations

import unittest

from sluice._buffer import ENTRY_BYTES, Entry, RecordBuffer


def entry(name: str, *, failure: bool = False, size: int = 0, path: str | None = None) -> Entry:
    return Entry(name.encode().ljust(size, b"."), is_line=True, failure=failure, path=path)


def names(entries: list[Entry]) -> list[str]:
    return [one.data.decode().rstrip(".") for one in entries]


class BufferTest(unittest.TestCase):
    def test_a_full_buffer_turns_a_success_away(self) -> None:
        buffer: RecordBuffer[Entry] = RecordBuffer(2, 10_000)
        for name in ("a", "b"):
            self.assertEqual(buffer.offer(entry(name)), [])
        self.assertEqual(names(buffer.offer(entry("c"))), ["c"])
        self.assertEqual(names(buffer.take(9, 9_999)), ["a", "b"])

    def test_a_failure_evicts_the_oldest_successes(self) -> None:
        buffer: RecordBuffer[Entry] = RecordBuffer(2, 10_000)
        buffer.offer(entry("a"))
        buffer.offer(entry("b"))
        self.assertEqual(names(buffer.offer(entry("F", failure=True))), ["a"])
        self.assertEqual(names(buffer.offer(entry("G", failure=True))), ["b"])
        self.assertEqual(names(buffer.offer(entry("H", failure=True))), ["H"])
        self.assertEqual(names(buffer.take(9, 9_999)), ["F", "G"])

    def test_bytes_are_bounded_too(self) -> None:
        buffer: RecordBuffer[Entry] = RecordBuffer(100, 3 * ENTRY_BYTES + 300)
        for name in ("a", "b", "c"):
            self.assertEqual(buffer.offer(entry(name, size=100)), [])
        self.assertEqual(names(buffer.offer(entry("d"))), ["d"])
        self.assertEqual(names(buffer.offer(entry("F", failure=True, size=150))), ["a", "b"])
        # Not at the cost of successes where even all of them would not be enough.
        self.assertEqual(names(buffer.offer(entry("G", failure=True, size=900))), ["G"])
        self.assertEqual(buffer.records, 2)

    def test_what_is_being_sent_takes_room_and_is_not_evicted(self) -> None:
        buffer: RecordBuffer[Entry] = RecordBuffer(2, 10_000)
        buffer.offer(entry("a"))
        buffer.offer(entry("b"))
        taken = buffer.take(9, 9_999)
        self.assertEqual(names(buffer.offer(entry("F", failure=True))), ["F"])
        buffer.release(taken)
        self.assertEqual((buffer.records, buffer.bytes), (0, 0))
        self.assertEqual(buffer.offer(entry("F", failure=True)), [])

    def test_failures_are_taken_first_within_the_limits(self) -> None:
        buffer: RecordBuffer[Entry] = RecordBuffer(10, 100_000)
        for name in ("a", "b"):
            buffer.offer(entry(name))
        buffer.offer(entry("F", failure=True))
        self.assertEqual(names(buffer.take(2, 9_999)), ["F", "a"])
        self.assertEqual(names(buffer.take(2, 1)), ["b"])

    def test_an_entry_with_a_path_of_its_own_is_taken_alone_and_in_order(self) -> None:
        buffer: RecordBuffer[Entry] = RecordBuffer(10, 100_000)
        for one in (entry("a"), entry("P", path="/p"), entry("b"), entry("c")):
            buffer.offer(one)
        self.assertEqual([names(buffer.take(9, 9_999)) for _ in range(4)], [["a"], ["P"], ["b", "c"], []])
