"""The benchmarks' commands and the page that their tables go to."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "performance.md").read_text()
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))


def parts_written() -> set[str]:
    sources = "".join(path.read_text() for path in BENCHMARKS)
    return set(re.findall(r'write_part\("([a-z]+)"', sources))


def test_every_table_has_its_place_on_the_page() -> None:
    begun = re.findall(r"^<!-- (?!end of)([a-z]+) -->$", PAGE, re.MULTILINE)
    ended = re.findall(r"^<!-- end of ([a-z]+) -->$", PAGE, re.MULTILINE)
    assert begun == ended
    assert set(begun) == parts_written()


def test_every_benchmark_that_the_page_names_exists() -> None:
    named = set(re.findall(r"python -m benchmarks\.([a-z_]+)", PAGE))
    assert named
    assert named <= {path.stem for path in BENCHMARKS}
