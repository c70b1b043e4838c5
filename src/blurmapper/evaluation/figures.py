"""Figures of a benchmark: precision-recall curves and sheets of pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from blurmapper.datasets import Sample, read_truth
from blurmapper.errors import MissingExtraError
from blurmapper.evaluation.curves import Curve
from blurmapper.evaluation.rows import ALL_BLURRED
from blurmapper.evaluation.tables import ALL_BLURRED_LABEL
from blurmapper.images import read_image
from blurmapper.preprocessing import WHITE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which colour-blind people tell apart; black is kept for the baseline.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F")
DASHES = ("-", "--", "-.", ":")

PICTURE_INCHES = 1.5
CAPTION_INCHES = 0.16

MapReader = Callable[[str, Sample], npt.NDArray[Any]]
"""Method and photo -> its map, white or 1 = blurred."""


def draw_curves(curves: Mapping[str, Curve], title: str) -> Figure:
    """Draw precision against recall, a line a method, as in Figure 4 of Ma et al.

    Parameters
    ----------
    curves : mapping of str to Curve
        In the order of the legend.
    title : str

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figure = _new_figure(5.2, 4.6)
    axes: Axes = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        if name == ALL_BLURRED:
            corner = curve.recall[:1], curve.precision[:1]
            axes.plot(*corner, "kx", label=ALL_BLURRED_LABEL, clip_on=False)
            continue
        dash = DASHES[number // len(COLOURS) % len(DASHES)]
        colour = COLOURS[(number - 1) % len(COLOURS)]
        axes.plot(curve.recall, curve.precision, dash, color=colour, linewidth=1.8, label=name)
    axes.set(xlim=(0, 1), xlabel="Recall", ylabel="Precision", title=title)
    axes.set_ylim(_floor_of(curves.values()), 1)
    axes.grid(visible=True, color="0.88", linewidth=0.6)
    axes.legend(loc="lower left", frameon=True, fontsize=8.5)
    return figure


def draw_sheet(
    samples: Sequence[Sample],
    methods: Sequence[str],
    read: MapReader,
    captions: Mapping[str, Sequence[str]] | None = None,
) -> Figure:
    """Draw rows of photo | map of each method | truth, as in Figures 5, 7 and 8 of Ma et al.

    Parameters
    ----------
    samples : sequence of Sample
        The rows; the column of photos is left out where one has none.
    methods : sequence of str
        The columns of maps. Black is sharp, white is blurred, nothing is stretched.
    read : callable
        Gives the map of a method and a sample.
    captions : mapping of str to sequence of str, optional
        Photo's name -> a line below each of its maps.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    with_photos = all(sample.photo is not None for sample in samples)
    headings = (["photo"] if with_photos else []) + [*methods, "truth"]
    heights = [_picture_height(sample) for sample in samples]
    margin = CAPTION_INCHES if captions else 0.05
    width = len(headings) * (PICTURE_INCHES + 0.05) + 0.25
    figure = _new_figure(width, sum(heights) + margin * len(samples) + 0.35)
    grid = figure.subplots(len(samples), len(headings), squeeze=False, height_ratios=heights)
    for cells, sample in zip(grid, samples, strict=True):
        photo = [_photo(sample)] if with_photos else []
        maps = [_grey(read(method, sample)) for method in methods]
        for cell, picture in zip(cells, [*photo, *maps, _truth(sample)], strict=True):
            cell.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
            cell.set(xticks=[], yticks=[])
            cell.spines[:].set(color="0.6", linewidth=0.5)
        if captions:
            below = zip(cells[len(photo) : -1], captions[sample.name], strict=True)
            for cell, caption in below:
                cell.set_xlabel(caption, fontsize=7, labelpad=2)
        cells[0].set_ylabel(sample.name, fontsize=6.5)
    for cell, heading in zip(grid[0], headings, strict=True):
        cell.set_title(heading, fontsize=9, pad=4)
    return figure


def _new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, free of any window system."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "matplotlib is not installed; figures need pip install 'blurmapper[report]'"
        ) from error
    layout = ConstrainedLayoutEngine(h_pad=0.02, w_pad=0.02, hspace=0.01, wspace=0.01)
    return Figure(figsize=(width, height), layout=layout)


def _floor_of(curves: Iterable[Curve]) -> float:
    """Return the tenth below the least precision, so that the lines fill the figure."""
    precision = np.concatenate([curve.precision for curve in curves])
    least = float(precision.min(initial=1.0, where=~np.isnan(precision)))
    return max(0.0, math.floor(10 * least - 1e-9) / 10)


def _picture_height(sample: Sample) -> float:
    height, width = map(int, read_truth(sample)[0].shape)
    return PICTURE_INCHES * min(height / width, 2.0)


def _photo(sample: Sample) -> npt.NDArray[Any]:
    assert sample.photo is not None
    image = read_image(sample.photo)
    return image / np.float32(WHITE[image.dtype])


def _truth(sample: Sample) -> npt.NDArray[np.float32]:
    """Return the mask with what is undecided in grey."""
    ground_truth, valid = read_truth(sample)
    picture = ground_truth.astype(np.float32)
    return picture if valid is None else np.where(valid, picture, np.float32(0.5))


def _grey(blur_map: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return blur_map.astype(np.float32) / np.float32(WHITE.get(blur_map.dtype, 1.0))
