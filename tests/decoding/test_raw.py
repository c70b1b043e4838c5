"""RAW photos, made here: developed, or read by the JPEG in them."""

from __future__ import annotations

import io
import re
import struct
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.decoding import decode_photo, raw
from blurmapper.errors import ImageError, MissingExtraError, install_command
from blurmapper.images import read_image

from .making import encode, make_scene

AsHeld = Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]
Image = npt.NDArray[np.uint8]


def mosaic_of(scene: Image) -> bytes:
    """Return what a sensor behind a Bayer filter sees of a scene, 16 bits a pixel."""
    mosaic = scene[..., 1].astype("<u2")
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = scene[0::2, 0::2, 0], scene[1::2, 1::2, 2]
    return (mosaic * 256).tobytes()


def make_dng(scene: Image, *, preview: bytes = b"", orientation: int = 1) -> bytes:
    """Return an RGB scene as a sensor behind a Bayer filter saw it, with a preview."""
    height, width = scene.shape[:2]
    mosaic = mosaic_of(scene)
    identity = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    sensor: dict[int, tuple[str, tuple[int, ...]]] = {
        254: ("I", (0,)),
        256: ("I", (width,)),
        257: ("I", (height,)),
        258: ("H", (16,)),
        259: ("H", (1,)),
        262: ("H", (32803,)),
        273: ("I", (0,)),
        277: ("H", (1,)),
        278: ("I", (height,)),
        279: ("I", (len(mosaic),)),
        33421: ("H", (2, 2)),
        33422: ("B", (0, 1, 1, 2)),
        50717: ("I", (65535,)),
    }
    if preview:
        with PIL.Image.open(io.BytesIO(preview)) as small:
            columns, rows = small.size
    else:
        columns, rows, preview = 16, 16, bytes(16 * 16 * 3)
    compression, colours = (7, 6) if preview[:2] == b"\xff\xd8" else (1, 2)
    first: dict[int, tuple[str, tuple[int, ...]]] = {
        254: ("I", (1,)),
        256: ("I", (columns,)),
        257: ("I", (rows,)),
        258: ("H", (8, 8, 8)),
        259: ("H", (compression,)),
        262: ("H", (colours,)),
        273: ("I", (0,)),
        274: ("H", (orientation,)),
        277: ("H", (3,)),
        278: ("I", (rows,)),
        279: ("I", (len(preview),)),
        330: ("I", (0,)),
        50706: ("B", (1, 4, 0, 0)),
        50708: ("s", tuple(b"Test\0")),
        50721: ("r", identity),
        50728: ("R", (1, 1) * 3),
        50778: ("H", (21,)),
    }
    preview_at = 8
    mosaic_at = preview_at + len(preview) + len(preview) % 2
    sensor_at = mosaic_at + len(mosaic)
    first[273], sensor[273], first[330] = (
        ("I", (preview_at,)),
        ("I", (mosaic_at,)),
        ("I", (sensor_at,)),
    )
    second = make_ifd(sensor, sensor_at)
    head = struct.pack("<2sHI", b"II", 42, sensor_at + len(second))
    body = preview.ljust(mosaic_at - preview_at, b"\0") + mosaic + second
    return head + body + make_ifd(first, sensor_at + len(second))


