"""ICC profiles, and signals told by number or by gamma -> what turns their colours into sRGB."""

from __future__ import annotations

import io
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
from blurmapper.preprocessing import WHITE

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
        if rows.dtype != np.uint8:
            rows = np.rint(rows * np.float32(255 / WHITE[rows.dtype])).astype(np.uint8)
        picture = picture_of(rows, self._mode)
        converted = self._transform.apply(picture)
        return np.asarray(converted)


@lru_cache(maxsize=32)
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
    from PIL import ImageCms

    channels = CHANNELS.get(content[16:20])
    if channels is None:
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
