"""The figure of low-level cues: patches, their distributions, and what they tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from blurmapper.evaluation.bootstrap import Interval
from blurmapper.evaluation.figures import COLOURS, new_figure
from blurmapper.laboratory.patches import (
    CLASSES,
    SHARP,
    STATISTICS,
    Evidence,
    Floats,
    differences,
    measure,
    radial_power,
)
from blurmapper.laboratory.photos import shuffle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    """Draw patches of each class, three distributions, and what each number tells apart.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
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
    axes.set(xlim=(0, 1.02), ylim=(len(names) - 0.4, -2.1))
    axes.set_xlabel("Area under the ROC curve (0.5 is chance)", fontsize=9)
    axes.legend(fontsize=8, loc="upper left", framealpha=1, edgecolor="none")


def _of(evidence: Evidence, name: str) -> Floats:
    patches: Floats = evidence.patches[evidence.classes == name]
    return patches
