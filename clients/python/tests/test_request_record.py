from __future__ import annotations

import base64
import datetime
import json
import unittest
from typing import Any

from sluice._request_record import RequestContext, api_key_hash, write_request

NOW_MS = 1_767_225_600_123
ID = "0198f3a0-1111-7222-8333-444455556666"
LEAST: dict[str, Any] = {"requestId": ID, "createdBy": "org-7", "statusCode": 200, "startedAt": NOW_MS - 5, "completedAt": NOW_MS}


def written(*, has_ended: bool = True, max_body_bytes: int = 1_024, pepper: str | None = None, **values: Any) -> Any:
    context = RequestContext(NOW_MS, max_body_bytes, None if pepper is None else api_key_hash(pepper))
    return json.loads(write_request({**LEAST, **values}, context, has_ended=has_ended))


def fail(*_: Any) -> Any:
    raise RuntimeError("a method of the caller's")


class Text(str):
    strip = encode = lower = __getitem__ = fail  # type: ignore[assignment]


class Number(int):
    __int__ = __le__ = __ge__ = __float__ = fail  # type: ignore[assignment]


class Incomparable:
    __eq__ = __bool__ = __str__ = __repr__ = fail  # type: ignore[assignment]


class Broken(datetime.tzinfo):
    utcoffset = dst = tzname = fail  # type: ignore[assignment]


class Silent(datetime.tzinfo):
    def utcoffset(self, _: Any) -> None:
        return None


def in_zone(zone: datetime.tzinfo) -> datetime.datetime:
    return datetime.datetime(2025, 12, 31, tzinfo=zone)


