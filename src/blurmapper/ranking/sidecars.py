"""Ratings in XMP sidecars, small files beside photos that photo software reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.parsers import expat

from blurmapper import __version__
from blurmapper.errors import BlurMapperError, ImageError
from blurmapper.files import sweep_once, write_file
from blurmapper.ranking.companions import Folders
from blurmapper.ranking.records import Measure, PhotoRecord

Naming = Literal["full", "stem"]
"""NAME.EXT.xmp, as darktable and digiKam have it, or NAME.xmp, as Lightroom has it."""

STARS = ((0.2, 5), (0.4, 4), (0.6, 3), (0.8, 2))
"""S below which a photo gets as many stars; all others get one."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"

# As expat writes the names of elements and attributes: name space, separator, name.
_ROOT, _DESCRIPTION, _RATING = f"{RDF} RDF", f"{RDF} Description", f"{XMP} Rating"

_ATTRIBUTE = re.compile(rb"([^\s=<]+)\s*=\s*([\"'])(.*?)\2", re.DOTALL)

_SIDECAR = """\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="blurmapper {version}, {stars} stars">
 <rdf:RDF xmlns:rdf="{rdf}">
  <rdf:Description rdf:about=""
    xmlns:xmp="{xmp}"
    xmp:Rating="{stars}"/>
 </rdf:RDF>
</x:xmpmeta>
"""

# The stars stand in it twice: who changes them, by hand or by a program, makes the sidecar theirs.
_OURS = re.compile(
    re.escape(_SIDECAR.format(version="VERSION", rdf=RDF, xmp=XMP, stars="STARS"))
    .replace("VERSION", r"[^,\"<]*")
    .replace("STARS", "([1-5])", 1)
    .replace("STARS", r"\1")
    .encode()
)

_NO_STARS = (b"", b"0")


@dataclass(frozen=True, slots=True)
class KeptRating:
    """A sidecar that holds another rating than ours, which is not replaced."""

    sidecar: Path


def rate(blur: float) -> int:
    """Return 5 to 1 stars for mean blur: five below 0.2, four below 0.4, and so on to one.

    Examples
    --------
    >>> [rate(degree) for degree in (0, 0.2, 0.5, 0.99, 1)]
    [5, 4, 3, 1, 1]
    """
    return next((stars for below, stars in STARS if blur < below), 1)


def write_ratings(
    records: Iterable[PhotoRecord],
    naming: Naming = "full",
    *,
    by: Measure = "degree",
    replace: bool = False,
) -> Iterator[Path | KeptRating | BlurMapperError]:
    """Write each photo's stars to a sidecar beside it; yield the sidecar, or why there is none.

    A new sidecar holds ``xmp:Rating`` and nothing else. To one that exists and is not of our
    making a rating is added where it has none or 0, which means none; one that it has, -1 for
    rejected too, stays unless `replace`. Every other byte stays. Photos are not opened.

    Parameters
    ----------
    records : iterable of PhotoRecord
    naming : {"full", "stem"}
        ``NAME.EXT.xmp`` or ``NAME.xmp``. With the latter photos that differ by their suffix
        alone would share a sidecar: the first gets it, the others yield an error.
    by : {"degree", "region"}
        What is rated, as in `blurmapper.ranking.records.rank_photos`.
    replace : bool
        Also replace ratings that others gave.
    """
    owners: dict[str, Path] = {}
    folders = Folders()
    for record in records:
        sweep_once(record.photo.parent)
        sidecar = folders.find_alike(record.photo, sidecar_path(record.photo, naming))
        owner = owners.setdefault(os.path.realpath(sidecar), record.photo)
        if owner != record.photo:
            yield ImageError(
                f"{record.photo}: {sidecar.name} is already that of {owner.name}; "
                "name sidecars in full"
            )
            continue
        try:
            done = write_rating(sidecar, rate(record.blur(by)), replace=replace)
        except BlurMapperError as error:
            yield error
        else:
            yield sidecar if done else KeptRating(sidecar)


def sidecar_path(photo: Path, naming: Naming = "full") -> Path:
    """Return where a photo's new sidecar goes; one that is there may differ in case."""
    return photo.with_name(f"{photo.name if naming == 'full' else photo.stem}.xmp")


