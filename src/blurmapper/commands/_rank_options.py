"""The options that `blurmapper rank` alone has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from blurmapper.commands._options import PHOTOS
from blurmapper.commands._parameters import Option

By = Annotated[
    Literal["focus", "s", "region"],
    Option(
        help="Compare the blur's width where a photo is meant to be sharp, S, or the mean blur of "
        "its sharpest region."
    ),
]
Weighting = Annotated[
    Literal["centre", "saliency"] | None,
    Option(help="Let the middle count more in S, or what stands out by its colour."),
]
Csv = Annotated[str | None, Option(metavar="FILE", help="Write CSV; - prints it.")]
Json = Annotated[
    str | None, Option(metavar="FILE", help="Write JSON, an object a line; - prints it.")
]
Parquet = Annotated[
    str | None,
    Option(metavar="FILE", help="Write Parquet; - prints it (needs the extra named table)."),
]
Select = Annotated[
    tuple[str, int] | None,
    Option(metavar="END N", help="Select the sharpest N or the blurriest N to copy, move or mark."),
]
Below = Annotated[
    float | None,
    Option(metavar="X", help="Select photos with less than X of what they are ranked by."),
]
Above = Annotated[float | None, Option(metavar="X", help="Select photos with at least X of it.")]
Verdicts = Annotated[
    list[str] | None,
    Option(
        "--verdict",
        metavar="WORD",
        help="Select photos of this verdict, such as soft; may be given several times.",
    ),
]
BoxFile = Annotated[
    Path | None,
    Option(
        metavar="FILE", help="Judge boxes too: COCO JSON, CSV, or a folder of YOLO's .txt files."
    ),
]
Faces = Annotated[bool, Option(help="Find faces and judge their eyes too (needs the extra faces).")]
AfPoint = Annotated[
    bool, Option(help="Judge the place that the camera focused on too (needs exiftool).")
]
CopyTo = Annotated[
    Path | None,
    Option(metavar="DIR", help="Copy the selected photos there, with what belongs to them."),
]
MoveTo = Annotated[
    Path | None,
    Option(metavar="DIR", help="Move the selected photos there, with what belongs to them."),
]
Marks = Annotated[
    list[str] | None,
    Option(
        "--mark",
        metavar="MARK",
        help="Mark the selected photos in sidecars: reject, pick, red, yellow, green, blue, "
        "purple, or 1 to 5 stars; may be given several times.",
    ),
]
Report = Annotated[
    Path | None, Option(metavar="DIR", help="Write a page there to look at all photos and choose.")
]
Apply = Annotated[
    Path | None, Option(metavar="FILE", help="Carry out the picks that such a page saved.")
]
Only = Annotated[
    str,
    Option(
        metavar="WHICH",
        help="With --apply, which are copied or moved: pick, reject, or 1 to 5 stars or more.",
    ),
]
Photos = Annotated[list[str] | None, PHOTOS]
DryRun = Annotated[bool, Option(help="Only say what would be written, marked, copied or moved.")]
GroupBursts = Annotated[bool, Option(help="Find frames of one burst, and mark the best of each.")]
Xmp = Annotated[bool, Option(help="Rate photos with 1 to 5 stars, in sidecar files beside them.")]
XmpName = Annotated[
    Literal["full", "stem"],
    Option(help="Sidecars' names: NAME.EXT.xmp for darktable and digiKam, NAME.xmp for Lightroom."),
]
ReplaceRatings = Annotated[
    bool, Option(help="With --xmp or --mark, also mark photos that others marked otherwise.")
]
