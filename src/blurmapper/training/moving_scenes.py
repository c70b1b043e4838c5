"""Scenes before a still camera in which something moves: walkers, limbs, things thrown."""

from __future__ import annotations

import cv2
import numpy as np

from blurmapper.applications.light import Kernel, decode_light
from blurmapper.training.compositing import (
    SMALLEST_MOVEMENT,
    Alpha,
    Linear,
    blur_behind,
    cover,
    draw_radius,
    fill_behind,
    flatten_texture,
    lens_kernel,
    shake_kernel,
    shine,
    smear_before,
    sweep,
)
from blurmapper.training.pairs import (
    DEFOCUSED,
    MOVED,
    SHARP,
    UNDECIDED,
    Label,
    Material,
    label_of,
    label_smear,
)


def subject_motion(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Move something, often small, before a still, sharp scene."""
    kernel = shake_kernel(rng, max(material.photo.shape), panning=rng.random() < 0.3)
    if rng.random() < 0.35:
        behind = fill_behind(decode_light(material.photo), material.subject)
        front, alpha = shine(material.photo, rng), material.subject
    else:
        plain = rng.random() < 0.25
        behind = decode_light(flatten_texture(material.photo) if plain else material.photo)
        scale = float(np.exp(rng.uniform(np.log(0.2), 0.0)))
        front, alpha = _shrink(shine(material.cutout, rng), material.cutout_alpha, scale, rng)
    return _move(front, alpha, kernel, behind)


def part_in_motion(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Move a part of the photo, of any outline, before the rest: a hand, water, a branch."""
    alpha = _blob(material.photo.shape[:2], rng)
    kernel = shake_kernel(rng, max(material.photo.shape))
    linear = decode_light(material.photo)
    return _move(linear, alpha, kernel, linear)


def walkers(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Let some of several small figures and things move before a sharp scene, often a plain wall.

    Those that stand still are sharp: a figure is no sign of movement, nor is a wall of blur.
    """
    photo = flatten_texture(material.photo) if rng.random() < 0.3 else material.photo
    linear = decode_light(photo)
    label = np.full(photo.shape[:2], SHARP, np.uint8)
    level = rng.random() < 0.7
    for scale in np.sort(np.exp(rng.uniform(np.log(0.2), np.log(0.8), rng.integers(1, 4)))):
        front, alpha = _thing(material, rng, float(scale))
        if rng.random() < 0.3:
            linear = cover(front * alpha[..., None], alpha, linear)
            label = np.where(alpha > 0.5, SHARP, label).astype(np.uint8)
            continue
        kernel = shake_kernel(rng, max(photo.shape), panning=level)
        linear, label = _move(front, alpha, kernel, linear, label)
    return linear, label


def limb_in_motion(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Swing a part of a sharp figure about a joint: an arm with its racket, a leg, a wing."""
    photo = flatten_texture(material.photo) if rng.random() < 0.2 else material.photo
    behind = decode_light(photo)
    front, alpha = decode_light(material.cutout), material.cutout_alpha
    if rng.random() < 0.5:
        front, alpha = _shrink(front, alpha, float(rng.uniform(0.4, 0.9)), rng)
    limb, joint, length = _limb(alpha, rng)
    still = alpha * (1.0 - limb)
    linear = cover(front * still[..., None], still, behind)
    swung = alpha * limb
    nearest = 2.0 * SMALLEST_MOVEMENT
    farthest = max(0.15 * max(photo.shape), nearest)
    path = float(np.exp(rng.uniform(np.log(nearest), np.log(farthest))))
    turn = float(np.clip(path / length, 0.0, 1.2) * rng.choice([-1.0, 1.0]))
    moved, spread = sweep(front * swung[..., None], swung, joint, turn)
    label = label_smear(spread, SHARP, MOVED)
    # Near the joint hardly anything moves.
    ys, xs = np.mgrid[: alpha.shape[0], : alpha.shape[1]].astype(np.float32)
    paths = np.hypot(xs - joint[0], ys - joint[1]) * abs(turn)
    label[(label == MOVED) & (paths < SMALLEST_MOVEMENT)] = UNDECIDED
    return cover(moved, spread, linear), label


def motion_and_defocus(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Move something before a background out of focus, beside the subject in focus or without."""
    lens = lens_kernel(rng, draw_radius(rng, max(material.photo.shape), 2.0))
    behind = blur_behind(shine(material.photo, rng), material.subject, lens)
    subject = material.subject[..., None]
    linear = cover(decode_light(material.photo) * subject, material.subject, behind)
    label = label_of(1.0 - material.subject, DEFOCUSED)
    scale = float(np.exp(rng.uniform(np.log(0.2), 0.0)))
    front, alpha = _shrink(shine(material.cutout, rng), material.cutout_alpha, scale, rng)
    return _move(front, alpha, shake_kernel(rng, max(material.photo.shape)), linear, label)


def _move(
    front: Linear, alpha: Alpha, kernel: Kernel, behind: Linear, label: Label | int = SHARP
) -> tuple[Linear, Label]:
    """Smear a layer over what is behind it; `label` is of that, sharp unless given."""
    linear, spread = smear_before(front, alpha, kernel, behind)
    return linear, label_smear(spread, label, MOVED)


def _shrink(
    front: Linear, alpha: Alpha, scale: float, rng: np.random.Generator
) -> tuple[Linear, Alpha]:
    """Make a cut-out smaller, mirrored or not, and put it anywhere."""
    height, width = alpha.shape
    left, top = rng.uniform(-0.2, 1.0 - 0.8 * scale, 2) * (width, height)
    if rng.random() < 0.6:
        top = height * float(rng.uniform(0.7, 1.1)) - _bottom(alpha) * scale
    move = np.array([[scale, 0, left], [0, scale, top]], np.float64)
    if rng.random() < 0.5:
        move[0] = -scale, 0, left + scale * width
    # What the cut-out's photo shows beyond its subject stays outside the alpha. Below a half
    # OpenCV samples too sparsely, so that fine texture would sparkle.
    while scale < 0.5 and min(front.shape[:2]) > 32:
        front = np.asarray(cv2.pyrDown(front), np.float32)
        alpha = np.asarray(cv2.pyrDown(alpha), np.float32)
        move[:, :2] *= 2.0
        scale *= 2.0
    smaller = cv2.warpAffine(front, move, (width, height), flags=cv2.INTER_LINEAR)
    outline = cv2.warpAffine(alpha, move, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(smaller, np.float32), np.asarray(outline, np.float32)


def _bottom(alpha: Alpha) -> int:
    """Return the lowest row that a figure reaches: its feet stand on the ground."""
    rows = np.nonzero(alpha.max(axis=1) > 0.5)[0]
    return int(rows[-1]) if len(rows) else alpha.shape[0]


def _thing(material: Material, rng: np.random.Generator, scale: float) -> tuple[Linear, Alpha]:
    """Draw a figure of this share of its size, or a small textured rod or ball, anywhere."""
    if rng.random() < 0.7:
        return _shrink(shine(material.cutout, rng), material.cutout_alpha, scale, rng)
    height, width = material.cutout_alpha.shape
    outline = np.zeros((height, width), np.uint8)
    centre = rng.uniform(0.1, 0.9, 2) * (width, height)
    reach = scale * width * float(rng.uniform(0.1, 0.3))
    axes = (reach, reach * float(rng.uniform(0.15, 1.0)))
    box = ((float(centre[0]), float(centre[1])), axes, float(rng.uniform(0, 180)))
    cv2.ellipse(outline, box, 255, -1, cv2.LINE_AA)
    tint = rng.uniform(0.3, 2.0, 3).astype(np.float32)
    front = decode_light(material.cutout[::-1]) * tint
    return np.asarray(front, np.float32), (outline / np.float32(255.0)).astype(np.float32)


def _limb(alpha: Alpha, rng: np.random.Generator) -> tuple[Alpha, tuple[float, float], float]:
    """Choose a part at a figure's rim: its share of each pixel, its joint (x, y), its length."""
    height, width = alpha.shape
    ys, xs = np.nonzero(alpha > 0.5)
    if len(xs) < 50:
        return np.zeros_like(alpha), (width / 2, height / 2), 1.0
    middle = np.array([xs.mean(), ys.mean()])
    far = np.hypot(xs - middle[0], ys - middle[1])
    chosen = int(rng.choice(len(xs), p=far**2 / (far**2).sum()))
    tip = np.array([xs[chosen], ys[chosen]], np.float64)
    joint = tip + (middle - tip) * float(rng.uniform(0.3, 0.8))
    length = float(np.hypot(*(joint - tip))) + 2.0
    along = (tip - joint) / length
    grid_y, grid_x = np.mgrid[:height, :width].astype(np.float32)
    x, y = grid_x - joint[0], grid_y - joint[1]
    forward, sideways = x * along[0] + y * along[1], np.abs(y * along[0] - x * along[1])
    half = length * float(rng.uniform(0.2, 0.5))
    inside = np.minimum(forward, half + 0.2 * forward - sideways)
    limb = np.clip(inside / 3.0, 0.0, 1.0) * (np.hypot(x, y) < 2.0 * length)
    return np.asarray(limb, np.float32), (float(joint[0]), float(joint[1])), length


def _blob(size: tuple[int, int], rng: np.random.Generator) -> Alpha:
    """Draw a smooth outline somewhere: thresholded noise within an ellipse."""
    height, width = size
    noise = rng.standard_normal((max(2, height // 24), max(2, width // 24)), np.float32)
    field = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    reach_y, reach_x = rng.uniform(0.08, 0.45, 2) * (height, width)
    y, x = rng.uniform(0.1, 0.9, 2) * (height, width)
    distance = np.sqrt(((ys - y) / reach_y) ** 2 + ((xs - x) / reach_x) ** 2)
    return np.asarray(np.clip((1.0 - distance + 0.25 * field) * 12.0, 0.0, 1.0), np.float32)
