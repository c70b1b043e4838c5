"""Scenes in which all or most of a photo moves while the shutter is open: the camera, lights."""

from __future__ import annotations

import numpy as np

from blurmapper.applications.light import decode_light
from blurmapper.training.compositing import (
    Alpha,
    Linear,
    cover,
    set_before,
    shine,
)
from blurmapper.training.kernels import (
    apply_kernel,
    motion_kernel,
    shake_kernel,
)
from blurmapper.training.pairs import (
    MOVED,
    SHARP,
    Label,
    Material,
    label_of,
    label_smear,
)


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
    sharp = np.full(lane.shape, SHARP, np.uint8)
    return still + light, label_smear(seen / (seen + 0.2 + still.max(axis=2)), sharp, MOVED)


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
