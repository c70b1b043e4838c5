"""Maps and masks in files of every kind: read as a photo of the same file is, or refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from blurmapper.errors import BlurMapperError, DatasetError, ImageError
from blurmapper.evaluation.maps import read_any_map
from blurmapper.images import read_image, read_map
from blurmapper.masks import read_mask

from .making import (
    COVER,
    GREY,
    Array,
    encode,
    levels,
    pack,
    plain_tiff,
    png,
    tiff,
    with_depth,
)

READERS: dict[str, tuple[Callable[[Path], Array], type[BlurMapperError]]] = {
    "read_map": (read_map, ImageError),
    "read_any_map": (read_any_map, ImageError),
    "read_mask": (read_mask, DatasetError),
}
every_reader = pytest.mark.parametrize("reader", READERS)


def check(reader: str, file: bytes, path: Path) -> None:
    """Compare a file's map or mask with the photo that it is, in levels of 255."""
    path.write_bytes(file)
    expected = levels(read_image(path))[..., 0]
    np.testing.assert_allclose(levels(READERS[reader][0](path)), expected, rtol=0, atol=1)


@every_reader
@pytest.mark.parametrize("white", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f2", "f4", "f8"])
@pytest.mark.parametrize("layout", [{}, {"compression": "zlib", "tile": (32, 16)}])
def test_greys_are_those_of_the_photo(
    dtype: str, white: str, layout: Any, reader: str, tmp_path: Path
) -> None:
    file = tiff(with_depth(GREY / 255, dtype), photometric=white, **layout)
    check(reader, file, tmp_path / "map.tif")


@every_reader
@pytest.mark.parametrize("bits", [4, 10, 12, 14])
def test_samples_of_any_number_of_bits_reach_white(bits: int, reader: str, tmp_path: Path) -> None:
    samples = np.rint(GREY / 255 * (2**bits - 1))
    data = b"".join(pack(row, bits) for row in samples)
    tags = {256: (97,), 257: (61,), 258: (bits,), 259: (1,), 262: (0,), 277: (1,), 278: (61,)}
    check(reader, plain_tiff(tags, data), tmp_path / "map.tif")


@every_reader
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "deep TIFF"])
def test_all_are_turned_as_photos_are(
    kind: str, orientation: int, reader: str, tmp_path: Path
) -> None:
    exif = PIL.Image.Exif()
    exif[274] = orientation
    if kind == "deep TIFF":
        file = tiff(GREY * np.uint16(257), extratags=[(274, 3, 1, orientation, True)])
    else:
        file = encode(GREY, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    check(reader, file, tmp_path / "map")


@pytest.mark.parametrize("name", ["white-is-zero16.tif", "grey16-dotgain.tif"])
def test_a_profile_is_for_colours_and_not_for_numbers(name: str) -> None:
    path = Path(__file__).parents[3] / "shared" / "cases" / name
    if not path.exists():
        pytest.skip("needs ../shared")
    stored = levels(read_any_map(path))
    np.testing.assert_allclose(levels(read_map(path)), stored, rtol=0, atol=1e-4)
    difference = np.abs(stored - levels(read_image(path))[..., 0]).max()
    assert (difference < 1) == (name == "white-is-zero16.tif")


@pytest.mark.parametrize("kind", ["extra sample", "grey RGB", "planes"])
def test_sixteen_bits_that_pillow_mixes_up_are_greys(kind: str, tmp_path: Path) -> None:
    greys = GREY * np.uint16(257)
    if kind == "extra sample":
        cover = with_depth(COVER, "u2")[..., 0]
        file = tiff(np.dstack([greys, cover]), extrasamples=["unspecified"])
    else:
        file = tiff(np.dstack([greys] * 3), photometric="rgb", separate=kind == "planes")
    check("read_map", file, tmp_path / "map.tif")


@pytest.mark.parametrize("reader", ["read_map", "read_any_map"])
@pytest.mark.parametrize("mode", ["1", "P", "LA", "La", "RGBA", "RGBX", "CMYK", "YCbCr"])
def test_greys_of_every_mode_that_pillow_has_are_levels(
    mode: str, reader: str, tmp_path: Path
) -> None:
    if mode == "La":
        opaque = np.full_like(GREY, 255)
        file = tiff(np.dstack([GREY, opaque]), extrasamples=["assocalpha"])
    else:
        picture = PIL.Image.fromarray(GREY)
        file = encode((picture.convert("RGB") if mode == "RGBX" else picture).convert(mode), "TIFF")
    path = tmp_path / "map.tif"
    path.write_bytes(file)
    if mode == "YCbCr" and int(PIL.__version__.partition(".")[0]) < 12:
        pytest.skip("Pillow 11.3 cannot read the YCbCr that it writes")
    expected = levels(read_image(path))[..., 0]
    np.testing.assert_allclose(levels(READERS[reader][0](path)), expected, rtol=0, atol=2)


@every_reader
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "palette", "one grey", "one deep grey"])
@pytest.mark.parametrize("opaque", [True, False])
def test_what_is_transparent_is_no_grey(
    kind: str, opaque: bool, reader: str, tmp_path: Path
) -> None:
    greys = np.where(GREY < 128, np.uint8(0), np.uint8(255))
    # Of a colour that does not occur, and so is of no pixel, files often say that it is clear.
    clear = 7 if opaque else 255
    picture = PIL.Image.fromarray(greys)
    if kind == "one deep grey":
        clear16 = clear if opaque else 65535
        file = encode(PIL.Image.fromarray(greys * np.uint16(257)), "PNG", transparency=clear16)
    elif kind in ("palette", "one grey"):
        indexed = picture.convert("P") if kind == "palette" else picture
        file = encode(indexed, "PNG", transparency=clear)
    else:
        alpha = np.full_like(greys, 255) if opaque else np.where(greys, np.uint8(254), 255)
        picture.putalpha(PIL.Image.fromarray(alpha.astype(np.uint8)))
        file = encode(picture, kind, **({"lossless": True} if kind == "WEBP" else {}))
    path = tmp_path / "map"
    path.write_bytes(file)
    read, error = READERS[reader]
    if opaque:
        np.testing.assert_array_equal(levels(read(path)), greys)
        return
    with pytest.raises(
        error, match=r"map: parts of it are transparent; write the ma\w+ as grey, 0"
    ):
        read(path)


