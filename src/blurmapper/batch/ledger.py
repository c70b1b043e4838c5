"""What a folder of maps knows of itself: which photos are done, and which failed and why."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from blurmapper import __version__
from blurmapper.batch.journal import Journal
from blurmapper.batch.photo import Job, Outputs, PhotoFailure, PhotoFigures, written_paths
from blurmapper.batch.walking import real_path
from blurmapper.files import make_folder, replacing
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod, MethodOptions

LEDGER_NAME = "maps.jsonl"
FAILURES_NAME = "failures.csv"

_KEPT = ("height", "width", "blur_degree", "share_blurred", "seconds")
_PAUSE = 5.0


def describe_settings(
    name: str, method: BlurMethod, options: MethodOptions, outputs: Outputs
) -> str:
    """Return a digest of all that decides what is written for a photo.

    That is the version, the method with its weights and options, and the outputs; not how many
    threads work on it.
    """
    return digest_settings(name, method, options.refine, options.working_side, asdict(outputs))


def digest_settings(name: str, method: BlurMethod, *chosen: Any) -> str:
    """Return a digest of the version, a method with its weights, and what else was chosen."""
    weights = method.card.sha256 if isinstance(method, BlurMapper) else name
    return hashlib.sha256(json.dumps([__version__, weights, *chosen]).encode()).hexdigest()[:16]


class Ledger:
    """The file ``maps.jsonl`` of an output folder: a line a photo, once its files are there.

    Parameters
    ----------
    output : Path
        The folder, which is made if it is not there.
    settings : str
        From `describe_settings`: a photo that was mapped by other settings is not done.
    redo : bool
        Take no photo for done; names of outputs are kept all the same.

    Raises
    ------
    ImageError
        If the folder or the file cannot be made or written, which is said before any photo is
        mapped.
    """

    def __init__(self, output: Path, settings: str, *, redo: bool = False) -> None:
        self._output, self._settings, self._redo = output, settings, redo
        self._journal = Journal(output / LEDGER_NAME, {"photo", "file", "settings", *_KEPT})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._journal.close()

    def owner(self, target: str) -> str | None:
        """Return the absolute path of the photo whose outputs have a name, if there is one."""
        line = self._journal.find(target)
        return None if line is None else str(line["photo"])

    def find(self, job: Job, outputs: Outputs) -> PhotoFigures | None:
        """Return what came of a photo if neither it, the settings nor its files have changed."""
        line = None if self._redo else self._journal.find(self._key(job))
        if line is None or line["settings"] != self._settings or line["file"] != _identify(job):
            return None
        paths = written_paths(job, outputs)
        if not all(holds_something(path) for path in paths.values()):
            return None
        kept = {name: line[name] for name in _KEPT}
        return PhotoFigures(photo=job.photo, **kept, **paths, mapped_before=True)

    def add(self, job: Job, figures: PhotoFigures, identity: list[int] | None) -> None:
        """Write down that a photo is done.

        Raises
        ------
        ImageError
            If the line cannot be written.
        """
        kept = {name: getattr(figures, name) for name in _KEPT}
        line = {"photo": real_path(job.photo), "file": identity}
        self._journal.add(self._key(job), line | kept | {"settings": self._settings})

    def _key(self, job: Job) -> str:
        return os.path.relpath(job.target, self._output)


class Failures:
    """The file ``failures.csv`` of an output folder: each photo that failed, and the reason.

    What earlier runs wrote stays, except for photos that have succeeded since. It is written
    anew every few seconds, whole, and only if there is or was something to tell.

    Parameters
    ----------
    output : Path
        The folder.
    """

    def __init__(self, output: Path) -> None:
        self._path = output / FAILURES_NAME
        self._rows = self._read()
        self._changed = False
        self._written = time.monotonic()

    def add(self, failure: PhotoFailure) -> None:
        """Take down a failure."""
        self._rows[real_path(failure.photo)] = failure.reason
        self._change()

    def clear(self, photo: Path) -> None:
        """Strike out a photo that has succeeded."""
        if self._rows and self._rows.pop(real_path(photo), None) is not None:
            self._change()

    def write(self) -> None:
        """Write the file if anything has changed.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        if not self._changed:
            return
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(("file", "reason"))
        writer.writerows(sorted(self._rows.items()))
        make_folder(self._path.parent)
        with replacing(self._path) as stream:
            stream.write(text.getvalue().encode("utf-8", "surrogateescape"))
        self._changed, self._written = False, time.monotonic()

    def _change(self) -> None:
        self._changed = True
        if time.monotonic() - self._written > _PAUSE:
            self.write()

    def _read(self) -> dict[str, str]:
        try:
            text = self._path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError:
            return {}
        rows = list(csv.reader(io.StringIO(text, newline="")))
        return {row[0]: row[1] for row in rows[1:] if len(row) == 2}


def identify(photo: Path) -> list[int] | None:
    """Return what changes when a file's content does, its bytes and time, or None if it is gone."""
    try:
        status = photo.stat()
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]


def _identify(job: Job) -> list[int] | None:
    return identify(job.photo)


def holds_something(path: Path) -> bool:
    """Say whether a file is there and not empty."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
