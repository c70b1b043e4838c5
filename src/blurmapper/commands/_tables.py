"""Tables on the screen, of whatever width it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blurmapper.commands._output import printable, table_console

if TYPE_CHECKING:
    from blurmapper.evaluation.tables import Table

MOST_WORDS = 32
"""Columns of the first cell of a row, the words; longer ones go on in the next line."""

_GAP = 2


def print_tables(tables: Sequence[Table]) -> None:
    """Print tables; one that is too wide is printed in parts, each with the first column."""
    from rich import box
    from rich.table import Table as ScreenTable
    from rich.text import Text

    console = table_console()
    for table in tables:
        console.print(Text(f"\n{printable(table.title)}"))
        for columns in split_columns(table, console.width):
            screen = ScreenTable(box=box.SIMPLE_HEAD)
            for number in columns:
                screen.add_column(
                    Text(table.headings[number]),
                    justify="right" if number else "left",
                    no_wrap=bool(number),
                    overflow="fold",
                    max_width=None if number else MOST_WORDS,
                )
            for row in table.rows:
                screen.add_row(*(Text(printable(row[number])) for number in columns))
            console.print(screen)


def split_columns(table: Table, width: int) -> list[list[int]]:
    """Return the columns of each part of a table, so that no part is wider than it may be."""
    widths = [
        max(len(cells[number]) for cells in (table.headings, *table.rows)) + _GAP
        for number in range(len(table.headings))
    ]
    # A blank stands at either end of a row, and the words can be folded.
    words = min(widths[0], MOST_WORDS + _GAP) + _GAP
    parts: list[list[int]] = []
    left = 0
    for number in range(1, len(widths)):
        if not parts or widths[number] > left:
            parts.append([0])
            left = width - words
        parts[-1].append(number)
        left -= widths[number]
    return parts or [[0]]
