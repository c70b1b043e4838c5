"""Tiles of photos at their own pixels, and how each of their cells is blurred."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.amounts import CELL
from blurmapper.applications.light import (
    Kernel,
    decode_light,
    disc_kernel,
    gaussian_kernel,
    polygon_kernel,
)
from blurmapper.errors import DatasetError
from blurmapper.training.augmentation import Image, develop
from blurmapper.training.compositing import Linear, apply_kernel, motion_kernel
from blurmapper.training.photos import read_rgb

TILE = 512
"""Side of a tile, in pixels: of its eighth something is left to look at."""

SMALLEST_SIGMA, LARGEST_SIGMA = 0.25, 18.0
"""Of the blur that is drawn, in pixels."""

PHOTO_SIGMA = 0.5
"""Of a photo that is sharp at its own pixels, by lens and resizing."""

FAINTEST = 0.012
"""Step over three pixels, of light as an eye sees it, with which an edge begins."""

KINDS = {"gaussian": 0.22, "disc": 0.24, "polygon": 0.1, "motion": 0.34, "both": 0.1}
"""Of blur, and their shares; both is a lens out of focus that moved."""

Covariance = npt.NDArray[np.float64]
"""float64 (3,): variance of a blur in x and in y, and its covariance, in square pixels."""


_read = lru_cache(maxsize=1024)(read_rgb)


class Tile(NamedTuple):
    """A tile and its truth.

    Attributes
    ----------
    grey : uint8 (TILE, TILE)
    covariance : float32 (TILE / CELL, TILE / CELL, 3)
        Of the blur of each cell, in pixels; NaN where two blurs meet, infinite where there is
        nothing to see it by.
    """

    grey: npt.NDArray[np.uint8]
    covariance: npt.NDArray[np.float32]


class _Scene(NamedTuple):
    light: Linear
    sigma: float


class TileSource:
    """Draw the tile of an index; the same seed and index give the same tile.

    Parameters
    ----------
    photos : sequence of Path
        Sharp all over.
    seed : int
        Of everything drawn.
    """

    def __init__(self, photos: tuple[Path, ...], seed: int) -> None:
        if not photos:
            raise DatasetError("no sharp photos to make tiles of: check `photos`")
        self.photos, self.seed = photos, seed

    def tile(self, index: int) -> Tile:
        """Return tile number ``index``; each two that follow share a scene, blurred anew."""
        scene = self._draw_scene(np.random.default_rng((self.seed, index // 2)))
        return make_tile(scene, np.random.default_rng((self.seed, index, 1)))

    def _draw_scene(self, rng: np.random.Generator) -> _Scene:
        if rng.random() < 0.3:
            light, sigma = draw_leaves(TILE, rng), 0.0
        else:
            light, sigma = _crop(_read(self.photos[int(rng.integers(len(self.photos)))]), rng)
        if rng.random() < 0.5:
            light = _sharpen(light, rng)
        return _Scene(light, sigma)


def make_tile(scene: _Scene, rng: np.random.Generator) -> Tile:
    """Blur a scene, one way or two, and photograph it."""
    light, covariance = _blur(scene, rng)
    count = TILE // CELL
    truth = _tell_where_seen(scene.light, covariance)
    if rng.random() < 0.35:
        other, covariance = _blur(scene, rng)
        mask = _draw_border(TILE, rng)
        light = light + (other - light) * mask[..., np.newaxis]
        share = mask.reshape(count, CELL, count, CELL)
        truth[share.max((1, 3)) >= 0.02] = np.nan
        inside = share.min((1, 3)) > 0.98
        truth[inside] = _tell_where_seen(scene.light, covariance)[inside]
    grey = cv2.cvtColor(develop(light, rng), cv2.COLOR_RGB2GRAY)
    return Tile(np.asarray(grey, np.uint8), truth.astype(np.float32))


def _tell_where_seen(light: Linear, covariance: Covariance) -> npt.NDArray[np.float64]:
    """Return the covariance of each cell, infinite where no edge is in or near it."""
    # Over a few pixels, as the grain of the photos that scenes are made of is no edge.
    grey = cv2.blur(np.sqrt(light.mean(axis=2).clip(0)), (3, 3))
    edges = np.zeros(grey.shape, np.uint8)
    edges[1:-2] |= np.abs(grey[3:] - grey[:-3]) > FAINTEST
    edges[:, 1:-2] |= np.abs(grey[:, 3:] - grey[:, :-3]) > FAINTEST
    reach = round(CELL / 2 + 1.5 * float(np.sqrt(covariance[:2].mean())))
    near = cv2.dilate(edges, np.ones((2 * reach + 1,) * 2, np.uint8))
    count = TILE // CELL
    seen = near.reshape(count, CELL, count, CELL).max((1, 3)) > 0
    return np.where(seen[..., np.newaxis], covariance, np.inf)


def draw_kernel(sigma: float, rng: np.random.Generator) -> Kernel:
    """Draw what a lens or a hand makes of a point, about as wide as a Gaussian of this sigma."""
    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    if kind == "gaussian" or (kind == "polygon" and sigma < 1):
        return gaussian_kernel(sigma)
    if kind == "disc":
        return disc_kernel(2 * sigma)
    if kind == "polygon":
        return polygon_kernel(2.2 * sigma, int(rng.integers(5, 9)), float(rng.uniform(0, np.pi)))
    share = 1.0 if kind == "motion" else float(rng.uniform(0.3, 0.95))
    bend = float(rng.normal(0, 0.4)) if rng.random() < 0.6 else 0.0
    dwell = float(rng.uniform(1, 6)) if rng.random() < 0.15 else 0.0
    length = max(sigma * share * np.sqrt(24), 0.3)
    path = motion_kernel(length, float(rng.uniform(0, np.pi)), bend, dwell)
    if kind == "motion":
        return path
    lens = disc_kernel(2 * sigma * np.sqrt(1 - share**2))
    path = np.pad(path, len(lens) // 2)
    return np.asarray(cv2.filter2D(path, -1, lens, borderType=cv2.BORDER_CONSTANT), np.float32)


def covariance_of(kernel: Kernel) -> Covariance:
    """Return the variance of a kernel in x and in y, and its covariance."""
    places = np.arange(len(kernel), dtype=np.float64)
    weights = kernel.astype(np.float64) / kernel.sum(dtype=np.float64)
    xs = places - weights.sum(0) @ places
    ys = places - weights.sum(1) @ places
    return np.array([weights.sum(0) @ xs**2, weights.sum(1) @ ys**2, ys @ weights @ xs])


def _blur(scene: _Scene, rng: np.random.Generator) -> tuple[Linear, Covariance]:
    """Return the scene's light blurred, and the covariance of its blur."""
    own = np.array([scene.sigma**2, scene.sigma**2, 0])
    if rng.random() < 0.1:
        return scene.light, own
    span = np.log(SMALLEST_SIGMA), np.log(LARGEST_SIGMA)
    kernel = draw_kernel(float(np.exp(rng.uniform(*span))), rng)
    return apply_kernel(scene.light, kernel), covariance_of(kernel) + own


