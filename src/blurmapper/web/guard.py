"""Who may talk to the server, and what its pages may load: nothing from elsewhere."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Refuse requests that another web page made, and seal every answer.

    A browser can be led to this server by a page from elsewhere: under a name that the page's
    owner points here (DNS rebinding), which shows in ``Host``, or from the page itself, which
    shows in ``Origin``. Addresses cannot be pointed anywhere and are always right.

    Parameters
    ----------
    app : ASGI application
    hosts : collection of str
        Names that the server is called besides ``localhost`` and this machine's own.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        own = socket.gethostname()
        names = {"localhost", own, f"{own}.local", *hosts}
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 403 or 421."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(host):
            refusal = "this server does not go by that name; add it with --allow-host"
            await JSONResponse({"error": refusal}, 421)(scope, receive, send_sealed)
        elif origin is not None and urlsplit(origin).netloc != host:
            refusal = "another site's page cannot use this server; open its own page"
            await JSONResponse({"error": refusal}, 403)(scope, receive, send_sealed)
        else:
            await self._app(scope, receive, send_sealed)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
