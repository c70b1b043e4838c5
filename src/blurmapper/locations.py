"""Where photos and outputs are, on this machine or at an address; opening them."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from blurmapper.addresses import HELD, Address, find_address
from blurmapper.errors import ConfigError, ImageError

_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

Location = Path | Address
"""Where a file or folder is."""

SMALL = 16_000_000
"""Most bytes of a file of a few kB, such as a card or a sidecar, which may be a stranger's."""

STANDARD_OUTPUT = Path("-")
"""What a file is called that is to be printed."""

AnyPath = str | os.PathLike[Any]
"""How a path, or an address, may be given."""


def as_path(given: AnyPath) -> str | Path:
    """Return a path of any kind as text or as a `Path`.

    Raises
    ------
    ConfigError
        If it is none; types bind no caller.
    """
    if isinstance(given, Path):
        return given
    if not isinstance(given, str | os.PathLike):
        raise ConfigError(f"a {type(given).__name__} is no path; give text or a Path")
    return os.fsdecode(given)


def find_location(given: AnyPath) -> Location:
    """Return where a path or an address leads; ``file://`` and ``local://`` lead to a path.

    Raises
    ------
    ConfigError
        If it is none or empty, as the text of a variable that is not set.
    """
    text = as_path(given)
    if isinstance(text, Path):
        return text
    # Java and others write file:/ for file:///, as RFC 8089 allows.
    text = re.sub(r"(?i)^file:/(?!/)", "file:///", text)
    if not text:
        raise ConfigError('a path is empty (""); is a variable not set?')
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return Path(text)
    if text.lower().startswith(("file://", "local://")):
        host, slash, path = text.partition("//")[2].partition("/")
        if host not in ("", "localhost"):
            shown = Address(text)  # without keys
            raise ConfigError(f"{shown}: is on another machine; use file:/// and an absolute path")
        return Path(slash + unquote(path, errors="surrogateescape"))
    return find_address(text)


def find_path(text: AnyPath) -> Path:
    """Return where a path or a ``file://`` leads, for what no other address can serve.

    Raises
    ------
    ConfigError
        If it is any other address, which a path would take for a folder called ``s3:``, or empty.
    """
    location = find_location(text)
    if isinstance(location, Address):
        raise ConfigError(f"{location}: has to be on this machine; give a path")
    return location


def is_bare(name: str) -> bool:
    """Say whether a name leads nowhere but to a file or folder right in another, on any system.

    Examples
    --------
    >>> is_bare("mine"), is_bare("../mine"), is_bare(r"C:mine"), is_bare("")
    (True, False, False, False)
    """
    is_part = name == PureWindowsPath(name).name and name not in ("", "..")
    return is_part and name.isprintable()


def suffix_of(name: str | Path) -> str:
    """Return the end of a name or an address from its last dot on, in small letters.

    Of ``.jpg``, which is all end, pathlib finds none.
    """
    return "".join(without_options(str(name)).lower().rpartition(".")[1:])


def without_options(name: str) -> str:
    """Return a name, or an address without what follows its ``?``."""
    return name.partition("?")[0] if "://" in name else name


def is_file(path: AnyPath) -> bool:
    """Say whether a file is there; unlike Path's, this never raises, as of a name too long."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: AnyPath) -> bool:
    """Say whether a folder is there, and never raise."""
    return os.path.isdir(path)  # noqa: PTH112


def with_ending(location: Location, ending: str) -> Location:
    """Return the location whose name has an ending more."""
    return location.parent / (location.name + ending)


def check_apart(outputs: Iterable[Location]) -> None:
    """Refuse at once to write two files to one place, of which the second would find the first.

    Devices and pipes take whatever comes, and so does ``-``, which is standard output.

    Raises
    ------
    ConfigError
    """
    seen = set()
    for output in outputs:
        place = str(output) if isinstance(output, Address) else os.path.realpath(output)
        if place in seen and output != STANDARD_OUTPUT and not _is_stream(place):
            raise ConfigError(f"{output}: two outputs would go there; give each a name of its own")
        seen.add(place)


def open_file(location: Location) -> BinaryIO:
    """Open a file to read and seek in; what is no regular file is refused, and never waited for.

    Raises
    ------
    ImageError
        If there is no such file, or it is a folder, pipe or device, or cannot be opened.
    """
    if isinstance(location, Address):
        copy = cast("BinaryIO", SpooledTemporaryFile(HELD))  # noqa: SIM115 - the caller closes it
        try:
            location.read_into(copy)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy
    try:
        # Some devices do what opening them means. Without O_NONBLOCK a pipe that has just come
        # there would be waited for until something is written into it.
        _check_regular(location, os.stat(location))  # noqa: PTH116 - a null byte raises here
        descriptor = os.open(location, os.O_RDONLY | _NO_WAIT)
        try:
            _check_regular(location, os.fstat(descriptor))
        except ImageError:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "rb")
    except FileNotFoundError as error:
        raise ImageError(f"{location}: no such file; check the path") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(
            f"{location}: cannot be opened ({reason}); check the path and its rights"
        ) from error


def read_regular(path: Path, most: int = 2_000_000_000) -> bytes:
    """Read a file whole; `OSError` for what is no regular file, or has more bytes than `most`."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"over {most // 1_000_000} MB")
        # Those of /proc say that they have none, and may have no end.
        return stream.read(size)


def _is_stream(place: str) -> bool:
    return os.path.exists(place) and not os.path.isfile(place)  # noqa: PTH110, PTH113 - never raise


def _check_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(f"{path}: is a folder; give the photo inside it")
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(f"{path}: is no regular file; give a photo's file")
