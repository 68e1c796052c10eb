"""Posts bodies to the gateway, over one connection that is kept alive."""

from __future__ import annotations

import gzip
import http.client
import io
import socket
import ssl
import time
import urllib.parse
from typing import Any, Callable, Optional

from ._answers import Answer, Later, read_answer

#: The whole of a post, in seconds: a gateway that says nothing for so long, or says it drop by drop, counts as away.
POST_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
#: A smaller body is not compressed.
GZIP_FROM_BYTES = 1_024
#: What senders add to the URL themselves.
_ROUTES = ("/v1/executions", "/v1/requests", "/v1/traces", "/v1/reports")
#: A larger answer is none of a gateway.
_LARGEST_ANSWER_BYTES = 1_048_576


class GatewayUrlError(ValueError):
    """The URL of the gateway cannot be used."""


class Gateway:
    """A client of one gateway, for one thread at a time. Never raises: what goes wrong is an answer, too.

    :param url: http:// or https://, with the path of a proxy's prefix if there is one
    :param token: of this sender; None where the gateway has no tokens
    :raises GatewayUrlError: that does not show the URL, since it may hold a password
    """

    def __init__(self, url: str, token: str | None, *, timeout_s: float = POST_TIMEOUT_S, tls: ssl.SSLContext | None = None):
        self._scheme, self._host, self._port, self._prefix = _parse_url(url)
        self._token = token
        self._timeout_s = timeout_s
        self._tls = tls
        self._connection: http.client.HTTPConnection | None = None

    def send(
        self,
        method: str,
        path: str,
        body: bytes,
        content_type: str,
        records: int,
        may_begin: Optional[Callable[[], bool]] = None,
    ) -> Answer:
        """Send a body and say what became of its records.

        A connection that the gateway has closed meanwhile is opened again at once: ids make a repetition harmless.

        :param may_begin: asked right before the first byte is written; False: nothing is sent
        """
        headers = {"Content-Type": content_type, "Accept": "application/json", "User-Agent": "sluice-python"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if len(body) >= GZIP_FROM_BYTES:
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        deadline = time.monotonic() + self._timeout_s
        was_kept_alive = self._connection is not None
        answer = self._try(method, path, body, headers, deadline, records, may_begin)
        if answer is None and was_kept_alive:
            answer = self._try(method, path, body, headers, deadline, records, may_begin)
            if isinstance(answer, Later):  # the gateway may have taken the first one, and ended
                answer = answer._replace(is_in_doubt=True)
        return answer or Later("the connection was closed before the answer")

    def close(self) -> None:
        """Close the connection. In the child of a fork this leaves the parent's as it is."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:
                pass

    def interrupt(self) -> None:
        """End what another thread sends: its answer is that there was none."""
        # Once: the other thread may replace it between two looks.
        connection = self._connection
        sock = None if connection is None else connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except Exception:
                pass

    def _try(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        deadline: float,
        records: int,
        may_begin: Optional[Callable[[], bool]],
    ) -> Answer | None:
        """Return None when a connection was closed before anything of an answer came."""
        try:
            connection = self._connection or self._connect(deadline)
        except Exception as error:
            return Later(f"no connection: {type(error).__name__}: {error}", is_in_doubt=False)
        self._connection = connection
        if may_begin is not None and not may_begin():
            return Later("it was given up before it was sent", is_in_doubt=False)
        try:
            assert connection.sock is not None
            connection.sock.settimeout(max(0.001, deadline - time.monotonic()))
            connection.request(method, self._prefix + path, body, headers)
            response = connection.getresponse()
            content = response.read(_LARGEST_ANSWER_BYTES + 1)
            if len(content) > _LARGEST_ANSWER_BYTES or not response.isclosed():
                self.close()
                return Later(f"the answer was {response.status}, too long or broken off")
            if connection.sock is None:  # the gateway has asked to close it
                self._connection = None
            return read_answer(response.status, content, response.getheader("Retry-After"), records)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            return None
        except Exception as error:
            self.close()
            return Later(f"no answer: {type(error).__name__}: {error}")

    def _connect(self, deadline: float) -> http.client.HTTPConnection:
        timeout = min(CONNECT_TIMEOUT_S, max(0.001, deadline - time.monotonic()))
        connection: http.client.HTTPConnection
        if self._scheme == "https":
            self._tls = self._tls or ssl.create_default_context()
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        connection.response_class = _DeadlineResponse
        connection.connect()
        if connection.sock is not None:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until a deadline: the timeout of a socket begins anew with each byte."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = time.monotonic() + (sock.gettimeout() or POST_TIMEOUT_S)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_DeadlineReader(sock))


def _parse_url(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urllib.parse.urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise GatewayUrlError("the URL of the gateway is invalid; accepted: http://host:9466") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise GatewayUrlError("the URL of the gateway is invalid; accepted: http:// or https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise GatewayUrlError("the URL of the gateway holds a user or a password; give a token instead")
    if parts.query or parts.fragment:
        raise GatewayUrlError("the URL of the gateway has a query or a fragment; leave it out")
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise GatewayUrlError("the URL of the gateway has a host that no name server knows: a label is empty or too long") from None
    if port == 0:
        raise GatewayUrlError("the URL of the gateway has the port 0; give the one that it listens on")
    path = parts.path.rstrip("/")
    if not all("!" <= char <= "~" for char in path):
        raise GatewayUrlError("the path in the URL of the gateway has spaces or characters beyond ASCII; write them as %20 and the like")
    if path.endswith(_ROUTES):
        raise GatewayUrlError("the URL of the gateway ends with the address of a route; leave out /v1/ and what follows")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), path
