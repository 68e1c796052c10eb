"""One execution, from the arguments of record() to a line of NDJSON.

record() takes a snapshot, and the sending thread writes it. The snapshot is `marshal`, the serialisation of Python's own
compiled code: it copies plain values (None, bool, int, float, str, bytes, list, tuple, dict, set) in one call in C, without
running any code of theirs, in a sixth of the time of `json.dumps`. What is not plain is written at once.
"""

from __future__ import annotations

import json
import marshal
from typing import Any, Callable, NamedTuple

from ._fields import MESSAGE_UNITS, read_decimal, read_integer, read_span_id, read_text, read_time_ms, read_uuid, to_iso
from ._notes import Notes
from ._storable import LARGEST_EXACT_INT, Bounds, Conversion
from ._text import kind_of, plain, quote
from ._uuid7 import uuid7

STATUSES = frozenset(("ok", "error", "timeout", "limit", "cancelled"))

#: The version that writes short strings once.
_MARSHAL_VERSION = 4
#: A snapshot of so many times the largest record cannot fit uncut, and is cut before it waits.
_HOPELESS_RATIO = 4
_DEPTH = 64
_PLAIN_NODES = 20_000


def _refuse(_value: Any) -> Any:
    """Not json's own, which asks the value for its class: it may refuse."""
    raise TypeError("not JSON")


def _encoder(default: Callable[[Any], Any]) -> Callable[[Any], str]:
    return json.JSONEncoder(
        ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"), default=default
    ).encode


_encode = _encoder(_refuse)


class Execution(NamedTuple):
    """The arguments of record(), and what record() decided."""

    now_ms: int
    sample_rate: float
    #: entries before the cut; None if the trace is no list
    trace_length: int | None
    strategyId: Any
    strategyVersion: Any
    strategyType: Any
    realmId: Any
    externalGameId: Any
    externalTaskId: Any
    externalUserId: Any
    status: Any
    errorCode: Any
    points: Any
    caseName: Any
    durationMs: Any
    nodesExecuted: Any
    trace: Any
    parentStrategyId: Any
    input: Any
    errorMessage: Any
    failedNodeId: Any
    astHash: Any
    attempt: Any
    recordedAt: Any
    id: Any
    traceId: Any
    spanId: Any


class Cut(NamedTuple):
    """How much of the free-form parts a step keeps. 0 trace entries: as many as there is room for."""

    string_units: int
    trace_entries: int
    nodes: int
    keep_input: bool


#: Each step cuts more. The result of the last fits into 16 KiB, since the other fields are bounded.
_CUTS = (
    Cut(2**31, 0, 50_000, True),
    Cut(1_024, 0, 5_000, True),
    Cut(256, 0, 5_000, True),
    Cut(256, 40, 500, True),
    Cut(64, 10, 100, False),
)


def cut_trace(trace: list[Any], limit: int) -> list[Any]:
    """Return a list of at most `limit` entries; 0 or less keeps all.

    Head and tail are kept. Rules match at the head, but a trace is in the order of evaluation, so the entries that decided
    the points are at its end.
    """
    if limit <= 0 or len(trace) <= limit:
        return trace
    head = (limit + 1) // 2
    tail = limit - head
    return trace[:head] + trace[len(trace) - tail :]


def take_snapshot(execution: Execution, max_bytes: int) -> tuple[bytes, bool]:
    """Copy the execution, so that later changes to its values do not matter.

    :param max_bytes: of the JSON
    :returns: the copy, and whether it is the line already
    """
    try:
        # A plain tuple: marshal knows no subclasses.
        copy = marshal.dumps(tuple(execution), _MARSHAL_VERSION)
    except ValueError:
        copy = None
    if copy is not None and len(copy) <= max_bytes * _HOPELESS_RATIO:
        return copy, False
    try:
        return write_line(execution, max_bytes), True
    except Exception:
        return write_line(Execution(*map(plain, execution)), max_bytes), True


def write_snapshot(copy: bytes, max_bytes: int) -> bytes:
    """Return the line of NDJSON, without its end, of a snapshot by take_snapshot()."""
    return write_line(Execution(*marshal.loads(copy)), max_bytes)


