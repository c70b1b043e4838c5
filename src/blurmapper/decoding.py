"""Files, Pillow images and arrays of every kind -> one kind of RGB array."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ExifTags

from blurmapper.errors import BlurMapperError, ImageError, MissingExtraError
from blurmapper.preprocessing import WHITE

MIN_SIDE = 16
"""Fewest pixels on a side of a photo: the reach of the networks' coarsest stride."""

MAX_PIXELS = 400_000_000
"""Most pixels of a photo: four times the largest that memory is tested with."""

# Pillow can also open formats that run a program (EPS) or that no camera writes.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "PPM", "JPEG2000")

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

_OPENING = threading.Lock()


def decode_stream(stream: BinaryIO, name: str) -> npt.NDArray[Any]:
    """Return the RGB array of an image file; `name` stands for it in errors.

    Raises
    ------
    ImageError
        If the file is empty, no image, damaged, truncated, too small or too large. A
        truncated photo is refused even where a part could be decoded: the grey rest would
        count as blurred.
    MissingExtraError
        If the file is HEIC and ``pillow-heif`` is not installed.
    """
    head = stream.read(32)
    stream.seek(0)
    if not head:
        raise ImageError(f"{name}: the file is empty (0 bytes); copy or download it again")
    with _one_line_errors(name), _open(stream, head, name) as photo:
        _check_size(photo.height, photo.width, name)
        photo.load()
        deep = _decode_deep(stream, head, photo)
        if deep is not None:
            return _turn(from_array(deep, name), _orientation(photo))
        return from_pillow(photo, name)


def from_pillow(photo: PIL.Image.Image, name: str) -> npt.NDArray[Any]:
    """Return the RGB array of a Pillow image: turned, over white, in sRGB.

    Samples of 16 bits stay 16 bits and floats stay floats; all else becomes 8 bits.
    """
    with _one_line_errors(name):
        _check_size(photo.height, photo.width, name)
        photo.load()
        return _turn(_samples(photo, name), _orientation(photo))


def from_array(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as RGB (H, W, 3).

    The dtype decides the scale: uint8, uint16, or floats in [0, 1], which become float32.
    A fourth channel is straight alpha, composited over white.
    """
    array = array[..., np.newaxis] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ImageError(
            f"{name}: shape {array.shape} is not an image; use (H, W), (H, W, 3) or (H, W, 4)"
        )
    _check_size(array.shape[0], array.shape[1], name)
    array = _with_known_scale(array, name)
    if array.shape[2] == 4:
        array = _composite(array)
    elif array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array)


def open_pillow(stream: BinaryIO) -> PIL.Image.Image:
    """Open an image file lazily, past Pillow's own limit of 179 megapixels."""
    # That limit is a global and has no other switch; plugins check it only while opening.
    with _OPENING:
        limit, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
        try:
            return PIL.Image.open(stream, formats=FORMATS)
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def _one_line_errors(name: str) -> Iterator[None]:
    """Turn what a decoder raises for a damaged file, nearly anything, into `ImageError`."""
    try:
        yield
    except BlurMapperError:
        raise
    except PIL.UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: not an image file that can be read; convert it to JPEG, PNG or TIFF"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(
            f"{name}: damaged or cut short ({reason}); copy or download it again"
        ) from error


def _samples(photo: PIL.Image.Image, name: str) -> npt.NDArray[Any]:
    """Return the RGB array of a loaded Pillow image as it is stored, before turning."""
    if photo.mode == "F" or photo.mode.startswith("I;16"):
        return from_array(np.asarray(photo), name)
    if photo.mode == "I":
        # Pillow widens 16-bit PGM to 32 bits; other 32-bit integers have no known white.
        if photo.format != "PPM":
            raise ImageError(f"{name}: 32-bit integer samples; save it with 8 or 16 bits")
        return from_array(np.asarray(photo).astype(np.uint16), name)
    return _to_array(_to_srgb(_over_white(photo)))


