"""The command that serves the page: where it listens, and what it refuses."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from blurmapper.commands.serve import serve
from blurmapper.errors import ConfigError, MethodError, MissingExtraError

Run = Callable[..., Result]

needs_web = pytest.mark.skipif(
    not (find_spec("fastapi") and find_spec("uvicorn")), reason="needs the extra blurmapper[web]"
)


@pytest.fixture
def run(tiny_weights: Path) -> Run:
    """Call the command with the tests' network; only for what ends by itself."""
    app = typer.Typer()
    app.command()(serve)

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
            with urllib.request.urlopen(f"{address[0]}/healthz", timeout=30) as answer:  # noqa: S310
                assert answer.status == 200
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


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
def test_an_unknown_method_is_told_before_anything_listens(run: Run) -> None:
    assert isinstance(run("--method", "dmb").exception, MethodError)


def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    error = run().exception
    assert isinstance(error, MissingExtraError)
    assert "pip install 'blurmapper[web]'" in str(error)
