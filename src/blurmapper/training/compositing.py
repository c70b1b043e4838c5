"""Light: sRGB and back, lenses and shaking hands, layers before layers, blur that varies."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.applications.light import (
    OVERSAMPLING,
    Kernel,
    average_down,
    decode_light,
    disc_kernel,
    encoding_table,
    gaussian_kernel,
    polygon_kernel,
)
from blurmapper.training.pairs import Material

Linear = npt.NDArray[np.float32]
"""Linear light, RGB (H, W, 3); 1 is the brightest that a photo can show, light can be brighter."""

Alpha = npt.NDArray[np.float32]
"""How much of each pixel a layer covers, (H, W)."""

RADII = (0.0, 0.7, 1.5, 3.0, 5.5, 9.0, 14.0, 20.0)
"""Of the evenly blurred copies that `vary_blur` works with, in pixels."""

SWEEP_STEP = 1.5
"""Pixels between the places at which a layer in motion is drawn."""

MOST_SWEEP_STEPS = 32


def encode_srgb(linear: Linear) -> npt.NDArray[np.uint8]:
    """Return 8-bit sRGB for linear light; what is brighter than white is cut."""
    index = (np.clip(linear, 0.0, 1.0) ** 0.5 * 4095.0 + 0.5).astype(np.uint16)
    return _ENCODED[index]


# Half as fine as that of `encode_light`, as the bundled weights were trained with.
_ENCODED = encoding_table(4096)


def shine(photo: npt.NDArray[np.uint8], rng: np.random.Generator) -> Linear:
    """Return the photo in linear light, its clipped highlights given back some brightness."""
    linear = decode_light(photo)
    if rng.random() < 0.6:
        peak = linear.min(axis=2)
        gain = float(rng.uniform(1.0, 6.0))
        linear = linear * (1.0 + gain * np.clip((peak - 0.8) / 0.2, 0, 1) ** 2)[..., None]
    return linear


def blur_behind(linear: Linear, front: Alpha, kernel: Kernel) -> Linear:
    """Blur what lies behind ``front`` without smearing the front into it.

    Normalised convolution: only the light of the background itself is averaged, so that no halo
    of the subject surrounds it.
    """
    behind = (1.0 - front)[..., None]
    light = apply_kernel(linear * behind, kernel)
    share = apply_kernel(np.ascontiguousarray(behind[..., 0]), kernel)[..., None]
    return np.asarray(light / np.maximum(share, 1e-3), np.float32)


def fill_behind(linear: Linear, front: Alpha) -> Linear:
    """Continue the background smoothly behind ``front``."""
    small = cv2.resize(linear * (1.0 - front)[..., None], None, fx=0.125, fy=0.125)
    share = cv2.resize(1.0 - front, None, fx=0.125, fy=0.125)
    height, width = front.shape
    sigma = max(small.shape) / 8
    light = cv2.GaussianBlur(small, (0, 0), sigma)
    light = light / np.maximum(cv2.GaussianBlur(share, (0, 0), sigma), 1e-3)[..., None]
    smooth = cv2.resize(light, (width, height))
    return np.asarray(linear * (1 - front)[..., None] + smooth * front[..., None], np.float32)


def cover(front: Linear, alpha: Alpha, behind: Linear) -> Linear:
    """Lay a layer, already multiplied by its alpha, over what is behind it."""
    return front + behind * (1.0 - alpha)[..., None]


def set_before(
    material: Material, kernel: Kernel, rng: np.random.Generator
) -> tuple[Linear, Alpha]:
    """Lay a sharp subject, its own or another's, before the blurred photo; return its alpha too."""
    if rng.random() < 0.5:
        alpha, front = material.subject, decode_light(material.photo)
        behind = blur_behind(shine(material.photo, rng), alpha, kernel)
    else:
        alpha, front = material.cutout_alpha, decode_light(material.cutout)
        behind = apply_kernel(shine(material.photo, rng), kernel)
    return cover(front * alpha[..., None], alpha, behind), alpha


def smear_before(
    front: Linear, alpha: Alpha, kernel: Kernel, behind: Linear
) -> tuple[Linear, Alpha]:
    """Lay a layer, smeared with its alpha, over what is behind; return what it covers too."""
    spread = apply_kernel(np.ascontiguousarray(alpha), kernel)
    return cover(apply_kernel(front * alpha[..., None], kernel), spread, behind), spread


def sweep(
    front: Linear, alpha: Alpha, pivot: tuple[float, float], turn: float
) -> tuple[Linear, Alpha]:
    """Turn a layer about a point while the shutter is open.

    Parameters
    ----------
    front, alpha : float32 (H, W, 3), (H, W)
        The layer, multiplied by its alpha, and how much of each pixel it covers.
    pivot : (float, float)
        (x, y) of the point in pixels; what is far from it moves farthest.
    turn : float
        Radians in all, half of it either way.

    Returns
    -------
    float32 (H, W, 3), float32 (H, W)
        The light of the layer averaged over the movement, and its coverage.
    """
    layer = np.dstack([front, alpha])
    ys, xs = np.nonzero(alpha > 0.5)
    reach = np.hypot(xs - pivot[0], ys - pivot[1]).max() if len(xs) else 1.0
    steps = int(np.clip(np.ceil(abs(turn) * float(reach) / SWEEP_STEP), 2, MOST_SWEEP_STEPS))
    total = np.zeros_like(layer)
    for along in np.linspace(-0.5, 0.5, steps):
        move = cv2.getRotationMatrix2D(pivot, float(np.degrees(turn * along)), 1.0)
        total += cv2.warpAffine(layer, move, layer.shape[1::-1])
    total /= steps
    return np.ascontiguousarray(total[..., :3]), np.ascontiguousarray(total[..., 3])


