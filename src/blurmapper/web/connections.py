"""The HTTP server under the application: its connections, and how it stops."""

from __future__ import annotations

import asyncio
from functools import partial
from socket import socket
from typing import Any, cast

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from blurmapper.web.limits import Limits
from blurmapper.web.queueing import STOP_WITHIN, PhotoQueue
from blurmapper.web.uploads import RETRY_AFTER

AT_ONCE = 8
"""Connections that are accepted in a turn of the loop; some turns pass before one is refused."""

BACKLOG = 2048
"""Connections that the system holds until they are accepted; beyond it clients wait for long."""

SPARE_FILES = 128
"""Files for the process itself, and for connections that are not refused yet."""

AHEAD = 65_536
"""Bytes of further requests that a client may send before it has its answer."""

MOST = 1000
"""Most connections of all clients, where the system allows so many open files."""

CROWDED = b'{"error": "there are too many connections; try again in %d s"}' % RETRY_AFTER
REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nRetry-After: %d\r\nConnection: close\r\n\r\n%s"
) % (len(CROWDED), RETRY_AFTER, CROWDED)


class Door:
    """Lets connections in, up to a number of each client and of all.

    Beyond it the oldest that asks for nothing makes room; if all ask, the newest must go.

    Parameters
    ----------
    limits : Limits
        How many of one client, and how long one may take to ask for something.
    """

    def __init__(self, limits: Limits) -> None:
        self.patience = limits.patience
        self._of_a_client = limits.connections
        self._of_all = _most_connections()
        self._inside: dict[Connection, None] = {}

    def lets_in(self, newcomer: Connection) -> bool:
        """Return whether there is room for a connection, and make some if need be."""
        crowd = [other for other in self._inside if other.address == newcomer.address]
        if len(self._inside) >= self._of_all:
            crowd = list(self._inside)
        elif len(crowd) < self._of_a_client:
            crowd = []
        silent = next((other for other in crowd if other.silent), None)
        if crowd and silent is None:
            return False
        if silent is not None:
            silent.cut_off()
            self.leave(silent)
        self._inside[newcomer] = None
        return True

    def leave(self, connection: Connection) -> None:
        """Take down that a connection has ended."""
        self._inside.pop(connection, None)


class Connection(H11Protocol):
    """A connection on which the heads of requests must come in time.

    Bodies and answers are timed in `transfers`, which ends a connection by the function
    ``cut_off`` in the state of its requests.

    Parameters
    ----------
    door : Door
        What lets it in.
    config, server_state, app_state, _loop
        Uvicorn's own.
    """

    def __init__(
        self,
        door: Door,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        state = {**app_state, "cut_off": self.cut_off}
        super().__init__(config, server_state, state, _loop)
        self._door = door
        self._head_due: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        """Where it comes from."""
        return self.client[0] if self.client else ""

    @property
    def silent(self) -> bool:
        """Whether it asks for nothing, or not yet."""
        # Uvicorn begins with None, whatever it declares.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def cut_off(self) -> None:
        """End it, whatever is still to be sent."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, or refuse it."""
        super().connection_made(transport)
        # Sending waits until all that was sent before is with the system.
        transport.set_write_buffer_limits(high=0)
        if self._door.lets_in(self):
            self._watch()
        else:
            transport.write(REFUSAL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._door.leave(self)
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Begin a request as soon as its head is whole."""
        super().data_received(data)
        self._watch()
        if not self.silent and self.conn.their_state is h11.DONE:
            # Uvicorn reads no further, and would not see that the client hangs up.
            if len(self.conn.trailing_data[0]) > AHEAD:
                self.cut_off()
            else:
                self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, unless it comes amidst an answer."""
        if self.silent or not self.cycle.response_started:
            super().send_400_response(msg)
        else:
            self.cut_off()

    def _watch(self) -> None:
        if not self.silent or self.transport.is_closing():
            self._forget()
        elif self._head_due is None:
            self._head_due = self.loop.call_later(self._door.patience, self.cut_off)

    def _forget(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None


class Server(uvicorn.Server):
    """Serves an application of `create_app` over bounded connections.

    Parameters
    ----------
    app : FastAPI
        Its state holds ``queue`` and ``limits``.
    log_level : str
        From which on uvicorn writes to the terminal; what clients do wrong is a warning.
    """

    def __init__(self, app: FastAPI, log_level: str = "error") -> None:
        self._queue: PhotoQueue = app.state.queue
        connection = cast("type[asyncio.Protocol]", partial(Connection, Door(app.state.limits)))
        config = uvicorn.Config(
            app, http=connection, ws="none", loop="asyncio", backlog=AT_ONCE, log_level=log_level
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, with room for a crowd."""
        await super().startup(sockets)
        for listener in sockets or []:
            listener.listen(BACKLOG)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Send away what waits, finish what is worked on if that is soon done, and stop."""
        self._queue.stop()
        late = asyncio.get_running_loop().call_later(STOP_WITHIN + 1, self._cut_off_all)
        await super().shutdown(sockets)
        late.cancel()
        self._cut_off_all()
        # Who was cut off takes a moment to see it.
        if tasks := self.server_state.tasks:
            await asyncio.wait(tasks, timeout=1)
        if self.force_exit:
            # A second Ctrl-C makes uvicorn leave this out, which then ends in a traceback.
            await self.lifespan.shutdown()

    def _cut_off_all(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _most_connections() -> int:
    """Return how many connections there may be, so that there are files for other things."""
    try:
        import resource
    except ImportError:  # Windows
        return MOST
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST
    return max(1, min(MOST, files - SPARE_FILES))