def write_rating(sidecar: Path, stars: int, *, replace: bool = False) -> bool:
    """Write a new sidecar, or the rating in one that exists; say whether it now holds it.

    It does not where others gave another rating and `replace` is not asked for. A sidecar is
    ours as long as no byte of it was changed.

    Raises
    ------
    ImageError
        If it cannot be read or written, or is nothing that a rating can be added to.
    """
    new = _SIDECAR.format(version=__version__, rdf=RDF, xmp=XMP, stars=stars).encode()
    if sidecar.exists() and not sidecar.is_file():
        raise ImageError(f"{sidecar}: is no file, so no rating goes there; move it away")
    try:
        before = sidecar.read_bytes()
    except FileNotFoundError:
        write_file(sidecar, new)
        return True
    except OSError as error:
        raise ImageError(f"{sidecar}: cannot be read ({error.strerror}); check it") from error
    try:
        given = read_rating(before)
        if _OURS.fullmatch(before):
            after = new
        elif replace or given in _NO_STARS:
            after = replace_rating(before, stars)
        else:
            return given == str(stars).encode()
    except (ValueError, expat.ExpatError) as error:
        raise ImageError(
            f"{sidecar}: left as it is, for no rating can be put in it safely ({error}); "
            "move it away or rate this photo by hand"
        ) from error
    if after != before:
        write_file(sidecar, after)
    return True


def read_rating(sidecar: bytes) -> bytes:
    """Return the ``xmp:Rating`` of a sidecar's content as it stands there, empty if it has none.

    Raises
    ------
    ValueError, xml.parsers.expat.ExpatError
        As in `replace_rating`.
    """
    sidecar.decode("utf-8")
    rating = _locate(sidecar).rating
    return b"" if rating is None else sidecar[rating].strip()


def replace_rating(sidecar: bytes, stars: int) -> bytes:
    """Return a sidecar's content with another ``xmp:Rating``, and no other byte changed.

    Raises
    ------
    ValueError, xml.parsers.expat.ExpatError
        If it is not UTF-8, no XML, has a document type (which XMP never has, and which may
        define entities that grow without end), or no ``rdf:Description`` to hold a rating.
    """
    sidecar.decode("utf-8")
    places = _locate(sidecar)
    value = str(stars).encode()
    if places.rating is not None:
        start, stop, new = places.rating.start, places.rating.stop, value
    elif places.description is not None:
        start = stop = places.description
        new = b' %s:Rating="%s"' % (places.prefix or b"xmp", value)
        new = new if places.prefix else b' xmlns:xmp="%s"' % XMP.encode() + new
    else:
        raise ValueError("no rdf:Description in it")
    changed = sidecar[:start] + new + sidecar[stop:]
    rating = _locate(changed).rating
    if rating is None or changed[rating] != value:
        raise ValueError("its name spaces are unusual")
    return changed


@dataclass
class _Places:
    """Where in a sidecar's bytes a rating is; or where one can go, and the prefix of XMP there."""

    rating: slice | None = None
    description: int | None = None
    prefix: bytes | None = None


def _locate(text: bytes) -> _Places:
    """Find a sidecar's rating, which may be an attribute or an element of a description."""
    places = _Places()
    opened: list[str] = []
    declared: list[tuple[str | None, str]] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise ValueError("it has a document type")

    def start(name: str, attributes: dict[str, str]) -> None:
        at = parser.CurrentByteIndex
        prefixes = [prefix.encode() for prefix, uri in declared if prefix and uri == XMP]
        if name == _DESCRIPTION and opened[-1:] == [_ROOT]:
            if _RATING in attributes:
                places.rating = _find_attribute(text, at, [b"%s:Rating" % p for p in prefixes])
            if places.description is None:
                places.description = at + len(text[at:].split(None, 1)[0].rstrip(b"/>"))
                places.prefix = prefixes[-1] if prefixes else None
        if name == _RATING and opened[-1:] == [_DESCRIPTION]:
            places.rating = slice(text.index(b">", at) + 1, None)
        opened.append(name)

    def end(name: str) -> None:
        opened.pop()
        if name == _RATING and opened[-1:] == [_DESCRIPTION] and places.rating is not None:
            places.rating = slice(places.rating.start, parser.CurrentByteIndex)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartNamespaceDeclHandler = lambda prefix, uri: declared.append((prefix, uri))
    parser.EndNamespaceDeclHandler = lambda prefix: declared.pop()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(text, True)  # noqa: FBT003 - expat takes no keywords
    return places


def _find_attribute(text: bytes, tag: int, names: list[bytes]) -> slice | None:
    """Return where the value of an attribute is in the start tag at a byte."""
    for match in _ATTRIBUTE.finditer(text, tag):
        if match[1] in names:
            return slice(*match.span(3))
    return None
