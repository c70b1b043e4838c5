"""Marks other than stars, and what photos and other sidecars say already."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import PIL.Image
import pytest
from PIL import ExifTags
from PIL.PngImagePlugin import PngInfo

from blurmapper.errors import ConfigError
from blurmapper.ranking.marks import (
    ALL_PROPERTIES,
    DARKTABLE_COLOURS,
    DIGIKAM_COLOUR,
    DIGIKAM_PICK,
    LABEL,
    LIGHTROOM_GOOD,
    LIGHTROOM_PICK,
    RATING,
    Mark,
    to_mark,
)
from blurmapper.ranking.packets import Property, read_properties
from blurmapper.ranking.sidecars import Kept, write_marks

from .packets import EXISTING, packet, rating_in

XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def rate_beside(photo: Path, stars: int = 4, *, replace: bool = False) -> object:
    """Write the stars of one photo; return what is said of it."""
    (result,) = write_marks([(photo, Mark(stars))], replace=replace)
    return result


def test_what_the_other_sidecar_says_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.xmp").write_bytes(EXISTING["attribute"])
    assert rate_beside(tmp_path / "a.jpg") == Kept(tmp_path / "a.jpg")
    assert not (tmp_path / "a.jpg.xmp").exists()
    assert rate_beside(tmp_path / "a.jpg", replace=True) == tmp_path / "a.jpg.xmp"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_rating_inside_the_photo_is_kept(kind: str, tmp_path: Path) -> None:
    photo = tmp_path / f"a.{kind.lower()}"
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Rating] = 3
    picture = PIL.Image.new("RGB", (64, 64))
    if kind == "HEIF":
        heif = pytest.importorskip("pillow_heif", reason="HEIC needs pillow-heif")
        heif.from_pillow(picture).save(photo, exif=exif.tobytes())
    else:
        picture.save(photo, kind, exif=exif)
    assert rate_beside(photo) == Kept(photo)
    assert rate_beside(photo, 3) == tmp_path / f"{photo.name}.xmp"


def png_with_text(xmp: bytes, *, packed: bool) -> bytes:
    """Return a PNG file with a packet of XMP behind its pixels, as Exiv2 and ExifTool put it."""
    buffer = io.BytesIO()
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=packed)
    PIL.Image.new("RGB", (20, 20)).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def with_xmp(kind: str, xmp: bytes) -> bytes:
    """Return a photo of a kind, or as much of one as it takes to hold a packet of XMP."""
    box = struct.pack(">I4s", len(XMP_BOX) + len(xmp) + 8, b"uuid") + XMP_BOX + xmp
    buffer = io.BytesIO()
    picture = PIL.Image.new("RGB", (64, 64))
    if kind in ("png", "packed.png"):
        return png_with_text(xmp, packed=kind == "packed.png")
    if kind == "heic":
        heif = pytest.importorskip("pillow_heif", reason="HEIC needs pillow-heif")
        heif.from_pillow(picture).save(buffer, xmp=xmp)
    elif kind == "tif":
        picture.save(buffer, "TIFF", tiffinfo={700: xmp})
    elif kind == "nef":  # the first picture in a way of packing that Pillow does not know
        picture.save(buffer, "TIFF", tiffinfo={700: xmp})
        return buffer.getvalue().replace(b"\3\1\3\0\1\0\0\0\1\0", b"\3\1\3\0\1\0\0\0\x69\x87")
    elif kind == "jp2":
        picture.save(buffer, "JPEG2000")
        return buffer.getvalue() + box
    elif kind == "cr3":
        return struct.pack(">I4s4sI", 16, b"ftyp", b"crx ", 1) + box
    elif kind == "raf":
        picture.save(buffer, "JPEG", xmp=xmp)
        place = struct.pack(">6I", 200, len(buffer.getvalue()), 0, 0, 0, 0)
        return b"FUJIFILMCCD-RAW ".ljust(0x54) + place.ljust(200 - 0x54) + buffer.getvalue()
    else:
        picture.save(buffer, {"jpg": "JPEG"}.get(kind, kind), xmp=xmp)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "kind",
    ["jpg", "webp", "avif", "tif", "png", "packed.png", "heic", "jp2", "nef", "cr3", "raf"],
)
def test_xmp_inside_a_photo_of_any_kind_is_kept(kind: str, tmp_path: Path) -> None:
    photo = tmp_path / f"a.{kind}"
    photo.write_bytes(with_xmp(kind, EXISTING["attribute"]))
    assert rate_beside(photo) == Kept(photo)
    photo.write_bytes(with_xmp(kind, EXISTING["none"]))
    assert rate_beside(photo) == tmp_path / f"{photo.name}.xmp"


def test_xmp_that_is_unpacked_without_end_says_nothing(tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(png_with_text(EXISTING["attribute"] + b" " * 20_000_000, packed=True))
    assert rate_beside(photo) == tmp_path / "a.png.xmp"


def test_xmp_inside_the_photo_goes_before_its_exif(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Rating] = 0
    rejected = EXISTING["attribute"].replace(b'Rating="1"', b'Rating="-1"')
    PIL.Image.new("RGB", (20, 20)).save(photo, exif=exif, xmp=rejected)
    assert rate_beside(photo) == Kept(photo)


@pytest.mark.parametrize("other", ["xmp", "a.xmp", "a.jpg.xmp"])
def test_no_stars_do_not_hide_stars_elsewhere(other: str, tmp_path: Path) -> None:
    photo, unrated = tmp_path / "a.jpg", EXISTING["attribute"].replace(b'ng="1"', b'ng="0"')
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Rating] = 4
    PIL.Image.new("RGB", (20, 20)).save(photo, exif=exif, xmp=unrated if other == "xmp" else b"")
    if other != "xmp":
        (tmp_path / other).write_bytes(unrated)
    assert rate_beside(photo, 2) == Kept(photo)
    assert rate_beside(photo, 4) == tmp_path / "a.jpg.xmp"


def test_a_photo_that_says_nothing_is_rated(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    PIL.Image.new("RGB", (20, 20)).save(photo, xmp=EXISTING["none"])
    assert rate_beside(photo) == tmp_path / "a.jpg.xmp"


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "b.jpg.xmp").write_bytes(EXISTING["attribute"])
    (tmp_path / "c.jpg.xmp").write_bytes(b"not xml")
    marks = [(tmp_path / f"{name}.jpg", Mark(4)) for name in "abc"]
    before = sorted(tmp_path.iterdir())
    said = list(write_marks(marks, dry_run=True))
    assert sorted(tmp_path.iterdir()) == before
    assert list(map(str, write_marks(marks))) == list(map(str, said))


def read_back(sidecar: Path) -> dict[Property, str]:
    return read_properties(sidecar.read_bytes(), ALL_PROPERTIES)


@pytest.mark.parametrize("there", [None, "element", "none"])
def test_a_colour_is_written_in_the_words_of_each_program(
    there: str | None, tmp_path: Path
) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    if there is not None:
        sidecar.write_bytes(EXISTING[there])
    assert list(write_marks([(tmp_path / "a.jpg", to_mark(["green"]))])) == [sidecar]
    said = read_back(sidecar)
    assert (said[LABEL], said[DARKTABLE_COLOURS], said[DIGIKAM_COLOUR]) == ("Green", "2", "4")


def test_a_reject_is_one_for_every_program(tmp_path: Path) -> None:
    list(write_marks([(tmp_path / "a.jpg", to_mark(["reject"]))]))
    said = read_back(tmp_path / "a.jpg.xmp")
    assert (said[RATING], said[LIGHTROOM_PICK], said[LIGHTROOM_GOOD]) == ("-1", "-1", "false")
    assert said[DIGIKAM_PICK] == "1"


def test_marks_of_ours_add_up_and_do_not_gainsay_each_other(tmp_path: Path) -> None:
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.jpg.xmp"
    for words in (["reject"], ["blue"], ["4"], ["pick"]):
        assert list(write_marks([(photo, to_mark(words))])) == [sidecar]
    said = read_back(sidecar)
    assert (said[RATING], said[LABEL], said[DIGIKAM_PICK]) == ("4", "Blue", "3")
    list(write_marks([(photo, to_mark(["reject"]))]))
    assert read_back(sidecar)[RATING] == "-1"
    list(write_marks([(photo, to_mark(["pick"]))]))
    assert RATING not in read_back(sidecar)


REJECTED = [
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="-1"',
    'xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" xmpDM:pick="-1"',
    'xmlns:digiKam="http://www.digikam.org/ns/1.0/" digiKam:PickLabel="1"',
]
KEPT = [
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"',
    'xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" xmpDM:pick="1"',
    'xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" xmpDM:good="True"',
    'xmlns:digiKam="http://www.digikam.org/ns/1.0/" digiKam:PickLabel="3"',
]


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp"])
@pytest.mark.parametrize(
    ("by_hand", "word"),
    [
        *((said, word) for said in REJECTED for word in ("pick", "4")),
        *((s, "reject") for s in KEPT),
    ],
)
def test_no_mark_stands_beside_one_by_hand_that_gainsays_it(
    by_hand: str, word: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(packet(by_hand))
    marks = [(tmp_path / "a.jpg", to_mark([word]))]
    assert list(write_marks(marks)) == [Kept(tmp_path / "a.jpg")]
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [packet(by_hand)]


@pytest.mark.parametrize("word", ["pick", "4", "reject"])
@pytest.mark.parametrize("by_hand", [*REJECTED, *KEPT])
def test_a_mark_that_replaces_one_by_hand_is_not_gainsaid(
    by_hand: str, word: str, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg.xmp").write_bytes(packet(by_hand))
    list(write_marks([(tmp_path / "a.jpg", to_mark([word]))], replace=True))
    said = {each.name: value for each, value in read_back(tmp_path / "a.jpg.xmp").items()}
    is_rejected = "-1" in (said.get("Rating"), said.get("pick")) or said.get("PickLabel") == "1"
    assert is_rejected == (word == "reject")
    has_stars = said.get("Rating", "0") not in ("0", "-1")
    assert has_stars == (word == "4" or (word == "pick" and by_hand == KEPT[0]))


def test_marks_by_hand_that_agree_are_added_to(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.xmp").write_bytes(packet(KEPT[0]))
    assert list(write_marks([(tmp_path / "a.jpg", to_mark(["pick"]))])) == [tmp_path / "a.jpg.xmp"]
    said = read_back(tmp_path / "a.jpg.xmp")
    assert (said[RATING], said[LIGHTROOM_PICK]) == ("3", "1")


@pytest.mark.parametrize(
    ("words", "mark"),
    [
        (["reject", "pick"], Mark(flag="pick")),
        (["reject", "4"], Mark(4)),
        (["4", "pick", "reject"], Mark(-1, flag="reject")),
        (["reject", "red", "pick"], Mark(colour="red", flag="pick")),
        (["4", "pick"], Mark(4, flag="pick")),
    ],
)
def test_of_marks_that_gainsay_each_other_the_last_counts(words: list[str], mark: Mark) -> None:
    assert to_mark(words) == mark


@pytest.mark.parametrize(
    "by_hand",
    [
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="To print"',
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="0"',
        'xmlns:digiKam="http://www.digikam.org/ns/1.0/" digiKam:ColorLabel="2"',
    ],
)
def test_a_colour_by_hand_stays_and_keeps_no_stars_out(by_hand: str, tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(packet(by_hand))
    assert list(write_marks([(tmp_path / "a.jpg", to_mark(["red"]))])) == [Kept(tmp_path / "a.jpg")]
    assert sidecar.read_bytes() == packet(by_hand)
    assert rate_beside(tmp_path / "a.jpg") == sidecar


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp"])
@pytest.mark.parametrize("colours", ["03", "0"], ids=["red and blue", "red"])
def test_colours_of_darktable_are_one_s_own(colours: str, name: str, tmp_path: Path) -> None:
    seq = "".join(f"<rdf:li>{colour}</rdf:li>" for colour in colours)
    content = f"<darktable:colorlabels><rdf:Seq>{seq}</rdf:Seq></darktable:colorlabels>"
    (tmp_path / name).write_bytes(packet("", content))
    sidecar = tmp_path / "a.jpg.xmp"
    marks = [(tmp_path / "a.jpg", to_mark(["green"]))]
    assert list(write_marks(marks)) == [Kept(tmp_path / "a.jpg")]
    assert (tmp_path / name).read_bytes() == packet("", content)
    assert list(write_marks(marks, replace=True)) == [sidecar]
    assert read_back(sidecar)[DARKTABLE_COLOURS] == "2"


def test_a_prefix_that_means_something_else_is_left_alone(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(packet('xmlns:xmp="urn:other" xmp:Rating="9"'))
    assert rate_beside(tmp_path / "a.jpg") == sidecar
    assert rating_in(sidecar.read_bytes()) == "4"
    assert b'xmp:Rating="9"' in sidecar.read_bytes()


def test_a_word_that_is_no_mark_is_refused() -> None:
    with pytest.raises(ConfigError, match="no mark named 'orange'; choose from: reject, pick, red"):
        to_mark(["orange"])
