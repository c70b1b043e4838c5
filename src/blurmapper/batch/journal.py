"""A file of lines about photos that survives whatever stops its writer."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from blurmapper.errors import ImageError
from blurmapper.files import make_folder


class Journal:
    """A file of JSON lines, each about the outputs of a photo.

    A line is appended in one write, so that a run that is killed leaves every line true, and the
    last at worst cut short, which is then passed over. Of several about the same outputs the last
    counts. Only the places of lines are kept in memory.

    Parameters
    ----------
    path : Path
        The file; its folder is made if it is not there.
    fields : collection of str
        What every line holds beside ``target``; a line that lacks one is passed over.

    Raises
    ------
    ImageError
        If the folder or the file cannot be made or written.
    """

    def __init__(self, path: Path, fields: Collection[str]) -> None:
        self._path, self._fields = path, {*fields, "target"}
        self._lock = threading.Lock()
        make_folder(path.parent)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            raise self._not_written(error) from error
        self._places = self._find_lines()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def find(self, target: str) -> dict[str, Any] | None:
        """Return the line about outputs of a name that earlier runs have written, if any has."""
        place = self._places.get(target)
        if place is None:
            return None
        with self._lock:
            os.lseek(self._file, place[0], os.SEEK_SET)
            line: dict[str, Any] = json.loads(os.read(self._file, place[1]))
        return line

    def add(self, target: str, fields: Mapping[str, Any]) -> None:
        """Write a line; this run will not find it.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        content = json.dumps({"target": target, **fields}).encode() + b"\n"
        try:
            with self._lock:
                if os.write(self._file, content) != len(content):
                    raise OSError(28, "No space left on device")  # noqa: TRY301
        except OSError as error:
            raise self._not_written(error) from error

    def _find_lines(self) -> dict[str, tuple[int, int]]:
        places = {}
        start, line = 0, b"\n"
        with self._path.open("rb") as stream:
            for line in stream:
                try:
                    fields = json.loads(line)
                    if self._fields <= fields.keys():
                        places[str(fields["target"])] = (start, len(line))
                except (AttributeError, KeyError, TypeError, ValueError):
                    pass
                start += len(line)
        if not line.endswith(b"\n"):
            os.write(self._file, b"\n")
        return places

    def _not_written(self, error: OSError) -> ImageError:
        return ImageError(
            f"{self._path}: cannot be written ({error.strerror or error}); "
            "check the folder and disk"
        )
