"""A ranking on the screen."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from blurmapper.commands._output import print_line, printable, table_console
from blurmapper.errors import count_of

if TYPE_CHECKING:
    from rich.text import Text

    from blurmapper.locations import Location
    from blurmapper.ranking.records import PhotoRecord
    from blurmapper.ranking.tables import Ranking

SHOWN = 25
"""Photos at either end of a longer ranking that the table shows."""


def print_ranking(ranking: Ranking) -> None:
    """Print a ranking as a table, its middle left out where it is long."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from blurmapper.ranking.records import Word

    total = len(ranking.records)
    if not total:
        return
    folder = _common_folder([record.photo for record in ranking.records])
    # Room for the names, on a screen of 80 columns too.
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("photo", overflow="fold", min_width=16)
    headings = ["verdict", "focus", "S", "blurred"]
    headings += ["sharpest region", "its S"] if ranking.by == "region" else []
    headings += ["burst"] if ranking.bursts else []
    for heading in headings:
        is_words = heading in ("verdict", "sharpest region", "burst")
        table.add_column(heading, justify="left" if is_words else "right", no_wrap=True)
    for rank, record in enumerate(ranking.records, start=1):
        if rank <= SHOWN or rank > total - SHOWN:
            table.add_row(str(rank), *_cells(record, ranking, folder))
        elif rank == SHOWN + 1:
            table.add_row("...", f"({total - 2 * SHOWN} more: --csv FILE has all)")
    where = "" if folder == Path() else f" in {printable(folder)}"
    console = table_console()
    console.print(Text(f"{count_of(total, 'photo')}{where}, the sharpest first\n"))
    console.print(table)
    if total > 2 * SHOWN:
        counts = Counter(record.verdict.word for record in ranking.records)
        print_line("")
        print_line(", ".join(f"{counts[word]} {word}" for word in get_args(Word) if counts[word]))


def _cells(record: PhotoRecord, ranking: Ranking, folder: Path) -> list[str | Text]:
    from rich.text import Text

    photo, region = record.photo, record.sharpest
    cells: list[str | Text] = [
        Text(printable(os.path.relpath(photo, folder) if isinstance(photo, Path) else photo)),
        record.verdict.word,
        "-" if record.focus is None else f"{record.focus.sigma:.2f} px",
        f"{record.blur_degree:.3f}",
        f"{record.share_blurred:.0%}",
    ]
    if ranking.by == "region":
        place = f"{region.x},{region.y} {region.width}x{region.height}"
        cells += [place, f"{region.blur:.3f}"]
    if ranking.bursts:
        burst = ranking.bursts.get(record.photo)
        cells.append(f"{burst.number}{' best' if burst.is_best else ''}" if burst else "")
    return cells


def _common_folder(photos: Sequence[Location]) -> Path:
    """Return the folder that all photos are in or below."""
    if not all(isinstance(photo, Path) for photo in photos):
        return Path()
    try:
        return Path(os.path.commonpath([str(photo.parent) for photo in photos]))
    except ValueError:
        # Some are given by a whole path and some not, or they are on several drives.
        return Path()
