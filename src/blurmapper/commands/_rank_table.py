"""The ranking on a screen."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from blurmapper.commands import _output
from blurmapper.commands._output import print_line, printable

if TYPE_CHECKING:
    from rich.text import Text

    from blurmapper.locations import Location
    from blurmapper.ranking.bursts import Burst
    from blurmapper.ranking.records import PhotoRecord
    from blurmapper.ranking.tables import Ranking

SHOWN = 25
"""Photos at either end of a longer ranking that the table shows."""


def print_table(ranking: Ranking) -> None:
    """Print a ranking as a table, its middle left out where it is long."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    total = len(ranking.records)
    if not total:
        return
    folder = _common_folder([record.photo for record in ranking.records])
    # Room for the names, on a screen of 80 columns too.
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("photo", overflow="fold", min_width=16)
    table.add_column("verdict", no_wrap=True)
    table.add_column("focus", justify="right", no_wrap=True)
    table.add_column("S", justify="right", no_wrap=True)
    table.add_column("blurred", justify="right", no_wrap=True)
    if ranking.by == "region":
        table.add_column("sharpest region", no_wrap=True)
        table.add_column("its S", justify="right", no_wrap=True)
    if ranking.bursts:
        table.add_column("burst", no_wrap=True)
    for rank, record in enumerate(ranking.records, start=1):
        if rank <= SHOWN or rank > total - SHOWN:
            burst = ranking.bursts.get(record.photo)
            cells = [str(rank), *_cells(record, folder, ranking.by)]
            table.add_row(*cells, *([_burst_cell(burst)] if ranking.bursts else []))
        elif rank == SHOWN + 1:
            table.add_row("...", f"({total - 2 * SHOWN} more: --csv FILE has all)")
    where = "" if folder == Path() else f" in {printable(folder)}"
    _output.print_table(Text(f"{total} photos{where}, the sharpest first\n"), table)
    if total > 2 * SHOWN:
        print_line("")
        print_line(_count_verdicts(ranking))


def _count_verdicts(ranking: Ranking) -> str:
    from blurmapper.ranking.records import Word

    counts = Counter(record.verdict.word for record in ranking.records)
    return ", ".join(f"{counts[word]} {word}" for word in get_args(Word) if counts[word])


def _cells(record: PhotoRecord, folder: Path, by: str) -> list[str | Text]:
    from rich.text import Text

    region = record.sharpest
    cells: list[str | Text] = [
        Text(printable(_name_in(record.photo, folder))),
        record.verdict.word,
        "-" if record.focus is None else f"{record.focus.sigma:.2f} px",
        f"{record.blur_degree:.3f}",
        f"{record.share_blurred:.0%}",
    ]
    if by == "region":
        place = f"{region.x},{region.y} {region.width}x{region.height}"
        cells += [place, f"{region.blur:.3f}"]
    return cells


def _burst_cell(burst: Burst | None) -> str:
    if burst is None:
        return ""
    return f"{burst.number} best" if burst.is_best else str(burst.number)


def _name_in(photo: Location, folder: Path) -> str:
    return os.path.relpath(photo, folder) if isinstance(photo, Path) else str(photo)


def _common_folder(photos: Sequence[Location]) -> Path:
    """Return the folder that all photos are in or below."""
    if not all(isinstance(photo, Path) for photo in photos):
        return Path()
    try:
        return Path(os.path.commonpath([str(photo.parent) for photo in photos]))
    except ValueError:
        # Some are given by a whole path and some not, or they are on several drives.
        return Path()
