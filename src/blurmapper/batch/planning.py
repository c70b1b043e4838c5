"""The plan: where each photo's files go, and what is done already."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from blurmapper.addresses import Address
from blurmapper.batch.claims import Claims, Journal, digest_output
from blurmapper.batch.finding import Found, real_path
from blurmapper.batch.manifest import Manifest, identify
from blurmapper.batch.sameness import find_inode, is_in_place, is_same
from blurmapper.batch.tasks import MOST, Job, Result, Task, is_number
from blurmapper.errors import ConfigError, ImageError
from blurmapper.locations import Location

Owner = Callable[[str], Mapping[str, Any] | None]
"""Name -> what is kept of the photo that it belongs to: ``photo`` and, where known, ``file``."""

Identify = Callable[[Location], list[int] | None]
"""Photo -> what changes when it does."""

RECORDED = ("photo", "file", "settings")
"""What every line of a manifest holds; older ones hold less beside it, and are then done again."""


def plan_jobs(
    found: Found, output: Location, owner: Owner | None = None, identify: Identify = identify
) -> Iterator[Job]:
    """Give every photo outputs of its own under `output`, folders mirrored.

    Outputs are called after the photo's whole name: ``sub/x.jpg`` gives ``sub/x.jpg.blur.png``.
    So they depend on nothing but the photo, and ``x.jpg`` and ``x.png`` never meet, in one run
    or in two. Only photos from different folders that are given side by side can; then the
    first keeps the name, and the others get eight digits of their paths' SHA-256 with it. A photo
    keeps the name that an earlier run gave it.

    Parameters
    ----------
    found : Found
    output : Path or Address
    owner : callable, optional
        Key -> the line of the photo that an earlier run gave it to, or one that differs by
        capitals alone.
    identify : callable
        What its lines tell photos by.

    Yields
    ------
    Job
        One for each photo, in order.
    """
    taken: set[str] = set()
    for text, below in found.photos:
        photo = Path(text) if isinstance(text, str) else text
        key = below
        # Case folded, since some file systems hold X and x to be one name.
        if key.casefold() in taken or owner is not None:
            real = real_path(photo)
            others = _other_names(below, real)
            first = next(others)
            line = None if owner is None else owner(first)
            is_its_own = line is not None and line["photo"] == real
            key = next(
                name
                for name in chain((first,) if is_its_own else (), (below, first), others)
                if name.casefold() not in taken
                and not (owner and _is_anothers(owner(name), real, identify))
            )
        taken.add(key.casefold())
        yield Job(photo, output / key, key)


def _other_names(below: str, real: str) -> Iterator[str]:
    """Yield names with digits of a photo's path; further ones, as photos can be called so too."""
    stem, suffix = os.path.splitext(below)  # noqa: PTH122 - a hundred thousand of them
    for number in count():
        digest = hashlib.sha256(os.fsencode(real) + bytes(number)).hexdigest()[:8]
        yield f"{stem}-{digest}{suffix}"