def write_line(execution: Execution, max_bytes: int) -> bytes:
    """Return the line of NDJSON, without its end. Whatever the values are, the result is storable, and `notes` says how."""
    notes = Notes()
    fields, trace = _read_fields(execution, notes)
    line: bytes | None = None
    if _is_plain(trace, execution.input, max_bytes * _HOPELESS_RATIO):
        line = _try_to_write(fields, trace, execution.input, notes, max_bytes)
    return line or _write_storable(fields, trace, execution.input, notes, max_bytes)


def _try_to_write(
    fields: dict[str, Any], trace: list[Any] | None, run_input: Any, notes: Notes, max_bytes: int
) -> bytes | None:
    """Write the record in one call; None where trace and input have to be looked through for that."""
    try:
        try:
            line = _join(fields, trace, run_input, notes, _encode)
        except TypeError:
            # Values of other types in plain lists and dicts, such as a Decimal here and there. json asks for each of them.
            own_notes = notes.copy()
            bounds = Bounds(depth=_DEPTH, nodes=5_000, string_units=max_bytes, chars=max_bytes)
            convert = Conversion(bounds, own_notes).convert
            encode = _encoder(lambda value: convert(value, "a value of trace or input"))
            line = _join(fields, trace, run_input, own_notes, encode)
    except Exception:  # not JSON, a lone surrogate, a cycle, or what a subclass of a dict does
        return None
    return line if len(line) <= max_bytes and b"\\u0000" not in line else None


def _is_plain(trace: Any, run_input: Any, max_chars: int) -> bool:
    """Tell whether values can be written in one call: neither too much of it, which nothing could interrupt, nor rounded.

    A snapshot has a value that occurs in many places only once; its JSON has it in all of them.
    """
    waiting: list[Any] = [[trace, run_input]]
    nodes = 0
    for values in waiting:
        nodes += len(values)
        if nodes > _PLAIN_NODES or max_chars < 0:
            return False
        for value in values:
            kind = type(value)
            if kind is str:
                max_chars -= len(value)
            elif kind is dict:
                waiting.append(value.values())
            elif kind is list or kind is tuple:
                waiting.append(value)
            elif kind is int and not -LARGEST_EXACT_INT <= value <= LARGEST_EXACT_INT:
                return False
    return max_chars >= 0


def _read_fields(execution: Execution, notes: Notes) -> tuple[dict[str, Any], list[Any] | None]:
    status = execution.status
    if type(status) is not str or status not in STATUSES:
        status = _known_status(status, notes)
    fields: dict[str, Any] = {
        "id": _read_id(execution, notes),
        "recordedAt": _read_recorded_at(execution, notes),
        "strategyId": read_text(notes, "strategyId", execution.strategyId) or "unknown",
        "strategyVersion": read_integer(notes, "strategyVersion", execution.strategyVersion, -(2**31) + 1) or 0,
        "strategyType": read_text(notes, "strategyType", execution.strategyType) or "unknown",
        "status": status,
        "durationMs": _read_duration(execution.durationMs, notes),
        "nodesExecuted": read_integer(notes, "nodesExecuted", execution.nodesExecuted, 0) or 0,
        "sampleRate": execution.sample_rate if status == "ok" else 1,
        "attempt": read_integer(notes, "attempt", execution.attempt, 1) or 1,
    }
    optional = {
        "realmId": read_text(notes, "realmId", execution.realmId),
        "externalGameId": read_text(notes, "externalGameId", execution.externalGameId),
        "externalTaskId": read_text(notes, "externalTaskId", execution.externalTaskId),
        "externalUserId": read_text(notes, "externalUserId", execution.externalUserId),
        "errorCode": read_text(notes, "errorCode", execution.errorCode),
        "errorMessage": read_text(notes, "errorMessage", execution.errorMessage, MESSAGE_UNITS),
        "failedNodeId": read_text(notes, "failedNodeId", execution.failedNodeId),
        "points": read_decimal(notes, "points", execution.points),
        "caseName": read_text(notes, "caseName", execution.caseName),
        "parentStrategyId": read_text(notes, "parentStrategyId", execution.parentStrategyId),
        "astHash": read_text(notes, "astHash", execution.astHash),
        "traceId": read_span_id(notes, "traceId", execution.traceId, 32),
        "spanId": read_span_id(notes, "spanId", execution.spanId, 16),
    }
    trace = _read_trace(execution, notes)
    if execution.trace_length is not None:
        optional["traceLength"] = execution.trace_length
    fields.update((name, value) for name, value in optional.items() if value is not None)
    return fields, trace


