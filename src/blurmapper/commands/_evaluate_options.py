"""The options of `blurmapper evaluate`, each with its help.

The help reads them too, so nothing slow is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from blurmapper.commands._parameters import Option

Polarity = Literal["blurred", "sharp"]

DATA = "Data"
MAPS = "Maps"
FILES = "Files written"


def _in(panel: str, help_text: str, *names: str, metavar: str | None = None) -> Any:
    """Return an option in a panel of the help."""
    return Option(*names, metavar=metavar, panel=panel, help=help_text)


Data = Annotated[
    Path,
    _in(
        DATA,
        "A data set: CUHK's image/ and gt/ (gt/ alone for finished maps), images/ and "
        "truth/, DUT's *-source/ and *-gt/, or a folder of such sets. With --masks: the photos.",
        metavar="DIR",
    ),
]
Masks = Annotated[
    Path | None,
    _in(
        DATA,
        "Masks named as the photos, where the data set is a plain pair of folders: grey, or "
        "classes 0 and 1. 128 is undecided in masks that hold 0, 128 and 255 alone.",
        metavar="DIR",
    ),
]
MasksPolarity = Annotated[
    Polarity | None, _in(DATA, "What white means in --masks; blurred unless given.")
]
SplitOption = Annotated[
    Literal["all", "even", "odd"],
    _in(DATA, "Photos by the number in their name: the paper's De is even, its Do odd."),
]
Names = Annotated[
    Path | None, _in(DATA, "Only the photos that this text file names, one a line.", metavar="FILE")
]
MinConfidence = Annotated[
    int,
    Option(
        metavar="1..3",
        least=1,
        most=3,
        panel=DATA,
        help="Only photos whose tracer was at least so sure.",
    ),
]
Methods = Annotated[
    list[str] | None,
    _in(MAPS, "A method to run, as for map; repeat for several.", "--method", metavar="NAME"),
]
Maps = Annotated[
    list[str] | None,
    _in(
        MAPS,
        "Finished maps of any tool, named as the photos: PNG of 8 or 16 bits, WebP, .npy. "
        "Repeat for several. The row is called NAME, or else after the folder.",
        metavar="[NAME=]DIR",
    ),
]
MapsPolarity = Annotated[
    list[Polarity] | None,
    Option(
        metavar="blurred|sharp",
        default="blurred",
        panel=MAPS,
        help="What white means in --maps: once for all of them, or once for each in order.",
    ),
]
Stretch = Annotated[
    bool,
    _in(MAPS, "Stretch each map's own range to [0, 1], as authors of classical methods do."),
]
Resize = Annotated[
    bool, _in(MAPS, "Resize finished maps to their masks' size instead of refusing them.")
]
Refine = Annotated[
    bool, _in(MAPS, "Whether a network's map follows the photo's edges.", "--refine/--no-refine")
]
ProtocolOption = Annotated[
    Literal["paper", "pooled", "dbd"],
    Option(
        help="paper: as the numbers of Ma et al. are made. pooled: as in edge detection (BSDS). "
        "dbd: as in defocus detection, F at 0.5 and MAE. Never compare rows of two."
    ),
]
Subsets = Annotated[
    bool, Option(help="Add a table for each kind of blur and size of the blurred region.")
]
Processes = Annotated[
    int | None,
    Option(
        metavar="N",
        least=1,
        default="1 where a method runs, so that its times are its own; else one a core",
        help="Photos scored at a time.",
    ),
]
Output = Annotated[
    Path,
    _in(
        FILES,
        "Maps, counts and times are kept here; a run that was stopped goes on from them.",
        "--output",
        "-o",
        metavar="DIR",
    ),
]
Json = Annotated[
    Path | None, _in(FILES, "The rows as a list of objects; - prints them.", metavar="FILE")
]
Csv = Annotated[
    Path | None, _in(FILES, "The rows for a spreadsheet; - prints them.", metavar="FILE")
]
Markdown = Annotated[Path | None, _in(FILES, "The tables in Markdown.", metavar="FILE")]
Latex = Annotated[Path | None, _in(FILES, "The tables in LaTeX.", metavar="FILE")]
Report = Annotated[
    Path | None,
    _in(
        FILES,
        "Tables, curves, best and worst photos as one HTML file (needs the extra report).",
        metavar="FILE",
    ),
]
Figures = Annotated[
    Path | None,
    _in(
        FILES,
        "The curves as PDF and the sheets of photos as PNG (needs the extra report).",
        metavar="DIR",
    ),
]
