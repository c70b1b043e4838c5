"""Files that are longer than their picture, or say so."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from blurmapper.decoding import boxes, decode_photo, jpeg, read_size, read_stored
from blurmapper.errors import ImageError

from .making import encode, make_scene

SCENE = make_scene(64, 96)


class Counted(io.BytesIO):
    """A file that counts the bytes that are taken of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        self.taken += len(content)
        return content


def make_file(kind: str) -> bytes:
    """Return a photo as a file, which has 16 bits a sample where its kind says so."""
    if kind == "HEIF":
        heif = pytest.importorskip("pillow_heif", reason="the extra photo is not installed")
        buffer = io.BytesIO()
        heif.from_pillow(PIL.Image.fromarray(SCENE)).save(buffer)
        return buffer.getvalue()
    if kind in ("jp2", "j2k"):
        deep = SCENE.astype(np.uint16) * 257
        return bytes(imagecodecs.jpeg2k_encode(deep, level=0, codecformat=kind))
    return encode(SCENE, kind)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "HEIF", "PNG", "jp2", "j2k"])
def test_what_lies_behind_a_picture_is_not_read(kind: str) -> None:
    file = make_file(kind)
    expected = decode_photo(io.BytesIO(file), "x").image
    for_photo, for_map, for_size = (Counted(file + bytes(60_000_000)) for _ in range(3))
    np.testing.assert_array_equal(decode_photo(for_photo, "x").image, expected)
    assert read_stored(for_map, "x").size == (96, 64)
    assert read_size(for_size) == (64, 96)
    assert max(stream.taken for stream in (for_photo, for_map, for_size)) < 20_000_000


def with_claim(kind: str) -> bytes:
    """Return a file that goes on for long, as it says."""
    file = make_file(kind)
    if kind == "JPEG":
        file = file[:-2]
    elif kind == "WEBP":
        file = file[:4] + struct.pack("<I", 3_000_000_000) + file[8:]
    else:
        place = file.index(b"IDAT" if kind == "PNG" else b"mdat") - 4
        file = file[:place] + struct.pack(">I", 2_000_000_000) + file[place + 4 :]
    return file + bytes(70_000_000)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "HEIF", "PNG"])
@pytest.mark.parametrize("read", [decode_photo, read_stored])
def test_what_says_that_its_picture_goes_on_for_long_is_refused(
    kind: str, read: Callable[[io.BytesIO, str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (boxes, jpeg):
        monkeypatch.setattr(module, "MOST_BYTES", 20_000_000)
    stream = Counted(with_claim(kind))
    with pytest.raises(ImageError, match=r"^x: .*(bytes|more data).*; (save|copy) "):
        read(stream, "x")
    assert stream.taken < 40_000_000


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
        ("BMP", {}),
        ("PPM", {}),
        ("GIF", {}),
        ("JPEG2000", {}),
    ],
)
def test_a_size_is_read_of_the_header_alone(kind: str, options: dict[str, object]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1230, 3), np.uint8)
    stream = Counted(encode(noise, kind, **options))
    assert read_size(stream) == (1000, 1230)
    assert stream.taken < 70_000