def make_ifd(tags: dict[int, tuple[str, tuple[int, ...]]], place: int) -> bytes:
    """Return a TIFF directory that lies at a byte of its file."""
    kinds = {"B": (1, "B", 1), "s": (2, "B", 1), "H": (3, "H", 1), "I": (4, "I", 1)}
    kinds |= {"R": (5, "I", 2), "r": (10, "i", 2)}
    entries, extra = struct.pack("<H", len(tags)), b""
    beyond = place + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        code, letter, numbers = kinds[kind]
        content = struct.pack(f"<{len(values)}{letter}", *values)
        entries += struct.pack("<HHI", tag, code, len(values) // numbers)
        if len(content) <= 4:
            entries += content.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", beyond + len(extra))
            extra += content + bytes(len(content) % 2)
    return entries + bytes(4) + extra


def encode_jpeg(scene: Image) -> bytes:
    return encode(PIL.Image.fromarray(scene), "JPEG", quality=95)


needs_rawpy = pytest.mark.usefixtures("rawpy")


@pytest.fixture
def rawpy() -> Any:
    """What reads RAW files, or the reason why there is none."""
    return pytest.importorskip("rawpy", reason="the extra photo is not installed")


@needs_rawpy
def test_a_raw_photo_without_a_preview_is_developed() -> None:
    photo = decode_photo(io.BytesIO(make_dng(make_scene(96, 128))), "x.dng")
    assert photo.image.shape == (photo.height, photo.width, 3) == (96, 128, 3)
    assert photo.image[:20, :28].mean() > photo.image[60:].mean() + 80


@needs_rawpy
def test_a_raw_photo_is_read_by_its_preview_where_that_is_as_large() -> None:
    scene = make_scene(96, 128)
    red = np.full_like(scene, (200, 30, 40))
    photo = decode_photo(io.BytesIO(make_dng(scene, preview=encode_jpeg(red))), "x.dng")
    assert photo.image.shape == (96, 128, 3)
    np.testing.assert_allclose(photo.image[50, 50], (200, 30, 40), atol=6)


@needs_rawpy
@pytest.mark.parametrize("least", [None, 1000])
def test_a_small_preview_is_enough_where_few_pixels_are(least: int | None) -> None:
    red = np.full((48, 64, 3), (200, 30, 40), np.uint8)
    file = make_dng(make_scene(96, 128), preview=encode_jpeg(red))
    photo = decode_photo(io.BytesIO(file), "x.dng", least)
    assert (photo.height, photo.width) == (96, 128)
    assert photo.image.shape[:2] == ((96, 128) if least is None else (48, 64))


@needs_rawpy
@pytest.mark.parametrize("least", [None, 1000])
@pytest.mark.parametrize("with_preview", [True, False])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_raw_photo_is_turned_upright(
    orientation: int, with_preview: bool, least: int | None, as_held: AsHeld
) -> None:
    upright = make_scene(128, 96)
    held = np.ascontiguousarray(as_held(upright, orientation))
    preview = encode_jpeg(held) if with_preview else b""
    file = make_dng(held, preview=preview, orientation=orientation)
    photo = decode_photo(io.BytesIO(file), "x.dng", least)
    assert (photo.height, photo.width) == (128, 96)
    part = photo.height // photo.image.shape[0]
    assert photo.image.shape[:2] == (128 // part, 96 // part)
    assert photo.image[: 28 // part, : 20 // part].mean() > photo.image[60 // part :].mean() + 80


@needs_rawpy
def test_a_truncated_raw_photo_is_refused() -> None:
    file = make_dng(make_scene(96, 128))
    with pytest.raises(ImageError):
        decode_photo(io.BytesIO(file[:2000]), "x.dng")


@needs_rawpy
@pytest.mark.parametrize("missing", [10, 4000, 20_000])
def test_a_raw_photo_whose_pixels_lie_beyond_its_end_is_refused(missing: int) -> None:
    """The sensor's pixels come last here: such a file is cut while it is copied from a card."""
    file, pixels = make_dng(make_scene(96, 128)), mosaic_of(make_scene(96, 128))
    offset = struct.pack("<I", file.index(pixels))
    assert file.count(offset) == 1
    moved = file.replace(offset, struct.pack("<I", len(file))) + pixels
    assert decode_photo(io.BytesIO(moved), "x.dng").image.shape == (96, 128, 3)
    with pytest.raises(ImageError, match=r"^x\.dng: damaged or cut short \(pixels lie beyond"):
        decode_photo(io.BytesIO(moved[:-missing]), "x.dng")


@needs_rawpy
def test_why_libraw_does_not_read_a_photo_is_said_in_words() -> None:
    with pytest.raises(ImageError, match=r"LibRaw does not read \([A-Z][a-z ]+") as raised:
        read_image(b"FUJIFILMCCD-RAW 0201" + bytes(4000))
    assert "b'" not in str(raised.value)


@pytest.mark.parametrize("head", [b"\0\0\0\x18ftypcrx ", b"FUJIFILMCCD-RAW "])
def test_a_raw_photo_that_says_it_goes_on_is_refused(head: bytes) -> None:
    """A box of a CR3 file, and the place of a RAF file's pixels, beyond the end."""
    pytest.importorskip("rawpy", reason="the extra photo is not installed")
    if head.endswith(b"crx "):
        file = head + bytes(8) + struct.pack(">I4s", 9000, b"mdat") + bytes(5000)
    else:
        places = struct.pack(">6I", 200, 10, 300, 10, 400, 9000)
        file = head.ljust(0x54, b"\0") + places + bytes(5000)
    with pytest.raises(ImageError, match="pixels lie beyond its end"):
        read_image(file)


@pytest.mark.parametrize("error", [NotImplementedError("thumb type: 4"), OSError(5, "odd")])
def test_a_preview_that_is_no_jpeg_is_passed_over(error: Exception) -> None:
    class Raw:
        def extract_thumb(self) -> None:
            raise error

    assert raw._read_preview(Raw(), SimpleNamespace(LibRawError=KeyError)) is None


def test_raw_without_its_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(
        MissingExtraError, match=r"x\.dng: RAW .* " + re.escape(install_command("photo"))
    ):
        decode_photo(io.BytesIO(make_dng(make_scene(96, 128))), "x.dng")
    with pytest.raises(MissingExtraError):
        read_image(b"FUJIFILMCCD-RAW 0201" + bytes(100))
