"""Five hundred broken files through what `blurmapper map` does with each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each kind of file broken in nearly each way; the last is whole and of 100 megapixels.
FILES = 500

GOOD = {"mapped", "refused"}


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.slow
def test_broken_files_are_mapped_or_refused_in_one_clear_line_each(tmp_path: Path) -> None:
    arguments = ["--files", str(FILES), "--workers", "2", "--out", str(tmp_path)]
    run = run_python("-m", "benchmarks.hardening", *arguments)
    assert run.returncode == 0, run.stdout + run.stderr
    outcomes: dict[str, set[str]] = defaultdict(set)
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    for result in map(json.loads, lines):
        outcomes[result["kind"].partition("-")[0]].add(result["outcome"])
        assert result["outcome"] in GOOD, result
    assert len(lines) == FILES
    # A generator that breaks all, or nothing, would show nothing.
    assert all(found == GOOD for found in outcomes.values()), outcomes


def test_a_number_always_means_the_same_broken_file(tmp_path: Path) -> None:
    code = (
        "import hashlib, pathlib, sys\n"
        "from benchmarks.hardening.cases import Cases\n"
        "cases = Cases(pathlib.Path(sys.argv[1]))\n"
        "for number in range(0, 20_000, 401):\n"
        "    case = cases.make(number)\n"
        "    print(case.kind, case.mutation, hashlib.sha256(case.content).hexdigest())\n"
    )
    first, second = (run_python("-c", code, str(tmp_path)) for _ in range(2))
    assert first.stdout and first.stdout == second.stdout, first.stderr
    assert len(set(first.stdout.splitlines())) == len(first.stdout.splitlines())
