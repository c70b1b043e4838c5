"""What photos say of themselves beside their pixels, where Pillow alone does not see it."""

from __future__ import annotations

import io
import struct

import PIL.Image
import pytest
from PIL import ExifTags

from blurmapper.decoding import read_metadata

TAKEN = "2026:11:22 12:00:00"
CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
PHOTOSHOP = bytes.fromhex("0537cdab9d0c4431a72afa561f2a113e")


def make_tiff(order: str, *, rating: bool = True, details: bool = True) -> bytes:
    """Return EXIF with a rating, and a time of taking in its details or, without, beside it."""
    exif = PIL.Image.Exif()
    exif.endian = order
    if rating:
        exif[ExifTags.Base.Rating] = 4
    within = exif.get_ifd(ExifTags.IFD.Exif) if details else exif
    within[ExifTags.Base.DateTimeOriginal] = TAKEN
    return exif.tobytes()[6:]


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def make_photo(kind: str) -> bytes:
    """Return as much of a photo as it takes to hold EXIF."""
    if kind == "cr3":
        parts = box(b"CNCV", b"CanonCR3") + box(b"CMT1", make_tiff("<"))
        parts += box(b"CMT2", make_tiff("<", rating=False, details=False))
        return box(b"ftyp", b"crx \0\0\0\1") + box(b"moov", box(b"uuid", CANON + parts))
    if kind == "mrw":
        parts = b"\0PRD" + struct.pack(">I", 24) + bytes(24)
        tiff = make_tiff(">")
        parts += b"\0TTW" + struct.pack(">I", len(tiff)) + tiff
        return b"\0MRM" + struct.pack(">I", len(parts)) + parts
    if kind.startswith("jp2"):
        names = {"jp2": b"JpgTiffExif->JP2", "jp2 of Photoshop": PHOTOSHOP}
        name = names.get(kind, b"JpgTiffExif->JP2Exif\0\0")
        buffer = io.BytesIO()
        PIL.Image.new("RGB", (64, 64)).save(buffer, "JPEG2000")
        return buffer.getvalue() + box(b"uuid", name + make_tiff("<"))
    head = {"orf": b"IIRO", "orf of old": b"IIRS", "orf of Motorola": b"MMOR", "rw2": b"IIU\0"}
    return head[kind] + make_tiff("<" if head[kind].startswith(b"II") else ">")[4:]


@pytest.mark.parametrize(
    "kind",
    [
        *("orf", "orf of old", "orf of Motorola", "rw2", "cr3", "mrw"),
        *("jp2", "jp2 of digiKam", "jp2 of Photoshop"),
    ],
)
def test_rating_and_time_are_seen_in_photos_of_every_kind(kind: str) -> None:
    exif = read_metadata(io.BytesIO(make_photo(kind))).exif
    assert exif[ExifTags.Base.Rating] == 4
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == TAKEN
