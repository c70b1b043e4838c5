"""Reading photos of every kind, and writing and reading maps."""

from __future__ import annotations

import io
import re
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ImageCms

from blurmapper.decoding.arrays import turn
from blurmapper.errors import ImageError, MissingExtraError, install_command
from blurmapper.images import read_image

from .making import encode

Photo = npt.NDArray[np.uint8]
AsHeld = Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]
FileAsHeld = Callable[..., bytes]

RED = (200, 30, 40)

ORIENTATIONS = range(1, 9)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_file_is_turned_upright(
    sharp_photo: Photo, orientation: int, kind: str, file_as_held: FileAsHeld
) -> None:
    np.testing.assert_array_equal(
        read_image(file_as_held(sharp_photo, orientation, kind)), sharp_photo
    )


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_pillow_image_is_turned_upright(
    sharp_photo: Photo, orientation: int, file_as_held: FileAsHeld
) -> None:
    with PIL.Image.open(io.BytesIO(file_as_held(sharp_photo, orientation))) as picture:
        np.testing.assert_array_equal(read_image(picture), sharp_photo)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_that_a_program_has_changed_is_followed(
    kind: str, sharp_photo: Photo, file_as_held: FileAsHeld
) -> None:
    for orientation, expected in ((None, 1), (1, 1), (3, 3), (8, 8)):
        with PIL.Image.open(io.BytesIO(file_as_held(sharp_photo, 6, kind))) as picture:
            picture.load()
            stored = np.asarray(picture)
            if orientation is None:
                del picture.getexif()[0x0112]
            else:
                picture.getexif()[0x0112] = orientation
            np.testing.assert_array_equal(read_image(picture), turn(stored, expected))


def test_a_jpeg_on_disk_is_turned_upright(tmp_path: Path, file_as_held: FileAsHeld) -> None:
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :24] = 255
    path = tmp_path / "turned.jpg"
    path.write_bytes(file_as_held(upright, 6, "JPEG"))
    np.testing.assert_allclose(read_image(path), upright, atol=10)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_leaves_the_photo_as_stored(sharp_photo: Photo) -> None:
    file = encode(sharp_photo, "PNG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff")
    np.testing.assert_array_equal(read_image(file), sharp_photo)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA", "RGBa", "La"])
def test_transparent_pixels_are_white(mode: str) -> None:
    # Pillow reaches premultiplied pixels from straight ones only.
    straight = {"RGBa": "RGBA", "La": "LA"}.get(mode, mode)
    clear = PIL.Image.new(straight, (20, 20), (0,) * len(straight))
    assert (read_image(clear.convert(mode)) == 255).all()


def test_the_transparent_colour_of_a_palette_is_white() -> None:
    picture = PIL.Image.new("P", (20, 20), 1)
    picture.putpalette([0, 0, 0, *RED])
    picture.paste(0, (0, 0, 10, 20))
    pixels = read_image(encode(picture, "PNG", transparency=0))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 19].tolist() == list(RED)


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)]
)
def test_half_transparent_black_is_middle_grey_in_every_dtype(dtype: Any, white: float) -> None:
    rgba = np.zeros((16, 16, 4), dtype)
    rgba[..., 3] = dtype(white / 2)
    pixels = read_image(rgba)
    assert pixels.dtype == dtype
    assert pixels[0, 0, 0] / white == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "YCbCr"])
def test_a_red_jpeg_is_red_in_every_colour_model(mode: str) -> None:
    picture = PIL.Image.new("RGB", (32, 32), RED).convert(mode)
    np.testing.assert_allclose(read_image(encode(picture, "JPEG"))[8, 8], RED, atol=6)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA"])
def test_few_colours_become_rgb(mode: str) -> None:
    picture = PIL.Image.new("L", (20, 20), 0)
    picture.paste(255, (0, 0, 10, 20))
    pixels = read_image(encode(picture.convert(mode), "PNG"))
    assert pixels.shape == (20, 20, 3)
    assert pixels[0, 0].tolist() == [255] * 3
    assert pixels[0, 19].tolist() == [0] * 3


def test_the_first_frame_of_a_gif_is_read() -> None:
    frames = [PIL.Image.new("RGB", (20, 20), colour) for colour in (RED, (0, 0, 255))]
    file = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_image(file)[0, 0].tolist() == list(RED)


@pytest.mark.parametrize("kind", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_kept(kind: str, channels: int) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (20, 30, channels), np.uint16)
    encoded = cv2.imencode(kind, deep[..., ::-1])[1].tobytes()
    pixels = read_image(encoded)
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, np.broadcast_to(deep, (20, 30, 3)))


