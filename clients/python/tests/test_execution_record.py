from __future__ import annotations

import datetime
import decimal
import json
import unittest
import uuid
from typing import Any

from sluice._execution_record import Execution, cut_trace, take_snapshot, write_line, write_snapshot
from sluice._uuid7 import uuid7

NOW_MS = 1_767_225_600_123
MAX_BYTES = 65_536

LEAST: dict[str, Any] = dict.fromkeys(Execution._fields)
LEAST.update(
    now_ms=NOW_MS, sample_rate=0.25, strategyId="s", strategyType="DSL_FULL", strategyVersion=1, status="ok", durationMs=1.5,
    nodesExecuted=2, attempt=1,
)  # fmt: skip


def execution(**values: Any) -> Execution:
    trace = values.get("trace")
    values.setdefault("trace_length", len(trace) if isinstance(trace, list) else None)
    return Execution(**{**LEAST, **values})


def written(max_bytes: int = MAX_BYTES, **values: Any) -> Any:
    """The record, whichever way its values take."""
    copy, is_line = take_snapshot(execution(**values), max_bytes)
    line = copy if is_line else write_snapshot(copy, max_bytes)
    assert len(line) <= max_bytes, f"{len(line)} bytes"
    return json.loads(line)


class RecordTest(unittest.TestCase):
    def test_a_record_has_the_fields_of_the_contract_and_leaves_out_those_without_a_value(self) -> None:
        record = written()
        self.assertEqual(uuid.UUID(record.pop("id")).version, 7)
        self.assertEqual(
            record,
            {
                "recordedAt": "2026-01-01T00:00:00.123Z",
                "strategyId": "s",
                "strategyVersion": 1,
                "strategyType": "DSL_FULL",
                "status": "ok",
                "durationMs": 1.5,
                "nodesExecuted": 2,
                "sampleRate": 0.25,
                "attempt": 1,
            },
        )

    def test_the_id_and_the_time_are_of_one_instant(self) -> None:
        record = written()
        self.assertEqual(int(record["id"].replace("-", "")[:12], 16), NOW_MS)

    def test_a_failure_stands_for_itself(self) -> None:
        self.assertEqual(written(status="timeout", errorCode="DSL_TIMEOUT")["sampleRate"], 1)

    def test_ids_and_times_of_the_caller_are_kept(self) -> None:
        own = str(uuid.uuid4()).upper()
        for at in (
            datetime.datetime(2025, 5, 6, 7, 8, 9, 10_000, tzinfo=datetime.timezone.utc),
            datetime.datetime(2025, 5, 6, 9, 8, 9, 10_000, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
            datetime.datetime(2025, 5, 6, 7, 8, 9, 10_000),
            "2025-05-06T07:08:09.01Z",
            "2025-05-06T07:08:09.0100001+00:00",
            1_746_515_289_010,
        ):
            record = written(id=own, recordedAt=at)
            self.assertEqual((record["id"], record["recordedAt"]), (own.lower(), "2025-05-06T07:08:09.010Z"))
            self.assertNotIn("notes", record)

    def test_wrong_kinds_of_values_are_stored_as_the_right_one_with_a_note(self) -> None:
        record = written(
            strategyId=uuid.UUID(int=7),
            strategyVersion="3",
            points=decimal.Decimal("2.5"),
            durationMs="4.25",
            nodesExecuted=-1,
            realmId=5,
            caseName="x" * 600,
        )
        self.assertEqual(record["strategyId"], "00000000-0000-0000-0000-000000000007")
        self.assertEqual(record["strategyVersion"], 3)
        self.assertEqual(record["points"], 2.5)
        self.assertEqual(record["durationMs"], 4.25)
        self.assertEqual(record["nodesExecuted"], 0)
        self.assertEqual(record["realmId"], "5")
        self.assertEqual(record["caseName"], "x" * 512)
        self.assertIn("strategyId: UUID stored as text; strategyVersion: str stored as a number", record["notes"])
        self.assertIn("2 more values changed", record["notes"])

    def test_what_cannot_be_a_number_or_a_time_is_left_out_with_a_note(self) -> None:
        record = written(points=float("nan"), durationMs=float("inf"), recordedAt="yesterday", id="7")
        self.assertNotIn("points", record)
        self.assertEqual(record["durationMs"], 0)
        self.assertEqual(record["recordedAt"], "2026-01-01T00:00:00.123Z")
        for field in ("points", "durationMs", "recordedAt", "id"):
            self.assertIn(field + ":", record["notes"])

    def test_an_unknown_status_is_stored_as_an_error(self) -> None:
        record = written(status="exploded")
        self.assertEqual(record["status"], "error")
        self.assertEqual(record["sampleRate"], 1)
        self.assertIn('status "exploded" is not known', record["notes"])

    def test_texts_are_counted_in_utf_16_as_the_contract_counts_them(self) -> None:
        record = written(caseName="😀" * 400)
        self.assertEqual(record["caseName"], "😀" * 256)
        self.assertIn("caseName: cut", record["notes"])

    def test_nul_and_lone_surrogates_are_replaced_everywhere(self) -> None:
        record = written(externalUserId="a\0", input={"k\0": "\udc00"}, trace=[{"value": "\0"}])
        self.assertEqual(record["externalUserId"], "a\ufffd")
        self.assertEqual(record["input"], {"k\ufffd": "\ufffd"})
        self.assertEqual(record["trace"], [{"value": "\ufffd"}])

    def test_plain_and_other_values_of_trace_and_input_are_kept(self) -> None:
        record = written(trace=[{"nodeId": "a", "value": 1}], input={"at": datetime.date(2026, 1, 2), "n": 2**60})
        self.assertEqual(record["trace"], [{"nodeId": "a", "value": 1}])
        self.assertEqual(record["input"], {"at": "2026-01-02", "n": "1152921504606846976"})
        self.assertIn("date stored as text", record["notes"])

    def test_values_of_other_types_here_and_there_are_noted(self) -> None:
        run_input = {"price": decimal.Decimal("12.50"), "when": {"at": datetime.date(2026, 1, 2)}}
        record = written(input=run_input, trace=[{"value": {1}}])
        self.assertEqual(record["input"], {"price": "12.50", "when": {"at": "2026-01-02"}})
        self.assertEqual(record["trace"], [{"value": [1]}])
        self.assertIn("Decimal stored as text", record["notes"])

    def test_an_integer_beyond_2_to_the_53_is_not_rounded_silently(self) -> None:
        record = written(input={"snowflake": 9_223_372_036_854_775_807, "safe": 9_007_199_254_740_991})
        self.assertEqual(record["input"], {"snowflake": "9223372036854775807", "safe": 9_007_199_254_740_991})
        self.assertIn("snowflake", record["notes"])

    def test_a_long_fraction_is_no_long_integer(self) -> None:
        self.assertNotIn("notes", written(input={"x": 0.12345678901234568, "y": 123456.78901234567}))

    def test_what_marshal_copies_and_json_lacks_is_made_storable_when_it_is_written(self) -> None:
        cycle: list[Any] = []
        cycle.append(cycle)
        record = written(input={"set": {1}, "bytes": b"x", "complex": 1j, "cycle": cycle, "nan": float("nan")})
        self.assertEqual(record["input"]["set"], [1])
        self.assertEqual(record["input"]["cycle"], ["[circular]"])
        self.assertEqual(record["input"]["nan"], "NaN")

    def test_a_trace_that_is_no_list_is_kept_as_one_entry(self) -> None:
        self.assertEqual(written(trace={"a": 1})["trace"], [{"a": 1}])
        self.assertEqual(written(trace=(item for item in [1]))["trace"], ["[generator]"])

    def test_a_large_record_is_cut_until_it_fits(self) -> None:
        trace = [{"nodeId": str(at), "value": "v" * 2_000} for at in range(200)]
        record = written(trace=trace, input={"k": "x" * 1_000_000})
        self.assertIn("cut from", record["notes"])
        # Head and tail are there.
        self.assertEqual(record["trace"][0]["nodeId"], "0")
        self.assertEqual(record["trace"][-1]["nodeId"], "199")

    def test_the_smallest_record_limit_holds_whatever_the_values_are(self) -> None:
        hostile = {str(at): {"x" * 200: "\0" * 500} for at in range(5_000)}
        fields = dict.fromkeys(("realmId", "externalGameId", "externalTaskId", "externalUserId", "caseName"), "\U0001f600" * 500)
        record = written(16_384, trace=[hostile] * 50, input=hostile, errorMessage="x" * 5_000, status="error", **fields)
        self.assertIn("input left out", record["notes"])

    def test_a_value_that_occurs_in_many_places_does_not_explode(self) -> None:
        bomb: Any = ["x" * 100] * 10
        for _ in range(30):
            bomb = [bomb] * 10
        record = written(trace=[{"value": bomb}] * 200, input={"bomb": bomb})
        self.assertIn("cut", record["notes"])

    def test_a_snapshot_of_a_huge_input_is_cut_before_it_waits(self) -> None:
        copy, is_line = take_snapshot(execution(input=["x" * 100] * 100_000), MAX_BYTES)
        self.assertTrue(is_line)
        self.assertLessEqual(len(copy), MAX_BYTES)

    def test_later_changes_do_not_matter(self) -> None:
        trace = [{"value": {"deep": [1]}}]
        for extra in (None, decimal.Decimal(1)):  # by either way
            run_input = {"a": [1], "extra": extra}
            copy, is_line = take_snapshot(execution(trace=trace, input=run_input), MAX_BYTES)
            trace[0]["value"]["deep"].append(2)
            run_input["a"].append(2)
            record = json.loads(copy if is_line else write_snapshot(copy, MAX_BYTES))
            self.assertEqual(record["trace"], [{"value": {"deep": [1]}}])
            self.assertEqual(record["input"]["a"], [1])
            trace[0]["value"]["deep"].pop()

    def test_ids_of_spans_are_kept_where_they_are_some(self) -> None:
        good = written(traceId="4BF92F3577B34DA6A3CE929D0E0E4736", spanId="00f067aa0ba902b7")
        self.assertEqual((good["traceId"], good["spanId"]), ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"))
        bad = written(traceId="0" * 32, spanId="x")
        self.assertNotIn("traceId", bad)
        self.assertNotIn("spanId", bad)

    def test_what_a_method_of_the_caller_raises_costs_its_value_only(self) -> None:
        def fail(*_: Any) -> Any:
            raise RuntimeError("a method of the caller's")

        text = type("Text", (str,), {"__getitem__": fail, "lower": fail})("x" * 600)
        fields = type("Fields", (dict,), {"items": fail})(a=1)
        record = written(strategyId="s", caseName=text, status=text, recordedAt=text, trace=[{"a": 1}, fields], input=fields)
        self.assertEqual(record["caseName"], "x" * 512)
        self.assertEqual(record["status"], "error")
        self.assertEqual(record["input"], "[unreadable: RuntimeError]")
        self.assertEqual(record["trace"], [{"a": 1}, "[unreadable: RuntimeError]"])

    def test_subclasses_of_plain_types_are_written_as_these(self) -> None:
        class Text(str):
            pass

        class Number(int):
            pass

        record = json.loads(write_line(execution(strategyId=Text("s"), strategyVersion=Number(2), status=Text("ok")), MAX_BYTES))
        self.assertEqual((record["strategyId"], record["strategyVersion"], record["status"]), ("s", 2, "ok"))


class CutTraceTest(unittest.TestCase):
    def test_head_and_tail_are_kept(self) -> None:
        trace = list(range(10))
        self.assertEqual(cut_trace(trace, 4), [0, 1, 8, 9])
        self.assertEqual(cut_trace(trace, 5), [0, 1, 2, 8, 9])
        self.assertEqual(cut_trace(trace, 1), [0])
        self.assertEqual(cut_trace(trace, 10), trace)

    def test_no_limit_keeps_everything(self) -> None:
        self.assertEqual(cut_trace([1, 2], 0), [1, 2])
        self.assertEqual(cut_trace([1, 2], -1), [1, 2])

    def test_the_note_says_what_was_cut(self) -> None:
        record = written(trace=[0, 3], trace_length=4)
        self.assertEqual(record["traceLength"], 4)
        self.assertEqual(record["notes"], "trace cut from 4 to 2 entries: the first 1 and the last 1 are kept")


class Uuid7Test(unittest.TestCase):
    def test_it_has_time_version_and_variant_and_never_repeats(self) -> None:
        ids = {uuid7(NOW_MS) for _ in range(10_000)}
        self.assertEqual(len(ids), 10_000)
        for text in list(ids)[:100]:
            parsed = uuid.UUID(text)
            self.assertEqual((parsed.version, parsed.variant, parsed.int >> 80), (7, uuid.RFC_4122, NOW_MS))
