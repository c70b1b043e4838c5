"""Ratings beside photos, whatever is there already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from blurmapper.errors import ImageError
from blurmapper.ranking.marks import RATING, Mark, rate
from blurmapper.ranking.packets import write_properties
from blurmapper.ranking.sidecars import Kept, Naming, sidecar_path, write_marks

from .packets import EXISTING, packet, rating_in


def rated_as(sidecar: bytes, stars: int) -> bytes:
    return write_properties(sidecar, {RATING: str(stars)})


def test_a_new_sidecar_is_xml_with_the_rating(tmp_path: Path) -> None:
    photo = tmp_path / "a & b.jpg"
    photo.write_bytes(b"photo")
    assert list(write_marks([(photo, Mark(4))])) == [tmp_path / "a & b.jpg.xmp"]
    assert rating_in((tmp_path / "a & b.jpg.xmp").read_bytes()) == "4"


def test_the_photo_is_left_as_it_is(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"photo")
    photo.chmod(0o444)
    before = photo.stat()
    list(write_marks([(photo, Mark(4))]))
    assert photo.read_bytes() == b"photo"
    assert photo.stat().st_mtime_ns == before.st_mtime_ns
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.jpg.xmp"]


@pytest.mark.parametrize("kind", EXISTING)
def test_an_existing_sidecar_gets_the_rating(kind: str) -> None:
    assert rating_in(rated_as(EXISTING[kind], 5)) == "5"


@pytest.mark.parametrize("kind", EXISTING)
def test_all_else_in_an_existing_sidecar_survives_to_the_byte(kind: str) -> None:
    rated = rated_as(EXISTING[kind], 5)
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
    once = rated_as(EXISTING[kind], 3)
    assert rated_as(once, 3) == once
    assert rating_in(rated_as(once, 2)) == "2"


def test_an_existing_file_keeps_its_rights(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(EXISTING["attribute"])
    sidecar.chmod(0o640)
    list(write_marks([(tmp_path / "a.jpg", Mark(1))]))
    assert sidecar.stat().st_mode & 0o777 == 0o640
    assert rating_in(sidecar.read_bytes()) == "1"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone may")
def test_an_existing_file_keeps_its_owner(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(EXISTING["none"])
    os.chown(sidecar, 1234, 2345)
    list(write_marks([(tmp_path / "a.jpg", Mark(1))]))
    assert rating_in(sidecar.read_bytes()) == "1"
    assert (sidecar.stat().st_uid, sidecar.stat().st_gid) == (1234, 2345)


def rate_beside(photo: Path, stars: int = 4, **choices: Any) -> object:
    """Write the stars of one photo; return what is said of it."""
    (result,) = write_marks([(photo, Mark(stars))], **choices)
    return result


@pytest.mark.parametrize("rating", ["1", "5", "-1", "3.5"])
@pytest.mark.parametrize("form", ["attribute", "element"])
def test_a_rating_by_hand_stays(rating: str, form: str, tmp_path: Path) -> None:
    content = EXISTING[form].replace(b'xmp:Rating="1"', f'xmp:Rating="{rating}"'.encode())
    content = content.replace(b">1</xmp", f">{rating}</xmp".encode())
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(content)
    assert rate_beside(tmp_path / "a.jpg") == Kept(tmp_path / "a.jpg")
    assert sidecar.read_bytes() == content
    assert rate_beside(tmp_path / "a.jpg", replace=True) == sidecar
    assert rating_in(sidecar.read_bytes()) == "4"


@pytest.mark.parametrize("kind", ["none", "none, known prefix"])
def test_a_sidecar_without_a_rating_gets_one(kind: str, tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(EXISTING[kind])
    assert rate_beside(tmp_path / "a.jpg") == sidecar
    assert rating_in(sidecar.read_bytes()) == "4"


@pytest.mark.parametrize("nothing", ["", " 0 ", "0.0", "4.0"])
def test_no_stars_are_no_rating_nor_are_as_many(nothing: str, tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    rating = f'Rating="{nothing}"'.encode()
    sidecar.write_bytes(EXISTING["attribute"].replace(b'Rating="1"', rating))
    assert rate_beside(tmp_path / "a.jpg") == sidecar
    assert rating_in(sidecar.read_bytes()) == "4"


def test_a_rating_of_ours_is_written_anew(tmp_path: Path) -> None:
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.jpg.xmp"
    for stars in (4, 1, 5):
        assert rate_beside(photo, stars) == sidecar
        assert rating_in(sidecar.read_bytes()) == str(stars)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (b'xmp:Rating="4"', b'xmp:Rating="1"'),
        (b"blurmapper ", b"XMP Core "),
        (b"/>", b' xmp:Label="Red"/>'),
    ],
)
def test_a_sidecar_of_ours_that_was_changed_is_theirs(
    ours: bytes, theirs: bytes, tmp_path: Path
) -> None:
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.jpg.xmp"
    rate_beside(photo)
    changed = sidecar.read_bytes().replace(ours, theirs)
    sidecar.write_bytes(changed)
    assert rate_beside(photo, 4 if b"Rating" in theirs else 1) == Kept(photo)
    assert sidecar.read_bytes() == changed


@pytest.mark.parametrize("there_before", [True, False])
def test_a_sidecar_that_is_a_link_stays_one(there_before: bool, tmp_path: Path) -> None:
    kept, sidecar = tmp_path / "kept.xmp", tmp_path / "a.jpg.xmp"
    if there_before:
        kept.write_bytes(EXISTING["none"])
    sidecar.symlink_to("kept.xmp")
    rated = rate_beside(tmp_path / "a.jpg")
    assert sidecar.is_symlink()
    if there_before:
        assert rated == sidecar and rating_in(kept.read_bytes()) == "4"
    else:
        # It may lead to a place where a file that is there means something.
        assert str(rated) == f"{sidecar}: is no file, so no mark goes there; move it away"
        assert not kept.exists()


@pytest.mark.parametrize(
    ("name", "naming"),
    [("IMG_3.XMP", "stem"), ("img_3.xmp", "stem"), ("IMG_3.JPG.XMP", "full")],
)
def test_a_sidecar_is_found_whatever_its_case(name: str, naming: Naming, tmp_path: Path) -> None:
    (tmp_path / "IMG_3.JPG").touch()
    (tmp_path / name).write_bytes(EXISTING["none"])
    assert rate_beside(tmp_path / "IMG_3.JPG", naming=naming) == tmp_path / name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["IMG_3.JPG", name])


def test_another_photo_s_sidecar_is_left_to_it(tmp_path: Path) -> None:
    for name in ("IMG_3.JPG", "img_3.jpg", "img_3.jpg.xmp"):
        (tmp_path / name).write_bytes(EXISTING["none"])
    if len(list(tmp_path.iterdir())) == 2:
        pytest.skip("this file system holds IMG_3 and img_3 to be one name")
    sidecar = rate_beside(tmp_path / "IMG_3.JPG")
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
def test_what_cannot_be_rated_is_left_as_it_is(content: bytes, tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(content)
    (error,) = write_marks([(tmp_path / "a.jpg", Mark(1))])
    assert isinstance(error, ImageError)
    assert "left as it is" in str(error) and "\n" not in str(error)
    assert sidecar.read_bytes() == content


@pytest.mark.parametrize("element", ["<xmp:Rating/>", "<xmp:Rating />", "<darktable:colorlabels/>"])
def test_a_sidecar_with_an_empty_element_is_refused_for_that(element: str, tmp_path: Path) -> None:
    content = packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/"', element)
    (tmp_path / "a.jpg.xmp").write_bytes(content)
    (error,) = write_marks([(tmp_path / "a.jpg", Mark(1, "red"))])
    name = element.strip("</ >").partition(":")[2]
    assert f"(it holds {name} as an empty element)" in str(error)


XMP = 'xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
LIST = "<rdf:Seq><rdf:li>3</rdf:li><!-- c --></rdf:Seq>"
UNUSUAL = {
    "resource": '<xmp:Rating rdf:parseType="Resource"><rdf:value>3</rdf:value></xmp:Rating>',
    "description": "<xmp:Rating><rdf:Description rdf:value='3' xmp:Label=''/></xmp:Rating>",
    "attribute": '<xmp:Rating xml:lang="a>b">3</xmp:Rating>',
    "comment": "<xmp:Rating><!-- c -->3</xmp:Rating>",
    "instruction": "<xmp:Rating>3<?mine c?></xmp:Rating>",
    "list": f"<darktable:colorlabels>{LIST}</darktable:colorlabels>",
}


@pytest.mark.parametrize("form", UNUSUAL)
def test_what_a_new_value_would_take_away_is_left_as_it_is(form: str, tmp_path: Path) -> None:
    content, sidecar = packet(XMP, UNUSUAL[form]), tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(content)
    marks = [(tmp_path / "a.jpg", Mark(4, "red"))]
    assert list(write_marks(marks)) == [Kept(tmp_path / "a.jpg")]
    (error,) = write_marks(marks, replace=True)
    name = "colorlabels" if form == "list" else "Rating"
    assert f"(it holds {name} in an unusual form)" in str(error)
    assert sidecar.read_bytes() == content


@pytest.mark.parametrize("form", UNUSUAL)
def test_a_mark_in_an_unusual_form_is_known_in_the_other_sidecar(form: str, tmp_path: Path) -> None:
    (tmp_path / "a.xmp").write_bytes(packet(XMP, UNUSUAL[form]))
    marks = [(tmp_path / "a.jpg", Mark(4, "red"))]
    assert list(write_marks(marks)) == [Kept(tmp_path / "a.jpg")]


def test_a_description_without_attributes_gets_the_rating() -> None:
    content = packet(XMP).partition(b"<rdf:RDF")[0] + (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description>'
        b'<dc:format xmlns:dc="http://purl.org/dc/elements/1.1/">x</dc:format></rdf:Description>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    assert rating_in(rated_as(content, 4)) == "4"


def test_a_sidecar_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.xmp").mkdir()
    results = list(write_marks([(tmp_path / name, Mark(5)) for name in ("a.jpg", "b.jpg")]))
    assert isinstance(results[0], ImageError)
    assert results[1] == tmp_path / "b.jpg.xmp"


def test_a_name_too_long_for_a_sidecar_does_not_stop_the_others(tmp_path: Path) -> None:
    names = ["a" * 250 + ".jpg", "b.jpg"]
    first, second = write_marks([(tmp_path / name, Mark(5)) for name in names])
    assert isinstance(first, ImageError)
    assert str(first).endswith("cannot be written (File name too long); shorten the name")
    assert second == tmp_path / "b.jpg.xmp"


def test_a_pipe_in_a_sidecar_s_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xmp")
    assert list(write_marks([(tmp_path / "a.jpg", Mark(5))])) == [tmp_path / "a.jpg.xmp"]


def test_names_are_those_of_darktable_or_lightroom() -> None:
    assert sidecar_path(Path("in/IMG.1.JPG")) == Path("in/IMG.1.JPG.xmp")
    assert sidecar_path(Path("in/IMG.1.JPG"), "stem") == Path("in/IMG.1.xmp")


def test_two_photos_never_share_a_sidecar(tmp_path: Path) -> None:
    marks = [(tmp_path / "a.jpg", Mark(5)), (tmp_path / "a.png", Mark(1))]
    first, second = write_marks(marks, "stem")
    assert first == tmp_path / "a.xmp"
    assert isinstance(second, ImageError)
    assert rating_in((tmp_path / "a.xmp").read_bytes()) == "5"


def test_stars_fall_as_blur_grows() -> None:
    stars = [rate(degree / 100) for degree in range(101)]
    assert stars == sorted(stars, reverse=True)
    assert {*stars} == {1, 2, 3, 4, 5}
