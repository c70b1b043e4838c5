"""Patches of photos that are sharp or blurred all over, and what low-level statistics see there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import slope_weights
from blurmapper.datasets import Sample, read_truth
from blurmapper.evaluation.figures import read_shown

Floats = npt.NDArray[np.floating[Any]]

CLASSES = ("flat", "structured", "blurred")

ROUNDING_POWER = 1 / (12 * 255**2)
"""Power of rounding to 8 bits at every frequency; with it the flattest patch has a logarithm."""

SMALLEST_VARIANCE = 1e-12

STATISTICS = ("gradient magnitude", "gradient tails", "spectrum slope", "high frequencies")
"""What `measure` takes of each patch."""


@dataclass(frozen=True)
class Place:
    """Where a patch is: its photo, its upper left corner in pixels; and whether it is blurred."""

    photo: str
    top: int
    left: int
    blurred: bool


SHARP = {"flat": "flat and sharp", "structured": "structured and sharp", "": "all that is sharp"}
"""What blurred patches are set against."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Patches, their classes, and a number each from every statistic and method.

    Attributes
    ----------
    places : sequence of Place
    patches : ndarray, shape (n, side, side)
    classes : ndarray of str, shape (n,)
        Of `CLASSES`, or "" between flat and structured.
    scores : mapping of str to ndarray, shape (n,)
        Statistic or method -> a number a patch, more = blurred.
    """

    places: Sequence[Place]
    patches: Floats
    classes: npt.NDArray[np.str_]
    scores: Mapping[str, Floats]


def cut_patches(
    sample: Sample, side: int, count: int, rng: np.random.Generator
) -> tuple[list[Place], Floats]:
    """Cut patches that the truth calls blurred, or sharp, at every pixel.

    Parameters
    ----------
    sample : Sample
        A photo with its mask.
    side : int
        Of a patch, in pixels.
    count : int
        Of blurred and of sharp patches at most; which ones is left to chance.
    rng : numpy.random.Generator

    Returns
    -------
    places : list of Place
    patches : ndarray, shape (n, side, side)
        Grey in [0, 1]. None overlaps another.
    """
    assert sample.photo is not None
    ground_truth, valid = read_truth(sample)
    image = read_shown(sample.photo).astype(np.float32)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    corner = tuple(int(rng.integers(length % side + 1)) for length in grey.shape)
    share = _cells(ground_truth.astype(np.float32), side, corner).mean((2, 3))
    undecided = np.zeros_like(ground_truth) if valid is None else ~valid
    decided = ~_cells(undecided, side, corner).any((2, 3))
    cells = _cells(grey, side, corner)
    places, patches = [], [np.empty((0, side, side), np.float32)]
    for blurred in (False, True):
        found = np.argwhere(decided & (share == float(blurred)))
        chosen = found[rng.permutation(len(found))[:count]]
        patches.append(cells[chosen[:, 0], chosen[:, 1]])
        corners = (chosen * side + corner).tolist()
        places += [Place(sample.name, top, left, blurred) for top, left in corners]
    return places, np.concatenate(patches)


def measure(patches: Floats) -> dict[str, Floats]:
    """Return the statistics of patches, each so that more means blurred.

    Parameters
    ----------
    patches : ndarray, shape (n, side, side)
        Grey in [0, 1].

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``gradient magnitude``: minus the mean. ``gradient tails``: minus the log kurtosis of
        horizontal and vertical differences, since blur makes tails light. ``spectrum slope``:
        minus the slope of log power over log frequency, averaged over angles; a natural photo
        has about 2, blur more. ``high frequencies``: minus the mean log power of the upper octave.
    """
    across, down = differences(patches)
    both = np.concatenate([across, down], axis=1).reshape(len(patches), -1)
    variance = np.maximum((both**2).mean(1), SMALLEST_VARIANCE)
    # Of what is all of one colour the kurtosis is the least that there is.
    kurtosis = np.maximum((both**4).mean(1) / variance**2, 1)
    frequency, power = radial_power(patches)
    values = (
        -np.hypot(across, down).mean((1, 2)),
        -np.log(kurtosis),
        -(power @ slope_weights(frequency)),
        -power[:, frequency >= 0.25].mean(1),
    )
    return dict(zip(STATISTICS, values, strict=True))


def differences(patches: Floats) -> tuple[Floats, Floats]:
    """Return the differences to the pixels on the right and below, (n, side - 1, side - 1)."""
    corner = patches[:, :-1, :-1]
    return patches[:, :-1, 1:] - corner, patches[:, 1:, :-1] - corner


def radial_power(patches: Floats) -> tuple[Floats, Floats]:
    """Return frequencies in cycles a pixel, and each patch's log power there, (n, frequencies).

    The power is averaged over angles. A Hann window comes first: without it the step from one
    edge of a patch to the opposite one has a slope of its own.
    """
    side = patches.shape[1]
    window = np.outer(*[np.hanning(side + 2)[1:-1]] * 2)
    centred = patches - patches.mean((1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(centred * window)) ** 2 / (window**2).sum()
    ring = np.rint(np.hypot(*np.meshgrid(*[np.fft.fftfreq(side) * side] * 2))).astype(int)
    radii = np.arange(1, side // 2 + 1)
    means = np.stack([power[:, ring == radius].mean(1) for radius in radii], axis=1)
    return radii / side, np.log(means + ROUNDING_POWER)


def _cells(plane: npt.NDArray[Any], side: int, corner: tuple[int, ...]) -> npt.NDArray[Any]:
    """Cut a plane from a corner on into cells, (rows, columns, side, side)."""
    top, left = corner
    rows, columns = (plane.shape[0] - top) // side, (plane.shape[1] - left) // side
    cut = plane[top : top + rows * side, left : left + columns * side]
    return cut.reshape(rows, side, columns, side).swapaxes(1, 2)
