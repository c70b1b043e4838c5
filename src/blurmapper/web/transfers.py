"""What every answer passes last: how fast it may be read, and what is held until it has been."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blurmapper.web.limits import Limits

PIECE = 65_536
"""Bytes of an answer that are handed on at a time."""

LINGER = 0.5
"""Seconds between an answer to half a request and the end of its connection.

Ended at once, with bytes unread, it could take the answer with it (RFC 9112, section 9.6).
"""


class Pace:
    """When the next bytes of a transfer are due: it may fall behind, but not for long.

    Parameters
    ----------
    limits : Limits
        How fast, and how far behind.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._now = asyncio.get_running_loop().time
        self.due = self._now() + limits.patience

    def moved(self, size: int) -> None:
        """Take down that so many bytes have come or gone."""
        latest = self._now() + self._limits.patience
        self.due = min(latest, self.due + size / self._limits.pace)


class Transfers:
    """Send answers no faster than they are read, and cut off who does not read them.

    An answer that is given before the whole request has arrived is the last on its connection,
    as what is still to come would have to be read and thrown away.

    Parameters
    ----------
    app : ASGI application
    limits : Limits
        How slowly a client may read.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body_to_come = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        early = False

        async def receive_until_whole() -> Message:
            nonlocal body_to_come
            message = await receive()
            body_to_come = message.get("more_body", False)
            return message

        async def send_in_pieces(message: Message) -> None:
            nonlocal early
            if message["type"] == "http.response.start":
                early = body_to_come
                if early:
                    MutableHeaders(scope=message)["Connection"] = "close"
                await answer.send(message)
            elif message["type"] == "http.response.body":
                await answer.send_body(message, LINGER if early else 0)
            else:
                await send(message)

        answer = _Answer(scope, send, self._limits)
        # Not a dependency that yields: some releases of FastAPI end it before they send.
        with ExitStack() as until_sent:
            scope.setdefault("state", {})["until_sent"] = until_sent
            await self._app(scope, receive_until_whole, send_in_pieces)


class _Answer:
    """An answer on its way to a client that keeps up with it."""

    def __init__(self, scope: Scope, send: Send, limits: Limits) -> None:
        self._send = send
        self._limits = limits
        self._pace: Pace | None = None
        # See `connections`; other servers than ours have their own means.
        self._cut_off = scope.get("state", {}).get("cut_off")

    async def send(self, message: Message) -> None:
        """Hand on a message, once what went before has been read."""
        self._pace = self._pace or Pace(self._limits)
        try:
            async with asyncio.timeout_at(self._pace.due):
                await self._send(message)
        except TimeoutError:
            if self._cut_off is None:
                raise
            self._cut_off()
        self._pace.moved(len(message.get("body", b"")))

    async def send_body(self, message: Message, linger: float) -> None:
        """Hand on a message's body piece by piece, and return when all has been read."""
        body = message.get("body", b"")
        for start in range(0, len(body), PIECE):
            piece = bytes(body[start : start + PIECE])
            await self.send({**message, "body": piece, "more_body": True})
        if not message.get("more_body", False):
            await asyncio.sleep(linger)
            await self.send({**message, "body": b"", "more_body": False})
