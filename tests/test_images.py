"""Reading photos of every kind, and writing and reading maps."""

from __future__ import annotations

import io
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

from blurmapper.errors import ImageError, MissingExtraError
from blurmapper.images import draw_overlay, read_image, read_map, write_image, write_map

Photo = npt.NDArray[np.uint8]
AsHeld = Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]
FileAsHeld = Callable[..., bytes]

RED = (200, 30, 40)

ORIENTATIONS = range(1, 9)


def encode(photo: npt.NDArray[Any] | PIL.Image.Image, kind: str, **options: Any) -> bytes:
    """Return a photo as the bytes of a file."""
    buffer = io.BytesIO()
    picture = photo if isinstance(photo, PIL.Image.Image) else PIL.Image.fromarray(photo)
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


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
    with pytest.raises(MissingExtraError, match=r"pip install 'blurmapper\[photo\]'"):
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


BAD_FILES = {
    "empty": (b"", "is empty"),
    "text": (b"a shopping list, not a photo", "not an image file"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "not an image file"),
    "one pixel": (encode(np.zeros((1, 1, 3), np.uint8), "PNG"), "1 x 1 pixels is too small"),
    "thin": (encode(np.zeros((15, 99, 3), np.uint8), "PNG"), "at least 16"),
    "integers": (encode(PIL.Image.new("I", (20, 20)), "TIFF"), "32-bit signed integers"),
    "floats": (encode(PIL.Image.new("F", (20, 20), 9.0), "TIFF"), r"scale or clip"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_with_its_fault_in_one_line(name: str, tmp_path: Path) -> None:
    content, fault = BAD_FILES[name]
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=fault) as raised:
        read_image(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


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


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_an_array_of_no_known_kind_is_refused(name: str) -> None:
    array, fault = BAD_ARRAYS[name]
    with pytest.raises(ImageError, match=fault):
        read_image(array)


def test_what_is_no_photo_at_all_is_refused() -> None:
    with pytest.raises(ImageError, match="a dict is not a photo"):
        read_image({})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "bits", "error"), [("m.png", 8, 1 / 510), ("m.png", 16, 1 / 131070), ("m.npy", 8, 0)]
)
def test_a_map_is_read_as_it_was_written(
    name: str, bits: Any, error: float, tmp_path: Path
) -> None:
    blur_map = np.random.default_rng(0).random((20, 30), np.float32)
    write_map(blur_map, tmp_path / name, bits=bits)
    again = read_map(tmp_path / name)
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, blur_map, rtol=0, atol=error * 1.001)


def test_a_map_is_written_unstretched(tmp_path: Path) -> None:
    write_map(np.full((20, 20), 0.2, np.float32), tmp_path / "m.png")
    with PIL.Image.open(tmp_path / "m.png") as picture:
        assert picture.getextrema() == (51, 51)


@pytest.mark.parametrize(
    "blur_map",
    [
        np.full((20, 20), 1.1),
        np.full((20, 20), np.nan),
        np.zeros((20, 20, 1)),
        np.ones((9, 9), int),
    ],
)
def test_what_is_no_map_is_not_written(blur_map: Any, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        write_map(blur_map, tmp_path / "m.png")
    assert not list(tmp_path.iterdir())


def test_a_map_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"m\.jpg: maps are written as \.png"):
        write_map(np.zeros((20, 20), np.float32), tmp_path / "m.jpg")


def test_a_map_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    path.write_text("no map")
    with pytest.raises(ImageError, match=r"m\.png: not a blur map"):
        read_map(path)


def test_an_image_is_written_with_eight_bits(tmp_path: Path) -> None:
    write_image(np.full((20, 20, 3), 32768, np.uint16), tmp_path / "i.png")
    assert (read_image(tmp_path / "i.png") == 128).all()


def test_an_image_of_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"i\.xyz: no image format"):
        write_image(np.zeros((20, 20, 3), np.uint8), tmp_path / "i.xyz")


def test_an_overlay_shows_sharp_as_it_is_and_blurred_in_violet(sharp_photo: Photo) -> None:
    blur_map = np.zeros(sharp_photo.shape[:2], np.float32)
    blur_map[:, 64:] = 1
    overlay = draw_overlay(sharp_photo, blur_map)
    np.testing.assert_array_equal(overlay[:, :64], sharp_photo[:, :64])
    assert (overlay[:, 64:, 2] > overlay[:, 64:, 1]).all()


def test_an_overlay_is_the_same_in_every_dtype(sharp_photo: Photo) -> None:
    blur_map = np.full(sharp_photo.shape[:2], 0.5, np.float32)
    overlay = draw_overlay(sharp_photo, blur_map)
    np.testing.assert_array_equal(draw_overlay(sharp_photo * np.uint16(257), blur_map), overlay)
    np.testing.assert_allclose(
        draw_overlay(sharp_photo / np.float32(255), blur_map), overlay, atol=1
    )


def test_a_map_of_another_photo_is_refused(sharp_photo: Photo) -> None:
    with pytest.raises(ImageError, match="give the map of this photo"):
        draw_overlay(sharp_photo, np.zeros((96, 96), np.float32))
