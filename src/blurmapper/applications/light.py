"""Linear light: sRGB of any depth decoded, and encoded again."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.decoding.conversions import light_of_srgb, srgb_of_light
from blurmapper.images import ImageArray
from blurmapper.preprocessing import WHITE

Light = npt.NDArray[np.float32]
"""Linear light, float32 in [0, 1]; 1 is the brightest that a photo can show."""

# Entries of the table that encodes 8 bits, at equal steps of the root of light: 16 of them or
# more to each of the 256 answers.
_STEPS = 8192


def decode_light(image: ImageArray) -> Light:
    """Return the linear light of an sRGB image (IEC 61966-2-1): uint8, uint16 or float32."""
    if image.dtype == np.float32:
        return light_of_srgb(image).astype(np.float32)
    return np.asarray(_decoding_table(image.dtype)[image])


def encode_light(light: Light, dtype: np.dtype[Any]) -> ImageArray:
    """Return sRGB of a dtype for linear light, cut to [0, 1]."""
    clipped = light.clip(0, 1)
    if dtype == np.uint8:
        index = (np.sqrt(clipped) * np.float32(_STEPS - 1) + np.float32(0.5)).astype(np.uint16)
        return np.asarray(encoding_table(_STEPS)[index])
    encoded = srgb_of_light(clipped).astype(np.float32)
    if dtype == np.float32:
        return encoded
    return np.asarray(np.rint(encoded * np.float32(WHITE[dtype])), dtype)


@cache
def _decoding_table(dtype: np.dtype[Any]) -> Light:
    white = WHITE[dtype]
    return light_of_srgb(np.arange(white + 1) / white).astype(np.float32)


@cache
def encoding_table(steps: int) -> npt.NDArray[np.uint8]:
    """Return 8-bit sRGB of linear light at equal steps of its root, from 0 to 1."""
    light = (np.arange(steps) / (steps - 1)) ** 2
    encoded: npt.NDArray[np.uint8] = np.rint(srgb_of_light(light).astype(np.float32) * 255).astype(
        np.uint8
    )
    return encoded
