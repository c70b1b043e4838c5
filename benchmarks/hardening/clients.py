"""Try a server on loopback with clients that do not behave, and say what that cost it.

    python -m benchmarks.hardening.clients [NAME...]      # on Linux

Each trial starts a server of its own, takes at most two minutes, and prints one line: what the
server's memory was before and at its most, and how many of the clients it still held in the end.
"""

from __future__ import annotations

import io
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import PIL.Image

SMALL = 64
PATIENCE = 70.0
FILES = 256


class Outcome(NamedTuple):
    """What a trial says besides the server's memory."""

    held: int
    note: str


class Server:
    """A server in a process of its own, whose memory is watched; a context manager."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "blurmapper.cli", "serve", "--port", "0", "--threads", "1"]
        self._log = Path("build/clients.log")
        self._log.parent.mkdir(exist_ok=True)
        with self._log.open("wb") as stream:
            self._process = subprocess.Popen(  # noqa: S603 -- a command of ours
                ["/usr/bin/prlimit", f"--nofile={FILES}", *command, *options],
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )
        assert self._process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self._process.stdout.readline())
        assert found is not None, self._log.read_text()
        self.port = int(found[1])
        self.is_healthy()
        time.sleep(1)
        self._sockets = 0
        self._sockets = self.connections()
        self.before = self.most = self.memory()
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._follow)
        self._watch.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watch.join()
        self._process.kill()
        self._process.wait()

    def memory(self) -> int:
        """Return what the server holds in memory now, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1000

    def connections(self) -> int:
        """Return how many connections it has open."""
        files = Path(f"/proc/{self._process.pid}/fd").iterdir()
        return sum("socket:" in str(file.readlink()) for file in files) - self._sockets

    def log_size(self) -> int:
        """Return how many bytes the server has written to its terminal."""
        return self._log.stat().st_size

    def connect(self) -> socket.socket:
        """Return a connection to it, with little room for what it sends."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(5)
        client.connect(("127.0.0.1", self.port))
        return client

    def is_healthy(self) -> bool:
        """Return whether it answers within five seconds."""
        address = f"http://127.0.0.1:{self.port}/healthz"
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return True
        return False

    def _follow(self) -> None:
        while not self._done.wait(0.05):
            self.most = max(self.most, self.memory())


def head(length: int | None, route: str = "degree") -> bytes:
    """Return the head of a request; of unknown length, its body comes in chunks."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST /v1/{route} HTTP/1.1\r\nHost: localhost\r\n{size}\r\n\r\n".encode()


def photo(side: int) -> bytes:
    """Return a JPEG file of a gradient."""
    line = np.linspace(0, 255, side).astype(np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.broadcast_to(line, (side, side))).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def status_of(client: socket.socket) -> str:
    """Return the status of an answer, or how there came none."""
    try:
        return client.recv(12)[9:].decode() or "closed"
    except TimeoutError:
        return "no answer"
    except OSError:
        return "cut off"


@contextmanager
def _clients(server: Server, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        clients = []
        for _ in range(count):
            with suppress(OSError):
                clients.append(stack.enter_context(server.connect()))
        yield clients


def gone(server: Server) -> Outcome:
    """45 uploads of 60 MB whose clients hang up while one job runs."""
    body = bytes(60_000_000)
    busy = server.connect()
    slow = photo(2500)
    busy.sendall(head(len(slow)) + slow)
    time.sleep(10)
    server.before = server.memory()
    sent = 0
    for _ in range(45):
        with suppress(OSError), server.connect() as client:
            client.sendall(head(len(body)) + body)
            sent += 1
            time.sleep(0.2)
    time.sleep(2)
    in_the_end = server.memory()
    busy.close()
    return Outcome(0, f"{sent} sent whole, {in_the_end} MB when all are gone")


def mute(server: Server) -> Outcome:
    """40 clients that send a photo of 12 megapixels and never read its map of 48 MB."""
    large = photo(3464)
    with _clients(server, 40) as clients:
        for client in clients:
            client.sendall(head(len(large), "map?format=npy") + large)
            time.sleep(1.5)
        time.sleep(10)
        return Outcome(server.connections(), "still open 10 s after the last")


def half(server: Server) -> Outcome:
    """300 connections with half a head each, where 256 files may be open."""
    with _clients(server, 300) as clients:
        for client in clients:
            with suppress(OSError):
                client.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        at_once = server.is_healthy()
        time.sleep(20)
        later = server.is_healthy()
        note = f"served at once: {at_once}, after 20 s: {later}; log {server.log_size()} bytes"
        return Outcome(server.connections(), note)


def slow(server: Server) -> Outcome:
    """20 bodies of a byte a second; how long a good photo waits."""
    good = photo(SMALL)
    begun = time.monotonic()
    with _clients(server, 20) as clients:
        for client in clients:
            client.sendall(head(1_000_000))
        while time.monotonic() - begun < PATIENCE:
            for client in clients:
                with suppress(OSError):
                    client.sendall(b"x")
            with server.connect() as honest:
                honest.sendall(head(len(good)) + good)
                honest.settimeout(10)
                if status_of(honest) == "200":
                    break
            time.sleep(1)
        waited = time.monotonic() - begun
        time.sleep(15)
        return Outcome(server.connections(), f"a good photo was answered after {waited:.1f} s")


def endless(server: Server) -> Outcome:
    """A body without an end; how much of it is taken."""
    taken = 0
    chunk = b"F4240\r\n" + bytes(1_000_000) + b"\r\n"
    begun = time.monotonic()
    with server.connect() as client:
        client.sendall(head(None))
        with suppress(OSError):
            while taken < 2000 and time.monotonic() - begun < PATIENCE:
                client.sendall(chunk)
                taken += 1
        return Outcome(server.connections(), f"{taken} MB taken, answer {status_of(client)}")


TRIALS: dict[Callable[[Server], Outcome], tuple[str, ...]] = {
    gone: ("--method", "hifst"),
    mute: (),
    half: (),
    slow: (),
    endless: (),
}


def main() -> None:
    """Run the trials named, or all."""
    asked = sys.argv[1:]
    print("| trial | MB before | at most | clients held in the end | |\n|---|---|---|---|---|")
    for trial, options in TRIALS.items():
        if asked and trial.__name__ not in asked:
            continue
        with Server(*options) as server:
            held, note = trial(server)
            most = server.most
        print(f"| {trial.__doc__} | {server.before} | {most} | {held} | {note} |", flush=True)


if __name__ == "__main__":
    main()
