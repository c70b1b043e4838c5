"""What is printed, on whatever there is to print to: closed, full, a pipe, another encoding."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from blurmapper.commands._output import printable

Shell = Callable[..., subprocess.CompletedProcess[str]]

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@pytest.fixture
def shell(tmp_path: Path, tiny_weights: Path) -> Shell:
    """A line of shell in a folder of photos, in which $B is blurmapper and $M the method."""
    (tmp_path / "in").mkdir()
    for name in ("a.jpg", "写真.jpg", ":dog: x.jpg", "[b]c.jpg", "turn\u202e\x9b.jpg"):
        PIL.Image.new("RGB", (48, 32), (90, 120, 60)).save(tmp_path / "in" / name)

    def run(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "B": f"{sys.executable} -m blurmapper.cli",
            "M": f"--method {tiny_weights}",
            **variables,
        }
        return subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", line],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_without_a_place_to_print_the_work_is_done(
    closed: str, shell: Shell, tmp_path: Path
) -> None:
    assert shell(f"$B map in -o out $M {closed}").returncode == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 5
    assert (tmp_path / "out" / "maps.jsonl").read_bytes().count(b"\n") == 5


@needs_full
@pytest.mark.parametrize(
    "command",
    ["map in/a.jpg $M", "segment in $M", "rank in $M", "rank in $M --csv -", "methods", "--help"],
)
def test_a_full_output_is_one_line(command: str, shell: Shell) -> None:
    result = shell(f"$B {command} > /dev/full")
    assert result.returncode == 1
    *_, last = result.stderr.splitlines()
    assert last.startswith("error: standard output: cannot be written (No space left on device)")
    assert "Traceback" not in result.stderr


@needs_full
def test_a_ranking_that_cannot_be_printed_is_written(shell: Shell, tmp_path: Path) -> None:
    assert shell("$B rank in $M --csv r.csv > /dev/full").returncode == 1
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize("command", ["map", "segment", "magnify"])
def test_a_reader_that_has_seen_enough_ends_the_run_quietly(
    command: str, shell: Shell, tmp_path: Path
) -> None:
    # Their lines are longer than a pipe holds, so that all cannot be done before it is closed.
    deep = tmp_path.joinpath("in", *["deep" * 60] * 6)
    deep.mkdir(parents=True)
    for number in range(40):
        (deep / f"{number}.jpg").write_bytes((tmp_path / "in" / "a.jpg").read_bytes())
    result = shell(f"$B {command} in -o out $M --threads 1 | (read line; echo $line; exec <&-)")
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    assert len(list((tmp_path / "out").rglob("*.*g"))) < 45


@pytest.mark.parametrize("encoding", ["latin1:strict", "cp1252:strict", "ascii:strict"])
@pytest.mark.parametrize("command", ["map in -o out", "rank in"])
def test_what_an_encoding_lacks_is_escaped(command: str, encoding: str, shell: Shell) -> None:
    result = shell(f"$B {command} $M", PYTHONIOENCODING=encoding)
    assert (result.returncode, "Traceback" in result.stderr) == (0, False)
    assert r"\u5199\u771f.jpg" in result.stdout


def test_names_are_no_markup_and_turn_nothing_around(shell: Shell) -> None:
    table = shell("$B rank in $M").stdout
    for name in (":dog: x.jpg", "[b]c.jpg", r"turn\u202e\x9b.jpg", "写真.jpg"):
        assert name in table


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\tb\r\n", r"a\tb\r\n"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("\u202egpj\u2066\u200e", r"\u202egpj\u2066\u200e"),
        ("\u2028\ufeff", r"\u2028\ufeff"),
        ("نگاره\u200c👩\u200d🎓", "نگاره\u200c👩\u200d🎓"),
        ("\udcff", "?"),
    ],
)
def test_a_line_holds_nothing_that_moves_what_is_around_it(text: str, line: str) -> None:
    assert printable(text) == line
