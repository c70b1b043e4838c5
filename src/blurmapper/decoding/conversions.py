"""Colours of a screen, camera or signal -> sRGB, judged by primaries and curves, never by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.preprocessing import WHITE

Rows = npt.NDArray[Any]
"""Some rows of an image (h, w, channels) of uint8, uint16 or float32 in [0, 1]."""

INDISTINGUISHABLE = 1.0
"""Levels of 255 by which sRGB's own profiles, of many makers, differ from each other."""

SRGB_CHROMATICITIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""x and y of white, red, green and blue."""

_SRGB_TO_D50 = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)  # in XYZ, as profiles hold primaries: B. Lindbloom, "RGB/XYZ Matrices"
_STEPS = 65536


class Conversion(Protocol):
    """What turns colours into sRGB."""

    def __call__(self, rows: Rows) -> Rows:
        """Return rows (h, w, 3) in sRGB."""


@dataclass(frozen=True, eq=False)
class Shaper:
    """A curve a channel, and a matrix: all that most screens, cameras and signals need.

    Attributes
    ----------
    curves : ndarray
        float32 (1 or 3, 65536): light, in [0, 1], of the samples from 0 to white.
    matrix : ndarray or None
        From the light of the channels to that of sRGB's; None of a grey one.
    """

    curves: npt.NDArray[np.float32]
    matrix: npt.NDArray[np.float64] | None

    def __call__(self, rows: Rows) -> Rows:
        """Return rows (h, w, 1 or 3) as sRGB (h, w, 3), of the same dtype."""
        steps = _to_steps(rows)
        if self.matrix is None:
            light = self.curves[0][steps[..., :1]]
        else:
            light = np.empty((*rows.shape[:2], 3), np.float32)
            for channel, curve in enumerate(self.curves):
                light[..., channel] = curve[steps[..., min(channel, rows.shape[2] - 1)]]
            light = light @ self.matrix.T.astype(np.float32)
        shown = np.broadcast_to(encode_srgb(light), (*rows.shape[:2], 3))
        if rows.dtype == np.float32:
            return shown
        levels: Rows = np.rint(shown * np.float32(WHITE[rows.dtype])).astype(rows.dtype)
        return levels


def is_noticeable(conversion: Conversion, channels: int) -> bool:
    """Say whether a conversion changes any of some hundred colours by more than sRGB's differ."""
    greys = np.arange(256, dtype=np.uint8)[None, :, None].repeat(channels, axis=2)
    levels = np.arange(0, 256, 32, dtype=np.uint8)
    grid = np.stack(np.meshgrid(*[levels] * channels), -1).reshape(1, -1, channels)
    colours = np.concatenate([greys, grid], axis=1)
    change = conversion(colours).astype(np.float32) - colours
    return float(np.abs(change).max()) > INDISTINGUISHABLE


def picture_of(samples: npt.NDArray[np.uint8], mode: str) -> PIL.Image.Image:
    """Return samples (H, W, channels) as a Pillow image of a mode that has those channels."""
    # Pillow 11.3 and 12 disagree whether `fromarray` may be given a mode.
    size = (samples.shape[1], samples.shape[0])
    return PIL.Image.frombuffer(mode, size, np.ascontiguousarray(samples), "raw", mode, 0, 1)


def read_light(profile: bytes, samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return samples (n, 1 or 3) in [0, 1] as light (n, 3) of sRGB's primaries, by an ICC profile.

    Little CMS works it out in floats and without its shortcuts, for which it takes long. What is
    outside sRGB is below 0 or above 1.

    Raises
    ------
    imagecodecs.CmsError
        If the profile is broken, or of another colour model.
    """
    import imagecodecs

    xyz = imagecodecs.cms_transform(
        samples[np.newaxis].astype(np.float32),
        profile,
        imagecodecs.cms_profile("xyz"),
        colorspace="gray" if samples.shape[1] == 1 else "rgb",
        outcolorspace="xyz",
        outdtype=np.float32,
        flags=imagecodecs.CMS.FLAGS.NOOPTIMIZE | imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION,
    )
    # Of grey, it has an axis of one more.
    xyz = xyz.reshape(-1, 3).astype(np.float64)
    light: npt.NDArray[np.float64] = np.linalg.solve(_SRGB_TO_D50, xyz.T).T
    return light


def linear_profile(chromaticities: tuple[float, ...]) -> bytes:
    """Return the ICC profile of light of these primaries: x and y of white, red, green and blue.

    Raises
    ------
    imagecodecs.CmsError
        If no screen can have them.
    """
    import imagecodecs

    return imagecodecs.cms_profile(
        "rgb", whitepoint=chromaticities[:2], primaries=chromaticities[2:], gamma=1.0
    )


def light_of_srgb(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the light, in [0, 1], of samples of sRGB in [0, 1]: IEC 61966-2-1."""
    return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def srgb_of_light(light: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the samples of sRGB in [0, 1] for light in [0, 1]."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def encode_srgb(light: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return samples of sRGB, float32 in [0, 1], for light, which is clipped to [0, 1]."""
    samples: npt.NDArray[np.float32] = _encoded()[
        np.rint(light.clip(0, 1) * (_STEPS - 1)).astype(np.uint16)
    ]
    return samples


def sample_positions() -> npt.NDArray[np.float64]:
    """Return the samples in [0, 1] for which a curve holds light."""
    return np.linspace(0, 1, _STEPS)


@cache
def _encoded() -> npt.NDArray[np.float32]:
    return srgb_of_light(sample_positions()).astype(np.float32)


def _to_steps(rows: Rows) -> npt.NDArray[np.uint16]:
    if rows.dtype == np.uint16:
        return rows
    if rows.dtype == np.uint8:
        return rows * np.uint16(257)
    return np.rint(rows * np.float32(_STEPS - 1)).astype(np.uint16)
