"""Shapes over shapes, "dead leaves": what photos cannot give, edges sharp to the last pixel."""

from __future__ import annotations

import cv2
import numpy as np

from blurmapper.training.compositing import Alpha, Linear

_OVERSAMPLING = 3
"""So many times larger shapes are drawn, and then reduced."""


def draw_leaves(side: int, rng: np.random.Generator) -> Linear:
    """Draw a picture of shapes, (side, side, 3), whose own sigma is nothing."""
    large = _OVERSAMPLING * side
    drawn = np.empty((large, large, 3), np.float32)
    drawn[:] = rng.random(3) ** 2.2
    for _ in range(int(rng.integers(15, 160))):
        radius = float(np.exp(rng.uniform(np.log(5), np.log(large / 3))))
        colour = tuple((rng.random(3) ** 2.2 * rng.uniform(0.1, 1)).tolist())
        _draw_leaf(drawn, radius, colour, rng)
    leaves = cv2.resize(drawn, (side, side), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        rows, columns = np.mgrid[0:side, 0:side] / side
        down, along = rng.uniform(-0.6, 0.6, 2)
        shade = (1 + down * rows + along * columns).clip(0.1).astype(np.float32)
        leaves = leaves * shade[..., np.newaxis]
    return np.asarray(leaves, np.float32)


def draw_things(side: int, rng: np.random.Generator) -> Alpha:
    """Draw where a few things are, (side, side): 1 on them, 0 elsewhere."""
    large = _OVERSAMPLING * side
    drawn = np.zeros((large, large, 3), np.float32)
    for _ in range(int(rng.integers(3, 15))):
        radius = float(np.exp(rng.uniform(np.log(large / 18), np.log(large / 3))))
        _draw_leaf(drawn, radius, (1.0, 1.0, 1.0), rng)
    return np.asarray(cv2.resize(drawn[..., 0], (side, side), interpolation=cv2.INTER_AREA))


def _draw_leaf(
    drawn: Linear, radius: float, colour: tuple[float, ...], rng: np.random.Generator
) -> None:
    side = len(drawn)
    x, y = rng.uniform(0, side, 2)
    shape, centre = rng.random(), (int(x), int(y))
    if shape < 0.4:
        axes = max(2, int(radius)), max(2, int(radius * rng.uniform(0.1, 1)))
        cv2.ellipse(drawn, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    elif shape < 0.8:
        corners = int(rng.integers(3, 8))
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        reach = radius * rng.uniform(0.4, 1, corners)
        points = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], axis=1)
        cv2.fillPoly(drawn, [points.astype(np.int32)], colour)
    elif shape < 0.93:
        across, down = rng.uniform(-2, 2, 2) * radius
        end = int(x + across), int(y + down)
        cv2.line(drawn, centre, end, colour, max(2, int(rng.uniform(0.02, 0.12) * radius)))
    else:
        letters = "".join(chr(int(code)) for code in rng.integers(33, 126, 6))
        mask = np.zeros((side, side), np.uint8)
        start, font = (int(x - radius), int(y)), int(rng.integers(0, 8))
        size, thickness = max(0.4, radius / 25), max(1, int(radius / 12))
        cv2.putText(mask, letters, start, font, size, 255, thickness)
        drawn[mask > 127] = colour
