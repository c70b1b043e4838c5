"""Scenes that the camera blurs: a lens out of focus, a hand that shakes, a long exposure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from blurmapper.applications.light import decode_light
from blurmapper.training.compositing import (
    LARGEST_RADIUS,
    REFERENCE_SIDE,
    Alpha,
    Linear,
    apply_kernel,
    cover,
    draw_often_slight,
    draw_radius,
    fill_behind,
    lens_kernel,
    motion_kernel,
    set_before,
    shake_kernel,
    shine,
    smear_before,
    vary_blur,
)
from blurmapper.training.pairs import (
    DEFOCUSED,
    EYE_BLURRED,
    MOVED,
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
    return linear, label_smear(spread, SHARP, DEFOCUSED)


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
    return linear, label_smear(np.asarray(light / (light + 0.3), np.float32), SHARP, DEFOCUSED)


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


def camera_motion(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Shake the camera while the shutter is open."""
    kernel = shake_kernel(rng, max(material.photo.shape))
    label = np.full(material.photo.shape[:2], MOVED, np.uint8)
    return apply_kernel(shine(material.photo, rng), kernel), label


def panning(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Follow the subject with the camera; the background streaks."""
    kernel = shake_kernel(rng, max(material.photo.shape), panning=True)
    linear, alpha = set_before(material, kernel, rng)
    return linear, label_of(1.0 - alpha, MOVED)


def light_trails(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Draw lights out to lines right across the photo, by night, behind a still subject or none."""
    night = shine(material.photo, rng) ** float(rng.uniform(1.0, 1.6))
    bright = night.max(axis=2, keepdims=True) > rng.uniform(0.2, 0.7)
    streaks = _draw_out(np.where(bright, night, 0.03 * night), _direction(rng), rng)
    streaks *= np.float32(rng.uniform(1.0, 4.0))
    if rng.random() < 0.5:
        return streaks, np.full(material.photo.shape[:2], MOVED, np.uint8)
    alpha = material.cutout_alpha
    front = decode_light(material.cutout) * alpha[..., None]
    return cover(front, alpha, streaks), label_of(1.0 - alpha, MOVED)


def traffic(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Let something long pass a still, sharp scene within a lane: a train, a road by night."""
    angle = _direction(rng)
    lane = _lane(material.photo.shape[:2], angle, rng)
    source = material.cutout if rng.random() < 0.5 else material.photo[::-1]
    streaks = _draw_out(shine(source, rng), angle, rng) * np.float32(rng.uniform(0.7, 2.0))
    still = decode_light(material.photo)
    if rng.random() < 0.6:
        return cover(streaks * lane[..., None], lane, still), label_of(lane, MOVED)
    # Lights alone add to what is behind them.
    light = np.maximum(streaks - np.median(streaks), 0.0) * lane[..., None] * 2.0
    seen = light.max(axis=2)
    return still + light, label_smear(seen / (seen + 0.2 + still.max(axis=2)), SHARP, MOVED)


def _direction(rng: np.random.Generator) -> float:
    return float(rng.normal(0, 0.3) if rng.random() < 0.7 else rng.uniform(0, np.pi))


def _draw_out(linear: Linear, angle: float, rng: np.random.Generator) -> Linear:
    """Move light along a path of up to more than half the photo."""
    length = max(linear.shape) * float(rng.uniform(0.15, 0.6))
    bend = float(rng.normal(0, 0.2))
    return apply_kernel(np.asarray(linear, np.float32), motion_kernel(length, angle, bend))


def _lane(size: tuple[int, int], angle: float, rng: np.random.Generator) -> Alpha:
    """Draw a strip along a direction, wider towards one end as perspective has it."""
    height, width = size
    ys, xs = np.mgrid[:height, :width].astype(np.float32) / max(size)
    along = xs * np.cos(angle) + ys * np.sin(angle)
    across = (ys - rng.uniform(0.2, 0.8)) * np.cos(angle) - (xs - 0.5) * np.sin(angle)
    half = rng.uniform(0.06, 0.25) * (1.0 + rng.uniform(-0.9, 0.9) * (along - 0.5))
    ends = np.minimum(along - rng.uniform(-1.0, 0.4), rng.uniform(0.6, 2.0) - along)
    inside = np.minimum(half - np.abs(across), ends)
    return np.asarray(np.clip(inside * max(size) / 4.0, 0.0, 1.0), np.float32)
