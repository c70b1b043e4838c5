"""ICC profiles, and signals told by number or by gamma -> what turns their colours into sRGB."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding.conversions import (
    SRGB_TO_D50,
    Conversion,
    Rows,
    Shaper,
    is_noticeable,
    light_of_srgb,
    primaries_to_srgb,
    sample_positions,
)
from blurmapper.preprocessing import WHITE

CHANNELS = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}

SRGB_CHROMATICITIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)

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
        flat = rows[..., 0] if rows.shape[2] == 1 else rows
        picture = PIL.Image.fromarray(np.ascontiguousarray(flat), self._mode)
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
        with suppress(ArithmeticError, LookupError, ValueError, struct.error):
            conversion = _read_shaper(content)
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
    matrix = primaries_to_srgb(PRIMARIES.get(primaries, SRGB_CHROMATICITIES))
    samples = sample_positions()
    # BT.709's own curve is for cameras: every viewer shows it by sRGB's.
    gamma = _GAMMAS.get(transfer)
    light = samples**gamma if gamma else light_of_srgb(samples)
    return _unless_unnoticeable(Shaper(_three(light), matrix))


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
    try:
        matrix = primaries_to_srgb(chromaticities or SRGB_CHROMATICITIES)
    except ValueError:
        return None
    return _unless_unnoticeable(Shaper(_three(light), matrix))


def _unless_unnoticeable(shaper: Shaper) -> Shaper | None:
    return shaper if is_noticeable(shaper, 3) else None


def _three(light: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.broadcast_to(light.astype(np.float32), (3, light.size))


def _read_shaper(content: bytes) -> Shaper:
    """Return a profile's primaries and curves, or raise where it has tables or none of these."""
    tags = _read_tags(content)
    if b"A2B0" in tags:
        raise LookupError("the profile has tables")
    if content[16:20] == b"GRAY":
        light = _read_curve(tags[b"kTRC"])
        if content[20:24] == b"Lab ":
            lightness = (100 * light + 16) / 116
            light = np.where(lightness > 6 / 29, lightness**3, (lightness - 4 / 29) * 108 / 841)
        return Shaper(_from_black(light, light[0])[None], None)
    curves = np.stack([_read_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
    columns = [_read_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    to_d50 = np.column_stack(columns)
    black = float(to_d50[1] @ curves[:, 0])
    return Shaper(_from_black(curves, black), np.linalg.inv(SRGB_TO_D50) @ to_d50)


def _from_black(light: npt.NDArray[np.float64], black: float) -> npt.NDArray[np.float32]:
    """Return light with the profile's black as none at all, as Little CMS shows it."""
    return ((light - black) / (1 - black)).astype(np.float32)


def _read_tags(content: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", content, 128)
    tags = {}
    for index in range(min(count, 200)):
        name, offset, size = struct.unpack_from(">4sII", content, 132 + 12 * index)
        tags[name] = content[offset : offset + size]
    return tags


def _read_xyz(tag: bytes) -> npt.NDArray[np.float64]:
    return np.array([value / 65536 for value in struct.unpack_from(">3i", tag, 8)])


def _read_curve(tag: bytes) -> npt.NDArray[np.float64]:
    """Return the light at `sample_positions` by a curve of ICC.1:2022, 10.6 and 10.18."""
    samples = sample_positions()
    if tag[:4] == b"para":
        return _read_formula(tag, samples)
    if tag[:4] != b"curv":
        raise LookupError("a curve of no known kind")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return samples
    values = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
    if count == 1:
        light: npt.NDArray[np.float64] = samples ** (values[0] / 256)
        return light
    return np.interp(samples, np.linspace(0, 1, count), values / 65535)


def _read_formula(tag: bytes, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    (kind,) = struct.unpack_from(">H", tag, 8)
    count = (1, 3, 4, 5, 7)[kind]
    g, a, b, c, d, e, f = (*(v / 65536 for v in struct.unpack_from(f">{count}i", tag, 12)),) + (
        (0.0,) * (7 - count)
    )
    if kind == 0:
        a, b = 1.0, 0.0
    power = np.maximum(a * x + b, 0) ** g
    if kind in (1, 2):
        light = np.where(x >= -b / a, power, 0) + (c if kind == 2 else 0)
    else:
        light = np.where(x >= d, power + e, c * x + f)
    return np.asarray(light.clip(0, 1))