def _with_known_scale(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind != "f":
        raise ImageError(
            f"{name}: dtype {array.dtype} has no known white; "
            "use uint8, uint16, or float32 in [0, 1]"
        )
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        raise ImageError(f"{name}: holds NaN or infinite values; replace them first")
    # Resizing and colour conversion overshoot by rounding; more than that is another scale.
    if low < -1e-5 or high > 1 + 1e-5:
        raise ImageError(
            f"{name}: floats from {low:.4g} to {high:.4g}; scale or clip them to [0, 1]"
        )
    floats = array.astype(np.float32, copy=False)
    return floats.clip(0, 1) if low < 0 or high > 1 else floats


def _open(stream: BinaryIO, head: bytes, name: str) -> PIL.Image.Image:
    if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS and b"avif" not in head:
        try:
            import pillow_heif
        except ImportError as error:
            raise MissingExtraError(
                f"{name}: HEIC photos need pip install 'blurmapper[photo]'"
            ) from error
        heif: PIL.Image.Image = pillow_heif.open_heif(stream).to_pillow()
        return heif
    return open_pillow(stream)


def _check_size(height: int, width: int, name: str) -> None:
    if min(height, width) < MIN_SIDE:
        raise ImageError(
            f"{name}: {width} x {height} pixels is too small; "
            f"a photo needs at least {MIN_SIDE} on each side"
        )
    if height * width > MAX_PIXELS:
        raise ImageError(
            f"{name}: {width} x {height} pixels is more than "
            f"{MAX_PIXELS // 1_000_000} megapixels; reduce it first"
        )


def _decode_deep(
    stream: BinaryIO, head: bytes, photo: PIL.Image.Image
) -> npt.NDArray[np.uint16] | None:
    """Return 16-bit colour, which Pillow would cut to 8 bits, or None for all else."""
    is_png = photo.format == "PNG" and head[24] == 16 and head[25] in (2, 6)
    bits = getattr(photo, "tag_v2", {}).get(ExifTags.Base.BitsPerSample, ())
    if not is_png and not (photo.mode in ("RGB", "RGBA") and bits[:3] == (16, 16, 16)):
        return None
    import cv2

    stream.seek(0)
    encoded = np.frombuffer(stream.read(), np.uint8)
    pixels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape[:2] != photo.size[::-1]:
        return None
    to_rgb = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(pixels, to_rgb).astype(np.uint16, copy=False)


def _orientation(photo: PIL.Image.Image) -> int:
    # Broken EXIF raises anything; every viewer shows such a photo as it is stored.
    with suppress(Exception):
        return int(photo.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


def _turn(image: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn an image as its EXIF orientation (1 to 8) asks; others leave it alone."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def _composite(rgba: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Lay straight-alpha pixels over white, in strips."""
    white = np.float32(WHITE[rgba.dtype])
    out = np.empty((*rgba.shape[:2], 3), rgba.dtype)
    for rows in row_strips(*rgba.shape[:2]):
        alpha = rgba[rows, :, 3:].astype(np.float32) / white
        mixed = white + (rgba[rows, :, :3] - white) * alpha
        out[rows] = mixed if rgba.dtype == np.float32 else np.rint(mixed)
    return out


def _over_white(photo: PIL.Image.Image) -> PIL.Image.Image:
    """Composite alpha, of whatever kind, over white: what a page or a viewer shows."""
    if not photo.has_transparency_data:
        return photo
    straight = photo.convert("LA") if photo.mode == "La" else photo
    white = PIL.Image.new("RGBA", photo.size, "white")
    white.alpha_composite(straight.convert("RGBA"))
    flat = white.convert("RGB")
    flat.info = photo.info
    return flat


def _to_srgb(photo: PIL.Image.Image) -> PIL.Image.Image:
    """Convert to 8-bit RGB, by the embedded colour profile where it is a usable one."""
    profile = photo.info.get("icc_profile")
    if profile and photo.mode in ("RGB", "L", "CMYK", "P"):
        from PIL import ImageCms

        # A broken profile is ignored, as viewers do: the photo itself is fine.
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = source.profile.xcolor_space.strip()
            if "sRGB" not in ImageCms.getProfileDescription(source):
                fitting = photo.convert("RGB") if space == "RGB" else photo
                target = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(fitting, source, target, outputMode="RGB")
                return converted if converted is not None else photo.convert("RGB")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass
    return photo if photo.mode == "RGB" else photo.convert("RGB")


def _to_array(photo: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    """Copy the pixels strip by strip: at once, Pillow holds the photo three times."""
    out = np.empty((photo.height, photo.width, 3), np.uint8)
    for rows in row_strips(photo.height, photo.width):
        out[rows] = np.asarray(photo.crop((0, rows.start, photo.width, rows.stop)))
    return out


def row_strips(height: int, width: int) -> list[slice]:
    """Cut an image into runs of rows small enough for a processor's cache."""
    step = max(1, 300_000 // width)
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]
