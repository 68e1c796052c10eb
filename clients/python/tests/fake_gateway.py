"""A server that answers as docs of the gateway say, and misbehaves on demand.

It is here for what a real gateway does not do when it is asked to: refusals, half answers, silence, garbage. What a real
gateway stores is tested against a real one.
"""

from __future__ import annotations

import gzip
import http.server
import json
import socket
import struct
import threading
import time
from typing import Any, Callable, Optional

#: Takes the handler and the records of the body, and answers in place of the gateway.
Behaviour = Callable[["_Handler", list[Any]], None]


class FakeGateway:
    """Keeps what it has answered with 202, by id.

    :param behaviours: one for each body, in order; after the last one, everything is stored
    """

    def __init__(self, *behaviours: Behaviour, port: int = 0) -> None:
        self.records: dict[str, Any] = {}
        #: how often each record was sent, by id
        self.arrivals: dict[str, int] = {}
        self.bodies: list[list[Any]] = []
        #: to the ledger, with where they were sent
        self.reports: list[tuple[str, dict[str, Any]]] = []
        #: what a report is answered with, the last one again and again
        self.report_statuses = [202]
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self.connections = 0
        self.sockets: list[socket.socket] = []
        self.token: Optional[str] = None
        self.behaviours = list(behaviours)
        #: told of each body before it is answered
        self.changed = threading.Condition()
        gateway = self

        class Handler(_Handler):
            fake = gateway

        self._server = _Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.01), daemon=True)
        self._thread.start()

    def __enter__(self) -> FakeGateway:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """As a process that is killed."""
        self._server.shutdown()
        self._server.server_close()
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait_for(self, is_true: Callable[[], bool], timeout_s: float = 30) -> None:
        """:raises AssertionError: when it does not become true"""
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while not is_true():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError("it has not become true in time")
                self.changed.wait(min(left, 0.05))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that break are part of the tests."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeGateway

    def setup(self) -> None:
        super().setup()
        self.fake.connections += 1
        self.fake.sockets.append(self.connection)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        fake = self.fake
        if "/v1/reports?" in self.path:
            self.take_report(json.loads(body))
            return
        records = [json.loads(line) for line in body.split(b"\n") if line]
        with fake.changed:
            fake.bodies.append(records)
            fake.headers.append(dict(self.headers))
            fake.paths.append(self.path)
            fake.times.append(time.monotonic())
            for record in records:
                key = id_of(record)
                fake.arrivals[key] = fake.arrivals.get(key, 0) + 1
            behaviour = fake.behaviours.pop(0) if fake.behaviours else store
            fake.changed.notify_all()
        if fake.token is not None and self.headers.get("Authorization") != f"Bearer {fake.token}":
            behaviour = refuse(401, "unauthenticated")
        behaviour(self, records)
        with fake.changed:
            fake.changed.notify_all()

    do_PUT = do_POST

    def take_report(self, job: dict[str, Any]) -> None:
        with self.fake.changed:
            statuses = self.fake.report_statuses
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            # Before the answer: a sender that has it may be gone, and its test may look.
            self.fake.reports.append((self.path, job))
            self.fake.changed.notify_all()
        if status == 202:
            self.answer(status, {"accepted": 1, "rejected": []})
        else:
            self.answer(status, {"error": {"code": "redis-away", "message": "no"}})

    def answer(self, status: int, content: Any, headers: Optional[dict[str, str]] = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def keep(self, records: list[Any]) -> None:
        with self.fake.changed:
            for record in records:
                self.fake.records[id_of(record)] = record

    def reset(self) -> None:
        """Close the connection with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:
        """Not on stderr."""


def id_of(record: Any) -> str:
    return str(record.get("id") or record.get("requestId"))


def store(handler: _Handler, records: list[Any]) -> None:
    handler.keep(records)
    handler.answer(202, {"accepted": len(records), "rejected": []})


def store_silently(handler: _Handler, records: list[Any]) -> None:
    """Store everything, and close before the answer."""
    handler.keep(records)
    handler.reset()


def store_and_answer_half(handler: _Handler, records: list[Any]) -> None:
    handler.keep(records)
    handler.wfile.write(b'HTTP/1.1 202 Accepted\r\nContent-Length: 60\r\n\r\n{"accepted": ')
    handler.wfile.flush()
    handler.reset()


def reset(handler: _Handler, records: list[Any]) -> None:
    handler.reset()


def refuse(status: int, code: str, retry_after: Optional[str] = None) -> Behaviour:
    def behaviour(handler: _Handler, records: list[Any]) -> None:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        handler.answer(status, {"error": {"code": code, "message": "no"}}, headers)

    return behaviour


def say(status: int, content: bytes) -> Behaviour:
    """Answer as something between sender and gateway would."""
    return lambda handler, records: handler.answer(status, content)


def say_raw(data: bytes) -> Behaviour:
    def behaviour(handler: _Handler, records: list[Any]) -> None:
        handler.wfile.write(data)
        handler.wfile.flush()
        handler.close_connection = True

    return behaviour


def hang(until: threading.Event) -> Behaviour:
    """Say nothing."""

    def behaviour(handler: _Handler, records: list[Any]) -> None:
        until.wait(60)
        handler.close_connection = True

    return behaviour


def drip(until: threading.Event) -> Behaviour:
    """Say something again and again, and never all of it."""

    def behaviour(handler: _Handler, records: list[Any]) -> None:
        handler.wfile.write(b"HTTP/1.1 202 Accepted\r\nX-Drip: ")
        try:
            while not until.wait(0.02):
                handler.wfile.write(b"x")
                handler.wfile.flush()
        except OSError:
            pass
        handler.close_connection = True

    return behaviour


def reject(*fields: str) -> Behaviour:
    """Reject the first records because of these fields, and store the others."""

    def behaviour(handler: _Handler, records: list[Any]) -> None:
        rejected = [{"index": at, "field": field, "reason": "no"} for at, field in enumerate(fields)]
        handler.keep(records[len(fields) :])
        accepted = len(records) - len(fields)
        content: dict[str, Any] = {"accepted": accepted, "rejected": rejected}
        if accepted == 0:
            content = {"error": {"code": "all-rejected", "message": "no"}, "rejected": rejected}
        handler.answer(202 if accepted else 400, content)

    return behaviour


def too_large_above(records_at_most: int) -> Behaviour:
    def behaviour(handler: _Handler, records: list[Any]) -> None:
        # The bodies after this one, too.
        handler.fake.behaviours.insert(0, too_large_above(records_at_most))
        if len(records) > records_at_most:
            handler.answer(413, {"error": {"code": "too-large", "message": "no"}})
        else:
            store(handler, records)

    return behaviour
