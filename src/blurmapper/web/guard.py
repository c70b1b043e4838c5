"""What every request passes first: who may talk to the server."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blurmapper.errors import ConfigError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


PRIVATE = b"access-control-request-private-network"


class Guard:
    """Refuse requests that another web page made, and seal every answer.

    A browser can be led to this server by a page from elsewhere: under a name that the page's
    owner points here (DNS rebinding), which shows in ``Host``, or from the page itself, which
    shows in ``Origin``. Addresses cannot be pointed anywhere and are always right. A proxy may
    put another name into ``Host`` than the browser uses, which then stands in ``Origin`` alone.

    Parameters
    ----------
    app : ASGI application
    hosts : collection of str
        Names that the server is called besides ``localhost`` and this machine's own.
    origins : collection of str
        Other sites whose pages may use it, as browsers write them; ``*`` is all.
    root_path : str
        The path under which a proxy shows the server, whether or not it takes that path off.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        root_path: str = "",
    ) -> None:
        self._app = app
        self._root_path = root_path
        own = socket.gethostname().lower()
        self._given = set(hosts)
        self._names = {"localhost", own, f"{own}.local", *hosts}
        self._origins = set(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 400, 403 or 421."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = _take_host_off(scope)
        if root := self._root_path:
            below = scope["path"] == root or scope["path"].startswith(f"{root}/")
            # By ASGI the path has the root before it, which some proxies take off.
            scope["root_path"], scope["path"] = root, ("" if below else root) + scope["path"]

        headers = Headers(scope=scope)
        private = _take_private_off(scope) and not self._origins.isdisjoint(
            ("*", headers.get("origin", ""))
        )

        async def send_sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                sealed = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    sealed.setdefault(name, value)
                sealed.setdefault("Cache-Control", "no-store")
                if private:
                    sealed["Access-Control-Allow-Private-Network"] = "true"
            await send(message)

        # Who asks a proxy names the host before the path, and that counts: RFC 9112, 3.2.2.
        host = headers.get("host", "").lower() if asked is None else asked
        if not (self._is_ours(host) and self._is_ours(headers.get("host", "").lower())):
            refusal = "this server does not go by that name; add it with --allow-host"
            await JSONResponse({"error": refusal}, 421)(scope, receive, send_sealed)
        elif not all(self._may_ask(origin, host) for origin in headers.getlist("origin")):
            refusal = (
                "another site's page cannot use this server; open its own page, "
                "or allow that site with --allow-origin, a proxy's name with --allow-host"
            )
            await JSONResponse({"error": refusal}, 403)(scope, receive, send_sealed)
        elif "content-length" in headers and "transfer-encoding" in headers:
            # A proxy that goes by the other one takes the rest for a request: RFC 9112, 6.1.
            refusal = "a request states its length or comes in chunks, not both; send it anew"
            answer = JSONResponse({"error": refusal}, 400, headers={"Connection": "close"})
            await answer(scope, receive, send_sealed)
        else:
            await self._app(scope, receive, send_sealed)

    def _is_ours(self, host: str) -> bool:
        name = _host_in(f"//{host}")
        return name in self._names or _is_address(name)

    def _may_ask(self, origin: str, host: str) -> bool:
        if origin in self._origins or "*" in self._origins:
            return True
        scheme, _, authority = origin.partition("://")
        own = authority == host or _host_in(origin) in self._given
        return scheme in ("http", "https") and own


def _take_host_off(scope: Scope) -> str | None:
    """Return the host before a request's path, as proxies are asked, and take it off."""
    whole = re.fullmatch(r"https?://([^/]*)(.*)", scope["path"], re.IGNORECASE | re.DOTALL)
    if whole is None:
        return None
    scope["path"] = whole[2] or "/"
    return whole[1].lower()


def _take_private_off(scope: Scope) -> bool:
    """Return whether a page asks to use a server nearer than its own, and take the question off.

    Not all releases of Starlette know it, and those that do have to be told what to answer.
    """
    asked = [pair for pair in scope["headers"] if pair[0] == PRIVATE]
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != PRIVATE]
    return bool(asked)


def check_host(name: str) -> str:
    """Return a name for `Guard` as browsers write it.

    Raises
    ------
    ConfigError
        If it is more than a name, or none.
    """
    bare = name.strip().lower().removesuffix(".").removeprefix("[").removesuffix("]")
    with suppress(UnicodeError):
        bare = bare.encode("idna").decode()
    if not (re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", bare) or _is_address(bare)):
        raise ConfigError(
            f"{name!r} is no host's name; --allow-host takes one such as photos.example, "
            "without https:// and port"
        )
    return bare


def check_origin(origin: str) -> str:
    """Return an origin for `Guard` as browsers write it.

    Raises
    ------
    ConfigError
        If it is not one.
    """
    bare = origin.strip().lower().removesuffix("/")
    if bare not in ("*", "null") and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+", bare):
        raise ConfigError(
            f"{origin!r} is no site's origin; --allow-origin takes one such as "
            "https://photos.example, without a path, or '*' for all"
        )
    return bare


def check_root_path(path: str) -> str:
    """Return a path for `Guard`, without a stroke at its end.

    Raises
    ------
    ConfigError
        If it is not one.
    """
    bare = path.rstrip("/")
    if not re.fullmatch(r"(/[\w.~-]+)*", bare, re.ASCII):
        raise ConfigError(f"{path!r} is no path; --root-path takes one such as /blur")
    return bare


def _host_in(address: str) -> str:
    with suppress(ValueError):
        # A dot at the end says that a name is whole.
        return (urlsplit(address).hostname or "").removesuffix(".")
    return ""


def _is_address(name: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return False
