"""A file or link put elsewhere, and whether two are the same."""

from __future__ import annotations

import filecmp
import os
import shutil
from contextlib import suppress
from pathlib import Path

from blurmapper.parts import keep_owner, part_in, put_in_place


def put(source: Path, target: Path, *, move: bool) -> None:
    """Give a file a second name, or a copy, that is whole once it is there.

    Raises
    ------
    FileExistsError
        If the name is taken.
    """
    if move and source.is_symlink():
        target.symlink_to(_redirect(source, target.parent))
        return
    if move:
        try:
            # Unlike a renaming, a link never takes the place of a file.
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:
            pass
        else:
            return
    with part_in(target.parent) as part:
        with source.open("rb") as content, part.open("xb") as copy:
            shutil.copyfileobj(content, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
            if move:
                keep_owner(copy, source)
        with suppress(OSError):
            shutil.copystat(source, part)
        put_in_place(part, target)


def _redirect(link: Path, folder: Path) -> str:
    """Return what a link must hold in another folder to lead where it leads."""
    held = link.readlink()
    if held.is_absolute():
        return str(held)
    return os.path.relpath(real_name(link.parent / held), os.path.realpath(folder))


def real_name(path: Path) -> str:
    """Return where a file or link itself is, wherever it leads."""
    return str(Path(os.path.realpath(path.parent), path.name))


def are_names_of_one(one: Path, other: Path) -> bool:
    """Say whether two names are of one file, as a killed move leaves them, and none is a link."""
    if one.is_symlink() or other.is_symlink():
        return False
    return one.samefile(other)


def is_copied(source: Path, place: Path) -> bool:
    """Say whether another file holds the same, and not a link that may lead back."""
    return not place.is_symlink() and are_equal(source, place)


def are_equal(one: Path, other: Path) -> bool:
    """Say whether two names are of one file, or of files that hold the same."""
    if os.path.realpath(one) == os.path.realpath(other):
        # Also of links that lead to nothing.
        return True
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
