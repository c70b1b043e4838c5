"""What an experiment found, on what and with what it ran, and how it is written down."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurmapper.devices import count_cores
from blurmapper.evaluation.figures import encode_figure, is_figure
from blurmapper.evaluation.tables import PHOTO_COLUMNS, Table, format_latex, format_markdown
from blurmapper.files import replacing, write_file, written_as
from blurmapper.laboratory.experiments import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from blurmapper.laboratory.networks import TrainedNetwork


@dataclass(frozen=True)
class Results:
    """What an experiment found.

    Attributes
    ----------
    tables : sequence of Table
    note : str
        What a reader must know to read the tables.
    values : mapping
        The same figures in full, JSON-ready.
    figures : mapping of str to callable
        File name without suffix -> what draws the figure, once the tables are safe.
    networks : sequence of TrainedNetwork
        Those that were trained beside the experiment's own.
    photos : str
        CSV of the scores of each photo by each method; empty where there are none.
    """

    tables: Sequence[Table]
    note: str
    values: Mapping[str, Any]
    figures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    networks: Sequence[TrainedNetwork] = ()
    photos: str = ""


def write_results(experiment: Experiment, results: Results, output: Path) -> list[Path]:
    """Write an experiment's tables and figures; return the paths.

    ``NAME.md`` and ``NAME.tex`` hold the tables, ``NAME.json`` all figures in full, ``NAME.csv``
    the scores of each photo where there are such; each figure is a PNG and a PDF file.

    Raises
    ------
    ImageError
        If a file cannot be written.
    MissingExtraError
        If a figure needs matplotlib and it is not installed; the tables are written by then.
    """
    page = [f"# {experiment.title}\n", *map(format_markdown, results.tables), f"{results.note}\n"]
    record = {
        "experiment": asdict(experiment),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": list_versions(),
        **results.values,
    }
    heading = f"% {experiment.title}; needs \\usepackage{{booktabs}}\n"
    contents = {
        "md": ("\n".join(page), f"# {experiment.title}\n"),
        "json": (to_json(record), '{\n "experiment": '),
        "tex": ("\n".join([heading, *map(format_latex, results.tables)]), heading),
        "csv": (results.photos, PHOTO_COLUMNS),
    }
    written = [
        write_file(output / f"{experiment.name}.{ending}", content, written_as(start.encode()))
        for ending, (content, start) in contents.items()
        if content
    ]
    for name, draw in results.figures.items():
        figure = draw()
        for ending in ("png", "pdf"):
            path = output / f"{name}.{ending}"
            with replacing(path, is_figure) as stream:
                stream.write(encode_figure(figure, ending))
            written.append(path)
    return written


Say = Callable[[str], None]
"""Where a runner reports how far it is, a line at a time."""

PACKAGES = (
    "blurmapper",
    "numba",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "pymatting",
    "scikit-image",
    "scipy",
    "torch",
)


def describe_machine() -> dict[str, str]:
    """Return the processor, the cores that this process may use, and the system."""
    return {
        "processor": _processor(),
        "cores": str(count_cores()),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "system": platform.platform(),
    }


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter, where installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def to_json(values: Mapping[str, Any]) -> str:
    """Return values as indented JSON that ends with its line; what is not finite is null."""
    return json.dumps(_without_nan(values), indent=1, allow_nan=False) + "\n"


def _processor() -> str:
    """Return the processor's own name; Python knows it on some systems only."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value