class DoneBefore(AbstractContextManager["DoneBefore"]):
    """What is done already in an output folder, as a command's manifest has it; and what is ours.

    Parameters
    ----------
    output : Path or Address
        The folder, which is made if it is not there.
    task : Task
        What was done by other settings of it is not done.
    redo : bool
        Take no photo for done; names of outputs are kept all the same.

    Raises
    ------
    ImageError
        If the folder or the manifest cannot be made or written, or the journal is no file.
    """

    def __init__(self, output: Location, task: Task, *, redo: bool = False) -> None:
        self._task, self._settings, self._redo = task, task.digest_settings(), redo
        self._journal: Journal | None = None
        if task.kinds and isinstance(output, Path):
            self._journal = Journal(output, task.name)
        self._begun = self._journal.read() if self._journal else {}
        self.manifest = Manifest(output / f"{task.name}.jsonl", RECORDED)
        # One listing in place of a question for each file.
        self._there = (
            {str(file): file.identity for file in output.list_files()}
            if isinstance(output, Address) and not redo
            else {}
        )
        self._added: set[tuple[str, str]] = set()

    def __exit__(self, *_: object) -> None:
        try:
            self._settle()
        finally:
            self.manifest.close()

    def plan(self, found: Found, output: Location) -> Iterator[Job]:
        """Return each photo's job, with what is done of it.

        Raises
        ------
        ConfigError
            If a photo would take a mask that an earlier run gave to another.
        """
        taken = self.manifest.shared_names
        for job in plan_jobs(found, output, self._owner, self._task.identify) if taken else ():
            name = self._task.shared_name(job.key)
            if name is None or name not in taken:
                continue
            if _is_anothers({"photo": taken[name]}, real_path(job.photo)):
                raise ConfigError(
                    f"{job.photo}: would take the mask {name} of {taken[name]}; "
                    "use --masks colmap, or another folder with -o DIR"
                )
        return self._plan(found, output)

    def _plan(self, found: Found, output: Location) -> Iterator[Job]:
        jobs = plan_jobs(found, output, self._owner, self._task.identify)
        if not self._task.kinds:
            # A task that writes no files knows photos by where they are and what was asked of them,
            # so that what is asked for now and then displaces nothing.
            asked = json.dumps([self._task.method, *self._task.choices()])
            jobs = (Job(photo, None, f"{real_path(photo)} {asked}") for photo in found.locations())
        for planned in jobs:
            # Asked for now: a photo that is changed while it is read is then done again.
            line = self.manifest.find(planned.key)
            identity, inode = self._task.identify(planned.photo), find_inode(planned.photo)
            job = replace(planned, identity=identity, inode=inode)
            done = self._find(job, line) if line is not None else None
            has_moved = line is not None and not is_in_place(line, job.photo, job.inode)
            if done is not None and line is not None:
                # Photos of one size and time there are many of.
                holds = not has_moved or is_same(line, job.photo, job.inode)
                done = replace(done, content=line.get("content")) if holds else None
            if done is None or has_moved:
                job = replace(job, claims=self._claim(job, line))
            if done is not None and has_moved:
                # Whatever comes to where it was is another photo.
                self.add(job, done)
            yield replace(job, done=done)

    def add(self, job: Job, result: Result) -> None:
        """Write down that a photo is done.

        Raises
        ------
        ImageError
            If the line cannot be written.
        """
        line = {"photo": real_path(job.photo), "file": job.identity, **result.values}
        line |= {"seconds": result.seconds, "settings": self._settings, "inode": job.inode}
        line |= {} if result.content is None else {"content": result.content}
        shared = self._task.shared_name(job.key)
        line |= {} if shared is None else {"claim": shared}
        if job.claims is not None:
            names, folder = map(job.claims.name, result.files.values()), job.claims.journal.output
            new, known = {name: digest_output(folder / name) for name in names}, job.claims.known
            # What other options wrote stays known; what was done before may have changed since.
            known = {**new, **known} if result.done_before else {**known, **new}
            line |= {"files": sorted(known), "digests": known}
        # What is only measured can be measured again.
        with nullcontext() if self._task.kinds else suppress(ImageError):
            self.manifest.add(job.key, line)
            if self._journal is not None:
                self._added.add((job.key, real_path(job.photo)))

    def _claim(self, job: Job, line: Mapping[str, Any] | None) -> Claims | None:
        """Return what the files of a photo may take the place of, which is what ours wrote."""
        if self._journal is None:
            return None
        claims = Claims(self._journal, job.key, real_path(job.photo))
        names = {claims.name(file) for file in self._task.files_of(job, line or {}).values()}
        known = set(self._begun.get((job.key, claims.photo), ()))
        if line is not None:
            # Lines from an address name no files: all that the photo may have is taken for ours.
            known |= set(line.get("files", names))
        shared = self._task.shared_name(job.key)
        if shared in self.manifest.shared_names:
            known |= {name for name in names if name.casefold().endswith(f"/{shared}")}
        written = _digests_in(line or {})
        return replace(claims, known={name: written.get(name) for name in known}, redo=self._redo)

    def _settle(self) -> None:
        """Keep in the journal what is written and in no line of the manifest."""
        if self._journal is None:
            return
        begun = self._journal.read()
        for (key, photo), names in begun.items():
            line = self.manifest.find(key) or {}
            written = _digests_in(line)
            # What a killed run wrote over what the line says is in no line.
            settled = {
                name
                for name in names.intersection(line.get("files", ()))
                if written.get(name) in (None, digest_output(self._journal.output / name))
            }
            names.difference_update(names if (key, photo) in self._added else settled)
        self._journal.write(begun)

    def _owner(self, key: str) -> Mapping[str, Any] | None:
        owners = self.manifest.find_alike(key)
        there = (line for line in owners if len(owners) > 1 and _may_be_there(str(line["photo"])))
        return next(there, next(iter(owners), None))

    def _find(self, job: Job, line: Mapping[str, Any]) -> Result | None:
        """Return what came of a photo if neither it, the settings nor its files have changed."""
        if self._redo or line["settings"] != self._settings or line["file"] != job.identity:
            return None
        most = {"height": MOST, "width": MOST, "seconds": MOST, **self._task.measured}
        noted = self._task.noted
        # Whoever changes a line by hand may leave anything there.
        if not all(is_number(line.get(name), limit) for name, limit in most.items()):
            return None
        if not all(name in line and can_be(line[name]) for name, can_be in noted.items()):
            return None
        if not line["height"] or not line["width"]:
            return None
        values = {name: line[name] for name in (*most, *noted) if name != "seconds"}
        files = self._task.files_of(job, values)
        if not all(self._holds_something(file) for file in files.values()):
            return None
        return Result(job.photo, values, files, line["seconds"], done_before=True)

    def _holds_something(self, file: Location) -> bool:
        known = self._there.get(str(file)) if isinstance(file, Address) else identify(file)
        return known is not None and known[0] > 0


def _is_anothers(line: Mapping[str, Any] | None, real: str, identify: Identify = identify) -> bool:
    """Say whether a name belongs to another photo, and not to this one at an older place."""
    if line is None or line["photo"] == real:
        return False
    first = str(line["photo"])
    if not _may_be_there(first):
        # It has come here, or is on a card that was taken out: names are alike on all of them.
        return "file" in line and not _has_come(line, Path(real), identify)
    # Where file systems tell no capitals from small letters, that is one photo under two names.
    inode = find_inode(first) if first.casefold() == real.casefold() else None
    return inode is None or inode != find_inode(real)


def _has_come(line: Mapping[str, Any], photo: Path, identify: Identify) -> bool:
    """Say whether a photo is a line's, whose place it is not in."""
    known, found, inode = line["file"], identify(photo), find_inode(photo)
    if "content" not in line:
        return bool(known == found) or (inode is not None and line.get("inode") == inode)
    # Some copies keep no time.
    is_sized = isinstance(known, list) and found is not None and known[:1] == found[:1]
    return is_sized and is_same(line, photo, inode)


def _digests_in(line: Mapping[str, Any]) -> dict[str, str | None]:
    # Whoever changes a line by hand may leave anything there.
    digests = line.get("digests")
    return digests if isinstance(digests, dict) else {}


def _may_be_there(photo: str) -> bool:
    return "://" in photo or os.path.lexists(photo)