def test_deep_transparency_is_white() -> None:
    clear = np.zeros((20, 30, 4), np.uint16)
    pixels = read_image(cv2.imencode(".png", clear)[1].tobytes())
    assert pixels.dtype == np.uint16
    assert (pixels == 65535).all()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_sixteen_bit_colour_tiff_is_turned_once(orientation: int, as_held: AsHeld) -> None:
    upright = np.random.default_rng(1).integers(0, 65536, (20, 30, 3), np.uint16)
    stored = as_held(upright, orientation)
    height, width = stored.shape[:2]
    values = {0x0100: width, 0x0101: height, 0x0102: 8, 0x0103: 1, 0x0106: 2, 0x0111: 14}
    values |= {0x0112: orientation, 0x0115: 3, 0x0116: height, 0x0117: stored.nbytes}
    # Pixels lie behind an 8-byte header and the three depths of 16 bits.
    file = struct.pack("<2sHI3H", b"II", 42, 14 + stored.nbytes, 16, 16, 16) + stored.tobytes()
    file += struct.pack("<H", len(values))
    for tag, value in values.items():
        file += struct.pack(
            "<HHII", tag, 4 if tag == 0x0117 else 3, 3 if tag == 0x0102 else 1, value
        )
    np.testing.assert_array_equal(read_image(file + bytes(4)), upright)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_sixteen_bit_colour_png_is_turned_once(orientation: int, as_held: AsHeld) -> None:
    upright = np.random.default_rng(1).integers(0, 65536, (20, 30, 3), np.uint16)
    stored = as_held(upright, orientation)
    file = cv2.imencode(".png", stored[..., ::-1])[1].tobytes()
    exif = b"eXIf" + struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0)
    chunk = struct.pack(">I", len(exif) - 4) + exif + struct.pack(">I", zlib.crc32(exif))
    np.testing.assert_array_equal(read_image(file[:33] + chunk + file[33:]), upright)


@pytest.mark.parametrize("white", [1, 100, 254, 256, 1023, 65535])
@pytest.mark.parametrize("colours", [1, 3])
def test_netpbm_of_any_white_is_read_with_its_depth(white: int, colours: int) -> None:
    shown = np.linspace(0, white, 20 * 30 * colours).round().reshape(20, 30, colours)
    kind, dtype = (5, 6)[colours == 3], ">u2" if white > 255 else "u1"
    file = b"P%d # of nobody\n30 # wide\n20\n%d\n" % (kind, white) + shown.astype(dtype).tobytes()
    pixels = read_image(file)
    assert pixels.dtype == (np.uint16 if white > 255 else np.uint8)
    top = np.iinfo(pixels.dtype).max
    np.testing.assert_allclose(
        pixels / top, np.broadcast_to(shown / white, pixels.shape), atol=0.5 / top
    )
    with pytest.raises(ImageError, match=r"damaged or cut short \(pixels are missing\)"):
        read_image(file[:-1])


def test_a_sixteen_bit_pgm_keeps_its_white() -> None:
    file = b"P5 16 16 65535\n" + np.full((16, 16), 40000, ">u2").tobytes()
    assert read_image(file)[0, 0].tolist() == [40000] * 3


def test_a_float_tiff_stays_float() -> None:
    picture = PIL.Image.fromarray(np.full((20, 20), 0.25, np.float32))
    pixels = read_image(encode(picture, "TIFF"))
    assert pixels.dtype == np.float32
    assert (pixels == 0.25).all()


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1)])
def test_a_grey_array_becomes_rgb(shape: tuple[int, ...]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    pixels = read_image(grey)
    assert pixels.shape == (20, 30, 3)
    np.testing.assert_array_equal(pixels[..., 1], grey.reshape(20, 30))


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_become_float32(dtype: Any) -> None:
    assert read_image(np.full((20, 20, 3), 0.5, dtype)).dtype == np.float32


def test_rounding_above_white_is_clipped() -> None:
    assert read_image(np.full((20, 20, 3), 1 + 1e-6)).max() == 1


def test_a_dark_array_is_not_stretched() -> None:
    dark = np.full((20, 20, 3), 3, np.uint16)
    np.testing.assert_array_equal(read_image(dark), dark)


def test_an_embedded_profile_is_converted_to_srgb() -> None:
    # sRGB with its red and green primaries exchanged, under another name.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ")
    swapped = swapped.replace(b"?XYZ", b"gXYZ").replace("sRGB".encode("utf-16-be"), b"\0S\0w\0a\0p")
    picture = PIL.Image.new("RGB", (20, 20), (200, 0, 0))
    pixels = read_image(encode(picture, "PNG", icc_profile=swapped))
    np.testing.assert_allclose(pixels[0, 0], [0, 200, 0], atol=2)


def test_a_broken_profile_is_ignored() -> None:
    picture = PIL.Image.new("RGB", (20, 20), RED)
    assert read_image(encode(picture, "PNG", icc_profile=b"broken"))[0, 0].tolist() == list(RED)


def test_a_heic_photo_is_read_upright(as_held: AsHeld) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra photo is not installed")
    upright = np.zeros((64, 96, 3), np.uint8)
    upright[:32, :48] = 255
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    stored = PIL.Image.fromarray(as_held(upright, 6))
    heif.from_pillow(stored).save(buffer, exif=exif.tobytes(), quality=95)
    pixels = read_image(buffer.getvalue())
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 5


def test_heic_without_its_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("photo"))):
        read_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


def test_a_panorama_is_read_whole() -> None:
    panorama = np.zeros((16, 40_000, 3), np.uint8)
    panorama[:, -1] = RED
    pixels = read_image(encode(panorama, "PNG"))
    assert pixels.shape == panorama.shape
    assert pixels[8, -1].tolist() == list(RED)


def test_pillows_own_limit_is_passed_and_left_as_it_was(
    sharp_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = np.tile(sharp_photo, (9, 6, 1))
    # Pillow refuses twice its limit, and cuts no strips larger than it.
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 300_000)
    assert read_image(encode(photo, "JPEG")).shape == photo.shape
    assert PIL.Image.MAX_IMAGE_PIXELS == 300_000
