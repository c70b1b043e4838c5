"""JPEG 2000 of more than 8 bits a sample, of whose white Pillow makes black."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from blurmapper.decoding import read_stored
from blurmapper.errors import ImageError
from blurmapper.images import read_image
from blurmapper.masks import read_mask

from .making import COLOURS, COVER, Array, levels, tiff, with_depth
from .making_profiles import ADOBE_RGB, make_rgb_profile

RGBA = np.concatenate([COLOURS / 255, COVER], axis=2)
SRGB = b"\1\0\0\0\0\0\x10"


def jpeg2000(
    values: Array, bits: int = 16, *, signed: bool = False, kind: str = "j2k", mct: bool = True
) -> bytes:
    """Return values (h, w, 1 to 4) in [0, 1] as a JPEG 2000 file that loses nothing."""
    samples = np.rint(values * (2**bits - 1)).astype(np.int32) - signed * 2 ** (bits - 1)
    samples = samples.astype(f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}").squeeze()
    content = imagecodecs.jpeg2k_encode(
        samples, level=0, codecformat=kind, bitspersample=bits, reversible=True, mct=mct
    )
    return bytes(content)


def box(name: bytes, content: bytes) -> bytes:
    """Return a box of a JP2 file."""
    return struct.pack(">I4s", 8 + len(content), name) + content


def jp2(codes: bytes, channels: int, colours: bytes, more: bytes = b"", bits: int = 16) -> bytes:
    """Return a codestream as a JP2 file of these colours, with more boxes in its header."""
    height, width = COLOURS.shape[:2]
    header = struct.pack(">IIHBBBB", height, width, channels, bits - 1, 7, 0, 0)
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    parts = box(b"ihdr", header) + box(b"colr", colours) + more
    return start + box(b"jp2h", parts) + box(b"jp2c", codes)


def over_white(values: Array) -> Array:
    """Return grey or RGB in [0, 1], with alpha or without, as RGB in levels of 255."""
    colours = 1 if values.shape[2] < 3 else 3
    cover = values[..., colours:] if values.shape[2] > colours else 1
    return np.broadcast_to(255 * (1 + (values[..., :colours] - 1) * cover), COLOURS.shape)


@pytest.mark.parametrize("kind", ["jp2", "j2k"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("channels", [[0], [0, 3], [0, 1, 2], [0, 1, 2, 3]])
@pytest.mark.parametrize("bits", [9, 10, 12, 15, 16])
def test_every_depth_is_read_as_it_is_shown(
    bits: int, channels: list[int], signed: bool, kind: str
) -> None:
    values = RGBA[..., channels]
    image = read_image(jpeg2000(values, bits, signed=signed, kind=kind))
    assert image.dtype == np.uint16
    np.testing.assert_allclose(levels(image), over_white(values), atol=400 / 2**bits)


@pytest.mark.parametrize("bits", [1, 2, 4, 7])
def test_white_of_few_bits_is_white(bits: int, tmp_path: Path) -> None:
    values = np.ones((32, 32, 1))
    values[:16] = 0
    file = jpeg2000(values, bits)
    np.testing.assert_array_equal(levels(read_image(file))[..., 0], 255 * values[..., 0])
    (tmp_path / "mask.jp2").write_bytes(file)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.jp2"), 255 * values[..., 0])


@pytest.mark.parametrize("bits", [9, 12, 16])
def test_white_stays_white_and_what_is_opaque_opaque(bits: int) -> None:
    values = np.ones((32, 32, 4))
    values[:16, :, :3] = 0
    image = read_image(jpeg2000(values, bits))
    assert (image[:16] == 0).all()
    assert (image[16:] == 65535).all()


def test_a_picture_that_pillow_opened_is_read_as_its_file() -> None:
    file = jpeg2000(RGBA)
    with PIL.Image.open(io.BytesIO(file)) as picture:
        np.testing.assert_array_equal(read_image(picture), read_image(file))


def test_the_profile_of_a_deep_one_is_obeyed_as_that_of_a_tiff() -> None:
    profile = make_rgb_profile(ADOBE_RGB, 1.8)
    file = jp2(jpeg2000(RGBA[..., :3]), 3, b"\2\0\0" + profile)
    as_tiff = tiff(with_depth(COLOURS / 255, "u2"), photometric="rgb", iccprofile=profile)
    np.testing.assert_allclose(levels(read_image(file)), levels(read_image(as_tiff)), atol=0.01)


def test_a_palette_of_deep_colours_is_followed() -> None:
    places = np.arange(97)[np.newaxis].repeat(61, axis=0)
    colours = np.rint(
        65535 * np.stack([COVER[0, :, 0], 1 - COVER[0, :, 0], COVER[0, :, 0] ** 2], 1)
    )
    table = struct.pack(">HB", 97, 3) + b"\x0f" * 3 + colours.astype(">u2").tobytes()
    mapping = b"".join(struct.pack(">HBB", 0, 1, channel) for channel in range(3))
    codes = jpeg2000(places[..., np.newaxis] / 255, 8)
    file = jp2(codes, 1, SRGB, box(b"pclr", table) + box(b"cmap", mapping), bits=8)
    np.testing.assert_array_equal(read_image(file), colours.astype(np.uint16)[places])


def test_ycc_becomes_rgb() -> None:
    ycc = np.asarray(PIL.Image.fromarray(COLOURS).convert("YCbCr")) / 255
    image = read_image(jp2(jpeg2000(ycc, mct=False), 3, b"\1\0\0\0\0\0\x12"))
    np.testing.assert_allclose(levels(image), COLOURS, atol=3)


def test_inks_become_rgb() -> None:
    inks = np.concatenate([1 - COLOURS / 255, np.zeros_like(COVER)], axis=2)
    image = read_image(jp2(jpeg2000(inks, mct=False), 4, b"\1\0\0\0\0\0\x0c"))
    np.testing.assert_allclose(levels(image), COLOURS, atol=1)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["jp2", "j2k"])
def test_one_that_is_cut_short_is_refused(kind: str, share: float) -> None:
    file = jpeg2000(RGBA, kind=kind)
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_image(file[: int(share * len(file))])


@pytest.mark.parametrize(("side", "why"), [(6000, "two sizes"), (60_000, "more parts")])
def test_one_of_two_sizes_is_refused_before_memory_is_taken(side: int, why: str) -> None:
    codes = bytearray(jpeg2000(RGBA))
    codes[8:16] = codes[24:32] = struct.pack(">II", side, side)
    with pytest.raises(ImageError, match=why):
        read_image(jp2(bytes(codes), 4, SRGB))


def test_channels_that_differ_in_depth_are_refused_by_name() -> None:
    codes = bytearray(jpeg2000(RGBA))
    codes[42 + 3 * 3] = 7
    with pytest.raises(ImageError, match=r"the image bytes: JPEG 2000 .* save it with 8"):
        read_image(jp2(bytes(codes), 4, SRGB))


@pytest.mark.parametrize(("channels", "mode"), [([0], "I;16"), ([0, 3], "LA"), ([0, 1, 2], "RGB")])
def test_maps_and_masks_keep_their_white(channels: list[int], mode: str) -> None:
    values = np.ones((32, 32, len(channels)))
    values[:16] = 0
    picture = read_stored(io.BytesIO(jpeg2000(values, 12)), "x")
    assert picture.mode == mode
    stored = np.asarray(picture)
    assert (stored[:16] == 0).all()
    assert (stored[16:] == (65535 if mode == "I;16" else 255)).all()


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">HH", marker, 2 + len(content)) + content


def claim(side: int, tile: int, style: bytes, *, in_tile: bool = False) -> bytes:
    """Return a codestream without pixels, all of it or its tile coded in such a way."""
    size = struct.pack(">H8IH", 0, side, side, 0, 0, tile, tile, 0, 0, 3) + b"\x07\1\1" * 3
    plain = segment(0xFF52, b"\0\0\0\1\0" + b"\5\4\4\0\1")
    own = segment(0xFF52, b"\1\0\0\1\0" + style)
    head = segment(0xFF51, size) + (plain if in_tile else own) + segment(0xFF5C, b"\x40\x48")
    tile_head = (own if in_tile else b"") + b"\xff\x93" + bytes(100)
    start = segment(0xFF90, struct.pack(">HIBB", 0, 12 + len(tile_head), 0, 1))
    return b"\xff\x4f" + head + start + tile_head + b"\xff\xd9"


@pytest.mark.parametrize(
    "file",
    {
        "tiles": claim(4000, 20, b"\5\4\4\0\1" + b"\xff" * 6),
        "precincts": claim(4000, 4000, b"\5\4\4\0\1" + b"\x11" * 6),
        "blocks": claim(8000, 8000, b"\5\0\0\0\1" + b"\xff" * 6),
        "before nonsense": claim(4000, 4000, b"\5\4\4\0\1" + b"\x11" * 6).replace(
            b"\xff\x5c", b"\xff\x53\0\2\xff\x5c"
        ),
        "a tile's precincts": claim(4000, 4000, b"\5\4\4\0\1" + b"\x11" * 6, in_tile=True),
    }.items(),
    ids=lambda item: item[0],
)
def test_more_parts_than_photos_have_are_refused(file: tuple[str, bytes]) -> None:
    with pytest.raises(ImageError, match="JPEG 2000 in more parts than a photo has"):
        read_image(file[1])
