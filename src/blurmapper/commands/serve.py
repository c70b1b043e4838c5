"""`blurmapper serve`."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import Annotated, Any

import click

from blurmapper.commands import _options as option
from blurmapper.commands._output import print_line
from blurmapper.commands._parameters import Option
from blurmapper.devices import MOST_THREADS
from blurmapper.errors import ConfigError, needing, one_line

MOST = 1_000_000
"""Most of whatever is limited; beyond it a number is a slip of the finger."""


def _limit(metavar: str, help_text: str, least: float, most: float = MOST) -> Any:
    return Option(metavar=metavar, least=least, most=most, panel="Limits", help=help_text)


def _proxy(metavar: str, help_text: str) -> Any:
    return Option(metavar=metavar, panel="Names and proxies", help=help_text)


def serve(
    host: Annotated[
        str,
        Option(
            metavar="ADDRESS", help="Where to listen: 127.0.0.1 is this machine, 0.0.0.0 everyone."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, Option(metavar="N", least=0, most=65535, help="0 takes any free one.")
    ] = 8000,
    open_page: Annotated[
        bool, Option("--open", help="Open the page in this machine's browser.")
    ] = False,
    method: option.Method = "dbm-lite",
    threads: Annotated[
        int | None,
        Option(
            metavar="N", least=1, most=MOST_THREADS, help="CPU threads; all cores unless given."
        ),
    ] = None,
    device: option.Device = "auto",
    jobs: Annotated[int, _limit("N", "Photos at a time.", 1, MOST_THREADS)] = 1,
    queue: Annotated[
        int, _limit("N", "Photos that may wait besides; the next is told to come again.", 0)
    ] = 16,
    max_upload: Annotated[float, _limit("MB", "Of a photo's file.", 0.001)] = 64,
    max_pixels: Annotated[float, _limit("MP", "Of a photo.", 0.001)] = 100,
    timeout: Annotated[
        float, _limit("SECONDS", "For an upload to arrive, and again for its answer.", 0.1)
    ] = 60,
    allow_host: Annotated[
        list[str] | None,
        _proxy("NAME", "A name that browsers may call this server by; repeat for several."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        _proxy(
            "ORIGIN",
            "Another site whose scripts may use the API, as https://photos.example; "
            "repeat for several.",
        ),
    ] = None,
    root_path: Annotated[
        str, _proxy("PATH", "The path under which a proxy shows the page, as /blur.")
    ] = "",
) -> None:
    """Open a page for photos in the browser, and an HTTP API beside it, on this machine.

    Drop photos to see their maps, overlays and numbers, to rank them, cut them out and blur them
    further. Nothing is sent elsewhere or kept. The API is listed at /docs. Ctrl-C stops it. Needs
    the extra blurmapper[web].

    Examples:

        blurmapper serve --open
        curl -F file=@photo.jpg http://127.0.0.1:8000/v1/map -o photo.jpg.blur.png
    """
    with needing("web", "this command needs"):
        import uvicorn

        from blurmapper.web import Limits, Server, create_app
    from blurmapper.methods import MethodOptions, get_method

    limits = Limits(round(max_upload * 1e6), round(max_pixels * 1e6), jobs, queue, timeout)
    mapping = get_method(method, MethodOptions(threads=threads, device=device))
    with _listen(host, port) as listener:
        app = create_app(
            mapping,
            limits,
            allow_host or (),
            origins=allow_origin or (),
            root_path=root_path,
            threads=threads,
        )
        address = _address(listener) + root_path.rstrip("/")
        print_line(f"blurmapper is at {address}, its API at {address}/docs; Ctrl-C stops it")
        if not ip_address(listener.getsockname()[0]).is_loopback:
            print_line("anyone who can reach this machine can use it: no password is asked for")
        if open_page:
            click.launch(address)
        server: uvicorn.Server = Server(app)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    if app.state.queue.working:
        # A thread at work cannot be stopped, and Python would wait for it.
        os._exit(0)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")  # Of what no host can be called Python would leave a socket open.
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise ConfigError(f"port {port} is taken; choose another with --port") from error
        reason = getattr(error, "strerror", None) or one_line(error)
        raise ConfigError(
            f"cannot listen at {host}, port {port} ({reason}); choose another with --host or --port"
        ) from error


def _address(listener: socket.socket) -> str:
    """Return what to type into a browser on this machine."""
    host, port = listener.getsockname()[:2]
    # Where everyone may reach it, this machine does by loopback.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
