"""What a person chose in a report or in the browser, as the page saves it."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from blurmapper.decoding.opening import is_heif, read_head, read_header_size
from blurmapper.decoding.raw import starts_like_raw
from blurmapper.errors import ConfigError, ImageError
from blurmapper.locations import is_file, read_regular
from blurmapper.ranking.marks import REJECTED, Mark

MADE_BY = "blurmapper picks 1"


@dataclass(frozen=True, slots=True)
class Picks:
    """The photos below a folder that something was said of, in the page's order, and what."""

    marks: dict[Path, Mark]
    folder: Path

    def find_faults(self) -> dict[Path, ImageError]:
        """Return why photos are not to be touched; whoever made the picks may be a stranger."""
        lines = {}
        for photo in self.marks:
            if not is_file(photo):
                lines[photo] = "no such file; say where the photos are now: rank FOLDER --apply"
            elif not _is_photo(photo):
                lines[photo] = "is no photo and is left as it is; unpick it"
        return {photo: ImageError(f"{photo}: {line}") for photo, line in lines.items()}

    def select(self, which: str) -> list[Path]:
        """Return the photos that are picked, rejected, or have at least so many stars.

        Parameters
        ----------
        which : str
            ``pick``, ``reject``, or ``1`` to ``5``.

        Raises
        ------
        ConfigError
            If it is none of these.
        """
        if which in ("pick", "reject"):
            return [photo for photo, mark in self.marks.items() if mark.flag == which]
        if which not in ("1", "2", "3", "4", "5"):
            raise ConfigError(f"--only {which}: say pick, reject, or 1 to 5 for so many stars")
        stars = int(which)
        return [photo for photo, mark in self.marks.items() if (mark.rating or 0) >= stars]


def read_picks(path: Path, folder: Path | None = None) -> Picks:
    """Read picks that a page saved.

    Parameters
    ----------
    path : Path
    folder : Path, optional
        Where the photos are now, if they were moved since.

    Raises
    ------
    ConfigError
        If it is no such file, or names what is not below the folder.
    """
    try:
        # Editors of Windows put a mark of order before what they save.
        content = json.loads(read_regular(path).decode("utf-8-sig"))
        if content["made_by"] != MADE_BY:
            raise ValueError(content["made_by"])  # noqa: TRY301
        marks = {_below(each["photo"]): _to_mark(each) for each in content["photos"]}
        base = folder or Path(content["folder"])
        if folder and not content["folder"]:
            base = _find_dropped(folder, marks)
        return Picks({base / photo: mark for photo, mark in marks.items()}, base)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: holds no picks of a report; save them there with Save picks"
        ) from error


def _find_dropped(folder: Path, photos: Collection[PurePosixPath]) -> Path:
    """Return what the names of photos begin at that a page in the browser knows no folder of.

    It calls the photos of a folder that was dropped by that folder's name too.
    """
    own = Path(os.path.abspath(folder))  # noqa: PTH100 - Path keeps what .. leads out of
    is_dropped = all(photo.parts[0] == own.name and not is_file(own / photo) for photo in photos)
    return own.parent if is_dropped else folder


def _below(name: Any) -> PurePosixPath:
    below = PurePosixPath(str(name))
    if below.is_absolute() or ".." in below.parts or not below.parts:
        raise ValueError(name)
    return below


def _to_mark(each: dict[str, Any]) -> Mark:
    flag, rating = each.get("flag"), each.get("rating")
    if flag not in ("pick", "reject", "", None) or rating not in (0, 1, 2, 3, 4, 5, None):
        raise ValueError(flag, rating)
    # What counts as 0 to 5 need not look so: true, and 4.0 of programs without whole numbers.
    rating = rating if rating is None else int(rating)
    return Mark(REJECTED if flag == "reject" else rating, flag="neither" if flag == "" else flag)


def _is_photo(path: Path) -> bool:
    """Say whether a file begins as photos do, whatever it is called and wherever a link leads."""
    with suppress(OSError), path.open("rb") as stream:
        head = read_head(stream)
        return starts_like_raw(head) or is_heif(head) or read_header_size(stream) is not None
    return False
