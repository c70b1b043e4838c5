"""Figures of a benchmark: precision-recall curves and sheets of pictures.

All that draws raises `MissingExtraError` where matplotlib is not installed.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from blurmapper.datasets import Sample, read_truth
from blurmapper.errors import needing
from blurmapper.evaluation.benchmark import MapReader
from blurmapper.evaluation.counts import Counts, stack_counts
from blurmapper.evaluation.rows import ALL_BLURRED
from blurmapper.evaluation.scores import Floats, ratio
from blurmapper.evaluation.tables import ALL_BLURRED_LABEL
from blurmapper.images import read_image
from blurmapper.preprocessing import WHITE, reduce_area

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Okabe and Ito's palette, which colour-blind people tell apart; black is kept for the baseline.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F")
DASHES = ("-", "--", "-.", ":")

CROWD = 7
"""Of more lines the legend stands beside the curves, where it hides none."""

CREATOR = "blurmapper figures"
DOTS_PER_INCH = 150
PICTURE_INCHES = 1.5
MOST_PIXELS = 450
"""Of the shorter side of a picture: twice what is printed."""

CAPTION_INCHES = 0.16
HEADING_POINTS, LABEL_POINTS, CAPTION_POINTS = 9.0, 6.5, 7.0
TALL = 1.35
"""A sheet of many methods is printed smaller, and its letters are this much larger."""


def is_figure(path: Path) -> bool:
    """Say whether a file is a PNG or PDF that says it is of our making; other programs' are not."""
    content = path.read_bytes()
    return content.startswith((b"\x89PNG", b"%PDF")) and CREATOR.encode() in content


def draw_curves(curves: Mapping[str, Curve], title: str) -> Figure:
    """Draw precision against recall, a line a method, as in Figure 4 of Ma et al.

    Parameters
    ----------
    curves : mapping of str to Curve
        In the order of the legend.
    title : str
    """
    is_crowded = len(curves) > CROWD
    figure = new_figure(6.8 if is_crowded else 5.2, 4.6)
    axes: Axes = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        if name == ALL_BLURRED:
            corner = curve.recall[:1], curve.precision[:1]
            axes.plot(*corner, "kx", label=ALL_BLURRED_LABEL, clip_on=False)
            continue
        line, place = divmod(number - (ALL_BLURRED in curves), len(COLOURS))
        dash, colour = DASHES[line % len(DASHES)], COLOURS[place]
        label = as_label(name)
        axes.plot(curve.recall, curve.precision, dash, color=colour, linewidth=1.8, label=label)
    axes.set(xlim=(0, 1), xlabel="Recall", ylabel="Precision", title=title)
    axes.set_ylim(_floor_of(curves.values()), 1)
    axes.grid(visible=True, color="0.88", linewidth=0.6)
    if is_crowded:
        figure.legend(loc="outside right upper", frameon=False, fontsize=8.5)
    else:
        axes.legend(loc="lower left", frameon=True, fontsize=8.5)
    return figure


@dataclass(frozen=True)
class Picture:
    """A cell of a sheet.

    Attributes
    ----------
    pixels : ndarray
        Grey (H, W) or RGB (H, W, 3), floats in [0, 1] or uint8.
    caption : str
        A line below it.
    """

    pixels: npt.NDArray[Any]
    caption: str = ""


