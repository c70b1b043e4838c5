"""ICC profiles, signals and colour models of every kind -> sRGB over white."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding.arrays import composite, row_strips, to_eight_bits
from blurmapper.decoding.conversions import (
    SRGB_CHROMATICITIES,
    Conversion,
    Rows,
    Shaper,
    is_noticeable,
    light_of_srgb,
    linear_profile,
    picture_of,
    read_light,
    sample_positions,
)


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


CHANNELS = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}

PRIMARIES = {
    1: SRGB_CHROMATICITIES,
    4: (0.31, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.329, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (0.3127, 0.329, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
"""x and y of white, red, green and blue by the numbers of ITU-T H.273; others are sRGB's."""

_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
_HDR = {16: "PQ", 18: "HLG"}
_SAME_LIGHT = 1e-3
_MOST_TAGS, _MOST_STEPS = 100, 64
MOST_KEPT_BYTES = 2_000_000
"""Of a profile that is not read anew for each photo; those of printers have one million."""

_SAME_GAMMA = 0.05  # by which libpng too takes a file's gamma for the screen's


class Known(NamedTuple):
    """How many channels a profile is for, and what turns those into sRGB if it changes anything."""

    channels: int
    conversion: Conversion | None


class Managed:
    """A profile of any kind, obeyed by Little CMS through Pillow, which has 8 bits a sample."""

    def __init__(self, content: bytes, mode: str) -> None:
        from PIL import ImageCms

        self._mode = mode
        self._transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(content)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
        )

    def __call__(self, rows: Rows) -> Rows:
        """Return rows (h, w, channels) of any dtype as sRGB (h, w, 3) of 8 bits."""
        picture = picture_of(to_eight_bits(rows), self._mode)
        converted = self._transform.apply(picture)
        return np.asarray(converted)


def read_profile(content: bytes, *, deep: bool) -> Known:
    """Return how many channels an ICC profile is for, and what turns those into sRGB.

    The latter is None where nothing is to be done: with sRGB's own profile, whatever its name, and
    with a broken one, as viewers ignore that: the photo itself is fine.

    Parameters
    ----------
    content : bytes
    deep : bool
        Whether samples have more than 8 bits: those keep them, but where the profile has tables
        instead of primaries and curves.
    """
    # What is kept is bounded, whatever is sent.
    is_kept = len(content) <= MOST_KEPT_BYTES
    return (_read_profile if is_kept else _read_profile.__wrapped__)(content, deep=deep)


@lru_cache(maxsize=32)
def _read_profile(content: bytes, *, deep: bool) -> Known:
    from PIL import ImageCms

    channels = CHANNELS.get(content[16:20])
    if channels is None or _has_endless_steps(content):
        return Known(0, None)
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[channels]
    try:
        conversion: Conversion = Managed(content, mode)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return Known(0, None)
    if channels != 4 and not is_noticeable(conversion, channels):
        return Known(channels, None)
    if deep and channels != 4:
        # RuntimeError is Little CMS's.
        with suppress(RuntimeError, ValueError):
            conversion = _read_shaper(content, channels)
    return Known(channels, conversion)


def _has_endless_steps(content: bytes) -> bool:
    """Say whether a profile has a chain (ICC.1:2022, 10.16) of more steps than any in use.

    Little CMS compares each with each, and they may all be the same few bytes.
    """
    table = content[132 : 132 + 12 * min(_MOST_TAGS, (len(content) - 132) // 12)]
    tags = struct.iter_unpack(">4sII", table)
    places = [place for _, place, _ in tags if content[place : place + 4] == b"mpet"]
    return any(int.from_bytes(content[at + 12 : at + 16]) > _MOST_STEPS for at in places)


@lru_cache(maxsize=32)
def read_signal(primaries: int, transfer: int) -> Conversion | None:
    """Return what turns a signal into sRGB that says what it is by the numbers of ITU-T H.273.

    None where nothing is to be done.

    Raises
    ------
    ValueError
        If it is of high dynamic range: what is white in it is for a screen to say.
    """
    if transfer in _HDR:
        raise ValueError(_HDR[transfer])
    samples = sample_positions()
    # BT.709's own curve is for cameras: every viewer shows it by sRGB's.
    gamma = _GAMMAS.get(transfer)
    light = samples**gamma if gamma else light_of_srgb(samples)
    return _unless_unnoticeable(light, PRIMARIES.get(primaries, SRGB_CHROMATICITIES))


@lru_cache(maxsize=32)
def read_gamma(gamma: float | None, chromaticities: tuple[float, ...] | None) -> Conversion | None:
    """Return what turns a PNG file's samples into sRGB by its gAMA and cHRM chunks.

    None where nothing is to be done, or they are beyond what any screen has.
    """
    samples = sample_positions()
    is_usual = gamma is None or abs(gamma * 2.2 - 1) < _SAME_GAMMA
    if not is_usual and not 0.1 <= (gamma or 0) <= 10:
        return None
    light = light_of_srgb(samples) if gamma is None or is_usual else samples ** (1 / gamma)
    with suppress(RuntimeError):
        return _unless_unnoticeable(light, chromaticities or SRGB_CHROMATICITIES)
    return None


def _unless_unnoticeable(
    light: npt.NDArray[np.float64], chromaticities: tuple[float, ...]
) -> Shaper | None:
    primaries = read_light(linear_profile(chromaticities), np.eye(3))
    shaper = Shaper(np.broadcast_to(light.astype(np.float32), (3, light.size)), primaries.T)
    return shaper if is_noticeable(shaper, 3) else None


def _read_shaper(content: bytes, channels: int) -> Shaper:
    """Return a profile's curves and primaries, or raise where it is not made of such alone.

    They are what Little CMS makes of greys and of each channel alone; other colours tell whether
    they are all.
    """
    greys = np.repeat(sample_positions()[:, np.newaxis], channels, axis=1)
    others = np.random.default_rng(0).random((64, channels))
    light = read_light(content, np.concatenate([np.eye(channels), greys, others]))
    alone, of_greys, of_others = np.split(light, [channels, channels + len(greys)])
    if channels == 1:
        return Shaper(of_greys[:, :1].T.astype(np.float32), None)
    primaries = alone - of_greys[0]
    curves = np.linalg.solve(primaries.T, (of_greys - of_greys[0]).T)
    places = np.rint(others * (len(greys) - 1)).astype(int)
    expected = np.take_along_axis(curves.T, places, axis=0) @ primaries
    if not np.allclose(expected, of_others, rtol=0, atol=_SAME_LIGHT):
        raise ValueError("the profile has tables")
    return Shaper(curves.astype(np.float32), primaries.T)
