"""A server of its own on loopback, and photos to send to it."""

from __future__ import annotations

import io
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

Serve = Callable[..., Any]


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Method, limits, hosts -> a context in which they are served; it gives an HTTP client."""
    uvicorn = pytest.importorskip("uvicorn", reason="needs the extra blurmapper[web]")
    httpx = pytest.importorskip("httpx", reason="httpx asks the server")
    from blurmapper.web import create_app

    @contextmanager
    def serving(method: Any, limits: Any = None, hosts: Any = ()) -> Iterator[httpx.Client]:
        config = uvicorn.Config(create_app(method, limits, hosts), log_level="critical")
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
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


class Gate:
    """A method that holds every photo until it is opened, and counts them."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.opened.set()
        self.mapped = 0

    def __call__(self, image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Wait for the gate, then call all of the photo blurred."""
        self.opened.wait(30)
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
        end = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < end, "it never came to hold"
            time.sleep(0.01)

    return wait
