"""Ratings beside photos, whatever is there already."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from blurmapper.errors import ImageError
from blurmapper.ranking.records import Box, Measure, PhotoRecord
from blurmapper.ranking.sidecars import (
    KeptRating,
    Naming,
    rate,
    replace_rating,
    sidecar_path,
    write_ratings,
)

MakeRecord = Callable[..., PhotoRecord]

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XMP = "{http://ns.adobe.com/xap/1.0/}"

PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <!-- Bör & Co's -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    {attributes}>
   <dc:subject><rdf:Bag><rdf:li>Zürich xmp:Rating="9"</rdf:li></rdf:Bag></dc:subject>{elements}
   <darktable:history><rdf:Seq/></darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""

NAMES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:darktable="http://darktable.sf.net/"\n    '
    'xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/"'
)


def packet(attributes: str = "", elements: str = "") -> bytes:
    return PACKET.format(attributes=f"{NAMES} {attributes}", elements=elements).encode()


EXISTING = {
    "attribute": packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="1"'),
    "single quotes": packet("xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating = '-1'"),
    "old prefix": packet('xmlns:xap="http://ns.adobe.com/xap/1.0/" xap:Rating="1"'),
    "beside another": packet(
        'MicrosoftPhoto:Rating="50" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="1"'
    ),
    "element": packet(
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/"', "\n   <xmp:Rating>1</xmp:Rating>"
    ),
    "none": packet('MicrosoftPhoto:Rating="50"'),
    "none, known prefix": packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="Red"'),
}


def rating_in(sidecar: bytes) -> str | None:
    """Read a rating as other software does: as an attribute or an element."""
    (description,) = ET.fromstring(sidecar).iter(f"{RDF}Description")  # noqa: S314 - made here
    return description.get(f"{XMP}Rating") or description.findtext(f"{XMP}Rating")


def test_a_new_sidecar_is_xml_with_the_rating(tmp_path: Path, make_record: MakeRecord) -> None:
    photo = tmp_path / "a & b.jpg"
    photo.write_bytes(b"photo")
    assert list(write_ratings([make_record(photo, 0.3)])) == [tmp_path / "a & b.jpg.xmp"]
    assert rating_in((tmp_path / "a & b.jpg.xmp").read_bytes()) == "4"


def test_stars_follow_what_photos_are_ranked_by(tmp_path: Path, make_record: MakeRecord) -> None:
    record = replace(make_record(tmp_path / "portrait.jpg", 0.7), sharpest=Box(0, 0, 8, 6, 0.05))
    for by, stars in (("degree", "2"), ("region", "5")):
        (sidecar,) = write_ratings([record], by=cast("Measure", by))
        assert isinstance(sidecar, Path)
        assert rating_in(sidecar.read_bytes()) == stars


def test_the_photo_is_left_as_it_is(tmp_path: Path, make_record: MakeRecord) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"photo")
    photo.chmod(0o444)
    before = photo.stat()
    list(write_ratings([make_record(photo, 0.3)]))
    assert photo.read_bytes() == b"photo"
    assert photo.stat().st_mtime_ns == before.st_mtime_ns
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.jpg.xmp"]


@pytest.mark.parametrize("kind", EXISTING)
def test_an_existing_sidecar_gets_the_rating(kind: str) -> None:
    assert rating_in(replace_rating(EXISTING[kind], 5)) == "5"


@pytest.mark.parametrize("kind", EXISTING)
def test_all_else_in_an_existing_sidecar_survives_to_the_byte(kind: str) -> None:
    rated = replace_rating(EXISTING[kind], 5)
    known = {
        "none": b' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"',
        "none, known prefix": b' xmp:Rating="5"',
    }
    if kind in known:
        assert rated.replace(known[kind], b"", 1) == EXISTING[kind]
    else:
        old = b"-1" if kind == "single quotes" else b"1"
        pairs = zip(rated, EXISTING[kind], strict=False)
        at = next(k for k, (new, before) in enumerate(pairs) if new != before)
        assert rated[:at] + old + rated[at + 1 :] == EXISTING[kind]


@pytest.mark.parametrize("kind", EXISTING)
def test_rating_twice_is_rating_once(kind: str) -> None:
    once = replace_rating(EXISTING[kind], 3)
    assert replace_rating(once, 3) == once
    assert rating_in(replace_rating(once, 2)) == "2"


def test_an_existing_file_keeps_its_rights(tmp_path: Path, make_record: MakeRecord) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(EXISTING["attribute"])
    sidecar.chmod(0o640)
    list(write_ratings([make_record(tmp_path / "a.jpg", 0.9)]))
    assert sidecar.stat().st_mode & 0o777 == 0o640
    assert rating_in(sidecar.read_bytes()) == "1"


def rate_beside(photo: Path, make_record: MakeRecord, blur: float = 0.3, **choices: Any) -> object:
    """Write the stars of one photo, four unless its blur is given; return what is said of it."""
    (result,) = write_ratings([make_record(photo, blur)], **choices)
    return result


@pytest.mark.parametrize("rating", ["1", "5", "-1", "3.5"])
@pytest.mark.parametrize("form", ["attribute", "element"])
def test_a_rating_by_hand_stays(
    rating: str, form: str, tmp_path: Path, make_record: MakeRecord
) -> None:
    content = EXISTING[form].replace(b'xmp:Rating="1"', f'xmp:Rating="{rating}"'.encode())
    content = content.replace(b">1</xmp", f">{rating}</xmp".encode())
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(content)
    assert rate_beside(tmp_path / "a.jpg", make_record) == KeptRating(sidecar)
    assert sidecar.read_bytes() == content
    assert rate_beside(tmp_path / "a.jpg", make_record, replace=True) == sidecar
    assert rating_in(sidecar.read_bytes()) == "4"


@pytest.mark.parametrize("kind", ["none", "none, known prefix"])
def test_a_sidecar_without_a_rating_gets_one(
    kind: str, tmp_path: Path, make_record: MakeRecord
) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(EXISTING[kind])
    assert rate_beside(tmp_path / "a.jpg", make_record) == sidecar
    assert rating_in(sidecar.read_bytes()) == "4"


def test_no_stars_are_no_rating(tmp_path: Path, make_record: MakeRecord) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(EXISTING["attribute"].replace(b'Rating="1"', b'Rating="0"'))
    assert rate_beside(tmp_path / "a.jpg", make_record) == sidecar
    assert rating_in(sidecar.read_bytes()) == "4"


def test_a_rating_of_ours_is_written_anew(tmp_path: Path, make_record: MakeRecord) -> None:
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.jpg.xmp"
    for blur, stars in ((0.3, "4"), (0.9, "1"), (0.1, "5")):
        assert rate_beside(photo, make_record, blur) == sidecar
        assert rating_in(sidecar.read_bytes()) == stars


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (b'xmp:Rating="4"', b'xmp:Rating="1"'),
        (b"blurmapper ", b"XMP Core "),
        (b"/>", b' xmp:Label="Red"/>'),
    ],
)
def test_a_sidecar_of_ours_that_was_changed_is_theirs(
    ours: bytes, theirs: bytes, tmp_path: Path, make_record: MakeRecord
) -> None:
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.jpg.xmp"
    rate_beside(photo, make_record)
    changed = sidecar.read_bytes().replace(ours, theirs)
    sidecar.write_bytes(changed)
    assert rate_beside(photo, make_record, 0.9 if b"Rating" not in theirs else 0.3) == KeptRating(
        sidecar
    )
    assert sidecar.read_bytes() == changed


@pytest.mark.parametrize("there_before", [True, False])
def test_a_sidecar_that_is_a_link_stays_one(
    there_before: bool, tmp_path: Path, make_record: MakeRecord
) -> None:
    kept, sidecar = tmp_path / "kept.xmp", tmp_path / "a.jpg.xmp"
    if there_before:
        kept.write_bytes(EXISTING["none"])
    sidecar.symlink_to("kept.xmp")
    assert rate_beside(tmp_path / "a.jpg", make_record) == sidecar
    assert sidecar.is_symlink()
    assert rating_in(kept.read_bytes()) == "4"


@pytest.mark.parametrize(
    ("name", "naming"),
    [("IMG_3.XMP", "stem"), ("img_3.xmp", "stem"), ("IMG_3.JPG.XMP", "full")],
)
def test_a_sidecar_is_found_whatever_its_case(
    name: str, naming: Naming, tmp_path: Path, make_record: MakeRecord
) -> None:
    (tmp_path / "IMG_3.JPG").touch()
    (tmp_path / name).write_bytes(EXISTING["none"])
    assert rate_beside(tmp_path / "IMG_3.JPG", make_record, naming=naming) == tmp_path / name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["IMG_3.JPG", name])


def test_another_photo_s_sidecar_is_left_to_it(tmp_path: Path, make_record: MakeRecord) -> None:
    for name in ("IMG_3.JPG", "img_3.jpg", "img_3.jpg.xmp"):
        (tmp_path / name).write_bytes(EXISTING["none"])
    if len(list(tmp_path.iterdir())) == 2:
        pytest.skip("this file system holds IMG_3 and img_3 to be one name")
    sidecar = rate_beside(tmp_path / "IMG_3.JPG", make_record)
    assert sidecar == tmp_path / "IMG_3.JPG.xmp"
    assert (tmp_path / "img_3.jpg.xmp").read_bytes() == EXISTING["none"]


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        EXISTING["attribute"][:-40],
        BOMB,
        EXISTING["attribute"].decode().encode("utf-16"),
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
        packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/"', "<xmp:Rating/>"),
    ],
    ids=["empty", "text", "cut", "entities", "UTF-16", "no RDF", "empty rating"],
)
def test_what_cannot_be_rated_is_left_as_it_is(
    content: bytes, tmp_path: Path, make_record: MakeRecord
) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(content)
    (error,) = write_ratings([make_record(tmp_path / "a.jpg", 0.9)])
    assert isinstance(error, ImageError)
    assert "left as it is" in str(error) and "\n" not in str(error)
    assert sidecar.read_bytes() == content


def test_a_sidecar_that_fails_does_not_stop_the_others(
    tmp_path: Path, make_record: MakeRecord
) -> None:
    (tmp_path / "a.jpg.xmp").mkdir()
    results = list(write_ratings([make_record(tmp_path / n, 0.1) for n in ("a.jpg", "b.jpg")]))
    assert isinstance(results[0], ImageError)
    assert results[1] == tmp_path / "b.jpg.xmp"


def test_names_are_those_of_darktable_or_lightroom() -> None:
    assert sidecar_path(Path("in/IMG.1.JPG")) == Path("in/IMG.1.JPG.xmp")
    assert sidecar_path(Path("in/IMG.1.JPG"), "stem") == Path("in/IMG.1.xmp")


def test_two_photos_never_share_a_sidecar(tmp_path: Path, make_record: MakeRecord) -> None:
    records = [make_record(tmp_path / "a.jpg", 0.1), make_record(tmp_path / "a.png", 0.9)]
    first, second = write_ratings(records, "stem")
    assert first == tmp_path / "a.xmp"
    assert isinstance(second, ImageError)
    assert rating_in((tmp_path / "a.xmp").read_bytes()) == "5"


def test_stars_fall_as_blur_grows() -> None:
    stars = [rate(degree / 100) for degree in range(101)]
    assert stars == sorted(stars, reverse=True)
    assert {*stars} == {1, 2, 3, 4, 5}
