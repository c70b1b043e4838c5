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
from blurmapper.training.compositing import (
    Alpha,
    Linear,
    apply_kernel,
    cover,
    motion_kernel,
    smear_before,
)
from blurmapper.training.leaves import draw_leaves, draw_things
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

THINGS, LINES = 0.3, 0.15
"""Shares of tiles with things before a ground, and of those whose blur changes along a line."""

Covariance = npt.NDArray[np.float64]
"""float64 (3,): variance of a blur in x and in y, and its covariance, in square pixels."""

Truth = npt.NDArray[np.float64]
"""float64 (h, w, 3): the covariance of each cell, as `Tile` has it."""


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
    ways = rng.random()
    has_things = ways < THINGS
    # Half the grounds are far away from what is before them.
    kernel = _draw_between(2, LARGEST_SIGMA, rng) if ways < THINGS / 2 else _draw_any(rng)
    light = apply_kernel(scene.light, kernel)
    truth = _tell_where_seen(scene.light, _spread(scene, kernel))
    if has_things:
        light, truth = _set_things_before(scene, light, truth, rng)
    elif ways < THINGS + LINES:
        light, truth = _blur_beyond_line(scene, light, truth, rng)
    grey = cv2.cvtColor(develop(light, rng), cv2.COLOR_RGB2GRAY)
    return Tile(np.asarray(grey, np.uint8), truth.astype(np.float32))


def _blur_beyond_line(
    scene: _Scene, light: Linear, truth: Truth, rng: np.random.Generator
) -> tuple[Linear, Truth]:
    """Blur what lies on one side of a line in another way."""
    kernel = _draw_any(rng)
    mask = _draw_border(TILE, rng)
    other = apply_kernel(scene.light, kernel)
    there = _tell_where_seen(scene.light, _spread(scene, kernel))
    return light + (other - light) * mask[..., np.newaxis], _join(truth, there, mask)


def _set_things_before(
    scene: _Scene, light: Linear, truth: Truth, rng: np.random.Generator
) -> tuple[Linear, Truth]:
    """Lay things, mostly sharper than what is behind, over it, with the scene mirrored on them."""
    widest = 3.0 if rng.random() < 0.7 else LARGEST_SIGMA
    kernel = _draw_between(SMALLEST_SIGMA, widest, rng)
    front = scene.light[:, ::-1]
    # From full contrast to the faint: hair, fur and skin before a ground that is far away.
    mean = front.mean((0, 1))
    front = mean + np.float32(rng.uniform(0.15, 1)) * (front - mean)
    alpha = draw_things(TILE, rng)
    covariance = _spread(scene, kernel)
    sharp = cover(front * alpha[..., np.newaxis], alpha, light)
    there = _tell_where_seen(sharp, covariance)
    light, spread = smear_before(front, alpha, kernel, light)
    joined = _join(truth, there, spread)
    # The outline of what is before is as sharp as it is itself.
    least, most = _range_of_cells(spread)
    outline = (least < 0.1) & (most > 0.9) & (covariance[:2].sum() < truth[..., :2].sum(axis=2))
    return light, np.where(outline[..., np.newaxis], there, joined)


def _join(truth: Truth, there: Truth, mask: Alpha) -> Truth:
    """Return the truth there where the mask is 1, NaN in cells that have something of both."""
    least, most = _range_of_cells(mask)
    joined = np.where((least > 0.98)[..., np.newaxis], there, truth)
    joined[(most >= 0.02) & (least <= 0.98)] = np.nan
    return joined


def _range_of_cells(mask: Alpha) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the least and the greatest value of each cell."""
    cells = mask.reshape(TILE // CELL, CELL, TILE // CELL, CELL)
    return cells.min((1, 3)), cells.max((1, 3))


def _tell_where_seen(light: Linear, covariance: Covariance) -> Truth:
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


def _draw_any(rng: np.random.Generator) -> Kernel:
    """Draw a kernel of any width, or of a single pixel."""
    if rng.random() < 0.1:
        return np.ones((1, 1), np.float32)
    return _draw_between(SMALLEST_SIGMA, LARGEST_SIGMA, rng)


def _draw_between(smallest: float, largest: float, rng: np.random.Generator) -> Kernel:
    """Draw a kernel of a sigma between these two, narrow ones as often as wide ones."""
    return draw_kernel(float(np.exp(rng.uniform(np.log(smallest), np.log(largest)))), rng)


def _spread(scene: _Scene, kernel: Kernel) -> Covariance:
    """Return the covariance of what a kernel makes of a scene."""
    own: Covariance = np.array([scene.sigma**2, scene.sigma**2, 0])
    return covariance_of(kernel) + own


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
