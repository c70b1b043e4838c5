"""Unfinished files: what they are called, and the removal of those that killed processes left."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO
from uuid import getnode

_PART = re.compile(r"\.blurmapper-(\w+)-(\d+)-\w+\.part")
_SWEPT: set[Path] = set()
_WEEK = 604_800.0


@contextmanager
def part_in(folder: Path) -> Iterator[Path]:
    """Give a name for an unfinished file in a folder; what is there in the end is removed."""
    sweep_once(folder)
    part = folder / f".blurmapper-{_find_realm()}-{os.getpid()}-{secrets.token_hex(8)}.part"
    try:
        yield part
    finally:
        with suppress(OSError):
            part.unlink()


def keep_owner(stream: BinaryIO, before: Path) -> None:
    """Give an unfinished file the owner that another has, where we may, as root may."""
    # Windows knows no owners by number.
    with suppress(AttributeError, OSError):
        status = before.stat()
        os.fchown(stream.fileno(), status.st_uid, status.st_gid)


def put_in_place(part: Path, target: Path) -> None:
    """Give a finished file its name in the same folder, and never take another's.

    Raises
    ------
    FileExistsError
        If the name is taken.
    """
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        # File systems of cards know no second names: the name is taken first, then filled.
        target.open("xb").close()
        try:
            part.replace(target)
        except BaseException:
            target.unlink()
            raise


def sweep_once(folder: Path) -> None:
    """Remove what killed processes left unfinished in a folder, once a process.

    One is known to be gone where its number means the same to it and to us; what others left,
    as on another machine, in another container or before a restart, goes once nobody has touched
    it for a week.
    """
    if folder in _SWEPT:
        return
    _SWEPT.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError, OverflowError):
                if _is_abandoned(entry):
                    Path(entry.path).unlink()


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    match = _PART.fullmatch(entry.name)
    if not match:
        return False
    if match[1] == _find_realm():
        return not _is_running(int(match[2]))
    status = entry.stat(follow_symlinks=False)
    # A copy gets its photo's time before it gets its name.
    return time.time() - max(status.st_mtime, status.st_ctime) > _WEEK


@cache
def _find_realm() -> str:
    """Return what only processes share that see each other by the same numbers."""
    try:
        # Host names are not unique, and each kernel numbers its namespaces alike.
        started = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8")
        realm = started + os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - it leads to no file
    except OSError:
        realm = str(getnode()) if sys.platform == "darwin" else secrets.token_hex(8)
    return hashlib.sha256(realm.encode()).hexdigest()[:16]


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