def _known_status(status: Any, notes: Notes) -> str:
    text = status if isinstance(status, str) else None
    if text is not None and str.__str__(text) in STATUSES:
        return str.__str__(text)
    # What is none of the known ones is a failure.
    notes.add(f"status {quote(status)} is not known, stored as error")
    return "error"


def is_failure(status: Any) -> bool:
    """Tell whether a run with this status is always kept: everything but "ok" is a failure."""
    try:
        return bool(status != "ok")
    except Exception:  # an object that refuses to be compared
        return True


def _read_id(execution: Execution, notes: Notes) -> str:
    if execution.id is None:
        return uuid7(execution.now_ms)
    known = read_uuid(execution.id)
    if known is not None:
        return known
    notes.changed("id", f"{quote(execution.id)} is no UUID, a new one was made")
    return uuid7(execution.now_ms)


def _read_recorded_at(execution: Execution, notes: Notes) -> str:
    if execution.recordedAt is None:
        return to_iso(execution.now_ms)
    ms = read_time_ms(execution.recordedAt)
    if ms is not None:
        return to_iso(ms)
    notes.changed("recordedAt", f"{quote(execution.recordedAt)} is no time, the time of the call is stored")
    return to_iso(execution.now_ms)


def _read_duration(value: Any, notes: Notes) -> float | int:
    ms = read_decimal(notes, "durationMs", value)
    if ms is None:
        return 0
    if ms < 0:  # a clock that was set back meanwhile
        notes.changed("durationMs", f"{ms} is below 0")
    return ms


def _read_trace(execution: Execution, notes: Notes) -> list[Any] | None:
    trace = execution.trace
    if trace is None:
        return None
    if isinstance(trace, list):
        total = execution.trace_length
        if total is not None and total > len(trace):
            notes.add(_cut_note(total, len(trace)))
        return trace
    notes.changed("trace", f"{kind_of(trace)} stored as a list of one")
    return [trace]


def _cut_note(total: int, kept: int) -> str:
    head = (kept + 1) // 2
    return f"trace cut from {total} to {kept} entries: the first {head} and the last {kept - head} are kept"


def _join(
    fields: dict[str, Any], trace: list[Any] | None, run_input: Any, notes: Notes, encode: Callable[[Any], str]
) -> bytes:
    parts: dict[str, Any] = {}
    if trace is not None:
        parts["trace"] = trace
    if run_input is not None:
        parts["input"] = run_input
    # First, since the notes may be about them.
    free_form = encode(parts)[1:] if parts else "}"
    text = notes.text()
    record = _encode(fields if text is None else {**fields, "notes": text})
    return f"{record[:-1]}{',' if parts else ''}{free_form}".encode()


def _write_storable(
    fields: dict[str, Any], trace: list[Any] | None, run_input: Any, notes: Notes, max_bytes: int
) -> bytes:
    """Make trace and input storable, and cut them in steps until the record fits."""
    for step in _CUTS:
        step_notes = notes.copy()
        bounds = Bounds(depth=_DEPTH, nodes=step.nodes, string_units=min(step.string_units, max_bytes), chars=max_bytes)
        conversion = Conversion(bounds, step_notes)
        kept_trace: Any = None
        kept_input: Any = None
        if trace is not None:
            # Not more than there is room for; otherwise the tail would be cut off with the rest.
            kept = cut_trace(trace, step.trace_entries or min(step.nodes - 1, max_bytes // 2))
            if len(kept) < len(trace):
                step_notes.add(_cut_note(len(trace), len(kept)))
            kept_trace = conversion.convert(kept, "trace")
        if step.keep_input:
            if run_input is not None:
                kept_input = conversion.convert(run_input, "input")
        elif run_input is not None:
            step_notes.add(f"input left out: the record is larger than {max_bytes} bytes")
        if conversion.is_over:
            continue
        line = _join(fields, kept_trace, kept_input, step_notes, _encode)
        if len(line) <= max_bytes:
            return line
    notes.add(f"trace and input left out: the record is larger than {max_bytes} bytes")
    return _join(fields, None, None, notes, _encode)
