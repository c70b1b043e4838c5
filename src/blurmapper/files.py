"""Files that appear whole or not at all, and take no other's place."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import sys
import tempfile
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from blurmapper.addresses import HELD, Address
from blurmapper.errors import ImageError
from blurmapper.locations import Location
from blurmapper.parts import keep_owner, part_in

AnyLocation = TypeVar("AnyLocation", bound=Location)

Recognises = Callable[[Path], bool]
"""Tells of a file whether it is one that blurmapper wrote, and may be written anew."""


_MOST_LINKS = 40
_HEAD = 65_536
_NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


@contextmanager
def replacing(path: Location, ours: Recognises | None = None) -> Iterator[BinaryIO]:
    """Give a stream that becomes the file of a path in one step, once all is written.

    A file that was there keeps its owner and rights, and if anything goes wrong its content too.
    It gives way only to its like: a photo never to a table. A link stays, and the file that it
    leads to is written. A device, a pipe or a descriptor (``/dev/stdout``) gets the content.

    Parameters
    ----------
    path : Path or Address
        Where the file goes; the folder of a path must be there. At an address an object of the
        same name is replaced.
    ours : callable, optional
        Says of a file that is there whether blurmapper wrote it; no other is replaced. Without
        it any file of the same kind is: text, or what begins with the same three bytes.

    Raises
    ------
    ImageError
        If the file cannot be written, its cause is the `OSError`; or if another is there.
    """
    if isinstance(path, Address):
        with cast("BinaryIO", tempfile.SpooledTemporaryFile(HELD)) as stream:
            yield stream
            stream.seek(0)
            path.write_from(stream)
        return
    try:
        place = _follow(path)
        if not isinstance(place, Path) or _is_special(place):
            with tempfile.TemporaryFile() as stream:
                yield stream
                stream.seek(0)
                _pour(stream, place)
            return
        with part_in(place.parent) as part:
            with part.open("xb") as stream:
                keep_owner(stream, place)
                yield stream
            _keep_others(path, place, ours or (lambda old: _kind(old) == _kind(part)))
            with suppress(FileNotFoundError):
                shutil.copymode(place, part)
            part.replace(place)
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Location, error: OSError) -> ImageError:
    """Return the error of a file that cannot be written."""
    is_long = error.errno == errno.ENAMETOOLONG
    mend = "shorten the name" if is_long else "check the folder and disk"
    return ImageError(f"{path}: cannot be written ({error.strerror or error}); {mend}")


def write_file(
    path: AnyLocation,
    content: str | bytes,
    ours: Recognises | None = None,
    *,
    follow: bool = False,
) -> AnyLocation:
    """Write a file whole or not at all, and the folders above it; text is UTF-8, but for odd names.

    A link in its place is followed only if so told: where the user named the file, and not the
    folder alone, or made it a link as what writes it beside us does with sidecars.

    Raises
    ------
    ImageError
        If it cannot be written, or another is there, as in `replacing`; what was there before is
        still there.
    """
    if not follow:
        refuse_link(path, path.parent)
    make_folder(path.parent)
    with replacing(path, ours) as stream:
        stream.write(
            content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        )
    return path


def check_replaceable(path: Location, ours: Recognises, *, follow: bool = False) -> None:
    """Say at once, not after hours of work, that `write_file` will refuse what is there.

    Raises
    ------
    ImageError
        If there is one that `ours` does not know, or a folder.
    """
    if isinstance(path, Address):
        return
    if not follow:
        refuse_link(path, path.parent)
    try:
        place = _follow(path)
        if isinstance(place, Path) and not _is_special(place):
            _keep_others(path, place, ours)
    except IsADirectoryError as error:
        raise ImageError(f"{path}: is a folder; give the name of a file") from error
    except OSError:
        # Whether it can be written is said when it is, and costs nothing else then.
        pass


def refuse_link(path: Location, folder: Location) -> None:
    """Raise `ImageError` if a link is in place of an output, or leads it out of its folder."""
    if isinstance(path, Address) or isinstance(folder, Address):
        return
    is_below = path.parent == folder or Path(os.path.realpath(path.parent)).is_relative_to(
        os.path.realpath(folder)
    )
    if os.path.islink(path) or not is_below:  # noqa: PTH114 - unlike Path, never raises
        which = "link" if is_below else f"link that leads out of {folder}"
        line = f"is not of blurmapper's making and is left as it is; move away the {which}"
        raise ImageError(f"{path}: {line}, then run again")


def written_as(start: bytes, *words: bytes) -> Recognises:
    """Return what knows a file of ours by how it begins, and words in its first 65,536 bytes."""

    def is_ours(path: Path) -> bool:
        head = _read_head(path).removeprefix(BOM_UTF8)  # spreadsheets set one
        return head.startswith(start) and all(word in head for word in words)

    return is_ours


def make_folder(folder: Location) -> None:
    """Make a folder and those above it, where they are not there yet; an address needs none.

    Raises
    ------
    ImageError
        If it cannot be made; its cause is the `OSError`.
    """
    if isinstance(folder, Address):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{folder}: cannot be made ({getattr(error, 'strerror', error)}); choose another folder"
        ) from error


def _follow(path: Path) -> Path | int:
    """Return where links lead, whether or not a file is there; or one of our descriptors."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "embedded null byte")
    ours = re.compile(rf"(?:/proc/{os.getpid()}(?:/task/\d+)?|/dev)/fd/(\d+)")
    for _ in range(_MOST_LINKS):
        place = Path(os.path.realpath(path.parent), path.name)
        if descriptor := ours.fullmatch(str(place)):
            return int(descriptor[1])
        if not place.is_symlink():
            return place
        path = place.parent / place.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _is_special(place: Path) -> bool:
    """Tell devices and pipes from files, whether or not there is one yet."""
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return not stat.S_ISREG(mode)


def _pour(content: BinaryIO, place: Path | int) -> None:
    """Write into what is no file, behind all that was printed there."""
    for printed in (sys.stdout, sys.stderr):
        if printed is not None:
            printed.flush()
    with open(os.dup(place) if isinstance(place, int) else place, "wb") as stream:  # noqa: PTH123
        shutil.copyfileobj(content, stream)


def _keep_others(path: Path, place: Path, ours: Recognises) -> None:
    if place.exists() and place.stat().st_size and not ours(place):
        raise ImageError(
            f"{path}: is not of blurmapper's making and is left as it is; "
            "give another name, or remove it first"
        )


def _kind(path: Path) -> bytes:
    """Return what files of one kind share: the first bytes, or that they are text."""
    head = _read_head(path)
    if head[4:8] == b"ftyp":
        return head[4:12]
    return head[:3] if _NO_TEXT.search(head) else b"text"


def _read_head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD)
