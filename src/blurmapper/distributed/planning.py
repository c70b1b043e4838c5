"""Photos and folders behind any address -> where the files of each photo go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from blurmapper.batch.walking import MADE
from blurmapper.distributed.places import Listed, Place, find_place
from blurmapper.errors import BlurMapperError, ImageError
from blurmapper.images import PHOTO_SUFFIXES


@dataclass(frozen=True, slots=True)
class PlacedJob:
    """A photo, and the place of its outputs without their endings.

    Attributes
    ----------
    photo, target : Place
    modified : int or None
        When the photo was last changed, in nanoseconds since 1970.
    """

    photo: Place
    target: Place
    modified: int | None


def plan_places(
    sources: Iterable[str], output: Place
) -> tuple[list[PlacedJob], list[BlurMapperError]]:
    """Find the photos among files and in folders, and give each outputs of its own.

    The rules are those of `blurmapper.batch.find_photos` and `plan_jobs`: in folders the suffix
    decides, hidden files and what an earlier run made are passed over, outputs are called after
    the photo's whole name, and folders are mirrored.

    Returns
    -------
    list of PlacedJob
        One for each photo, in order; a photo given twice is mapped once.
    list of BlurMapperError
        One for each source that is not there or holds no photo.
    """
    jobs: dict[str, PlacedJob] = {}
    taken: set[str] = set()
    errors: list[BlurMapperError] = []
    for source in sources:
        try:
            place = find_place(source)
            files = _find_photos(place)
        except BlurMapperError as error:
            errors.append(error)
            continue
        for file in files:
            photo = place.join(file.path)
            key = f"{photo.filesystem.type_name}:{photo.root}"
            if key not in jobs:
                below = _own_name(file, photo, taken)
                jobs[key] = PlacedJob(photo, output.join(below), file.modified)
    return list(jobs.values()), errors


def _find_photos(source: Place) -> list[Listed]:
    files = source.list_files()
    if [file.path for file in files] == [PurePosixPath()]:
        return files
    photos = [file for file in files if _is_photo(file.path)]
    if not photos:
        raise ImageError(f"{source.address}: no photos in this folder; give one that holds photos")
    return photos


def _is_photo(path: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    is_made = PurePosixPath(path.stem).suffix in MADE
    return path.suffix.lower() in PHOTO_SUFFIXES and not hidden and not is_made


def _own_name(file: Listed, photo: Place, taken: set[str]) -> PurePosixPath:
    below = file.path if file.path.name else PurePosixPath(PurePosixPath(photo.root).name)
    if str(below).casefold() in taken:
        digest = hashlib.sha256(photo.address.encode()).hexdigest()[:8]
        below = below.with_name(f"{below.stem}-{digest}{below.suffix}")
    taken.add(str(below).casefold())
    return below
