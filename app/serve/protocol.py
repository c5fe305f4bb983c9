"""uvicorn's HTTP protocol with two bounds that it lacks: how long a request's head may be, and how long it may take.

It stands on the insides of one minor version of uvicorn, to which pyproject.toml pins it.
"""

from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.serve.errors import type_of
from app.serve.given import Serving
from app.serve.problems import OF_STATUS
from app.serve.security import HEADERS

FRAME = 24  # bytes round a chunk: its length, and two line ends


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request is sent too slowly, or whose head is too long: 408 and 431."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings: Serving = self.app_state["serving"]  # of the app's lifespan
        self.head_bytes, self.receive_seconds = settings.head_bytes, settings.receive_seconds
        self._in_head, self._loose, self._started = True, 0, False
        self._deadline: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The clock starts with the connection: silence counts too."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head that does not end count, and so do those between the parts of a body, its trailers among
        them; those of the body itself are the app's to bound.
        """
        self._loose += len(data)
        super().data_received(data)
        if self._loose > self.head_bytes:
            self._refuse(431)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of the head's. A trailer, which comes after a body, is let go: nobody reads it."""
        if self._in_head:
            super().on_header(name, value)

    def on_message_begin(self) -> None:
        """A new request on this connection."""
        super().on_message_begin()
        # For a reader that takes nothing: no answer reaches it.
        self.scope["playground.abort"] = self.transport.abort  # type: ignore[typeddict-unknown-key]
        self._in_head, self._started = True, True
        self._start_clock()

    def on_headers_complete(self) -> None:
        """The app starts now, unless the head was too long after all."""
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.head_bytes:
            self._refuse(431)
        else:
            self._loose -= size
            super().on_headers_complete()

    def on_chunk_complete(self) -> None:
        """What frames a chunk is its due."""
        self._loose -= FRAME

    def on_body(self, body: bytes) -> None:
        """Not for a request that was refused."""
        self._loose -= len(body)
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is here."""
        self._stop_clock()
        self._started = False
        self._in_head, self._loose = True, 0
        if not self.transport.is_closing():
            super().on_message_complete()

    def _start_clock(self) -> None:
        self._stop_clock()
        self._deadline = self.loop.call_later(self.receive_seconds, self._too_slow)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        begun = self.cycle is not None and not self.cycle.response_complete and self.cycle.response_started
        if self._started and not begun:
            self._refuse(408)
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP."""
        self._refuse(400)

    def _refuse(self, status: int) -> None:
        self._stop_clock()
        if self.transport.is_closing():
            return
        phrase = HTTPStatus(status).phrase
        kind = type_of(OF_STATUS[status])
        body = orjson.dumps({"type": kind, "title": phrase, "status": status, "detail": phrase, "errors": []})
        lines = [f"HTTP/1.1 {status} {phrase}".encode(), b"content-type: application/problem+json"]
        lines += [name + b": " + value for name, value in HEADERS]
        lines += [f"content-length: {len(body)}".encode(), b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()