class RequestRecordTest(unittest.TestCase):
    def test_a_request_that_has_ended_has_the_fields_of_the_contract(self) -> None:
        self.assertEqual(
            written(model="m-1", endpoint="/v1/responses", requestBody="{}", responseBody=b"ok", isStream=True),
            {
                "requestId": ID,
                "createdBy": "org-7",
                "model": "m-1",
                "endpoint": "/v1/responses",
                "serviceTier": "priority",
                "startedAt": "2026-01-01T00:00:00.118Z",
                "requestBody": "{}",
                "completedAt": "2026-01-01T00:00:00.123Z",
                "statusCode": 200,
                "responseBody": "ok",
                "isStream": True,
                "isIncomplete": False,
            },
        )

    def test_a_request_that_still_runs_has_no_end(self) -> None:
        record = written(has_ended=False)
        self.assertNotIn("statusCode", record)
        self.assertNotIn("completedAt", record)
        self.assertNotIn("responseBody", record)

    def test_an_invalid_id_or_creator_is_an_error_that_names_the_field(self) -> None:
        creators: list[Any] = [" ", 7, "a\0", "x" * 513]
        for values in ({"requestId": "7"}, {"requestId": None}, *({"createdBy": creator} for creator in creators)):
            with self.subTest(values), self.assertRaisesRegex(ValueError, next(iter(values))):
                written(**values)

    def test_times_are_repaired_and_the_end_is_never_first(self) -> None:
        self.assertEqual(written(startedAt=None)["startedAt"], written()["completedAt"])
        late = written(startedAt=datetime.datetime(2026, 2, 1, tzinfo=datetime.timezone.utc))
        self.assertEqual(late["completedAt"], late["startedAt"])
        self.assertIn("before startedAt", late["notes"])

    def test_a_first_token_is_within_the_request_and_a_provider_is_not_blank(self) -> None:
        record = written(provider="openai", firstTokenAt=NOW_MS - 2)
        self.assertEqual((record["provider"], record["firstTokenAt"]), ("openai", "2026-01-01T00:00:00.121Z"))
        for first in (NOW_MS - 6, NOW_MS + 1, "soon", True, -1):
            with self.subTest(first):
                odd = written(provider="", firstTokenAt=first)
                self.assertNotIn("firstTokenAt", odd)
                self.assertNotIn("provider", odd)
                self.assertIn("firstTokenAt", odd["notes"])
        self.assertNotIn("firstTokenAt", written(has_ended=False, firstTokenAt=NOW_MS))

    def test_an_invalid_status_is_stored_as_599(self) -> None:
        for status in (99, 600, None, "x", 200.5, True):
            self.assertEqual(written(statusCode=status)["statusCode"], 599)
        self.assertEqual(written(statusCode="404")["statusCode"], 404)

    def test_no_value_of_a_field_raises_but_those_of_the_id_and_the_creator(self) -> None:
        for name in ("statusCode", "startedAt", "completedAt", "firstTokenAt", "requestBody", "apiKey", "traceId", "serviceTier", "isStream"):
            for value in (10**400, -(10**5_000), float("nan"), Text("x"), Number(7), Incomparable(), in_zone(Broken()), in_zone(Silent())):
                with self.subTest(name=name, kind=type(value).__name__):
                    self.assertEqual(written(**{name: value})["requestId"], ID)
        self.assertEqual(written(statusCode=10**400)["statusCode"], 599)
        self.assertEqual(written(startedAt=in_zone(Broken()))["startedAt"], "2026-01-01T00:00:00.123Z")
        # A zone without an offset is none.
        self.assertEqual(written(startedAt=in_zone(Silent()))["startedAt"], "2025-12-31T00:00:00.000Z")
        self.assertEqual(written(createdBy=Text("org-7"), requestId=Text(ID))["createdBy"], "org-7")
        with self.assertRaisesRegex(ValueError, "requestId is "):
            written(requestId=Text("none"))

    def test_bodies_that_are_no_text_are_kept_exactly(self) -> None:
        for body in (b"\x1f\x8b\xff", b"a\0b", "a\0b"):
            record = written(responseBody=body)
            self.assertEqual(record["responseEncoding"], "base64")
            self.assertEqual(base64.b64decode(record["responseBody"]), body if isinstance(body, bytes) else body.encode())
            self.assertNotIn("notes", record)

    def test_json_bodies_are_stored_as_their_text(self) -> None:
        record = written(requestBody={"model": "m", "n": [1]})
        self.assertEqual(record["requestBody"], '{"model":"m","n":[1]}')
        self.assertIn("requestBody: dict stored as JSON", record["notes"])

    def test_a_long_body_is_cut_a_byte_beyond_what_the_gateway_keeps_so_that_it_is_marked(self) -> None:
        record = written(responseBody="x" * 5_000)
        self.assertEqual(record["responseBody"], "x" * 1_025)
        self.assertIn("responseBody: has 5000 bytes, the sender has cut it", record["notes"])
        for offset in range(4):  # never within a character, and never so short that it would not be marked
            text = "x" * offset + "😀" * 400
            kept = written(responseBody=text)["responseBody"]
            self.assertTrue(text.startswith(kept))
            self.assertTrue(1_024 < len(kept.encode()) <= 1_028)

    def test_a_body_that_is_hardly_too_long_is_left_to_the_gateway(self) -> None:
        record = written(responseBody="😀" * 257)
        self.assertEqual(record["responseBody"], "😀" * 257)
        self.assertNotIn("notes", record)

    def test_a_key_leaves_the_process_only_without_a_pepper(self) -> None:
        hashed = written(apiKey="sk-secret", pepper="0123456789abcdef")
        self.assertEqual(hashed["apiKeyHash"], api_key_hash("0123456789abcdef")("sk-secret"))
        self.assertNotIn("sk-secret", json.dumps(hashed))
        self.assertEqual(written(apiKey="sk-secret")["apiKey"], "sk-secret")

    def test_notes_never_show_what_may_be_a_key(self) -> None:
        record = written(apiKey=["sk-secret"], apiKeyHash="sk-secret")
        self.assertNotIn("sk-secret", json.dumps(record))
