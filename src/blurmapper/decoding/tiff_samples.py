"""Samples of a TIFF picture -> grey, RGB or inks on a known scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import PIL

from blurmapper.decoding.arrays import row_strips, scale_bits, to_eight_bits, with_known_scale
from blurmapper.errors import ImageError

if TYPE_CHECKING:
    from tifffile import TiffPage

_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK, _LAB = 0, 1, 2, 3, 5, 8
_ASSOCIATED, _UNSPECIFIED = 1, 0
COLOURS = {_WHITE_IS_ZERO: 1, _GREY: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _LAB: 3}
"""How many samples of a pixel are colours, by the kind of picture."""

NO_MODE = (PIL.UnidentifiedImageError, SyntaxError)
"""What Pillow raises of a picture it has no mode for: of a file's first, and of those behind it."""


def refuse(name: str, what: str) -> ImageError:
    """Return the error for a picture of a kind that no photo is of."""
    return ImageError(f"{name}: {what} cannot be read; save it with 8 or 16 bits in RGB")


def refuse_packing(page: TiffPage, name: str) -> ImageError:
    """Return the error for a picture whose samples are not unpacked."""
    codec = getattr(page.compression, "name", page.compression)
    return ImageError(
        f"{name}: what packs its pixels ({codec}) is not built in; save it with another packing"
    )


def has_dim_palette(page: TiffPage) -> bool:
    """Say whether a palette's colours have 8 bits instead of 16, by what libtiff goes by."""
    return page.colormap is not None and bool(page.colormap.max() < 256)


def interpret(page: TiffPage, pixels: npt.NDArray[Any], name: str) -> tuple[npt.NDArray[Any], str]:
    """Return samples on a known scale, black as 0, with no channel but colours and alpha."""
    model, colours = page.photometric, COLOURS[page.photometric]
    alpha = _find_alpha(page, colours)
    pixels = pixels[..., : colours + (alpha is not None)]
    if model == _PALETTE:
        table = page.colormap
        if table is None or pixels.dtype.kind != "u":
            raise refuse(name, "a palette that is missing")
        if has_dim_palette(page):
            table = table * np.uint16(257)
        return np.moveaxis(table[:, pixels[..., 0]], 0, 2), "grey or RGB"
    # Where channels differ in bits, the decoder has brought them to one scale.
    bits: Any = page.bitspersample
    if not isinstance(bits, tuple):
        pixels = scale_bits(pixels, bits)
    pixels = with_known_scale(pixels, name)
    if model == _WHITE_IS_ZERO:
        pixels = pixels.copy()
        pixels[..., 0] = invert(pixels[..., 0])
    if model == _LAB:
        return _lab_to_rgb(page, pixels[..., :3], name), "grey or RGB"
    if model == _CMYK:
        return to_eight_bits(pixels[..., :4]), "CMYK"
    if alpha == _ASSOCIATED:
        pixels = _straighten(pixels)
    return pixels, "grey or RGB"


def is_grey(page: TiffPage) -> bool:
    """Say whether a picture is one of greys alone."""
    return page.photometric in (_WHITE_IS_ZERO, _GREY) and _find_alpha(page, 1) is None


def take_numbers(page: TiffPage, greys: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return greys (H, W) as the numbers that a file stores, black as 0, in the machine's order.

    Fewer than 16 bits come as 8 or 16. What has more, or a sign, stays: it has no known white.
    """
    bits: Any = page.bitspersample
    numbers = scale_bits(greys, bits) if isinstance(bits, int) and bits < 16 else greys
    numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    return invert(numbers) if page.photometric == _WHITE_IS_ZERO else numbers


def invert(greys: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return greys of which white is 0 with black as 0."""
    white = 1 if greys.dtype.kind == "f" else np.iinfo(greys.dtype).max
    return np.asarray(white - greys, greys.dtype)


def _find_alpha(page: TiffPage, colours: int) -> int | None:
    """Return the kind of alpha behind the colours, or None where there is none, or another thing.

    A fourth sample of which nothing is said is alpha, as it is for Pillow and ImageMagick.
    """
    if page.samplesperpixel == colours or page.photometric in (_PALETTE, _CMYK, _LAB):
        return None
    kinds = page.tags.valueof(338)
    if kinds is None:
        return 2 if page.photometric == _RGB and page.samplesperpixel == 4 else None
    kind = int(kinds[0] if isinstance(kinds, tuple) else kinds)
    return None if kind == _UNSPECIFIED else kind


def _straighten(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return samples whose colours were multiplied by alpha, in the last channel, as they were."""
    white = np.float32(1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max)
    out = pixels.copy()
    for rows in row_strips(*pixels.shape[:2]):
        alpha = pixels[rows, :, -1:].astype(np.float32) / white
        colour = (pixels[rows, :, :-1] / np.where(alpha > 0, alpha, np.float32(1))).clip(0, white)
        out[rows, :, :-1] = colour if white == 1 else np.rint(colour)
    return out


def _lab_to_rgb(page: TiffPage, lab: npt.NDArray[Any], name: str) -> npt.NDArray[np.uint16]:
    """Return CIE L*a*b* of 16 bits (TIFF 6.0, section 23: a and b are signed) as sRGB."""
    import imagecodecs

    if lab.dtype != np.uint16 or page.samplesperpixel < 3:
        raise refuse(name, "Lab of another depth than 16 bits")
    out = np.empty((*lab.shape[:2], 3), np.uint16)
    for rows in row_strips(*lab.shape[:2]):
        # In profiles a and b begin at -128, and 255 is white.
        hues = (lab[rows, :, 1:].view(np.int16).astype(np.float32) / 256 + 128) * 257
        pixels = np.concatenate([lab[rows, :, :1], np.rint(hues).astype(np.uint16)], axis=2)
        out[rows] = imagecodecs.cms_transform(
            pixels,
            imagecodecs.cms_profile("lab4"),
            imagecodecs.cms_profile("srgb"),
            colorspace="lab",
            outcolorspace="rgb",
            flags=imagecodecs.CMS.FLAGS.NOOPTIMIZE,
        )
    return out