def flatten_texture(photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Take fine texture out of a photo and leave its edges: plain walls, still in focus."""
    for _ in range(2):
        photo = np.asarray(cv2.bilateralFilter(photo, 7, 60.0, 5.0), np.uint8)
    return photo


def vary_blur(linear: Linear, radius: npt.NDArray[np.float32], rng: np.random.Generator) -> Linear:
    """Blur by a radius that varies, between a few evenly blurred copies."""
    largest = float(radius.max())
    levels = [step for step in RADII if step < largest] + [max(largest, RADII[1])]
    gaussian = rng.random() < 0.3
    answer = linear.copy()
    copies = [linear]
    for level in levels[1:]:
        kernel = gaussian_kernel(level / 2.0) if gaussian else disc_kernel(level)
        copies.append(apply_kernel(linear, kernel))
    for index in range(len(levels) - 1):
        low, high = levels[index], levels[index + 1]
        inside = (radius > low) & (radius <= high)
        part = ((radius[inside] - low) / (high - low))[:, None]
        answer[inside] = copies[index][inside] * (1 - part) + copies[index + 1][inside] * part
    return answer


LARGEST_RADIUS = 20.0
"""Blur radii are drawn up to this many pixels in a photo of `REFERENCE_SIDE`."""

REFERENCE_SIDE = 512
SMALLEST_MOVEMENT = 3.5
"""Length in pixels from which an eye is sure that something moved."""


def motion_kernel(length: float, angle: float, bend: float, dwell: float = 0.0) -> Kernel:
    """Return the kernel of a movement along a circular arc.

    Parameters
    ----------
    length : float
        Of the path, in pixels.
    angle : float
        Direction at the path's middle, in radians.
    bend : float
        By how much the direction turns along the path, in radians; 0 is a straight line.
    dwell : float
        How much longer than elsewhere the movement rests at the path's ends: edges stand double
        where it does. 0 is constant speed.
    """
    steps = max(2, int(np.ceil(length * OVERSAMPLING)))
    along = np.linspace(-0.5, 0.5, steps)
    directions = angle + bend * along
    points = np.cumsum(np.stack([np.cos(directions), np.sin(directions)]), axis=1)
    points = (points - points.mean(axis=1, keepdims=True)) * length / steps
    half = int(np.ceil(np.abs(points).max())) + 1
    size = (2 * half + 1) * OVERSAMPLING
    drawn = np.zeros((size, size), np.float32)
    columns, rows = np.round(points * OVERSAMPLING + (size - 1) / 2).astype(int)
    np.add.at(drawn, (rows, columns), 1.0 + dwell * (np.abs(along) > 0.4))
    thick = cv2.blur(drawn, (OVERSAMPLING, OVERSAMPLING))
    return average_down(thick)


def apply_kernel(values: npt.NDArray[np.float32], kernel: Kernel) -> npt.NDArray[np.float32]:
    """Convolve (H, W) or (H, W, C) with a kernel, mirrored at the border."""
    flipped = np.ascontiguousarray(kernel[::-1, ::-1])
    return np.asarray(
        cv2.filter2D(values, -1, flipped, borderType=cv2.BORDER_REFLECT_101), np.float32
    )


def draw_radius(rng: np.random.Generator, side: int, smallest: float) -> float:
    """Draw a blur radius in pixels, small ones as often as large ones (log-uniform)."""
    largest = LARGEST_RADIUS * side / REFERENCE_SIDE
    return float(np.exp(rng.uniform(np.log(smallest), np.log(max(largest, smallest * 1.5)))))


def draw_often_slight(rng: np.random.Generator, side: int, smallest: float) -> float:
    """Draw a blur radius as `draw_radius` does, a third of the time at most three times `smallest`.

    Slight blur is what a network takes for sharp, and what photos at their best hold most of.
    """
    if rng.random() < 1 / 3:
        return float(rng.uniform(smallest, 3.0 * smallest))
    return draw_radius(rng, side, smallest)


def lens_kernel(rng: np.random.Generator, radius: float) -> Kernel:
    """Draw an aperture of this radius: disc, polygon or Gaussian."""
    shape = rng.choice(["disc", "polygon", "gaussian"], p=[0.45, 0.25, 0.3])
    if shape == "polygon" and radius > 2.0:
        return polygon_kernel(radius, int(rng.integers(5, 9)), float(rng.uniform(0, np.pi)))
    return gaussian_kernel(radius / 2.0) if shape == "gaussian" else disc_kernel(radius)


def shake_kernel(rng: np.random.Generator, side: int, *, panning: bool = False) -> Kernel:
    """Draw a movement: panning is longer, straighter and nearer to level."""
    longest = max((0.25 if panning else 0.12) * side, 1.5 * SMALLEST_MOVEMENT)
    length = float(np.exp(rng.uniform(np.log(SMALLEST_MOVEMENT), np.log(longest))))
    angle = rng.normal(0, 0.2) if panning else rng.uniform(0, np.pi)
    bend = float(rng.normal(0, 0.1 if panning else 0.8))
    dwell = float(rng.uniform(1.0, 12.0)) if not panning and rng.random() < 0.25 else 0.0
    return motion_kernel(length, float(angle), bend, dwell)