def _draw_border(side: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return 0 on one side of a wavy line and 1 on the other."""
    rows, columns = np.mgrid[0:side, 0:side] / side - 0.5
    turn, shift = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.2)
    along = rows * np.cos(turn) - columns * np.sin(turn)
    across = columns * np.cos(turn) + rows * np.sin(turn) + shift
    across += 0.08 * np.sin(rng.uniform(4, 20) * along + rng.uniform(0, 6))
    return np.asarray((across * side + 0.5).clip(0, 1), np.float32)


def _crop(photo: Image, rng: np.random.Generator) -> tuple[Linear, float]:
    """Return the light of a part of a photo, reduced at random, and its own sigma.

    What is smaller than a tile is continued by its mirror image.
    """
    scale = float(rng.uniform(0.4, 1))
    reduced = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = reduced.shape[:2]
    lacking = ((0, max(0, TILE - height)), (0, max(0, TILE - width)), (0, 0))
    whole = np.pad(np.asarray(reduced, np.uint8), lacking, mode="symmetric")
    top = int(rng.integers(0, whole.shape[0] - TILE + 1))
    left = int(rng.integers(0, whole.shape[1] - TILE + 1))
    return decode_light(whole[top : top + TILE, left : left + TILE]), PHOTO_SIGMA * scale


def _sharpen(light: Linear, rng: np.random.Generator) -> Linear:
    """Sharpen what will be blurred, as the cameras did whose photos others blur to try us.

    An unsharp mask takes variance away, so that a blur after it looks narrower than it is.
    """
    encoded = np.sqrt(np.maximum(light, 0))
    soft = cv2.GaussianBlur(encoded, (0, 0), float(rng.uniform(0.5, 1.5)))
    steep = encoded + np.float32(rng.uniform(0.2, 1.5)) * (encoded - soft)
    return np.asarray(steep.clip(0, 1.2) ** 2, np.float32)


def draw_leaves(side: int, rng: np.random.Generator) -> Linear:
    """Draw shapes over shapes ("dead leaves"), whose edges are sharp to the last pixel.

    What photos cannot give: a sigma of nothing, known exactly. Drawn three times larger.
    """
    large = 3 * side
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
