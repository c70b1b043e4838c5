"""Which files in a folder of outputs are of our making: no other gives way."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from blurmapper.errors import ImageError
from blurmapper.files import check_replaceable, not_written, refuse_link, write_file
from blurmapper.locations import Location, is_file, open_file

Names = dict[tuple[str, str], set[str]]
"""Key and absolute path of a photo -> names of files, below the folder of outputs."""

# What comes there after it was asked for is neither followed nor waited for.
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_APPEND |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Journal:
    """What is being written into a folder, until the manifest says that it is written.

    A killed run leaves it, so that the next knows the files that were there before their line was.
    Several runs and machines may add to it.

    Parameters
    ----------
    output : Path
    name : str
        Of the command's manifest.
    """

    def __init__(self, output: Path, name: str) -> None:
        self.output = output
        self._path = output / f".blurmapper-{name}.begun"
        self._manifest = output / f"{name}.jsonl"

    def add(self, key: str, photo: str, names: list[str]) -> None:
        """Note that files of a photo are about to be written.

        Raises
        ------
        ImageError
            If that cannot be written, or what is there is no file of its own.
        """
        line = json.dumps([key, photo, names]).encode() + b"\n"
        self._check()
        try:
            with os.fdopen(os.open(self._path, _APPEND, 0o666), "wb", 0) as journal:
                journal.write(line)
        except OSError as error:
            raise not_written(self._path, error) from error

    def read(self) -> Names:
        """Return what was noted and is there.

        Raises
        ------
        ImageError
            If there is a pipe, a link or the like.
        """
        self._check()
        begun: Names = {}
        with suppress(ImageError), open_file(self._path) as stream:
            for line in stream:
                # The last may be cut short.
                with suppress(RecursionError, TypeError, ValueError):
                    key, photo, names = json.loads(line)
                    there = {name for name in names if is_file(self.output / name)}
                    begun.setdefault((key, photo), set()).update(there)
        return begun

    def find_photo(self, name: str) -> str | None:
        """Return the photo of which a file of a name was written, as the manifest has it by now."""
        photo = None
        with suppress(ImageError), open_file(self._manifest) as stream:
            for line in stream:
                with suppress(AttributeError, KeyError, RecursionError, TypeError, ValueError):
                    fields = json.loads(line)
                    if name in fields["files"]:
                        photo = str(fields["photo"])
        return photo

    def write(self, begun: Names) -> None:
        """Note this and nothing else; without any, the file goes."""
        with suppress(ImageError, OSError):
            self._check()
            if any(begun.values()):
                lines = (json.dumps([*each, sorted(names)]) for each, names in begun.items())
                write_file(self._path, "".join(f"{line}\n" for line in lines), lambda old: True)
            else:
                self._path.unlink(missing_ok=True)

    def _check(self) -> None:
        if self._path.is_symlink() or (os.path.lexists(self._path) and not is_file(self._path)):
            raise ImageError(f"{self._path}: is no regular file; move it, then run again")


@dataclass(frozen=True, slots=True)
class Claims:
    """What the files of a photo may take the place of; it can be sent to other machines.

    Attributes
    ----------
    journal : Journal
    key, photo : str
        The photo's, and its absolute path.
    known : mapping of str to str or None
        Names of files, below that folder, that earlier runs wrote, and what `digest_output` said
        then, where that was kept.
    redo : bool
        Whether files that were changed since give way too.
    """

    journal: Journal
    key: str
    photo: str
    known: Mapping[str, str | None] = field(default_factory=dict)
    redo: bool = False

    def name(self, file: Location) -> str:
        """Return what a file is called below the folder."""
        assert isinstance(file, Path)
        return file.relative_to(self.journal.output).as_posix()

    def check(self, files: Iterable[Location]) -> None:
        """Raise `ImageError` before the work where a name is too long or a link of the user's."""
        for file in files:
            assert isinstance(file, Path)
            refuse_link(file, self.journal.output)
            try:
                os.lstat(self.journal.output / file.name)  # its own folder may be to come
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    raise not_written(file, error) from error

    def write(self, files: Mapping[Any, bytes]) -> None:
        """Write files, each whole or not at all; what has come there since it was asked for stays.

        Raises
        ------
        ImageError
            If a file is there that is none of ours, or no more; or if nothing can be written.
        """
        absent = {file for file in files if not is_file(file)}
        self.take(files)
        for file, content in files.items():
            if file not in absent:
                write_file(file, content)
                continue
            try:
                write_file(file, content, partial(_holds, content))
            except ImageError as error:
                if error.__cause__ is not None:
                    raise
                raise self._refuse(file, error) from error

    def take(self, files: Mapping[Any, bytes | None]) -> None:
        """Say that files are about to be written, all of them or none.

        One that is there has to be known and as it was written, or to hold what is to be written,
        as it does where the manifest was lost.

        Parameters
        ----------
        files : mapping of Path to bytes or None
            The content of each, if that is known yet.

        Raises
        ------
        ImageError
            If a file is there that is none of ours, or no more; or if nothing can be written.
        """
        self.check(files)
        for file, content in files.items():
            if not is_file(file) or self._is_as_written(name := self.name(file), file):
                continue
            try:
                check_replaceable(file, partial(self._knows, name, content))
            except ImageError as error:
                raise self._refuse(file, error) from error
        self.journal.add(self.key, self.photo, [*map(self.name, files)])

    def _refuse(self, file: Path, error: ImageError) -> ImageError:
        """Return the error of a file that stays: this one, or one that says whose it is."""
        name = self.name(file)
        if name in self.known:
            line = "was changed after it was written and is left as it is; "
            return ImageError(f"{file}: {line}move it, or let --redo replace it")
        begun = [photo for (_, photo), names in self.journal.read().items() if name in names]
        if other := next((photo for photo in begun if photo != self.photo), None):
            line = f"a run before, or at the same time, has begun it of {other}; "
            return ImageError(f"{file}: {line}run again when that has ended, or move the file")
        made = self.journal.find_photo(name)
        if self.photo in (made, *begun):
            line = "a run at the same time has written it of the same photo"
            return ImageError(f"{file}: {line}; run again when that has ended")
        if made is not None:
            line = f"a run at the same time has made it of {made}; "
            return ImageError(f"{file}: {line}run again, and this photo's gets another name")
        return ImageError(str(error))

    def _is_as_written(self, name: str, file: Path) -> bool:
        if name not in self.known or self.redo:
            return name in self.known
        # An empty file is what a crash has left, and nobody's work.
        return self.known[name] in (None, digest_output(file)) or not file.stat().st_size

    def _knows(self, name: str, content: bytes | None, file: Path) -> bool:
        """Say whether a file that is there holds what is to be written, or was begun by us."""
        if content is not None and _holds(content, file):
            return True
        # A worker that died may have written it in this very run. The journal is long, so it is
        # asked last: after a lost manifest all files are there.
        return name in self.journal.read().get((self.key, self.photo), ())


def _holds(content: bytes, file: Path) -> bool:
    return file.read_bytes() == content


def digest_output(file: Path) -> str | None:
    """Return a digest of what a file holds, or None if it cannot be read."""
    with suppress(OSError), file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    return None
