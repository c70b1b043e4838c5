"""The options of `blurmapper evaluate`, each with its help.

They are read whenever the command line starts, so nothing slow is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

Polarity = Literal["blurred", "sharp"]

DATA = "Data"
MAPS = "Maps"
FILES = "Files written"


def _check_polarities(values: list[str] | None) -> list[str] | None:
    for value in values or ():
        if value not in get_args(Polarity):
            raise typer.BadParameter(f"{value!r} is neither 'blurred' nor 'sharp'")
    return values


Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="DIR",
        rich_help_panel=DATA,
        help="A data set: CUHK's image/ and gt/ (gt/ alone for finished maps), images/ and "
        "truth/, DUT's *-source/ and *-gt/, or a folder of such sets. With --masks: the photos.",
    ),
]
Masks = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        rich_help_panel=DATA,
        help="Masks named as the photos, where the data set is a plain pair of folders: grey, or "
        "classes 0 and 1. 128 is undecided in masks that hold 0, 128 and 255 alone.",
    ),
]
MasksPolarity = Annotated[
    Polarity, typer.Option(rich_help_panel=DATA, help="What white means in --masks.")
]
SplitOption = Annotated[
    Literal["all", "even", "odd"],
    typer.Option(
        rich_help_panel=DATA,
        help="Photos by the number in their name: the paper's De is even, its Do odd.",
    ),
]
Names = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=DATA,
        help="Only the photos that this text file names, one a line.",
    ),
]
MinConfidence = Annotated[
    int,
    typer.Option(
        metavar="1..3",
        min=1,
        max=3,
        rich_help_panel=DATA,
        help="Only photos whose tracer was at least so sure.",
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="NAME",
        rich_help_panel=MAPS,
        help="A method to run, from blurmapper methods, or an .onnx file; repeat for several.",
    ),
]
Maps = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME=]DIR",
        rich_help_panel=MAPS,
        help="Finished maps of any tool, named as the photos: PNG of 8 or 16 bits, WebP, .npy. "
        "Repeat for several. The row is called NAME, or else after the folder.",
    ),
]
MapsPolarity = Annotated[
    # Typer has no lists of literals.
    list[str] | None,
    typer.Option(
        "--polarity",
        metavar="blurred|sharp",
        callback=_check_polarities,
        show_default="blurred",
        rich_help_panel=MAPS,
        help="What white means in --maps: once for all of them, or once for each in order.",
    ),
]
Stretch = Annotated[
    bool,
    typer.Option(
        "--stretch",
        rich_help_panel=MAPS,
        help="Stretch each finished map's own range to [0, 1], as many classical methods do.",
    ),
]
Resize = Annotated[
    bool,
    typer.Option(
        "--resize",
        rich_help_panel=MAPS,
        help="Resize finished maps to their masks' size instead of refusing them.",
    ),
]
Refine = Annotated[
    bool,
    typer.Option(
        "--refine/--no-refine",
        rich_help_panel=MAPS,
        help="Whether a network's map follows the photo's edges.",
    ),
]
ProtocolOption = Annotated[
    Literal["paper", "pooled", "dbd"],
    typer.Option(
        help="paper: as the numbers of Ma et al. are made. pooled: as in edge detection (BSDS). "
        "dbd: as in defocus detection, F at 0.5 and MAE. Never compare rows of two.",
    ),
]
Subsets = Annotated[
    bool,
    typer.Option(
        "--subsets", help="Add a table for each kind of blur and size of the blurred region."
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        show_default="1 where a method runs, so that its times are its own; else one a core",
        help="Photos scored at a time.",
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        rich_help_panel=FILES,
        help="Maps, counts and times are kept here; a run that was stopped goes on from them.",
    ),
]


Json = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE", rich_help_panel=FILES, help="The rows as a list of objects."
    ),
]
Csv = Annotated[
    Path | None,
    typer.Option(
        "--csv", metavar="FILE", rich_help_panel=FILES, help="The rows for a spreadsheet."
    ),
]
Markdown = Annotated[
    Path | None,
    typer.Option(metavar="FILE", rich_help_panel=FILES, help="The tables in Markdown."),
]
Latex = Annotated[
    Path | None,
    typer.Option(metavar="FILE", rich_help_panel=FILES, help="The tables in LaTeX."),
]
Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=FILES,
        help="Tables, curves, best and worst photos as one HTML file (needs the extra report).",
    ),
]
Figures = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        rich_help_panel=FILES,
        help="The curves as PDF and the sheets of photos as PNG (needs the extra report).",
    ),
]
