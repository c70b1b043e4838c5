"""Patches that are sharp or blurred all over, what low-level statistics see there, and a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import slope_weights
from blurmapper.datasets import Sample, read_truth
from blurmapper.errors import DatasetError
from blurmapper.evaluation.bootstrap import Interval
from blurmapper.evaluation.figures import COLOURS, new_figure, read_shown
from blurmapper.laboratory.photos import shuffle
from blurmapper.masks import check_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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

    Raises
    ------
    DatasetError
        If there is no photo, or one of another size than the mask.
    """
    if sample.photo is None:
        raise DatasetError(f"{sample.truth}: has no photo to cut patches of; add the photos")
    ground_truth, valid = read_truth(sample)
    image = read_shown(sample.photo)
    check_size(ground_truth, sample.truth, image, sample.photo)
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


STYLES = {
    "flat": (COLOURS[1], "-"),
    "structured": (COLOURS[2], "--"),
    "blurred": (COLOURS[0], "-."),
}
"""Class -> colour and dash, so that they differ without colour too."""

TITLES = ("(a) gradients", "(b) spectra", "(c) slopes of spectra", "(d) what tells blurred patches")
FREQUENCIES = (0.03, 0.05, 0.1, 0.2, 0.5)

SHOWN = 8
"""Patches of each class that are drawn."""

STEEPEST = 0.4
"""Differences of grey up to here are drawn."""


def draw_cues(evidence: Evidence, areas: Mapping[str, Mapping[str, Interval]], seed: int) -> Figure:
    """Draw patches of each class, three distributions, and what each number tells apart."""
    figure = new_figure(7.2, 7.0)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[1.7, 5.3])[:, 0]
    _draw_patches(above, evidence, seed)
    (gradients, spectra), (slopes, told) = below.subplots(
        2, 2, gridspec_kw={"wspace": 0.06, "hspace": 0.04}
    )
    _draw_gradients(gradients, evidence)
    _draw_spectra(spectra, evidence)
    _draw_slopes(slopes, evidence)
    _draw_areas(told, areas)
    for title, axes in zip(TITLES, (gradients, spectra, slopes, told), strict=True):
        axes.set_title(title, loc="left", fontsize=9)
        axes.tick_params(labelsize=8)
    gradients.legend(fontsize=8, frameon=False)
    return figure


def _draw_patches(figure: Any, evidence: Evidence, seed: int) -> None:
    """Draw a few patches of each class by chance, each of another photo where there are enough."""
    grid = figure.subplots(len(CLASSES), SHOWN, squeeze=False)
    for row, name in zip(grid, CLASSES, strict=True):
        order = shuffle(np.flatnonzero(evidence.classes == name).tolist(), seed)
        photos = {evidence.places[i].photo: i for i in reversed(order)}
        chosen = list(dict.fromkeys([*reversed(photos.values()), *order]))[:SHOWN]
        for cell in row:
            cell.set(xticks=[], yticks=[])
            cell.spines[:].set(visible=False)
        for cell, i in zip(row, chosen, strict=False):
            cell.imshow(evidence.patches[i], cmap="gray", vmin=0, vmax=1)
        row[0].set_ylabel(name, fontsize=8, rotation=0, ha="right", va="center")


def _draw_gradients(axes: Axes, evidence: Evidence) -> None:
    edges = np.linspace(-STEEPEST, STEEPEST, 82)
    for name, (colour, dash) in STYLES.items():
        both = np.concatenate(differences(_of(evidence, name)))
        density = np.histogram(both, edges, density=True)[0]
        shown = np.where(density > 0, density, np.nan)
        axes.semilogy((edges[1:] + edges[:-1]) / 2, shown, dash, color=colour, label=name, lw=1.5)
    axes.set_xlabel("Difference to the next pixel (white = 1)", fontsize=9)
    axes.set_ylabel("Density", fontsize=9)


def _draw_spectra(axes: Axes, evidence: Evidence) -> None:
    for name, (colour, dash) in STYLES.items():
        frequency, power = radial_power(_of(evidence, name))
        low, middle, high = np.exp(np.quantile(power, [0.25, 0.5, 0.75], axis=0))
        axes.loglog(frequency, middle, dash, color=colour, lw=1.5)
        axes.fill_between(frequency, low, high, color=colour, alpha=0.2, lw=0)
    axes.set_xticks(FREQUENCIES, map(str, FREQUENCIES))
    axes.set_xticks([], minor=True)
    axes.set_xlabel("Frequency (cycles a pixel)", fontsize=9)
    axes.set_ylabel("Power, median and quartiles", fontsize=9)


def _draw_slopes(axes: Axes, evidence: Evidence) -> None:
    slopes = {name: measure(_of(evidence, name))["spectrum slope"] for name in CLASSES}
    every = np.concatenate(list(slopes.values()))
    edges = np.linspace(every.min(), every.max() + 1e-6, 22)
    for name, (colour, dash) in STYLES.items():
        density = np.histogram(slopes[name], edges, density=True)[0]
        axes.stairs(density, edges, color=colour, linestyle=dash, linewidth=1.5)
    axes.set_xlabel("Slope of the spectrum (steeper to the right)", fontsize=9)
    axes.set_ylabel("Density", fontsize=9)


def _draw_areas(axes: Axes, areas: Mapping[str, Mapping[str, Interval]]) -> None:
    names = list(areas)
    for other, offset, marker in (("flat", -0.13, "o"), ("structured", 0.13, "s")):
        values = [areas[name][other] for name in names]
        middle = np.array([area.value for area in values])
        reach = np.abs([[v.low for v in values], [v.high for v in values]] - middle)
        colour = STYLES[other][0]
        axes.errorbar(
            middle,
            np.arange(len(names)) + offset,
            xerr=reach,
            fmt=marker,
            color=colour,
            markersize=4.5,
            elinewidth=1.2,
            label=f"from {SHARP[other]}",
        )
    axes.axvline(0.5, color="0.5", linewidth=0.8)
    axes.axhline(len(STATISTICS) - 0.5, color="0.8", linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(0, 1.02), ylim=(len(names) - 0.4, -2.7))
    axes.set_xlabel("Area under the ROC curve (0.5 is chance)", fontsize=9)
    axes.legend(fontsize=8, loc="upper left", framealpha=1, edgecolor="none")


def _of(evidence: Evidence, name: str) -> Floats:
    patches: Floats = evidence.patches[evidence.classes == name]
    return patches
