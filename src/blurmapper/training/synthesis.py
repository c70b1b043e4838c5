"""Partly blurred photos made from sharp ones, with the truth of every pixel.

A scene is put together in linear light from layers, as light falls through a lens: a layer that
is out of focus spreads over what lies behind it, what lies behind a sharp layer does not shine
through it, and a bright point becomes a disc as bright as its aperture makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blurmapper.training.compositing import (
    Linear,
    blur_behind,
    cover,
    decode_srgb,
    encode_srgb,
    fill_behind,
    shine,
    vary_blur,
)
from blurmapper.training.kernels import (
    LARGEST_RADIUS,
    REFERENCE_SIDE,
    Kernel,
    apply_kernel,
    draw_radius,
    lens_kernel,
    shake_kernel,
)

SHARP, UNDECIDED, BLURRED = 0, 128, 255
"""Values of a label."""

Label = npt.NDArray[np.uint8]

EYE_SHARP, EYE_BLURRED = 0.6, 1.3
"""Radii in pixels (of a disc; a Gaussian's sigma is half) up to which an eye calls a detail sharp
and from which it calls it blurred, at the size it is looked at; undecided between."""


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
    The answer has no camera or web-site wear; `blurmapper.training.wear.wear_image` adds it.
    """
    rng = np.random.default_rng(seed)
    if kind is None:
        weights = np.array([scene.weight for scene in SCENES.values()])
        kind = str(rng.choice(list(SCENES), p=weights / weights.sum()))
    linear, label = SCENES[kind].make(material, rng)
    return Pair(encode_srgb(linear), label, kind)


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
    height, width = material.photo.shape[:2]
    return max(int(height), int(width))


def _whole(material: Material, value: int) -> Label:
    return np.full(material.photo.shape[:2], value, np.uint8)


def none(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Keep it sharp all over, with or without another sharp subject in front."""
    linear = decode_srgb(material.photo)
    if rng.random() < 0.3:
        alpha = material.cutout_alpha
        linear = cover(decode_srgb(material.cutout) * alpha[..., None], alpha, linear)
    return linear, _whole(material, SHARP)


def whole_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Put it out of focus everywhere."""
    kernel = lens_kernel(rng, draw_radius(rng, _side(material), 1.6))
    return apply_kernel(shine(material.photo, rng), kernel), _whole(material, BLURRED)


def camera_motion(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Shake the camera while the shutter is open."""
    kernel = shake_kernel(rng, _side(material))
    return apply_kernel(shine(material.photo, rng), kernel), _whole(material, BLURRED)


def background_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Put a sharp subject, its own or another photo's, before a background out of focus."""
    kernel = lens_kernel(rng, draw_radius(rng, _side(material), EYE_BLURRED))
    return _sharp_subject(material, rng, kernel)


def panning(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Follow the subject with the camera; the background streaks."""
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
    """Hold something near and out of focus before a sharp scene; its edge is soft."""
    kernel = lens_kernel(rng, draw_radius(rng, _side(material), 2.0))
    return _blurred_subject(material, rng, kernel)


def subject_motion(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Move something before a still, sharp scene."""
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
    """Tilt the plane of focus: sharp along a line, blurrier with the distance from it."""
    radius = _tilted_radii(material.photo.shape[:2], rng)
    linear = vary_blur(shine(material.photo, rng), radius, rng)
    return linear, label_of_radius(radius)


def several_depths(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Tilt the plane of focus and stand a subject in it or before it, sharp or not."""
    radius = _tilted_radii(material.photo.shape[:2], rng)
    behind = vary_blur(shine(material.photo, rng), radius, rng)
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
    return np.asarray(np.clip(radii, 0, LARGEST_RADIUS * side / REFERENCE_SIDE), np.float32)


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
