"""`make demo` takes the newest Python that can do it, and says what is missing where none can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "find-python"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make and sh are not for Windows")


def install(folder: Path, name: str, minor: int, *, venv: bool = True) -> Path:
    """Put this Python into a folder as one of another version, perhaps without venv."""
    pretend = f"import sys; sys.version_info = (3, {minor}, 0); sys.executable = '{folder / name}'"
    if not venv:
        pretend += "; sys.modules['ensurepip'] = None"
    path = folder / name
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretend}; exec(sys.argv[1])" "$2"\n')
    path.chmod(0o755)
    return path


def find(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *names], env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_any_version_from_3_11_up_will_do(name: str, tmp_path: Path) -> None:
    path = install(tmp_path, name, int(name.partition(".")[2]))
    assert find(tmp_path).stdout == f"{path}\n"


def test_the_newest_is_taken_whatever_its_name(tmp_path: Path) -> None:
    install(tmp_path, "python3.11", 11)
    install(tmp_path, "python3.13", 13)
    newest = install(tmp_path, "python3", 15)
    assert find(tmp_path).stdout == f"{newest}\n"


def test_an_old_python3_does_not_hide_a_newer_one(tmp_path: Path) -> None:
    install(tmp_path, "python3", 9)
    newer = install(tmp_path, "python3.12", 12)
    assert find(tmp_path).stdout == f"{newer}\n"


def test_one_without_venv_is_passed_over(tmp_path: Path) -> None:
    install(tmp_path, "python3.13", 13, venv=False)
    whole = install(tmp_path, "python3.11", 11)
    assert find(tmp_path).stdout == f"{whole}\n"


def test_a_stub_that_only_fails_is_passed_over(tmp_path: Path) -> None:
    # As pyenv leaves for each version that it has and that is not chosen.
    stub = tmp_path / "python3.14"
    stub.write_text("#!/bin/sh\necho 'pyenv: python3.14: command not found' >&2\nexit 127\n")
    stub.chmod(0o755)
    whole = install(tmp_path, "python3.11", 11)
    assert find(tmp_path).stdout == f"{whole}\n"


def test_a_missing_venv_is_named_with_its_mend(tmp_path: Path) -> None:
    install(tmp_path, "python3", 13, venv=False)
    found = find(tmp_path)
    assert (found.returncode, found.stdout) == (1, "")
    assert "error: Python 3.13 has no venv or ensurepip" in found.stderr
    assert "apt install python3.13-venv" in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("names", [(), ("python3",), ("nowhere/python3",)])
def test_where_there_is_none_the_mend_is_named(names: tuple[str, ...], tmp_path: Path) -> None:
    install(tmp_path, "python3", 10)
    found = find(tmp_path, *names)
    assert (found.returncode, found.stdout) == (1, "")
    assert "error: no Python 3.11 or newer among:" in found.stderr
    assert "make PYTHON=/path/to/python3" in found.stderr
    assert found.stderr.count("\n") == 1


def test_one_that_is_given_is_taken(tmp_path: Path) -> None:
    install(tmp_path, "python3.13", 13)
    given = install(tmp_path, "python3.11", 11)
    assert find(tmp_path, str(given)).stdout == f"{given}\n"
