"""Which photos failed and why: one failure, and the file ``failures.csv`` of an output folder."""

from __future__ import annotations

import csv
import errno
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blurmapper.csv_rows import from_cell, split_rows, to_cell, to_csv
from blurmapper.errors import BlurMapperError, ImageError, one_line
from blurmapper.files import write_file
from blurmapper.locations import Location, open_file

FAILURES_NAME = "failures.csv"

_HEADER = ["file", "reason"]
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class PhotoFailure:
    """A photo, or a folder of photos, that gave nothing, and why.

    Attributes
    ----------
    photo : Path, Address or str
        Where it is, as it was given.
    error : BlurMapperError
    ends_run : bool
        Whether every other photo would fail for it too, as on a full disk.
    """

    photo: Location | str
    error: BlurMapperError
    ends_run: bool = False

    @property
    def reason(self) -> str:
        """The error without the name of the photo."""
        return str(self.error).removeprefix(f"{self.photo}: ")


def fail(photo: Location, error: Exception) -> PhotoFailure:
    """Return why a photo gave nothing, as one line and without the pixels it had got to."""
    if not isinstance(error, BlurMapperError):
        line = f"{photo}: cannot be mapped ({one_line(error)}); convert it or leave it out"
        error = ImageError(line)
    cause = error.__cause__
    link: BaseException | None = error
    seen = set[int]()
    while link is not None and id(link) not in seen:  # one may be its own cause
        seen.add(id(link))
        # The frames that an error came through hold what was in them as long as it lives.
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return PhotoFailure(photo, error, isinstance(cause, OSError) and cause.errno in _FULL)


class Failures:
    """The file ``failures.csv`` of an output folder: each photo that failed, and the reason.

    What other runs write stays, except for photos that have succeeded since. It is written
    anew every few seconds, whole, and only if there is or was something to report.

    Parameters
    ----------
    output : Path or Address
        The folder.
    """

    def __init__(self, output: Location) -> None:
        self._path = output / FAILURES_NAME
        self._is_ours = not isinstance(self._path, Path)
        self._rows: dict[str, str] = {}
        self._rows = self._read()
        self._changes: dict[str, str | None] = {}
        self._is_changed = False
        self._written = time.monotonic()

    def add(self, photo: str, reason: str | None) -> None:
        """Take down why a photo failed, if it did; `photo` is from `blurmapper.batch.real_path`."""
        self._changes[photo] = reason
        self._is_changed = True
        if self._is_ours and time.monotonic() - self._written > _PAUSE:
            self.write()

    def clear(self, photo: str) -> None:
        """Strike out a photo that has succeeded."""
        if photo in self._rows or self._changes.get(photo) is not None:
            self.add(photo, None)

    def write(self) -> None:
        """Write the file if anything has changed.

        Raises
        ------
        ImageError
            If it cannot be written, or a link or a file is there that is no such list.
        """
        if not self._is_changed:
            return
        # Other runs may have written it since, and lose what this one wrote.
        self._rows = self._read()
        if not self._is_ours or (isinstance(self._path, Path) and self._path.is_symlink()):
            raise ImageError(f"{self._path}: is no list of failures; move it, then run again")
        rows = {
            photo: why for photo, why in (self._rows | self._changes).items() if why is not None
        }
        cells = ((to_cell(photo), to_cell(why)) for photo, why in sorted(rows.items()))
        write_file(self._path, to_csv([_HEADER, *cells], "\r\n"), lambda old: True)
        # Said once: what other runs find out thereafter is newer.
        self._changes.clear()
        self._rows, self._is_changed, self._written = rows, False, time.monotonic()

    def _read(self) -> dict[str, str]:
        rows: dict[str, str] = {}
        try:
            with open_file(self._path) as stream:
                text = stream.read().decode("utf-8-sig", "surrogateescape")
        except BlurMapperError:
            if isinstance(self._path, Path) and not os.path.lexists(self._path):
                self._is_ours = True
                return {}
            # What cannot be read for the moment is what it was.
            return self._rows
        # What stands before a damaged place is kept.
        with suppress(csv.Error):
            columns, found = split_rows(text)
            self._is_ours = not text.strip("\0") or columns[:2] == _HEADER
            for row in found if self._is_ours and columns else ():
                photo, reason = (row.get(name) for name in _HEADER)
                if photo and reason:
                    rows[from_cell(photo)] = from_cell(reason)
        return rows
