"""Files that appear whole or not at all, and their names as text that prints."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from blurmapper.errors import ImageError

_HOST = re.sub(r"[^A-Za-z0-9]", "", platform.node())[:24] or "host"
_PART = re.compile(rf"\.blurmapper-{_HOST}-(\d+)-\d+\.part")
_NUMBERS = count()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a stream that becomes the file of a path in one step, once all is written.

    A file that was there keeps its rights, and if anything goes wrong its content too.

    Parameters
    ----------
    path : Path
        Where the file goes; its folder must be there.

    Raises
    ------
    ImageError
        If the file cannot be written; its cause is the `OSError`.
    """
    part = path.with_name(f".blurmapper-{_HOST}-{os.getpid()}-{next(_NUMBERS)}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        with suppress(FileNotFoundError):
            shutil.copymode(path, part)
        part.replace(path)
    except OSError as error:
        raise ImageError(
            f"{path}: cannot be written ({error.strerror or error}); check the folder and disk"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def write_file(path: Path, content: str | bytes) -> Path:
    """Write a file whole or not at all, and the folders above it; text is UTF-8.

    Raises
    ------
    ImageError
        If it cannot be written; what was there before is still there.
    """
    make_folder(path.parent)
    with replacing(path) as stream:
        stream.write(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there yet.

    Raises
    ------
    ImageError
        If it cannot be made; its cause is the `OSError`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"{folder}: cannot be made ({error.strerror}); choose another folder"
        ) from error


def sweep_parts(folder: Path) -> None:
    """Remove what killed processes of this machine left unfinished in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _PART.fullmatch(entry.name)
            if match and not _is_running(int(match[1])):
                Path(entry.path).unlink(missing_ok=True)


def printable(text: object) -> str:
    r"""Return text, such as a path, as one line that any terminal takes.

    Line ends and other control characters are escaped, bytes that are no UTF-8 become question
    marks.

    Examples
    --------
    >>> printable(Path("two\nlines.jpg"))
    'two\\nlines.jpg'
    """
    line = "".join(
        repr(character)[1:-1] if ord(character) < 32 or ord(character) == 127 else character
        for character in str(text)
    )
    return line.encode("utf-8", "replace").decode()


def _is_running(process: int) -> bool:
    if os.name != "posix":
        # Elsewhere this very question would end the process that is asked about.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
