"""Photos -> where the files of each go."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from blurmapper.batch.photo import Job
from blurmapper.batch.walking import Found, real_path


def plan_jobs(
    found: Found, output: Path, owner: Callable[[str], str | None] | None = None
) -> Iterator[Job]:
    """Give every photo outputs of its own under `output`, folders mirrored.

    Outputs are called after the photo's whole name: ``sub/x.jpg`` gives ``sub/x.jpg.blur.png``.
    So they depend on nothing but the photo, and ``x.jpg`` and ``x.png`` never meet, in one run
    or in two. Only photos from different folders that are given side by side can; then the
    first keeps the name, and the others get eight digits of their paths' SHA-256 with it.

    Parameters
    ----------
    found : Found
    output : Path
    owner : callable, optional
        Target below `output` -> absolute path of the photo that an earlier run gave it to.

    Yields
    ------
    Job
        One for each photo, in order.
    """
    taken: set[str] = set()
    for photo, below in found.photos:
        target = below
        # Case folded, since some file systems hold X and x to be one name.
        if target.casefold() in taken or _is_anothers(owner, target, photo):
            digest = hashlib.sha256(os.fsencode(real_path(photo))).hexdigest()[:8]
            stem, suffix = os.path.splitext(below)  # noqa: PTH122 - a hundred thousand of them
            target = f"{stem}-{digest}{suffix}"
        taken.add(target.casefold())
        yield Job(Path(photo), output / target)


def _is_anothers(owner: Callable[[str], str | None] | None, target: str, photo: str) -> bool:
    """Say whether a target belongs to another photo, and not to this one at an older place."""
    first = None if owner is None else owner(target)
    return first is not None and first != real_path(photo) and os.path.lexists(first)
