"""What the benchmarks of speed share: taking turns, photos to map, tables and where they go."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.images import read_image
from blurmapper.weights import BUNDLED

PAGE = Path("docs/performance.md")
SAMPLES = sorted((BUNDLED.parent / "samples").glob("*.jpg"))

# pip compiles what it installs; a command from a clone would do so at every start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

Photo = npt.NDArray[np.uint8]
Call = Callable[[], object]


def take_turns(
    calls: Mapping[str, Call], rounds: int, *, least: float = 0.1
) -> dict[str, list[float]]:
    """Return the seconds of each call in each round, after one round that does not count.

    The calls take turns, so that whatever else the machine does falls on all of them. A turn
    lasts `least` seconds or a single call, and follows a call that fills the caches anew.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            repeats = max(1, round(least / (time.perf_counter() - start)))
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            if round_:
                seconds[name].append((time.perf_counter() - start) / repeats)
    return seconds


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def medians(seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the median of each, which is what the tables give."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def make_photo(sample: int, height: int, width: int) -> Photo:
    """Return a sample photo enlarged to a size, with grain as a camera's, uint8 (H, W, 3)."""
    small: Any = read_image(SAMPLES[sample % len(SAMPLES)])
    photo = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(sample).integers(-6, 7, (height, width, 1), np.int8)
    for channel in range(3):
        photo[..., channel] = cv2.add(photo[..., channel], grain, dtype=cv2.CV_8U)
    return np.asarray(photo, np.uint8)


def write_photo(path: Path, sample: int, height: int, width: int) -> Path:
    """Write such a photo as a JPEG file of quality 92 and return its path."""
    PIL.Image.fromarray(make_photo(sample, height, width)).save(path, quality=92)
    return path


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def source_key(method: str) -> str:
    """Return what changes when a classical method's code or fitted numbers do.

    Of its module and of what it imports of `blurmapper.baselines`; comments, docstrings and where
    the numbers come from may change without it.
    """
    folder = BUNDLED.parents[1] / "baselines"
    waiting, seen = [method], set[str]()
    digest = hashlib.sha256()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        waiting += sorted(
            m.split(".")[-1] for m in modules if m.startswith("blurmapper.baselines.")
        )
        digest.update(ast.unparse(_NoDocstrings().visit(tree)).encode())
    fitted = BUNDLED.parent / "fitted" / f"{method}.json"
    if fitted.exists():
        digest.update(json.dumps(json.loads(fitted.read_text())["values"]).encode())
    return digest.hexdigest()[:16]


class _NoDocstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node


def write_part(name: str, text: str, page: Path = PAGE) -> None:
    """Put a text between the comments that begin and end the page's part of that name.

    Raises
    ------
    ValueError
        If the page has no such part.
    """
    before = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    pattern = re.compile(f"({re.escape(begin)}).*?({re.escape(end)})", re.DOTALL)
    if not pattern.search(before):
        raise ValueError(f"{page}: no part named {name}")
    page.write_text(pattern.sub(lambda m: f"{m[1]}\n{text}\n{m[2]}", before), encoding="utf-8")
