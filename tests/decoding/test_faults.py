"""What is no photo, or not a whole one, is refused in one line."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.errors import ImageError
from blurmapper.images import read_image

from .making import encode, make_scene

Photo = npt.NDArray[np.uint8]

BAD_FILES = {
    "empty": (b"", "is empty"),
    "text": (b"a shopping list, not a photo", "not an image file"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "not an image file"),
    "one pixel": (encode(np.zeros((1, 1, 3), np.uint8), "PNG"), "1 x 1 pixels is too small"),
    "thin": (encode(np.zeros((15, 99, 3), np.uint8), "PNG"), "at least 16"),
    "integers": (encode(PIL.Image.new("I", (20, 20)), "TIFF"), "32-bit signed integers"),
    "no JPEG": (b"\xff\xd8\xff\xdb\0\x05abc\xff\xd9", "begins as JPEG, but is damaged or of"),
    "no PNG": (b"\x89PNG\r\n\x1a\n" + bytes(60), "begins as PNG, but is damaged or of"),
    "no AVIF": (b"\0\0\0\x1cftypavif" + bytes(40), "begins as AVIF, but is damaged or of"),
    "BMP of 4 bits a colour": (
        struct.pack("<2sIII", b"BM", 874, 0, 66)
        + struct.pack("<IiiHHIIiiII", 40, 20, 20, 1, 16, 3, 800, 0, 0, 0, 0)
        + struct.pack("<III", 0xF00, 0xF0, 0xF)
        + bytes(808),
        "of a kind that is not built in \\(Unsupported BMP bitfields layout\\); save it as",
    ),
    "floats": (encode(PIL.Image.new("F", (20, 20), 9.0), "TIFF"), r"scale or clip"),
}

BAD_ARRAYS = {
    "shape": (np.zeros((20, 20, 2), np.uint8), "is not an image"),
    "batch": (np.zeros((1, 20, 20, 3), np.uint8), "is not an image"),
    "small": (np.zeros((0, 20, 3), np.uint8), "too small"),
    "integers": (np.zeros((20, 20, 3), np.int64), "no known white"),
    "nan": (np.full((20, 20, 3), np.nan), "NaN"),
    "infinite": (np.full((20, 20, 3), np.inf), "NaN or infinite"),
    "bytes as floats": (np.full((20, 20, 3), 255.0), r"clip them to \[0, 1\]"),
    "negative": (np.full((20, 20, 3), -0.1), r"clip them to \[0, 1\]"),
}


@pytest.mark.parametrize("compression", [1, 2])
def test_a_bmp_that_is_packed_in_runs_is_no_larger_than_such_are(compression: int) -> None:
    side, bits = 3000, 8 // compression
    sizes = struct.pack("<IiiHHIIiiII", 40, side, side, 1, bits, compression, 0, 0, 0, 2, 2)
    body = sizes + bytes(4) + b"\xff\xff\xff\0" + b"\1\1\0\0" * side
    file = b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 62) + body
    with pytest.raises(ImageError, match="a BMP packed in runs of so many pixels; save it as PNG"):
        read_image(file)


def test_a_header_that_claims_too_many_pixels_is_refused(sharp_photo: Photo) -> None:
    file = bytearray(encode(sharp_photo, "PNG"))
    file[16:24] = struct.pack(">II", 30_000, 30_000)
    file[29:33] = struct.pack(">I", zlib.crc32(file[12:29]))
    with pytest.raises(ImageError, match="30000 x 30000 pixels is more than 400 megapixels"):
        read_image(bytes(file))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.jpg: no such file"):
        read_image(tmp_path / "none.jpg")


def test_a_folder_is_no_photo(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder"):
        read_image(str(tmp_path))


def test_an_impossible_path_is_an_error_of_ours() -> None:
    with pytest.raises(ImageError, match="cannot be opened"):
        read_image("photo\0.jpg")


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_with_its_fault_in_one_line(name: str, tmp_path: Path) -> None:
    content, fault = BAD_FILES[name]
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=fault) as raised:
        read_image(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_heic_photo_of_too_many_pixels_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heif = pytest.importorskip("pillow_heif", reason="HEIC needs pillow-heif")
    buffer = io.BytesIO()
    heif.from_pillow(PIL.Image.fromarray(make_scene(64, 96))).save(buffer)
    monkeypatch.setattr(heif.HeifFile, "to_pillow", None)
    monkeypatch.setattr("blurmapper.decoding.arrays.MAX_PIXELS", 6000)
    with pytest.raises(ImageError, match="96 x 64 pixels is more than"):
        read_image(buffer.getvalue())


def test_a_file_that_only_begins_as_heic_is_damaged() -> None:
    pytest.importorskip("pillow_heif", reason="HEIC needs pillow-heif")
    with pytest.raises(ImageError, match="damaged"):
        read_image(b"\0\0\0\x18ftypheic" + bytes(12))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP", "AVIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(sharp_photo: Photo, kind: str, share: float) -> None:
    whole = encode(sharp_photo, kind)
    with pytest.raises(ImageError):
        read_image(whole[: int(share * len(whole))])


def test_a_truncated_pillow_image_is_refused(sharp_photo: Photo) -> None:
    whole = encode(sharp_photo, "JPEG")
    picture = PIL.Image.open(io.BytesIO(whole[: len(whole) // 2]))
    with picture, pytest.raises(ImageError, match="cut short"):
        read_image(picture)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "JPEG2000"])
@pytest.mark.parametrize("what", ["image", "file", "block"])
def test_what_is_closed_is_not_called_damaged(sharp_photo: Photo, what: str, kind: str) -> None:
    stream = io.BytesIO(encode(sharp_photo, kind))
    picture = PIL.Image.open(stream)
    if what == "block":
        with picture:
            pass
    else:
        (picture if what == "image" else stream).close()
    with pytest.raises(ImageError, match="closed before it was read"):
        read_image(picture)


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_an_array_of_no_known_kind_is_refused(name: str) -> None:
    array, fault = BAD_ARRAYS[name]
    with pytest.raises(ImageError, match=fault):
        read_image(array)


def test_what_is_no_photo_at_all_is_refused() -> None:
    with pytest.raises(ImageError, match="a dict is not a photo"):
        read_image({})  # type: ignore[arg-type]
