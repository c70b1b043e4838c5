"""A server of its own on loopback, and photos to send to it."""

from __future__ import annotations

import io
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.mapper import BlurMapper

if TYPE_CHECKING:
    import httpx

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

Serve = Callable[..., Any]
Post = Callable[..., Any]


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Method, limits, hosts -> a context in which they are served; it gives an HTTP client."""
    for module in ("fastapi", "python_multipart", "uvicorn"):
        pytest.importorskip(module, reason="needs the extra blurmapper[web]")
    httpx = pytest.importorskip("httpx", reason="httpx asks the server")
    from blurmapper.web import Server, create_app

    @contextmanager
    def serving(
        method: Any, limits: Any = None, hosts: Any = (), **options: Any
    ) -> Iterator[httpx.Client]:
        app = create_app(method, limits, hosts, **options)
        server = Server(app, log_level="critical")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
                    client.queue = app.state.queue  # for what no client can do
                    yield client
            finally:
                server.should_exit = True
                thread.join()

    return serving


@pytest.fixture(scope="session")
def method(tiny_kinds_weights: Path) -> BlurMapper:
    """The tests' network that tells kinds of blur, as users get one."""
    return BlurMapper(tiny_kinds_weights, threads=1)


@pytest.fixture(scope="session")
def client(serve: Serve, method: BlurMapper) -> Iterator[httpx.Client]:
    """A client of a server with the usual limits."""
    with serve(method) as client:
        yield client


@pytest.fixture
def photo(half_blurred_photo: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file, of which the right half is blurred."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(half_blurred_photo).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def large_photo() -> bytes:
    """A small PNG file of six megapixels, whose map has more bytes than connections hold."""
    buffer = io.BytesIO()
    PIL.Image.new("L", (3000, 2000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def post() -> Post:
    """Client, body, path -> a connection over which it is posted, and nothing is read."""

    @contextmanager
    def posting(
        client: Any, body: bytes, path: str = "/v1/degree", length: int | None = None
    ) -> Iterator[socket.socket]:
        size = len(body) if length is None else length
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.settimeout(60)
            raw.connect((client.base_url.host, client.base_url.port))
            raw.sendall(head.encode() + body)
            yield raw

    return posting


class Gate:
    """A method that holds every photo until it is opened, and counts them."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.opened.set()
        self.mapped = 0

    def __call__(self, image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Wait for the gate, then call all of the photo blurred."""
        self.opened.wait(300)
        self.mapped += 1
        return np.ones(image.shape[:2], np.float32)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate, which is left open in the end."""
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait until something holds, but not for ever."""

    def wait(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, "it never came to hold"
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the dependency group browser")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with api.sync_playwright() as playwright:
        # Root, as CI often is, has no sandbox.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=options, timeout=180_000
        )
        api.expect.set_options(timeout=60_000)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, client: Any) -> Iterator[Callable[..., Any]]:
    """Open a page; in the end nothing may have come from elsewhere, and no script failed."""
    contexts, asked, failures = [], [], []

    def open_at(path: str = "/", server: Any = None, **options: Any) -> Any:
        context = browser.new_context(**{"reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda line: failures.append(line.text) if refused(line) else None)
        page.goto(str((server or client).base_url).rstrip("/") + path)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert failures == []
    assert all(url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:")) for url in asked)


def refused(line: Any) -> bool:
    return "Content Security Policy" in line.text


@pytest.fixture
def good(photo: bytes) -> dict[str, Any]:
    """A photo, of which the right half is blurred, for an input of files."""
    return {"name": "half.png", "mimeType": "image/png", "buffer": photo}
