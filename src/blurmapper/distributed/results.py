"""What became of each photo, as one Parquet file with one row a photo."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from blurmapper.distributed.places import Place
from blurmapper.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

FILE_NAME = "results.parquet"

WRITE_EVERY = 60.0
"""Seconds between two states of the file."""

TYPES = {
    **dict.fromkeys(("photo", "status", "map", "reason", "settings"), "string"),
    **dict.fromkeys(("height", "width", "modified"), "int64"),
    **dict.fromkeys(("blur_degree", "share_blurred", "seconds"), "float64"),
}


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What became of a photo.

    Attributes
    ----------
    photo : str
        Its address.
    status : {"mapped", "failed"}
    settings : str
        Digest of how it was mapped: with others it is mapped again.
    modified : int or None
        When the photo was last changed, in nanoseconds since 1970; if it was since, it is
        mapped again.
    reason : str or None
        Why it failed.
    height, width : int or None
        Its size in pixels, after its EXIF turn.
    blur_degree, share_blurred : float or None
        S, and the share with a probability of at least 0.5; in [0, 1].
    map : str or None
        The address of its map.
    seconds : float or None
        Reading, mapping and writing together.
    """

    photo: str
    status: Literal["mapped", "failed"]
    settings: str
    modified: int | None = None
    reason: str | None = None
    height: int | None = None
    width: int | None = None
    blur_degree: float | None = None
    share_blurred: float | None = None
    map: str | None = None
    seconds: float | None = None


COLUMNS = tuple(field.name for field in fields(ResultRow))


class Results:
    """The rows of a folder of maps, by photo; one process alone writes them.

    Since a photo has one row, a task that is done twice changes nothing. The file is replaced as
    a whole every minute, so that a run that ends badly loses the last minute's rows at most;
    the next run maps those photos again, onto the same files.

    Parameters
    ----------
    output : Place
        The folder; the rows of earlier runs into it are kept.

    Raises
    ------
    ConfigError
        If a file of that name is there that has other columns.
    """

    def __init__(self, output: Place) -> None:
        self._file = output.join(PurePosixPath(FILE_NAME))
        self._rows = {row.photo: row for row in _read_rows(self._file)}
        self._written = time.monotonic()

    def __getitem__(self, photo: str) -> ResultRow:
        return self._rows[photo]

    def __contains__(self, photo: object) -> bool:
        return photo in self._rows

    def add(self, row: ResultRow) -> None:
        """Put a row in the place of the one that its photo had."""
        self._rows[row.photo] = row
        if time.monotonic() > self._written + WRITE_EVERY:
            self.write()

    def write(self) -> None:
        """Replace the file.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        import pyarrow as pa
        from pyarrow import parquet

        sink = pa.BufferOutputStream()
        parquet.write_table(to_table(self._rows[photo] for photo in sorted(self._rows)), sink)
        self._file.write_bytes(sink.getvalue().to_pybytes())
        self._written = time.monotonic()


def to_table(rows: Iterable[ResultRow]) -> pa.Table:
    """Return rows as an Arrow table whose types do not depend on what is missing."""
    import pyarrow as pa

    schema = pa.schema([(name, getattr(pa, TYPES[name])()) for name in COLUMNS])
    return pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)


def to_rows(table: pa.Table) -> list[ResultRow]:
    """Return what `to_table` was given."""
    values: list[dict[str, Any]] = table.select(COLUMNS).to_pylist()
    return [ResultRow(**row) for row in values]


def _read_rows(file: Place) -> list[ResultRow]:
    import pyarrow as pa
    from pyarrow import parquet
    from pyarrow.fs import FileType

    (info,) = file.filesystem.get_file_info([file.root])
    if info.type == FileType.NotFound:
        return []
    try:
        table = parquet.read_table(pa.BufferReader(file.read_bytes()))
        return to_rows(table)
    except (KeyError, pa.ArrowInvalid) as error:
        raise ConfigError(
            f"{file.address}: not a table of results; move it or choose another folder with -o"
        ) from error
