"""The command that serves the page: where it listens, and what it refuses."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import blurmapper
from blurmapper.commands._parameters import to_command
from blurmapper.commands.serve import serve
from blurmapper.errors import ConfigError, MethodError, MissingExtraError, install_command

Run = Callable[..., Result]

SAMPLES = Path(blurmapper.__file__).parent / "assets" / "samples"

needs_web = pytest.mark.skipif(
    not all(map(find_spec, ("fastapi", "python_multipart", "uvicorn"))),
    reason="needs the extra blurmapper[web]",
)


@pytest.fixture
def run(tiny_weights: Path) -> Run:
    """Call the command with the tests' network; only for what ends by itself."""
    app = to_command("serve", serve)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--method", str(tiny_weights), *arguments])

    return call


@needs_web
def test_it_says_where_it_is_and_ctrl_c_ends_it(tiny_weights: Path) -> None:
    command = [sys.executable, "-m", "blurmapper.cli", "serve", "--port", "0", "--threads", "1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--method", str(tiny_weights)], **pipes) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert address is not None, line
            with urllib.request.urlopen(f"{address[0]}/healthz", timeout=60) as answer:  # noqa: S310
                assert answer.status == 200
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


@needs_web
@pytest.mark.parametrize(
    ("host", "name", "is_open"),
    [
        ("127.0.0.2", "127.0.0.2", False),
        ("0.0.0.0", "127.0.0.1", True),  # noqa: S104
        ("0:0:0:0:0:0:0:1", "[::1]", False),
        ("::", "[::1]", True),
    ],
)
def test_it_is_where_it_says_and_says_whether_others_reach_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, host: str, name: str, is_open: bool
) -> None:
    import blurmapper.web

    class Reached:
        def __init__(self, app: object) -> None:
            pass

        def run(self, sockets: list[socket.socket]) -> None:
            port = sockets[0].getsockname()[1]
            socket.create_connection((name.strip("[]"), port), timeout=60).close()

    monkeypatch.setattr(blurmapper.web, "Server", Reached)
    if not can_listen_at(host):
        pytest.skip(f"this machine has no {host}")
    result = run("--host", host, "--port", "0")
    assert result.exit_code == 0
    assert f"blurmapper is at http://{name}:" in result.output
    assert ("anyone who can reach this machine" in result.output) is is_open


def can_listen_at(host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, 0), family=family).close()
    except OSError:
        return False
    return True


BUSY = """
import sys, time
import numpy as np
import blurmapper.methods
from blurmapper.web import connections, queueing

def get_slow_method(name, options):
    def method(image):
        time.sleep(0 if image.shape[0] <= 16 else 3600)
        return np.ones(image.shape[:2], np.float32)
    return method

blurmapper.methods.get_method = get_slow_method
queueing.STOP_WITHIN = connections.STOP_WITHIN = float(sys.argv[1])
from blurmapper.cli import main
sys.argv = ["blurmapper", "serve", "--port", "0"]
main()
"""
"""Serves a method that never ends."""


@contextmanager
def busy_server(stop_within: float) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """Yield a server that works on one photo, and the client whose photo waits."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    photo = (SAMPLES / "cat.jpg").read_bytes()
    head = b"POST /v1/degree HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(photo)
    command = [sys.executable, "-c", BUSY, str(stop_within)]
    with subprocess.Popen(command, **pipes) as process, ExitStack() as stack:
        stack.callback(process.kill)
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert address is not None
        at = ("127.0.0.1", int(address[1]))
        clients = [stack.enter_context(socket.create_connection(at, timeout=60)) for _ in range(4)]
        clients[0].sendall(head + photo)
        wait_for(address[0], working=1)
        clients[1].sendall(head + photo)
        clients[2].sendall(head + photo[:1000])
        clients[3].sendall(b"GET / HT")
        wait_for(address[0], working=1, waiting=1, arriving=1)
        yield process, clients[1]


def wait_for(address: str, **state: int) -> None:
    end = time.monotonic() + 60
    while True:
        with urllib.request.urlopen(f"{address}/healthz", timeout=60) as answer:  # noqa: S310
            health = json.load(answer)
        if state.items() <= health.items():
            return
        assert time.monotonic() < end, health
        time.sleep(0.05)


@needs_web
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_signal_ends_it_amidst_work_without_a_word(number: int, status: int) -> None:
    with busy_server(2) as (process, waiting):
        process.send_signal(number)
        assert waiting.recv(100).startswith(b"HTTP/1.1 503 ")
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (status, "")


@needs_web
def test_a_second_ctrl_c_does_not_wait_for_what_is_worked_on() -> None:
    with busy_server(3600) as (process, waiting):
        process.send_signal(signal.SIGINT)
        assert waiting.recv(100).startswith(b"HTTP/1.1 503 ")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


@needs_web
@pytest.mark.parametrize("option", ["--max-upload", "--max-pixels", "--timeout"])
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "-1", "0", "1e300", "many"])
def test_a_size_that_is_none_is_told_in_one_line(run: Run, option: str, value: str) -> None:
    result = run(option, value)
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.output


@needs_web
@pytest.mark.parametrize(
    "arguments",
    [
        ("--allow-host", "https://a.example"),
        ("--allow-origin", "a.example"),
        ("--root-path", "blur"),
    ],
)
def test_a_name_that_is_none_is_told(run: Run, arguments: tuple[str, str]) -> None:
    error = run("--port", "0", *arguments).exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith(repr(arguments[1])) and arguments[0] in str(error)


@needs_web
def test_a_taken_port_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = run("--port", str(port)).exception
    assert isinstance(error, ConfigError)
    assert str(error) == f"port {port} is taken; choose another with --port"


@needs_web
def test_an_address_of_another_machine_is_told(run: Run) -> None:
    error = run("--host", "192.0.2.1").exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith("cannot listen at 192.0.2.1, port 8000 (")


@needs_web
@pytest.mark.parametrize("host", ["ü..b", "a" * 70 + ".b", "\udcff"])
def test_what_is_no_name_of_a_host_is_told(host: str, run: Run) -> None:
    error = run("--host", host).exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith(f"cannot listen at {host}, port 8000 (")


@needs_web
def test_an_unknown_method_is_told_before_anything_listens(run: Run) -> None:
    assert isinstance(run("--method", "dmb").exception, MethodError)


def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    error = run().exception
    assert isinstance(error, MissingExtraError)
    assert install_command("web") in str(error)
