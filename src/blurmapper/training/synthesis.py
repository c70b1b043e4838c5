"""Partly blurred photos made from sharp ones, with the truth of every pixel.

A scene is put together in linear light from layers, as light falls through a lens: a layer that
is out of focus spreads over what lies behind it, what lies behind a sharp layer does not shine
through it, and a bright point becomes a disc as bright as its aperture makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.training.kernels import (
    Kernel,
    apply_kernel,
    disc_kernel,
    gaussian_kernel,
    motion_kernel,
    polygon_kernel,
)

SHARP, UNDECIDED, BLURRED = 0, 128, 255
"""Values of a label."""

Linear = npt.NDArray[np.float32]
Label = npt.NDArray[np.uint8]

EYE_SHARP, EYE_BLURRED = 0.6, 1.3
"""Radii in pixels (of a disc; a Gaussian's sigma is half) up to which an eye calls a detail sharp
and from which it calls it blurred, at the size it is looked at; undecided between."""

MOVED = 3.5
"""Length of a movement, in pixels, from which an eye calls it blurred."""

REFERENCE_SIDE = 512
LARGEST_RADIUS = 20.0
"""Blur radii are drawn up to this many pixels in a photo of `REFERENCE_SIDE`."""


@dataclass(frozen=True)
class Pair:
    """A photo and its truth.

    Attributes
    ----------
    image : uint8 (H, W, 3)
        RGB, sRGB-encoded.
    label : uint8 (H, W)
        `SHARP`, `UNDECIDED` or `BLURRED`.
    kind : str
        How it was made: a key of `SCENES`.
    """

    image: npt.NDArray[np.uint8]
    label: Label
    kind: str


@dataclass(frozen=True)
class Material:
    """What a scene is made of, all of one size (H, W).

    Attributes
    ----------
    photo : uint8 (H, W, 3)
        RGB, sharp all over.
    subject : float32 (H, W)
        Share of each pixel that belongs to the photo's subject, or to any other shape.
    cutout : uint8 (H, W, 3)
        RGB of another photo with a sharp subject.
    cutout_alpha : float32 (H, W)
        Where that subject is.
    """

    photo: npt.NDArray[np.uint8]
    subject: npt.NDArray[np.float32]
    cutout: npt.NDArray[np.uint8]
    cutout_alpha: npt.NDArray[np.float32]


def decode_srgb(image: npt.NDArray[np.uint8]) -> Linear:
    """Return linear light in [0, 1] for 8-bit sRGB (IEC 61966-2-1)."""
    return _DECODED[image]


def encode_srgb(linear: Linear) -> npt.NDArray[np.uint8]:
    """Return 8-bit sRGB for linear light; what is brighter than white is cut."""
    index = (np.clip(linear, 0.0, 1.0) ** 0.5 * 4095.0 + 0.5).astype(np.uint16)
    return _ENCODED[index]


def _srgb_tables() -> tuple[Linear, npt.NDArray[np.uint8]]:
    value = np.arange(256) / 255.0
    decoded = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    light = (np.arange(4096) / 4095.0) ** 2
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return decoded.astype(np.float32), np.round(encoded * 255.0).astype(np.uint8)


_DECODED, _ENCODED = _srgb_tables()


def make_pair(material: Material, seed: int, kind: str | None = None) -> Pair:
    """Make a partly blurred photo with its truth.

    Parameters
    ----------
    material : Material
        The sharp photo and the shapes to work with.
    seed : int
        The same seed and material give the same pair.
    kind : str, optional
        A key of `SCENES`; drawn by its weight when left out.

    Notes
    -----
    The answer has no camera or web-site wear; `blurmapper.training.wear.wear_pair` adds it.
    """
    rng = np.random.default_rng(seed)
    if kind is None:
        weights = np.array([scene.weight for scene in SCENES.values()])
        kind = str(rng.choice(list(SCENES), p=weights / weights.sum()))
    linear, label = SCENES[kind].make(material, rng)
    return Pair(encode_srgb(linear), label, kind)


def draw_radius(rng: np.random.Generator, side: int, smallest: float = EYE_BLURRED) -> float:
    """Draw a blur radius in pixels, small ones as often as large ones (log-uniform)."""
    largest = LARGEST_RADIUS * side / REFERENCE_SIDE
    return float(np.exp(rng.uniform(np.log(smallest), np.log(max(largest, smallest * 1.5)))))


def lens_kernel(rng: np.random.Generator, radius: float) -> Kernel:
    """Draw an aperture of this radius: disc, polygon or Gaussian."""
    shape = rng.choice(["disc", "polygon", "gaussian"], p=[0.45, 0.25, 0.3])
    if shape == "polygon" and radius > 2.0:
        return polygon_kernel(radius, int(rng.integers(5, 9)), float(rng.uniform(0, np.pi)))
    return gaussian_kernel(radius / 2.0) if shape == "gaussian" else disc_kernel(radius)


def shake_kernel(rng: np.random.Generator, side: int, panning: bool = False) -> Kernel:
    """Draw a movement: panning is longer, straighter and nearer to level."""
    longest = (0.16 if panning else 0.09) * side
    length = float(np.exp(rng.uniform(np.log(MOVED + 1.5), np.log(longest))))
    angle = rng.normal(0, 0.2) if panning else rng.uniform(0, np.pi)
    return motion_kernel(length, float(angle), float(rng.normal(0, 0.1 if panning else 0.8)))


def shine(photo: npt.NDArray[np.uint8], rng: np.random.Generator) -> Linear:
    """Return the photo in linear light, its clipped highlights given back some brightness."""
    linear = decode_srgb(photo)
    if rng.random() < 0.6:
        peak = linear.min(axis=2)
        gain = float(rng.uniform(1.0, 6.0))
        linear = linear * (1.0 + gain * np.clip((peak - 0.8) / 0.2, 0, 1) ** 2)[..., None]
    return linear


def blur_behind(linear: Linear, front: npt.NDArray[np.float32], kernel: Kernel) -> Linear:
    """Blur what lies behind ``front`` without smearing the front into it.

    Normalised convolution: only the light of the background itself is averaged, so that no halo
    of the subject surrounds it.
    """
    behind = (1.0 - front)[..., None]
    light = apply_kernel(linear * behind, kernel)
    share = apply_kernel(np.ascontiguousarray(behind[..., 0]), kernel)[..., None]
    return np.asarray(light / np.maximum(share, 1e-3), np.float32)


def fill_behind(linear: Linear, front: npt.NDArray[np.float32]) -> Linear:
    """Continue the background smoothly behind ``front``."""
    small = cv2.resize(linear * (1.0 - front)[..., None], None, fx=0.125, fy=0.125)
    share = cv2.resize(1.0 - front, None, fx=0.125, fy=0.125)
    height, width = front.shape
    sigma = max(small.shape) / 8
    smooth = cv2.GaussianBlur(small, (0, 0), sigma)
    smooth /= np.maximum(cv2.GaussianBlur(share, (0, 0), sigma), 1e-3)[..., None]
    smooth = cv2.resize(smooth, (width, height))
    return np.asarray(linear * (1 - front)[..., None] + smooth * front[..., None], np.float32)


def cover(front: Linear, alpha: npt.NDArray[np.float32], behind: Linear) -> Linear:
    """Lay a layer, already multiplied by its alpha, over what is behind it."""
    return front + behind * (1.0 - alpha)[..., None]


def label_of(blurred_share: npt.NDArray[np.float32]) -> Label:
    """Return the label of a layer's coverage: a band round its edge is undecided."""
    label = np.full(blurred_share.shape, UNDECIDED, np.uint8)
    label[blurred_share > 0.75] = BLURRED
    label[blurred_share < 0.25] = SHARP
    return label


def label_of_radius(radius: npt.NDArray[np.float32]) -> Label:
    """Return what an eye says of a blur radius in pixels at each pixel."""
    label = np.full(radius.shape, UNDECIDED, np.uint8)
    label[radius >= EYE_BLURRED] = BLURRED
    label[radius <= EYE_SHARP] = SHARP
    return label


Making = Callable[[Material, np.random.Generator], tuple[Linear, Label]]


@dataclass(frozen=True)
class Scene:
    """A way to make a pair, and how often."""

    make: Making
    weight: float


def _side(material: Material) -> int:
    return max(material.photo.shape[:2])


def _whole(material: Material, value: int) -> Label:
    return np.full(material.photo.shape[:2], value, np.uint8)


def none(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Sharp all over, with or without another sharp subject in front."""
    linear = decode_srgb(material.photo)
    if rng.random() < 0.3:
        alpha = material.cutout_alpha
        linear = cover(decode_srgb(material.cutout) * alpha[..., None], alpha, linear)
    return linear, _whole(material, SHARP)


def whole_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Out of focus everywhere."""
    kernel = lens_kernel(rng, draw_radius(rng, _side(material), 1.6))
    return apply_kernel(shine(material.photo, rng), kernel), _whole(material, BLURRED)


def camera_motion(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Shaken while the shutter was open."""
    kernel = shake_kernel(rng, _side(material))
    return apply_kernel(shine(material.photo, rng), kernel), _whole(material, BLURRED)


def background_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """A sharp subject, its own or another photo's, before a background out of focus."""
    kernel = lens_kernel(rng, draw_radius(rng, _side(material)))
    return _sharp_subject(material, rng, kernel)


def panning(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """The camera follows the subject; the background streaks."""
    return _sharp_subject(material, rng, shake_kernel(rng, _side(material), panning=True))


def _sharp_subject(
    material: Material, rng: np.random.Generator, kernel: Kernel
) -> tuple[Linear, Label]:
    if rng.random() < 0.5:
        alpha, front = material.subject, decode_srgb(material.photo)
        behind = blur_behind(shine(material.photo, rng), alpha, kernel)
    else:
        alpha, front = material.cutout_alpha, decode_srgb(material.cutout)
        behind = apply_kernel(shine(material.photo, rng), kernel)
    return cover(front * alpha[..., None], alpha, behind), label_of(1.0 - alpha)


def foreground_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Something near and out of focus before a sharp scene; its edge is soft."""
    kernel = lens_kernel(rng, draw_radius(rng, _side(material), 2.0))
    return _blurred_subject(material, rng, kernel)


def subject_motion(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Something moves before a still, sharp scene."""
    return _blurred_subject(material, rng, shake_kernel(rng, _side(material)))


def _blurred_subject(
    material: Material, rng: np.random.Generator, kernel: Kernel
) -> tuple[Linear, Label]:
    if rng.random() < 0.5:
        alpha, front = material.subject, shine(material.photo, rng)
        behind = fill_behind(decode_srgb(material.photo), alpha)
    else:
        alpha, front = material.cutout_alpha, shine(material.cutout, rng)
        behind = decode_srgb(material.photo)
    spread = apply_kernel(np.ascontiguousarray(alpha), kernel)
    linear = cover(apply_kernel(front * alpha[..., None], kernel), spread, behind)
    label = label_of(np.maximum(spread, alpha * 0.5))
    return linear, label


def plane_of_focus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """A tilted plane: sharp along a line, blurrier with the distance from it."""
    radius = _tilted_radii(material.photo.shape[:2], rng)
    linear = _vary_blur(shine(material.photo, rng), radius, rng)
    return linear, label_of_radius(radius)


def several_depths(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """A tilted plane with a subject standing in it or before it, sharp or not."""
    radius = _tilted_radii(material.photo.shape[:2], rng)
    behind = _vary_blur(shine(material.photo, rng), radius, rng)
    alpha = material.cutout_alpha
    label = label_of_radius(radius)
    front = decode_srgb(material.cutout) * alpha[..., None]
    share = alpha
    if rng.random() < 0.4:
        kernel = lens_kernel(rng, draw_radius(rng, _side(material), 2.0))
        front, share = apply_kernel(front, kernel), apply_kernel(alpha, kernel)
        own = BLURRED
    else:
        own = SHARP
    label = np.where(share > 0.75, own, np.where(share < 0.25, label, UNDECIDED))
    return cover(front, share, behind), label.astype(np.uint8)


def _tilted_radii(size: tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Blur radius in pixels at each pixel, zero in a band about a line."""
    height, width = size
    side = max(size)
    angle = rng.normal(np.pi / 2, 0.25) if rng.random() < 0.8 else rng.uniform(0, np.pi)
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    across = (ys - height * rng.uniform(0.15, 0.9)) * np.sin(angle)
    across += (xs - width * rng.uniform(0.2, 0.8)) * np.cos(angle)
    half_band = side * rng.uniform(0.03, 0.2)
    growth = draw_radius(rng, side, 3.0) / (side * rng.uniform(0.15, 0.6))
    radii = np.clip(np.abs(across) - half_band, 0, None) * growth
    return np.clip(radii, 0, LARGEST_RADIUS * side / REFERENCE_SIDE).astype(np.float32)


def _vary_blur(
    linear: Linear, radius: npt.NDArray[np.float32], rng: np.random.Generator
) -> Linear:
    """Blur by a radius that varies, between a few evenly blurred copies."""
    largest = float(radius.max())
    steps = [0.0, 0.7, 1.5, 3.0, 5.5, 9.0, 14.0, 20.0]
    levels = [step for step in steps if step < largest] + [max(largest, 0.7)]
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


SCENES: dict[str, Scene] = {
    "none": Scene(none, 0.12),
    "whole_defocus": Scene(whole_defocus, 0.04),
    "camera_motion": Scene(camera_motion, 0.05),
    "background_defocus": Scene(background_defocus, 0.21),
    "foreground_defocus": Scene(foreground_defocus, 0.15),
    "subject_motion": Scene(subject_motion, 0.13),
    "panning": Scene(panning, 0.12),
    "plane_of_focus": Scene(plane_of_focus, 0.1),
    "several_depths": Scene(several_depths, 0.08),
}