def draw_sheet(
    samples: Sequence[Sample],
    methods: Sequence[str],
    read: MapReader,
    captions: Mapping[str, Sequence[str]],
    *,
    methods_down: bool = False,
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
    captions : mapping of str to sequence of str
        Photo's name -> a line below each of its maps.
    methods_down : bool
        Whether photos are columns and methods rows, which suits a page where methods are many.
    """
    with_photos = all(sample.photo is not None for sample in samples)
    headings = (["photo"] if with_photos else []) + [*methods, "truth"]
    rows = {}
    for sample in samples:
        maps = [_reduce(as_shown(read(method, sample))) for method in methods]
        rows[sample.name] = [
            *([Picture(_reduce(read_shown(sample.photo)))] if sample.photo and with_photos else []),
            *(Picture(*cell) for cell in zip(maps, captions[sample.name], strict=True)),
            Picture(_reduce(truth_as_shown(sample))),
        ]
    return draw_pictures(headings, rows, columns_down=methods_down)


def draw_pictures(
    headings: Sequence[str], rows: Mapping[str, Sequence[Picture]], *, columns_down: bool = False
) -> Figure:
    """Draw rows of pictures of one shape each, below headings.

    Parameters
    ----------
    headings : sequence of str
        Of the columns.
    rows : mapping of str to sequence of Picture
        Label -> a picture a column. All of a row are shown at the shape of its first.
    columns_down : bool
        Whether rows and columns change places on the page.
    """
    shapes = [pictures[0].pixels.shape for pictures in rows.values()]
    ratios = [float(min(shape[0] / shape[1], 2.0)) for shape in shapes]
    has_captions = any(picture.caption for row in rows.values() for picture in row)
    scale = TALL if columns_down else 1.0
    margin = scale * CAPTION_INCHES if has_captions else 0.05
    cells = list(rows.values())
    if columns_down:
        # One height for all, so that the pictures of a line are as high as one another.
        heights, widths = [PICTURE_INCHES] * len(headings), [PICTURE_INCHES / r for r in ratios]
        cells, across, down = list(zip(*cells, strict=True)), list(rows), list(headings)
    else:
        heights, widths = [PICTURE_INCHES * r for r in ratios], [PICTURE_INCHES] * len(headings)
        across, down = list(headings), list(rows)
    width = sum(widths) + 0.05 * len(widths) + 0.25
    figure = new_figure(width, sum(heights) + margin * len(heights) + 0.35)
    grid = figure.subplots(
        len(heights), len(widths), squeeze=False, height_ratios=heights, width_ratios=widths
    )
    for axes, line, label in zip(grid, cells, down, strict=True):
        for cell, picture in zip(axes, line, strict=True):
            _show(cell, picture, scale * CAPTION_POINTS)
        size = HEADING_POINTS if columns_down else LABEL_POINTS
        axes[0].set_ylabel(as_label(label), fontsize=scale * size)
    for cell, label in zip(grid[0], across, strict=True):
        size = LABEL_POINTS if columns_down else HEADING_POINTS
        cell.set_title(as_label(label), fontsize=scale * size, pad=4)
    return figure


def as_label(name: str) -> str:
    """Return a name as Matplotlib draws it.

    What stands between two $ it takes for mathematics, a label that begins with _ it leaves out
    of legends, and of names that are no UTF-8 it breaks off.
    """
    drawn = re.sub(r"[\ud800-\udfff\0-\x1f]", "?", name)
    return (" " if name.startswith("_") else "") + drawn.replace("$", r"\$")


def as_shown(blur_map: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return a map of any dtype as greys in [0, 1], 1 = blurred; nothing is stretched."""
    return blur_map.astype(np.float32) / np.float32(WHITE.get(blur_map.dtype, 1.0))


def read_shown(photo: Path) -> npt.NDArray[Any]:
    """Read a photo of any depth as floats (H, W, 3) in [0, 1]."""
    return as_shown(read_image(photo))


def truth_as_shown(sample: Sample) -> npt.NDArray[np.float32]:
    """Return a mask as greys, 1 = blurred, with what is undecided in mid grey."""
    ground_truth, valid = read_truth(sample)
    picture = ground_truth.astype(np.float32)
    return picture if valid is None else np.where(valid, picture, np.float32(0.5))


def _reduce(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a picture with what is printed of it: ten of many megapixels would fill the memory."""
    height, width = pixels.shape[:2]
    scale = MOST_PIXELS / min(height, width)
    return (
        pixels if scale >= 1 else reduce_area(pixels, round(height * scale), round(width * scale))
    )


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, free of any window system."""
    with needing("report", "figures need"):
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    layout = ConstrainedLayoutEngine(h_pad=0.02, w_pad=0.02, hspace=0.01, wspace=0.01)
    return Figure(figsize=(width, height), layout=layout)


def encode_figure(figure: Figure, file_format: str) -> bytes:
    """Return the content of a figure's file; letters that no font here has are boxes in it."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph ")
        said = {"Creator": CREATOR}
        figure.savefig(stream, format=file_format, dpi=DOTS_PER_INCH, metadata=said)
    return stream.getvalue()


def _floor_of(curves: Iterable[Curve]) -> float:
    """Return the tenth below the least precision, so that the lines fill the figure."""
    precision = np.concatenate([curve.precision for curve in curves])
    least = float(precision.min(initial=1.0, where=~np.isnan(precision)))
    return max(0.0, math.floor(10 * least - 1e-9) / 10)


def _show(cell: Axes, picture: Picture, points: float) -> None:
    cell.imshow(picture.pixels, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
    cell.set(xticks=[], yticks=[])
    cell.spines[:].set(color="0.6", linewidth=0.5)
    if picture.caption:
        cell.set_xlabel(picture.caption, fontsize=points, labelpad=2)


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall at the thresholds k/255, so that recall falls.

    Attributes
    ----------
    precision, recall : ndarray, shape (256,)
        Precision is NaN where nothing is detected.
    """

    precision: Floats
    recall: Floats


def pooled_curve(counts: Counts) -> Curve:
    """Return the curve of all pixels of all photos taken together."""
    table = stack_counts(counts)
    true_positives, detections = table.true_positives.sum(0), table.detections.sum(0)
    return Curve(
        ratio(true_positives, detections, empty=np.nan),
        ratio(true_positives, table.positives.sum(), empty=np.nan),
    )


def mean_curve(counts: Counts) -> Curve:
    """Return precision and recall of each photo, averaged over photos.

    Notes
    -----
    This is how the curves that come with HiFST (Golestaneh and Karam, CVPR 2017,
    doi:10.1109/CVPR.2017.71) were made, and gives its own to the last digit. Photos in which
    nothing is blurred are left out; of the others, those that detect nothing at a threshold have
    no precision there.
    """
    table = stack_counts(counts)
    blurred = table.positives > 0
    true_positives, detections = table.true_positives[blurred], table.detections[blurred]
    precision = ratio(true_positives, detections, empty=0.0).sum(0)
    recall = ratio(true_positives, table.positives[blurred, None], empty=0.0).sum(0)
    return Curve(
        ratio(precision, (detections > 0).sum(0), empty=np.nan),
        ratio(recall, blurred.sum(), empty=np.nan),
    )
