"""Whether files are still those that something was made of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from blurmapper.batch.finding import real_path
from blurmapper.batch.manifest import Manifest, identify
from blurmapper.batch.tasks import digest_content
from blurmapper.errors import ImageError
from blurmapper.locations import Location, open_file


def describe_file(file: Path) -> dict[str, Any]:
    """Return what a manifest's line keeps of a file in ``inputs``, for `find_unchanged`."""
    described = {"photo": real_path(file), "file": identify(file), "inode": find_inode(file)}
    with open_file(file) as stream:
        return {**described, "content": digest_content(stream)}


def find_unchanged(
    manifest: Manifest, key: str, files: Sequence[Path], **made_by: Any
) -> dict[str, Any] | None:
    """Return the line about what was made of files, if they and `made_by` are what they were.

    Where the files are now is written down, so that what has moved need not be read again. Of lines
    that were written before files were described, no more can be asked. Whoever changes a manifest
    by hand may leave anything as a description.
    """
    line = manifest.find(key)
    if line is None or not made_by.items() <= line.items():
        return None
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        described = line["inputs"] if "inputs" in line else map(describe_file, files)
        inputs = [_renew(*each) for each in zip(described, files, strict=True)]
        if inputs != line.get("inputs"):
            manifest.add(key, line | {"inputs": inputs})
        return line | {"inputs": inputs}
    return None


def _renew(described: Mapping[str, Any], file: Path) -> dict[str, Any]:
    inode = find_inode(file)
    if described["file"] == identify(file):
        if is_in_place(described, file, inode):
            return {**described}
        if is_same(described, file, inode):
            return {**described, "photo": real_path(file), "inode": inode}
    raise ValueError(f"{file}: another file")


def is_in_place(line: Mapping[str, Any], file: Location, inode: list[int] | None) -> bool:
    """Say whether a file is at a line's path, and no other can have come there since."""
    if line["photo"] != real_path(file):
        return False
    if "content" not in line:
        return True
    known = line.get("inode")
    # Each mount of FAT or by FUSE numbers files anew. Windows has no time of change.
    first = 0 if os.name == "nt" else 1
    return isinstance(known, list) and inode is not None and known[first:] == inode[first:]


def is_same(line: Mapping[str, Any], file: Location, inode: list[int] | None) -> bool:
    """Say whether a file of a line's size and time is the line's, wherever it is now."""
    if inode is not None and line.get("inode") == inode:
        return True
    if "content" not in line:
        return False
    with suppress(ImageError, OSError), open_file(file) as stream:
        return bool(digest_content(stream) == line["content"])
    return False


def find_inode(file: str | Location) -> list[int] | None:
    """Return what a file keeps where a folder above it is moved, and shares with no other file."""
    try:
        status = os.stat(str(file))  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return [status.st_ino, status.st_ctime_ns]
