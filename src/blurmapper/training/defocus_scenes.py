"""Scenes in which a lens blurs: what is behind, what is before, what a tilted plane leaves out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from blurmapper.applications.light import decode_light
from blurmapper.training.compositing import (
    Linear,
    cover,
    fill_behind,
    set_before,
    shine,
    smear_before,
    vary_blur,
)
from blurmapper.training.kernels import (
    LARGEST_RADIUS,
    REFERENCE_SIDE,
    apply_kernel,
    draw_often_slight,
    draw_radius,
    lens_kernel,
)
from blurmapper.training.pairs import (
    DEFOCUSED,
    EYE_BLURRED,
    SHARP,
    UNDECIDED,
    Label,
    Material,
    label_of,
    label_of_radius,
    label_smear,
)


def whole_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Put it out of focus everywhere."""
    kernel = lens_kernel(rng, draw_often_slight(rng, max(material.photo.shape), 1.4))
    label = np.full(material.photo.shape[:2], DEFOCUSED, np.uint8)
    return apply_kernel(shine(material.photo, rng), kernel), label


def background_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Put a sharp subject, its own or another photo's, before a background out of focus."""
    kernel = lens_kernel(rng, draw_often_slight(rng, max(material.photo.shape), EYE_BLURRED))
    linear, alpha = set_before(material, kernel, rng)
    return linear, label_of(1.0 - alpha, DEFOCUSED)


def foreground_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Hold something near and out of focus before a sharp scene; its edge is soft."""
    kernel = lens_kernel(rng, draw_often_slight(rng, max(material.photo.shape), 1.3))
    if rng.random() < 0.5:
        alpha, front = material.subject, shine(material.photo, rng)
        behind = fill_behind(decode_light(material.photo), alpha)
    else:
        alpha, front = material.cutout_alpha, shine(material.cutout, rng)
        behind = decode_light(material.photo)
    linear, spread = smear_before(front, alpha, kernel, behind)
    return linear, label_smear(spread, np.full_like(spread, SHARP, np.uint8), DEFOCUSED)


def foreground_lights(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Let lights near the lens become discs that lie over a sharp scene, or a part of it."""
    height, width = material.photo.shape[:2]
    side = max(height, width)
    points = np.zeros((height, width, 3), np.float32)
    ys = rng.normal(rng.uniform(0, height), 0.2 * height, 60).astype(int)
    xs = rng.normal(rng.uniform(0, width), 0.3 * width, 60).astype(int)
    inside = (ys >= 0) & (ys < height) & (xs >= 0) & (xs < width)
    colour = rng.uniform(0.1, 1.0, 3) ** 2
    tints = colour * rng.uniform(0.3, 1.7, (60, 3))
    points[ys[inside], xs[inside]] = tints[inside]
    radius = float(rng.uniform(0.015, 0.06)) * side
    discs = apply_kernel(points, lens_kernel(rng, radius)) * np.float32(radius**2 * 2.0)
    light = discs.max(axis=2)
    linear = decode_light(material.photo) * float(rng.uniform(0.4, 1.0)) + discs
    sharp = np.full(light.shape, SHARP, np.uint8)
    return linear, label_smear(np.asarray(light / (light + 0.3), np.float32), sharp, DEFOCUSED)


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
    front = decode_light(material.cutout)
    if rng.random() < 0.4:
        kernel = lens_kernel(rng, draw_radius(rng, max(material.photo.shape), 2.0))
        linear, spread = smear_before(front, alpha, kernel, behind)
        return linear, label_smear(spread, label, DEFOCUSED)
    label = np.where(alpha > 0.75, SHARP, np.where(alpha < 0.25, label, UNDECIDED))
    return cover(front * alpha[..., None], alpha, behind), label.astype(np.uint8)


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
