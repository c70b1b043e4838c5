"""Choosing the sharpest or blurriest photos, and bringing them to a folder."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Literal

from blurmapper.errors import BlurMapperError, ImageError
from blurmapper.ranking.bursts import Burst
from blurmapper.ranking.records import PhotoRecord
from blurmapper.ranking.sidecars import sidecar_path

End = Literal["sharpest", "blurriest"]
"""Of which end of the ranking photos are chosen."""


def select_photos(
    ranked: Sequence[PhotoRecord],
    end: End,
    number: int,
    bursts: Mapping[Path, Burst] | None = None,
) -> list[PhotoRecord]:
    """Return the sharpest photos, the sharpest first, or the blurriest, the blurriest first.

    Parameters
    ----------
    ranked : sequence of PhotoRecord
        From `rank_photos`, the sharpest first.
    end : {"sharpest", "blurriest"}
    number : int
        How many; all where there are fewer.
    bursts : mapping of Path to Burst, optional
        From `group_bursts`. With it the sharpest hold at most one photo of a burst, its best,
        and the blurriest none that is the best of a burst.
    """
    bursts = bursts or {}
    if end == "sharpest":
        eligible = [r for r in ranked if r.photo not in bursts or bursts[r.photo].is_best]
        return eligible[:number]
    eligible = [r for r in ranked if r.photo not in bursts or not bursts[r.photo].is_best]
    return eligible[::-1][:number]


def copy_photos(photos: Iterable[Path], folder: Path) -> Iterator[Path | BlurMapperError]:
    """Copy photos into a folder; yield where each is, or why it is not.

    Nothing is overwritten: where a name is taken by another file the copy gets a number,
    ``NAME-2.EXT``, and where it is taken by an equal file nothing is done. A sidecar
    ``NAME.EXT.xmp`` goes with its photo.
    """
    for photo in photos:
        try:
            yield _bring(photo, folder, move=False)
        except OSError as error:
            yield _failure(photo, "copied", error)


def move_photos(photos: Iterable[Path], folder: Path) -> Iterator[Path | BlurMapperError]:
    """Move photos into a folder; yield where each is, or why it is not.

    Nothing is overwritten: where a name is taken the photo gets a number, ``NAME-2.EXT``. A
    sidecar ``NAME.EXT.xmp`` goes with its photo. A photo that is in the folder stays.
    """
    for photo in photos:
        try:
            yield _bring(photo, folder, move=True)
        except OSError as error:
            yield _failure(photo, "moved", error)


def _bring(photo: Path, folder: Path, *, move: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    sidecar = sidecar_path(photo)
    numbered = (f"{photo.stem}-{number}{photo.suffix}" for number in count(2))
    for target in (folder / name for name in chain([photo.name], numbered)):
        if target.exists():
            if target.samefile(photo) or (not move and filecmp.cmp(photo, target, shallow=False)):
                return target
        elif not sidecar_path(target).exists() or not sidecar.exists():
            try:
                _place(photo, target, move=move)
            except FileExistsError:
                continue
            if sidecar.exists():
                _place(sidecar, sidecar_path(target), move=move)
            return target
    raise AssertionError("numbers do not end")


def _place(source: Path, target: Path, *, move: bool) -> None:
    """Copy or move a file to a name that is free, and fail where it is not."""
    if move:
        try:
            # Unlike a renaming, a link never takes the place of a file.
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:
            _copy(source, target)
        source.unlink()
    else:
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as content, target.open("xb") as copy:
        try:
            shutil.copyfileobj(content, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        except BaseException:
            target.unlink()
            raise
    shutil.copystat(source, target)


def _failure(photo: Path, done: str, error: OSError) -> ImageError:
    return ImageError(f"{photo}: cannot be {done} ({error.strerror or error}); check the folder")
