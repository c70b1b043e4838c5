"""Folders -> the photos in them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from blurmapper.batch.photo import PhotoFailure
from blurmapper.errors import ImageError
from blurmapper.images import PHOTO_SUFFIXES

MADE = frozenset({".blur", ".cutout", ".defocus", ".magnified", ".mask", ".motion", ".overlay"})
"""What stands before the suffix of the files that our commands write."""


@dataclass(slots=True)
class Found:
    """What was found among files and in folders.

    Attributes
    ----------
    photos : list of (str, str)
        Each photo's path, and that path below the folder it was found in. Text, because that
        takes a tenth of the memory of paths.
    failures : list of PhotoFailure
        Folders that cannot be listed, or that hold no photo.
    left_out : int
        Files that are no photos, and folders that are only linked to.
    """

    photos: list[tuple[str, str]] = field(default_factory=list)
    failures: list[PhotoFailure] = field(default_factory=list)
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.photos)

    def paths(self) -> list[Path]:
        """Return the photos' paths, in order."""
        return [Path(photo) for photo, _ in self.photos]


def find_photos(sources: Iterable[Path], *, output: Path | None = None) -> Found:
    """Find the photos among files and in folders and their subfolders, each once, in order.

    A file that is named is taken for a photo whatever it is called. In folders the suffix
    decides; hidden files and folders are passed over, and so is what an earlier run made.
    Links to folders are not followed, so that no walk goes in circles.

    Parameters
    ----------
    sources : iterable of Path
    output : Path, optional
        A folder that is passed over where it is inside of a source.
    """
    found = Found()
    seen: set[str] = set()
    excluded = None if output is None else os.path.realpath(output)
    for source in sources:
        if source.is_dir():
            _walk(source, found, seen, excluded)
        elif (real := real_path(source)) not in seen:
            seen.add(real)
            found.photos.append((str(source), source.name))
    return found


def list_photos(source: Path) -> list[Path]:
    """Return a file as it is, or the photos in a folder and its subfolders, in order.

    Raises
    ------
    ImageError
        If a folder holds no photo, or one in it cannot be listed.
    """
    found = find_photos([source])
    if found.failures:
        raise found.failures[0].error
    return found.paths()


def real_path(photo: str | Path) -> str:
    """Return a file's absolute path, links resolved except for the file's own."""
    folder, name = os.path.split(photo)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - paths are slower


def _walk(source: Path, found: Found, seen: set[str], excluded: str | None) -> None:
    real_source = os.path.realpath(source)
    failures, has_photos = len(found.failures), False
    folders = [""]
    while folders:
        below = folders.pop()
        photos, inner = _list(source, below, found)
        has_photos = has_photos or bool(photos)
        for name in photos:
            real = os.path.join(real_source, below, name)  # noqa: PTH118
            if real not in seen:
                seen.add(real)
                inside = os.path.join(below, name)  # noqa: PTH118
                found.photos.append((os.path.join(source, inside), inside))  # noqa: PTH118
        for name in reversed(inner):
            path = os.path.join(below, name)  # noqa: PTH118
            if os.path.join(real_source, path) != excluded:  # noqa: PTH118
                folders.append(path)
    if not has_photos and len(found.failures) == failures:
        error = ImageError(f"{source}: no photos in this folder; give one that holds photos")
        found.failures.append(PhotoFailure(source, error))


def _list(source: Path, below: str, found: Found) -> tuple[list[str], list[str]]:
    """Return the names of photos and of folders in a folder, in order."""
    photos, folders = [], []
    place = os.path.join(source, below)  # noqa: PTH118
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif _is_photo(entry):
                    photos.append(entry.name)
                else:
                    found.left_out += 1
    except OSError as error:
        line = f"{place}: this folder cannot be listed ({error.strerror}); check its rights"
        found.failures.append(PhotoFailure(Path(place), ImageError(line)))
    return sorted(photos), sorted(folders)


def _is_photo(entry: os.DirEntry[str]) -> bool:
    name = PurePath(entry.name)
    if name.suffix.lower() not in PHOTO_SUFFIXES or PurePath(name.stem).suffix in MADE:
        return False
    # A link that leads nowhere is said to be broken when it is read; pipes and devices are not.
    return entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))  # noqa: PTH110
