"""Linear light, and what a lens makes of a point of it that is out of focus."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.decoding.arrays import to_eight_bits
from blurmapper.decoding.conversions import light_of_srgb, srgb_of_light
from blurmapper.images import ImageArray
from blurmapper.preprocessing import WHITE

Shape = Literal["disc", "gaussian", "polygon"]

Kernel = npt.NDArray[np.float32]
"""float32 (n, n), n odd, with the sum 1."""

BLADES = 6
"""Of the aperture that `polygon` stands for."""

OVERSAMPLING = 8
"""Kernels are drawn this many times larger and averaged, so that radii need not be whole."""


def disc_kernel(radius: float) -> Kernel:
    """Return the kernel of an open circular aperture; radius in pixels."""
    ys, xs = _grid(radius)
    # A narrower one than the finest grid would be drawn as nothing.
    return average_down(ys**2 + xs**2 <= max(radius, 1 / OVERSAMPLING) ** 2)


def gaussian_kernel(sigma: float) -> Kernel:
    """Return a Gaussian kernel cut at three sigma; sigma in pixels."""
    row = cv2.getGaussianKernel(2 * int(np.ceil(3 * sigma)) + 1, sigma, cv2.CV_32F)
    return np.asarray(row @ row.T, np.float32)


def polygon_kernel(radius: float, blades: int, rotation: float = 0.0) -> Kernel:
    """Return the kernel of an aperture with straight blades, 5 to 9 on real lenses.

    The radius, in pixels, is that of the circle around it; the rotation is in radians.
    """
    ys, xs = _grid(radius)
    angles = rotation + (np.arange(blades) + 0.5) * 2 * np.pi / blades
    to_blade = max(radius, 1 / OVERSAMPLING) * np.cos(np.pi / blades)
    sides = [xs * np.cos(a) + ys * np.sin(a) <= to_blade for a in angles]
    return average_down(np.logical_and.reduce(sides))


def lens_radius(shape: Shape, sigma: float) -> float:
    """Return the radius at which `lens_kernel` has this sigma along an axis."""
    if shape == "polygon":
        return sigma / math.sqrt((2 + math.cos(2 * math.pi / BLADES)) / 12)
    return 2 * sigma


def lens_kernel(shape: Shape, radius: float) -> Kernel:
    """Return the kernel of an aperture; radius in pixels, of the circle around it.

    The Gaussian has the disc's variance, a sigma of half the radius.
    """
    if shape == "gaussian":
        return gaussian_kernel(radius / 2)
    return disc_kernel(radius) if shape == "disc" else polygon_kernel(radius, BLADES)


def average_down(drawn: npt.NDArray[Any]) -> Kernel:
    """Return the kernel that is drawn `OVERSAMPLING` times larger."""
    size = drawn.shape[0] // OVERSAMPLING
    small = cv2.resize(drawn.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small / small.sum(), np.float32)


def _grid(radius: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    size = 2 * int(np.ceil(radius)) + 1
    places = (np.arange(size * OVERSAMPLING) + 0.5) / OVERSAMPLING - size / 2
    return places[:, np.newaxis], places


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
    return to_eight_bits(srgb_of_light(light).astype(np.float32))
