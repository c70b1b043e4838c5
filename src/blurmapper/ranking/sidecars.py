"""Marks in XMP sidecars, small files beside photos that photo software reads."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.parsers import expat

from PIL import ExifTags

from blurmapper import __version__
from blurmapper.decoding import read_metadata
from blurmapper.errors import BlurMapperError, ImageError
from blurmapper.files import not_written, write_file
from blurmapper.locations import SMALL, is_file, read_regular
from blurmapper.parts import sweep_once
from blurmapper.ranking.companions import Folders
from blurmapper.ranking.marks import (
    ALL_PROPERTIES,
    LIGHTROOM_GOOD,
    RATING,
    Mark,
    Marks,
    drop_nothing,
    find_gainsaid,
    is_by_hand,
    join_marks,
)
from blurmapper.ranking.packets import RDF, Property, read_properties, write_properties

Naming = Literal["full", "stem"]
"""NAME.EXT.xmp, as darktable and digiKam have it, or NAME.xmp, as Lightroom has it."""

_EMPTY = """\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="blurmapper {version}, {digest}">
 <rdf:RDF xmlns:rdf="{rdf}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
"""

_DIGEST = re.compile(rb'(?<=x:xmptk="blurmapper )([^",<]*), ([0-9a-f]{16})(?=")')
_NO_DIGEST = b"0" * 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A photo with a mark by another hand, which is not replaced, so that ours is not written."""

    photo: Path


def write_marks(
    marks: Iterable[tuple[Path, Mark]],
    naming: Naming = "full",
    *,
    replace: bool = False,
    dry_run: bool = False,
) -> Generator[Path | Kept | BlurMapperError | None]:
    """Write each photo's mark to a sidecar beside it; yield the sidecar, or why there is none.

    A new sidecar holds the mark and nothing else. To one that exists and is not of our making a
    mark is added where it says nothing, such as no stars. Where it, the photo's sidecar of the
    other naming or the photo itself says otherwise, such as -1 for rejected, nothing is written
    unless `replace`. Every other byte of a sidecar stays, but for stars or a flag that would
    gainsay the mark: no photo is rejected and has stars, or is picked. Photos are read at most.
    None is yielded where a mark that takes back finds nothing to take back.

    Parameters
    ----------
    marks : iterable of (Path, Mark)
        A photo, and what is said of it.
    naming : {"full", "stem"}
        ``NAME.EXT.xmp`` or ``NAME.xmp``. With the latter photos that differ by their suffix
        alone would share a sidecar: the first gets it, the others yield an error.
    replace : bool
        Also mark where others said otherwise, in place of what the sidecar says.
    dry_run : bool
        Write nothing; yield what would come of it.
    """
    owners: dict[str, Path] = {}
    folders = Folders()
    for photo, mark in marks:
        if not dry_run:
            sweep_once(photo.parent)
        sidecar = folders.find_alike(photo, sidecar_path(photo, naming))
        owner = owners.setdefault(os.path.realpath(sidecar), photo)
        if owner != photo:
            yield ImageError(
                f"{photo}: {sidecar.name} is already that of {owner.name}; name sidecars in full"
            )
            continue
        wanted = mark.properties()
        elsewhere = {} if replace else _read_elsewhere(photo, folders, naming)
        try:
            content = _change(sidecar, wanted, elsewhere, replace=replace)
            if content and not dry_run:
                write_file(sidecar, content, follow=True)
        except BlurMapperError as error:
            yield error
        else:
            yield Kept(photo) if content is None else sidecar if content else None


def sidecar_path(photo: Path, naming: Naming = "full") -> Path:
    """Return where a photo's new sidecar goes; one that is there may differ in case."""
    return photo.with_name(f"{photo.name if naming == 'full' else photo.stem}.xmp")


def new_sidecar(wanted: Marks) -> bytes:
    """Return the content of a sidecar that holds marks; it is ours while no byte is changed."""
    empty = _EMPTY.format(version=__version__, digest=_NO_DIGEST.decode(), rdf=RDF)
    return _sign(write_properties(empty.encode(), wanted))


def _sign(sidecar: bytes) -> bytes:
    blank = _DIGEST.sub(rb"\1, " + _NO_DIGEST, sidecar, count=1)
    digest = hashlib.sha256(blank).hexdigest()[:16].encode()
    return _DIGEST.sub(rb"\1, " + digest, blank, count=1)


def _is_ours(sidecar: bytes) -> bool:
    return _DIGEST.search(sidecar[:400]) is not None and _sign(sidecar) == sidecar


def _change(sidecar: Path, wanted: Marks, elsewhere: Marks, *, replace: bool) -> bytes | None:
    """Return what a sidecar is to hold; None where another hand said otherwise.

    Where nothing is to be taken back, it is empty.

    Raises
    ------
    ImageError
        If it cannot be read, or is nothing that a mark can be added to.
    """
    if os.path.lexists(sidecar) and not is_file(sidecar):
        raise ImageError(f"{sidecar}: is no file, so no mark goes there; move it away")
    try:
        before = read_regular(sidecar, SMALL)
    except FileNotFoundError:
        if is_by_hand(wanted, elsewhere):
            return None
        told = {name: value for name, value in wanted.items() if value}
        return new_sidecar(told) if drop_nothing(told) else b""
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise not_written(sidecar, error) from error
        raise ImageError(f"{sidecar}: cannot be read ({error.strerror}); check it") from error
    try:
        given = drop_nothing(read_properties(before, ALL_PROPERTIES))
        ours = _is_ours(before)
        said = elsewhere if ours else {**elsewhere, **given}
        if not replace and is_by_hand(wanted, said):
            return None
        if ours:
            return new_sidecar(join_marks(given, wanted))
        # Of another's nothing is taken away; 0 is no stars, and no flag, where more is said.
        gone = find_gainsaid(given, wanted) - {LIGHTROOM_GOOD}
        said = {name: wanted[name] for name in wanted if name in {**given, **drop_nothing(wanted)}}
        said |= dict.fromkeys(gone, "0")
        if said.get(LIGHTROOM_GOOD) == "":
            # It is true or false, and never empty.
            said[LIGHTROOM_GOOD] = "false"
        return write_properties(before, said) if said else b""
    except (ValueError, expat.ExpatError) as error:
        raise ImageError(
            f"{sidecar}: left as it is, for no mark can be put in it safely ({error}); "
            "move it away or mark this photo by hand"
        ) from error


def _read_elsewhere(photo: Path, folders: Folders, naming: Naming) -> dict[Property, str]:
    """Return what a photo's sidecar of the other naming says of it, or else the photo itself."""
    said: Marks = {}
    other = sidecar_path(photo, "stem" if naming == "full" else "full")
    # What is broken says nothing.
    with suppress(OSError, ValueError, expat.ExpatError):
        content = read_regular(folders.find_alike(photo, other), SMALL)
        if not _is_ours(content):
            said = drop_nothing(read_properties(content, ALL_PROPERTIES))
    return {**read_marks_inside(photo), **said}


def read_marks_inside(photo: Path) -> dict[Property, str]:
    """Return what the metadata inside a photo say: its XMP, or else the rating in its EXIF."""
    said: dict[Property, str] = {}
    # What is broken says nothing.
    with suppress(Exception), photo.open("rb") as stream:
        exif, packet = read_metadata(stream)
        rating = exif.get(ExifTags.Base.Rating)
        if rating is not None:
            said[RATING] = str(rating)
        said |= drop_nothing(read_properties(packet.strip(b"\0 \r\n"), ALL_PROPERTIES))
    return said
