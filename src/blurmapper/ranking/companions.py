"""What belongs to a photo in its folder: sidecars, edits, the clip of a Live Photo."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blurmapper.images import PHOTO_SUFFIXES

OF_ONE = re.compile(r"(\.out)?\.(xmp|pp3|arp|dop|on1)|(\.[a-z-]*)?\.json", re.IGNORECASE)
"""What follows NAME.EXT: XMP, RawTherapee, ART, DxO PhotoLab, ON1, Google Takeout."""

OF_A_STEM = re.compile(
    r"\.(xmp|aae|pp3|arp|dop|on1|vrd|nksc|thm|wav|mie|json|mov|mp4|mp|mv)", re.IGNORECASE
)
"""What follows NAME: Lightroom's XMP, Apple's edits, other programs', a thumbnail, a spoken memo,
the clip of a Live Photo. It belongs to all photos of that stem, such as a raw file and its JPEG."""

_CLIP = re.compile(r"\.m[pv](~\d+)?$", re.IGNORECASE)
"""How the stem of a Pixel's motion photo ends, NAME.MP.jpg, whose clip is NAME.MP."""

_VERSION = re.compile(r"_\d{2,3}(?=\.)")
_LAST_VERSION = re.compile(r"_\d{2,3}$")
_TAKEOUT = re.compile(r"(.+)(\(\d+\))(\.json)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that belongs to a photo.

    Attributes
    ----------
    path : Path
    stem : str
        The photo's stem as its name has it, in upper or lower case.
    rest : str
        What its name has behind that.
    is_shared : bool
        Whether it belongs to other photos of that stem too, that are still there.
    """

    path: Path
    stem: str
    rest: str
    is_shared: bool

    def place_in(self, folder: Path, number: str) -> Path:
        """Return where it goes when its photo comes to a folder with a number, or none."""
        numbered = f"{add_number(self.stem, number)}{self.rest}"
        return folder / (numbered if number else self.path.name)


class _Names:
    """The names in a folder, by what they begin with; photos by their stems alone."""

    def __init__(self) -> None:
        self.by_start: defaultdict[str, set[str]] = defaultdict(set)
        self.photos: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, name: str) -> None:
        for start in _starts(name):
            self.by_start[start].add(name)
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        if suffix.lower() in PHOTO_SUFFIXES:
            self.photos[stem.casefold()].add(name)


class Folders:
    """The names in folders, each of which is listed once."""

    def __init__(self) -> None:
        self._listed: dict[Path, _Names] = {}
        self._expected: set[Path] = set()

    def add(self, path: Path) -> None:
        """Take down a file that has been made since its folder was listed."""
        self._list(path.parent).add(path.name)

    def expect(self, path: Path) -> None:
        """Take a file for one that is there, as it would be but for a dry run."""
        self._expected.add(path)
        self.add(path)

    def find_alike(self, photo: Path, wanted: Path) -> Path:
        """Return a photo's file of a name, whatever its case, or where a new one goes."""
        if wanted.name in self._near(photo):
            return wanted
        alike = [
            name
            for name in sorted(self._near(photo), key=lambda name: (name[:-4] != wanted.stem, name))
            if name.casefold() == wanted.name.casefold()
            and not self._is_of_another(photo, name[: len(wanted.stem)], photo.with_name(name))
        ]
        return wanted.with_name(alike[0]) if alike else wanted

    def find_companions(self, photo: Path) -> list[Companion]:
        """Return the files that belong to a photo, which need not be there itself."""
        return [
            Companion(path, owner[: len(photo.stem)], rest, bool(self.find_others(path, photo)))
            for name, rest, owner in self._split(photo, self._near(photo))
            if self._is_there(path := photo.with_name(name))
            and not self._is_of_another(photo, owner, path)
        ]

    def find_others(self, companion: Path, photo: Path) -> list[Path]:
        """Return the other photos that a photo's file belongs to; the photo need not be there."""
        near = self._photos_near(companion) - {photo.name}
        return [
            other
            for other in (companion.with_name(name) for name in sorted(near))
            if self._is_there(other)
            for _, _, owner in self._split(other, {companion.name})
            if not self._is_of_another(other, owner, companion, photo.name)
        ]

    def _is_there(self, path: Path) -> bool:
        return path in self._expected or os.path.lexists(path)

    @staticmethod
    def _split(photo: Path, near: set[str]) -> Iterator[tuple[str, str, str]]:
        """Yield names that fit, what follows the stem, and what of them is their owner's name."""
        stem, suffix = photo.stem, photo.suffix.casefold()
        for name in sorted(near):
            full = _move_number(name, stem)
            rest = full[len(stem) :]
            if name == photo.name or full[: len(stem)].casefold() != stem.casefold():
                continue
            version = _VERSION.match(rest)
            counted = version.end() if version else 0
            if OF_A_STEM.fullmatch(rest) or (not rest and _CLIP.search(stem)):
                yield name, rest, full[: len(stem)]
            elif rest[counted:].casefold().startswith(suffix):
                behind = rest[counted + len(suffix) :]
                if OF_ONE.fullmatch(behind) and (not counted or behind.casefold() == ".xmp"):
                    yield name, rest, full[: len(full) - len(behind)]

    def _is_of_another(self, photo: Path, owner: str, companion: Path, *besides: str) -> bool:
        """Say whether another photo has the very name that a companion is called after."""
        # NAME_01.EXT.xmp is of NAME_01.EXT, or where there is none a version of NAME.EXT.
        if owner in (photo.name, photo.stem):
            return False
        named = {owner, _VERSION.sub("", owner)} - {photo.name, photo.stem}
        return any(
            not named.isdisjoint((other, os.path.splitext(other)[0]))  # noqa: PTH122
            for other in (*self._photos_near(companion), *besides)
        )

    def _photos_near(self, companion: Path) -> set[str]:
        """Return the names of the photos that a file may belong to."""
        photos = self._list(companion.parent).photos
        return {name for start in _starts(companion.name) for name in photos.get(start, ())}

    def _near(self, photo: Path) -> set[str]:
        return self._list(photo.parent).by_start.get(photo.stem.casefold(), set())

    def _list(self, folder: Path) -> _Names:
        if folder not in self._listed:
            names = self._listed[folder] = _Names()
            with suppress(OSError):
                for name in os.listdir(folder):  # noqa: PTH208 - names are all that is asked
                    names.add(name)
        return self._listed[folder]


def add_number(stem: str, number: str) -> str:
    """Return a photo's stem with a number, which NAME.MP has as its clip can have it."""
    clip = _CLIP.search(stem)
    end = clip.start() if clip else len(stem)
    return stem[:end] + number + stem[end:]


def _starts(name: str) -> set[str]:
    """Return the stems, case folded, of the photos that a file may belong to."""
    dots = [match.start() for match in re.finditer(r"\.", name)]
    starts = [name, *(name[:dot] for dot in dots)]
    takeout = _TAKEOUT.fullmatch(name)
    moved = [start + takeout[2] for start in starts] if takeout else []
    # darktable calls a photo's second edit NAME_01.EXT.xmp.
    starts += [_LAST_VERSION.sub("", start) for start in starts]
    return {start.casefold() for start in (*starts, *moved)}


def _move_number(name: str, stem: str) -> str:
    """Return Google Takeout's NAME.EXT(1).json, which is of NAME(1).EXT, as NAME(1).EXT.json."""
    takeout = _TAKEOUT.fullmatch(name)
    if takeout is None or not stem.endswith(takeout[2]):
        return name
    end = len(stem) - len(takeout[2])
    return takeout[1][:end] + takeout[2] + takeout[1][end:] + takeout[3]
