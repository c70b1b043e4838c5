"""The manifest: a file of lines about photos that survives whatever stops its writer."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from codecs import BOM_UTF8
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from blurmapper.addresses import Address
from blurmapper.errors import ImageError
from blurmapper.files import make_folder, not_written, write_file
from blurmapper.locations import Location, open_file

_START = b'{"target"'

_MOST_LINE_BYTES = 16_000_000

_PAUSE = 30.0
"""Seconds between two states of a manifest at an address, which cannot be added to."""


class _Place(NamedTuple):
    """Where a line stands, and a hash of its ``files``."""

    start: int
    length: int
    files: int


class Manifest(AbstractContextManager["Manifest"]):
    """A file of JSON lines, each about the outputs of a photo.

    A line is appended in one write, so that a run that is killed leaves every line true, and the
    last at worst cut short, which is then passed over. Of several about the same outputs the last
    counts, with the ``files`` of all, since runs at the same time do not know of each other's.
    Only where lines stand is kept in memory. At an address the file is written anew
    every half minute, with what other runs have added since.

    Parameters
    ----------
    location : Path or Address
        The file; its folder is made if it is not there.
    fields : collection of str
        What every line holds beside its key, ``target``; a line that lacks one is passed over.

    Attributes
    ----------
    shared_names : dict of str to str
        What `Task.shared_name` said of a photo that was done, a line's ``claim`` -> the photo.

    Raises
    ------
    ImageError
        If the folder or the file cannot be made or written, or what is there is a link or no
        manifest, which is said before any photo is worked on.
    """

    def __init__(self, location: Location, fields: Collection[str]) -> None:
        self._location, self._fields = location, {*fields, "target"}
        self._lock = threading.Lock()
        self._pending = b""
        self._written = time.monotonic()
        self.shared_names: dict[str, str] = {}
        self._alike: dict[str, tuple[str, ...]] = {}
        self._earlier: dict[str, list[_Place]] = {}
        make_folder(location.parent)
        self._appended = None if isinstance(location, Address) else self._open(location)
        self._content = self._read()
        try:
            self._lines = self._find_lines()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is not written yet, and let go of the file.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        try:
            with self._lock:
                self._write()
        finally:
            self._content.close()
            if self._appended is not None:
                os.close(self._appended)

    def find(self, key: str) -> dict[str, Any] | None:
        """Return the line about outputs of a name that earlier runs have written, if any has."""
        if key not in self._lines:
            return None
        line, *earlier = map(self._load_line, (self._lines[key], *self._earlier.get(key, ())))
        if "files" in line:
            line["files"] = sorted(set().union(*map(_names_in, (line, *earlier))))
        return line

    def find_alike(self, key: str) -> list[dict[str, Any]]:
        """Return the lines of `find`, and those of names that differ by capitals; its own first."""
        folded = key.casefold()
        keys = (key, folded, *self._alike.get(folded, ()))
        return [line for each in dict.fromkeys(keys) if (line := self.find(each)) is not None]

    def add(self, key: str, fields: Mapping[str, Any]) -> None:
        """Write a line; this run will not find it.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        with self._lock:
            self._pending += json.dumps({"target": key, **fields}).encode() + b"\n"
            if self._appended is not None or time.monotonic() - self._written > _PAUSE:
                self._write()

    def _load_line(self, place: _Place) -> dict[str, Any]:
        with self._lock:
            self._content.seek(place.start)
            line: dict[str, Any] = json.loads(self._content.read(place.length))
        return line

    def _open(self, path: Path) -> int:
        try:
            if path.is_symlink() or (path.exists() and not path.is_file()):
                raise OSError(0, "it is no regular file")  # noqa: TRY301
            return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            raise not_written(self._location, error) from error

    def _read(self) -> BinaryIO:
        if not isinstance(self._location, Address):
            return open_file(self._location)
        content = self._load()
        # Written back, so that what cannot be written is said now and not after the work; some
        # stores take an empty file and no other.
        write_file(self._location, content or b"\n")
        return io.BytesIO(content)

    def _load(self) -> bytes:
        assert isinstance(self._location, Address)
        if self._location.identify() is None:
            return b""
        with open_file(self._location) as stream:
            return stream.read()

    def _write(self) -> None:
        if not self._pending:
            return
        self._written = time.monotonic()
        if self._appended is None:
            write_file(self._location, self._load() + self._pending)
            self._pending = b""
            return
        pending, self._pending = self._pending, b""
        try:
            if os.write(self._appended, pending) != len(pending):
                raise OSError(28, "No space left on device")  # noqa: TRY301
        except OSError as error:
            line = f"{not_written(self._location, error)}, then run the same command to go on"
            raise ImageError(line) from error

    def _find_lines(self) -> dict[str, _Place]:
        lines: dict[str, _Place] = {}
        start, line, is_empty, is_ours = 0, b"\n", True, False
        for line in iter(partial(self._content.readline, _MOST_LINE_BYTES), b""):
            if len(line) == _MOST_LINE_BYTES:
                # Of zeros there may be more than memory.
                is_empty = is_ours = False
                break
            # What was lost when the power failed is often zeros.
            # Editors set a mark before the first, which JSON's reader passes over.
            content = line if start else line.removeprefix(BOM_UTF8)
            is_empty &= not content.strip(b"\0 \r\n")
            is_ours |= content.startswith(_START[: len(content)])
            try:
                fields = json.loads(line)
                if self._fields <= fields.keys():
                    # Whatever wrote it anew may have put its fields in another order.
                    is_ours = True
                    key = str(fields["target"])
                    folded = key.casefold()
                    if key != folded and key not in lines:
                        self._alike[folded] = (*self._alike.get(folded, ()), key)
                    place = _Place(start, len(line), hash(str(fields.get("files"))))
                    if (before := lines.get(key, place)).files != place.files:
                        self._earlier.setdefault(key, []).append(before)
                    lines[key] = place
                    if "claim" in fields:
                        self.shared_names[str(fields["claim"])] = str(fields.get("photo"))
            except (AttributeError, RecursionError, TypeError, ValueError):
                pass
            start += len(line)
        if not is_empty and not is_ours:
            raise ImageError(f"{self._location}: is no manifest; move it, then run again")
        if not line.endswith(b"\n"):
            self._pending = b"\n"
            self._write()
        return lines


def _names_in(line: Mapping[str, Any]) -> set[str]:
    """Return the names in a line's ``files``; what is none there counts for nothing."""
    names = line.get("files")
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def identify(file: Location) -> list[int] | None:
    """Return what changes when a file's content does, its bytes and time, or None if it is gone."""
    if isinstance(file, Address):
        return file.identity or file.identify()
    try:
        status = file.stat()
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]
