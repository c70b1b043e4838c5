"""Pillow images and deep arrays of every colour model and profile -> sRGB over white."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding.arrays import composite, row_strips
from blurmapper.decoding.conversions import Conversion
from blurmapper.decoding.profiles import Known, Managed, read_profile


def to_srgb_array(
    photo: PIL.Image.Image, conversion: Conversion | None = None
) -> npt.NDArray[np.uint8]:
    """Return a loaded Pillow image as sRGB of 8 bits (H, W, 3): by its profile, over white.

    Parameters
    ----------
    photo : PIL.Image.Image
    conversion : callable, optional
        What turns its RGB into sRGB, instead of the profile.
    """
    profile = None if conversion else photo.info.get("icc_profile")
    known = read_profile(profile, deep=False) if profile else Known(3, conversion)
    out = np.empty((photo.height, photo.width, 3), np.uint8)
    # Strip by strip: at once, Pillow holds the photo three times.
    for rows in row_strips(photo.height, photo.width):
        piece = photo.crop((0, rows.start, photo.width, rows.stop))
        out[rows] = _convert_piece(piece, known)
    return out


def deep_to_srgb(
    samples: npt.NDArray[Any], profile: bytes | None, conversion: Conversion | None = None
) -> npt.NDArray[Any]:
    """Return grey or RGB of any depth, with alpha or without, as sRGB (H, W, 3) over white.

    Parameters
    ----------
    samples : ndarray
        (H, W, 1 to 4) of uint8, uint16 or float32 in [0, 1]; a second or fourth channel is
        straight alpha. It may be overwritten.
    profile : bytes or None
    conversion : callable, optional
        What turns RGB into sRGB, instead of a profile.

    Returns
    -------
    ndarray
        Of the same dtype, or uint8 where the profile has tables: Little CMS is reached through
        Pillow, which has no deep colour.
    """
    colours = 1 if samples.shape[2] < 3 else 3
    profile = None if conversion else profile
    deep = samples.dtype != np.uint8
    known = read_profile(profile, deep=deep) if profile else Known(3, conversion)
    if samples.shape[2] == 3 and known.conversion is None:
        return samples
    out: npt.NDArray[Any] | None = None
    for rows in row_strips(*samples.shape[:2]):
        strip = _apply(samples[rows, :, :colours], known)
        if samples.shape[2] > colours:
            strip = composite(strip, samples[rows, :, colours:])
        if out is None and samples.shape[2] == 3 and strip.dtype == samples.dtype:
            # A photo of 100 megapixels should be in memory once.
            out = samples if samples.flags.writeable else None
        if out is None:
            out = np.empty((*samples.shape[:2], 3), strip.dtype)
        out[rows] = strip
    assert out is not None
    return out


def _apply(rows: npt.NDArray[Any], known: Known) -> npt.NDArray[Any]:
    """Convert grey or RGB by a profile that fits; one meant for another model is as good as none.

    A grey photo fits a profile for RGB, as viewers see it.
    """
    if known.conversion is None or known.channels not in (rows.shape[2], 3):
        return rows
    if known.channels != rows.shape[2]:
        rows = np.repeat(rows, 3, axis=2)
    return known.conversion(rows)


def _convert_piece(piece: PIL.Image.Image, known: Known) -> npt.NDArray[np.uint8]:
    if piece.mode == "LAB":
        return _lab()(np.asarray(piece))
    if piece.mode == "CMYK":
        if known.channels == 4 and known.conversion is not None:
            return known.conversion(np.asarray(piece))
        return np.asarray(piece.convert("RGB"))
    is_grey = piece.mode in ("1", "L", "LA", "La")
    alpha = None
    if piece.has_transparency_data:
        # Premultiplied grey becomes RGBA by way of straight grey alone.
        straight = (piece.convert("LA") if piece.mode == "La" else piece).convert("RGBA")
        alpha = np.asarray(straight.getchannel("A"))[..., np.newaxis]
        colour = straight.getchannel("R") if is_grey else straight.convert("RGB")
    else:
        mode = "L" if is_grey else "RGB"
        colour = piece if piece.mode == mode else piece.convert(mode)
    pixels = np.asarray(colour)
    pixels = _apply(pixels.reshape(*pixels.shape[:2], -1), known)
    return pixels if alpha is None else composite(pixels, alpha)


@cache
def _lab() -> Conversion:
    from PIL import ImageCms

    return Managed(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(), "LAB")
