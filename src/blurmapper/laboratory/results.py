"""What an experiment found, on what and with what it ran, and how it is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurmapper.evaluation.figures import encode_figure, is_figure
from blurmapper.evaluation.tables import PHOTO_COLUMNS, Table, format_latex, format_markdown
from blurmapper.files import check_replaceable, write_file, written_as
from blurmapper.laboratory.experiments import Experiment
from blurmapper.laboratory.networks import TrainedNetwork
from blurmapper.laboratory.provenance import describe_machine, list_versions, to_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    starts = _starts(experiment)
    tables = (format_latex(table, experiment.name) for table in results.tables)
    contents = {
        "md": "\n".join(page),
        "json": to_json(record),
        "tex": "\n".join([f"{starts['tex']},graphicx}}\n", *tables]),
        "csv": results.photos,
    }
    written = [
        write_file(output / f"{experiment.name}.{ending}", content, written_as(start.encode()))
        for ending, start in starts.items()
        if (content := contents[ending])
    ]
    for name, draw in results.figures.items():
        figure = draw()
        for ending in ("png", "pdf"):
            drawn = encode_figure(figure, ending)
            written.append(write_file(output / f"{name}.{ending}", drawn, is_figure))
    return written


def check_written(experiment: Experiment, output: Path) -> None:
    """Say now, and not after days of training, that another's file is where one is to go.

    Raises
    ------
    ImageError
        If there is one.
    """
    starts = _starts(experiment)
    # Only scores have those of each photo.
    for ending in starts if experiment.kind == "scores" else starts.keys() - {"csv"}:
        check_replaceable(
            output / f"{experiment.name}.{ending}", written_as(starts[ending].encode())
        )
    figure = f"{experiment.name}-curves" if experiment.kind == "scores" else experiment.name
    for ending in ("png", "pdf"):
        check_replaceable(output / f"{figure}.{ending}", is_figure)


def _starts(experiment: Experiment) -> dict[str, str]:
    """Return by the ending of each file how it begins if it is ours."""
    return {
        "md": f"# {experiment.title}\n",
        "json": '{\n "experiment": ',
        "tex": f"% {experiment.title}; needs \\usepackage{{booktabs",
        "csv": PHOTO_COLUMNS,
    }
