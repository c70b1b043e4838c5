"""The error lines that docs/faq.md explains are those that there are."""

from __future__ import annotations

import ast
import re
import socket
from pathlib import Path

import pytest

from blurmapper.commands.serve import _listen
from blurmapper.errors import ConfigError

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
LINES = re.findall(r"^### `([^`]+)`$", PAGE, re.MULTILINE)


def texts_in(code: str) -> list[str]:
    """Return the strings of a module, with an ellipsis for what is filled in."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        if isinstance(node, ast.JoinedStr):
            parts = (getattr(part, "value", None) for part in node.values)
            found.append("".join(part if isinstance(part, str) else "..." for part in parts))
    return found


@pytest.fixture(scope="module")
def texts() -> str:
    sources = sorted((ROOT / "src").rglob("*.py"))
    return "\n".join(t for path in sources for t in texts_in(path.read_text(encoding="utf-8")))


def test_strings_over_several_lines_are_one() -> None:
    assert "a ... b" in texts_in('f"a {x} "\\\n"b"')


@pytest.mark.parametrize("line", LINES)
def test_an_error_line_that_is_explained_exists(line: str, texts: str) -> None:
    assert line in texts


def test_a_port_that_cannot_be_had_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for host, port in (taken.getsockname(), ("192.0.2.1", 0)):
            with pytest.raises(ConfigError) as raised:
                _listen(host, port)
            assert any(line in str(raised.value) for line in LINES)


def test_there_are_error_lines() -> None:
    assert len(LINES) > 10
