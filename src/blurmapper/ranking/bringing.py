"""Bringing photos, with what belongs to them, to a folder."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from blurmapper.errors import BlurMapperError, ImageError
from blurmapper.parts import part_in, sweep_once
from blurmapper.ranking.companions import Companion, Folders, add_number
from blurmapper.ranking.putting import are_equal, are_names_of_one, is_copied, put, real_name


def copy_photos(
    photos: Iterable[Path], folder: Path, *, dry_run: bool = False
) -> Generator[Path | BlurMapperError]:
    """Copy photos into a folder; yield where each is, or why it is not.

    Nothing is overwritten: where a name is taken by another file, or files are there that would
    belong to the copy, or would the copy's own to another photo, it gets a number, ``NAME-2.EXT``;
    where it is taken by an equal file that an earlier run copied, nothing is done but to add what
    has come to belong to it. What belongs to a photo (`blurmapper.ranking.companions`) goes with
    it, unless it is a link, and an error says which of it has changed since. A copy has its name
    only once it is whole. With `dry_run` nothing is done.
    """
    return _bring(photos, _Bringer(folder, move=False, dry_run=dry_run), "copied")


def move_photos(
    photos: Iterable[Path], folder: Path, *, dry_run: bool = False
) -> Generator[Path | BlurMapperError]:
    """Move photos into a folder; yield where each is, or why it is not.

    Nothing is overwritten: where a name is taken, or files are there that would belong to the
    photo, or would its own to another, it gets a number, ``NAME-2.EXT``. What belongs to a photo
    goes with it, and is copied where it belongs to photos that stay as well. Links lead where they
    led. A photo that is in the folder stays. With `dry_run` nothing is done.
    """
    return _bring(photos, _Bringer(folder, move=True, dry_run=dry_run), "moved")


def _bring(
    photos: Iterable[Path], bringer: _Bringer, done: str
) -> Generator[Path | BlurMapperError]:
    try:
        for photo in photos:
            try:
                yield bringer.bring(photo)
            except ImageError as error:
                yield error
            except OSError as error:
                reason = error.strerror or error
                yield ImageError(f"{photo}: cannot be {done} ({reason}); check the folder")
    finally:
        # Also of what was moved before somebody broke off.
        bringer.mend_links()


class _Bringer:
    """Brings photos and what belongs to them to a folder, a photo at a time."""

    def __init__(self, folder: Path, *, move: bool, dry_run: bool) -> None:
        self._folder = folder
        self._move = move
        self._dry_run = dry_run
        self._given: set[Path] = set()
        self._planned: dict[Path, Path] = {}
        self._folders = Folders()
        self._moved: dict[str, Path] = {}
        self._links: list[Path] = []

    def bring(self, photo: Path) -> Path:
        """Copy or move a photo, all that belongs to it or nothing, and return where it is.

        Raises
        ------
        ImageError
            If it is there already, but with other files in place of those that belong to it.
        """
        if not self._dry_run:
            self._folder.mkdir(parents=True, exist_ok=True)
            sweep_once(self._folder)
        if self._folder.exists() and photo.parent.samefile(self._folder):
            return photo
        companions = [
            each
            for each in self._folders.find_companions(photo)
            if (self._move if each.path.is_symlink() else each.path.is_file())
        ]
        earlier: tuple[Path, dict[Companion, Path]] | None = None
        for number in chain([""], map("-{}".format, count(2))):
            target = self._folder / f"{add_number(photo.stem, number)}{photo.suffix}"
            places = {each: each.place_in(self._folder, number) for each in companions}
            if self._is_there(photo, target, places):
                break
            if not self._is_free(photo, target, places):
                if earlier is None and self._is_earlier_copy(photo, target):
                    earlier = target, places
                continue
            if earlier is not None and self._there(target) is None:
                # No copy has all that belongs to the photo, so the first gets what it lacks.
                target, places = earlier
            joining = self._find_joining(photo, target, places)
            fit = {each: place for each, place in places.items() if each not in joining}
            try:
                (self._plan if self._dry_run else self._place)(photo, target, fit)
            except FileExistsError:
                continue
            break
        self._given.add(target)
        if earlier is not None or (self._move and os.path.lexists(photo)):
            self._check_complete(photo, target, places)
        return target

    def _there(self, place: Path) -> Path | None:
        """Return what has the content that a name stands for now, or will after a dry run."""
        return place if os.path.lexists(place) else self._planned.get(place)

    def _is_like(self, source: Path, place: Path) -> bool:
        there = self._there(place)
        return there is not None and are_equal(source, there)

    def _is_there(self, photo: Path, target: Path, places: dict[Companion, Path]) -> bool:
        """Say whether the target is the photo already, with all that belongs to it."""
        if not self._move:
            return self._is_like(photo, target) and self._has_all(places)
        if target in self._given or not (photo.exists() and target.exists()):
            return False
        # A move that was killed is finished.
        return target.samefile(photo) and not are_names_of_one(photo, target)

    def _has_all(self, places: dict[Companion, Path]) -> bool:
        return all(self._is_like(each.path, place) for each, place in places.items())

    def _is_free(self, photo: Path, target: Path, places: dict[Companion, Path]) -> bool:
        there = self._there(target)
        if there is None:
            return not self._would_mix(photo, target, places)
        if self._move:
            # What this run brought there is another photo, though it may be the same file.
            is_killed_move = target not in self._given and are_names_of_one(photo, there)
            return is_killed_move and not self._would_mix(photo, target, places)
        if not are_equal(photo, there):
            return False
        if target in self._given:
            return not self._would_mix(photo, target, places)
        return not self._find_joining(photo, target, places) and self._has_all(
            {each: place for each, place in places.items() if self._there(place) is not None}
        )

    def _is_earlier_copy(self, photo: Path, target: Path) -> bool:
        """Say whether another run copied the photo there, and a file of either was changed."""
        return not self._move and target not in self._given and self._is_like(photo, target)

    def _check_complete(self, photo: Path, target: Path, places: dict[Companion, Path]) -> None:
        lacking = [e.path.name for e, at in places.items() if not self._is_like(e.path, at)]
        if lacking:
            raise ImageError(
                f"{photo}: {target} is this photo already and nothing there is replaced, so "
                f"{', '.join(lacking)} stayed behind; move that photo away, then run again"
            )

    def mend_links(self) -> None:
        """Point links at files that were moved after them, or before them, to where these are."""
        for link in self._links:
            moved = self._moved.get(os.path.realpath(link))
            if moved is not None and not link.exists():
                with suppress(OSError), part_in(link.parent) as part:
                    part.symlink_to(os.path.relpath(moved, os.path.realpath(link.parent)))
                    part.replace(link)

    def _would_mix(self, photo: Path, target: Path, places: dict[Companion, Path]) -> bool:
        """Say whether files would be taken for the photo's own, or its own for another photo's."""
        ours = {place: each.path for each, place in places.items()}
        return (
            any(
                each.path not in ours or not self._is_like(ours[each.path], each.path)
                for each in self._folders.find_companions(target)
            )
            or any(self._there(at) and not self._is_like(source, at) for at, source in ours.items())
            or bool(self._find_joining(photo, target, places))
        )

    def _find_joining(
        self, photo: Path, target: Path, places: dict[Companion, Path]
    ) -> list[Companion]:
        """Return what is new there and would be of another photo, which it is not of here."""
        return [
            each
            for each, place in places.items()
            if self._there(place) is None
            for other in self._folders.find_others(place, target)
            if not any(
                self._is_same(twin, other) for twin in self._folders.find_others(each.path, photo)
            )
        ]

    def _is_same(self, source: Path, place: Path) -> bool:
        """Say whether a photo there is one that was copied, or whose move was killed."""
        if source.suffix != place.suffix:
            return False
        there = self._there(place)
        if there is None or not self._move:
            return self._is_like(source, place)
        return are_names_of_one(source, there)

    def _plan(self, photo: Path, target: Path, places: dict[Companion, Path]) -> None:
        for place, source in {target: photo, **{at: e.path for e, at in places.items()}}.items():
            self._planned.setdefault(place, source)
            self._folders.expect(place)

    def _place(self, photo: Path, target: Path, places: dict[Companion, Path]) -> None:
        beside = [(c.path, at, self._move and not c.is_shared) for c, at in places.items()]
        made: dict[Path, Path] = {}
        try:
            # The photo comes last, so that a run that is killed leaves none without what is its.
            for source, place, move in [*beside, (photo, target, self._move)]:
                if not os.path.lexists(place):
                    put(source, place, move=self._move if source.is_symlink() else move)
                    made[place] = source
            if self._move and (target in made or are_names_of_one(photo, target)):
                self._take_away(photo, target)
        except BaseException:
            # Once the photo is gone from where it was, this is the only one.
            if os.path.lexists(photo):
                for place in made:
                    place.unlink()
            raise
        for place in made:
            self._folders.add(place)
        for source, place, move in beside:
            is_brought = made.get(place) == source or is_copied(source, place)
            if move and not os.path.lexists(photo) and is_brought:
                self._take_away(source, place)

    def _take_away(self, source: Path, target: Path) -> None:
        origin, is_link = real_name(source), source.is_symlink()
        source.unlink()
        self._moved[origin] = target
        if is_link:
            self._links.append(target)
