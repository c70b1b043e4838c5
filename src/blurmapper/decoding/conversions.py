"""Colours of a screen, camera or signal -> sRGB, judged by primaries and curves, never by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from blurmapper.preprocessing import WHITE

Rows = npt.NDArray[Any]
"""Some rows of an image (h, w, channels) of uint8, uint16 or float32 in [0, 1]."""

INDISTINGUISHABLE = 1.0
"""Levels of 255 by which sRGB's own profiles, of many makers, differ from each other."""

SRGB_TO_D50 = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
"""sRGB's primaries in XYZ at D50, as profiles hold them: B. Lindbloom, "RGB/XYZ Matrices"."""

D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
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


def primaries_to_srgb(chromaticities: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Return the matrix from the light of these primaries to that of sRGB's.

    Parameters
    ----------
    chromaticities : tuple of float
        x and y of white, red, green and blue. White is adapted by Bradford's matrix.

    Raises
    ------
    ValueError
        If no screen can have them.
    """
    xy = np.array(chromaticities, float).reshape(4, 2)
    if not (np.isfinite(xy).all() and (xy[:, 1] > 1e-4).all()):
        raise ValueError(f"primaries of {chromaticities}")
    xyz = np.column_stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(1)) / xy[:, 1]])
    white, primaries = xyz[0], xyz[1:].T
    if abs(np.linalg.det(primaries)) < 1e-6:
        raise ValueError(f"primaries of {chromaticities}")
    primaries = primaries * np.linalg.solve(primaries, white)
    cones = (_BRADFORD @ D50) / (_BRADFORD @ white)
    to_d50 = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
    matrix: npt.NDArray[np.float64] = np.linalg.inv(SRGB_TO_D50) @ to_d50 @ primaries
    return matrix


def light_of_srgb(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the light, in [0, 1], of samples of sRGB in [0, 1]: IEC 61966-2-1."""
    return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


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
    light = sample_positions()
    curved = 1.055 * light ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, curved).astype(np.float32)


def _to_steps(rows: Rows) -> npt.NDArray[np.uint16]:
    if rows.dtype == np.uint16:
        return rows
    if rows.dtype == np.uint8:
        return rows * np.uint16(257)
    return np.rint(rows * np.float32(_STEPS - 1)).astype(np.uint16)