def test_lab_is_in_colours(tmp_path: Path) -> None:
    pixels = np.dstack([GREY, GREY // 16, GREY // 32])
    picture = PIL.Image.frombytes("LAB", GREY.shape[::-1], pixels.tobytes())
    picture.save(path := tmp_path / "map.tif")
    assert read_any_map(path).std() > 20
    for reader in ("read_map", "read_mask"):
        with pytest.raises(
            READERS[reader][1], match=r"map\.tif: (not a blur map|it is in colours)"
        ):
            READERS[reader][0](path)


@pytest.mark.parametrize("reader", ["read_map", "read_any_map"])
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "u4"])
def test_integers_of_no_known_white_are_no_map(dtype: str, reader: str, tmp_path: Path) -> None:
    path = tmp_path / "map.tif"
    path.write_bytes(tiff((GREY // 4).astype(dtype)))
    with pytest.raises(ImageError, match=r"map\.tif: integers with a sign or more than 16"):
        READERS[reader][0](path)


@every_reader
def test_half_of_a_deep_file_is_none(reader: str, tmp_path: Path) -> None:
    file = tiff(with_depth(GREY / 255, "f8"))
    path = tmp_path / "map.tif"
    path.write_bytes(file[: len(file) // 2])
    read, error = READERS[reader]
    with pytest.raises(error, match=r"map\.tif: (the mask cannot be read|damaged or cut)"):
        read(path)


@every_reader
@pytest.mark.parametrize("bits", [1, 8, 16])
def test_a_png_without_its_last_rows_is_none(bits: int, reader: str, tmp_path: Path) -> None:
    file = bytearray(png(np.full((30, 61, 1), 2**bits - 1), bits))
    file[20:24] = struct.pack(">I", 31)
    file[29:33] = struct.pack(">I", zlib.crc32(file[12:29]))
    path = tmp_path / "map.png"
    path.write_bytes(file)
    read, error = READERS[reader]
    with pytest.raises(error, match=r"map\.png: (the mask cannot be read|damaged or cut)"):
        read(path)


@every_reader
def test_a_picture_without_pixels_is_none(reader: str, tmp_path: Path) -> None:
    tags = {256: (0,), 257: (61,), 258: (16,), 259: (1,), 262: (1,), 277: (1,), 278: (61,)}
    path = tmp_path / "map.tif"
    path.write_bytes(plain_tiff(tags, bytes(61)))
    read, error = READERS[reader]
    with pytest.raises(error, match=r"map\.tif: (the mask cannot be read|damaged or cut)"):
        read(path)


def npy(header: str) -> bytes:
    """Return an .npy file of 128 bytes that says this of itself."""
    return b"\x93NUMPY\1\0\x76\0" + header.ljust(117).encode() + b"\n"


@pytest.mark.parametrize("reader", ["read_map", "read_any_map"])
@pytest.mark.parametrize(
    "file",
    [
        b"",
        npy("(((("),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }"),
        npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1{'0' * 30}), }}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (16, 16), }"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (16, 16), }"),
        b"PK\3\4 is not all of an .npz file",
    ],
)
def test_a_broken_array_is_no_map(file: bytes, reader: str, tmp_path: Path) -> None:
    path = tmp_path / "map.npy"
    path.write_bytes(file)
    with pytest.raises(ImageError, match=r"map\.npy: damaged or cut short "):
        READERS[reader][0](path)
