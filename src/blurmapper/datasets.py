"""Photos with ground truth: folder layouts, and what white means in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from blurmapper.csv_rows import read_rows
from blurmapper.errors import DatasetError
from blurmapper.images import PHOTO_SUFFIXES
from blurmapper.masks import UNDECIDED, has_undecided, read_mask

Polarity = Literal["blurred", "sharp"]
"""What white means in a mask or map file."""

SAMPLES = Path(__file__).parent / "assets" / "samples"
"""The photographs in the package."""


@dataclass(frozen=True)
class Layout:
    """A way of laying out a data set, recognised by the names of its folders.

    Attributes
    ----------
    photos, truth : str
        Patterns of the two folders' names.
    white : {"blurred", "sharp"}
        What white means in the masks.
    undecided : bool
        Whether a mask's value 128 marks pixels that nobody could decide.
    """

    name: str
    photos: str
    truth: str
    white: Polarity
    undecided: bool = False


LAYOUTS = (
    Layout("CUHK", "image", "gt", "blurred"),
    Layout("validation", "images", "truth", "blurred", undecided=True),
    Layout("DUT", "*-source", "*-gt", "sharp"),
)
"""CUHK: the two zip files of Shi, Xu and Jia (CVPR 2014, doi:10.1109/CVPR.2014.379), unpacked
side by side; the masks suffice where maps are read from files. DUT: ``xu100-gt``, ``dut500-gt``
and the like beside ``xu100-source``, ``dut500-source``."""


@dataclass(frozen=True)
class Sample:
    """One photo with its mask.

    Attributes
    ----------
    name : str
        The mask's file name without suffix, after its set's folder where there are several.
    photo : Path or None
        None where the data set has masks alone.
    truth : Path
        The mask.
    white : {"blurred", "sharp"}
        What white means in the mask.
    undecided : bool or None
        Whether the mask's value 128 means that nobody could decide; None where it does if the
        mask holds nothing but 0, 128 and 255.
    kind : str
        Kind of blur where it is known, else "".
    confidence : int
        How sure the tracer was, 1 to 3; 3 where nothing is said.
    """

    name: str
    photo: Path | None
    truth: Path
    white: Polarity = "blurred"
    undecided: bool | None = False
    kind: str = ""
    confidence: int = 3


def read_dataset(folder: str | Path) -> list[Sample]:
    """List the photos of a data set whose layout is known.

    Parameters
    ----------
    folder : str or Path
        A folder laid out as one of `LAYOUTS`, or a folder of such folders; the samples of the
        latter are named ``set/photo``.

    Returns
    -------
    list of Sample
        In the order of their names.

    Raises
    ------
    DatasetError
        If layout or ``photos.csv`` are none, a mask has no photo, or a photo no mask.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; give the folder of a data set")
    samples = _read_layout(folder)
    if samples is not None:
        return samples
    samples = [
        replace(sample, name=f"{inner.name}/{sample.name}")
        for inner in sorted(filter(Path.is_dir, folder.glob("[!.]*")))
        for sample in _read_layout(inner) or ()
    ]
    if not samples:
        known = ", ".join(f"{layout.photos}/ + {layout.truth}/" for layout in LAYOUTS)
        raise DatasetError(f"{folder}: no data set is laid out so; its folders must be {known}")
    return samples


def read_pair(
    photos: str | Path | None,
    truth: str | Path,
    *,
    white: Polarity = "blurred",
    undecided: bool | None = None,
) -> list[Sample]:
    """List the photos of a folder with their masks, of the same names, in another.

    Parameters
    ----------
    photos : str, Path or None
        None where only masks are needed, since finished maps are scored.
    truth : str or Path
        The masks' folder.
    white : {"blurred", "sharp"}
        What white means in the masks.
    undecided : bool or None
        Whether the masks' value 128 means that nobody could decide, as in `Sample`.

    Raises
    ------
    DatasetError
        If a folder is missing or empty, a mask has no photo, or a photo no mask.
    """
    masks = find_pictures(truth)
    if photos is None:
        return [Sample(name, None, path, white, undecided) for name, path in masks.items()]
    pictures = find_pictures(photos)
    for name in sorted(pictures.keys() - masks.keys()):
        raise DatasetError(f"{pictures[name]}: no mask of this name in {truth}; add or remove one")
    for name in sorted(masks.keys() - pictures.keys()):
        raise DatasetError(f"{masks[name]}: no photo of this name in {photos}; add or remove one")
    return [Sample(name, pictures[name], path, white, undecided) for name, path in masks.items()]


def find_pictures(folder: str | Path, suffixes: Sequence[str] = PHOTO_SUFFIXES) -> dict[str, Path]:
    """Return the picture files of a folder by name without suffix, in order.

    Raises
    ------
    DatasetError
        If there is no such folder, it holds none, or two differ in their suffix alone.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; check the path")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or path.name[0] == "." or not path.is_file():
            continue
        if path.stem in found:
            raise DatasetError(f"{path}: {found[path.stem].name} has the same name; keep one")
        found[path.stem] = path
    if not found:
        raise DatasetError(f"{folder}: no picture in it; check the path")
    return found


def read_truth(sample: Sample) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_] | None]:
    """Read a mask.

    Returns
    -------
    ground_truth : ndarray of bool, shape (H, W)
        True = blurred.
    valid : ndarray of bool, shape (H, W), or None
        False where the truth is undecided; None where all is decided.

    Raises
    ------
    DatasetError
        If the file cannot be read, or what is white in it cannot be told.
    """
    grey = read_mask(sample.truth)
    white = grey >= 128
    has_any = has_undecided(grey) if sample.undecided is None else sample.undecided
    valid = grey != UNDECIDED if has_any else None
    return white if sample.white == "blurred" else ~white, valid


def _read_layout(folder: Path) -> list[Sample] | None:
    """List the samples of a folder in the layout that fits, or None."""
    found = []
    for layout in LAYOUTS:
        truths, photos = (
            [path for path in sorted(folder.glob(pattern)) if path.is_dir()]
            for pattern in (layout.truth, layout.photos)
        )
        found += [(layout, truths, photos)] if truths else []
    if not found:
        return None
    layout, truths, photos = found[0]
    if len(found) > 1 or len(truths) > 1 or len(photos) > 1:
        raise DatasetError(f"{folder}: holds several data sets; give each a folder of its own")
    # Photos of all DUT sets have one size, and numbers for names.
    if photos and truths[0].name.rpartition("-")[0] != photos[0].name.rpartition("-")[0]:
        raise DatasetError(
            f"{folder}: {truths[0].name} and {photos[0].name} are of two data sets; give each "
            "its own photos and masks in a folder of its own"
        )
    samples = read_pair(
        photos[0] if photos else None, truths[0], white=layout.white, undecided=layout.undecided
    )
    return _add_notes(samples, folder / "photos.csv")


def _add_notes(samples: list[Sample], notes: Path) -> list[Sample]:
    """Add kind and confidence, from `notes` where there are any, else CUHK's from the name."""
    if not notes.exists():
        return [replace(s, kind=_kind(s.name)) for s in samples]
    rows = {row["photo"]: row for row in read_rows(notes)}
    noted = []
    for sample in samples:
        row = rows.get(sample.name)
        if row is None:
            raise DatasetError(f"{notes}: says nothing about {sample.name}; add a row")
        confidence = row.get("confidence", "").strip() or "3"
        if not re.fullmatch(r"[0-9]{1,9}", confidence):
            raise DatasetError(
                f"{notes}: the confidence of {sample.name} is {confidence!r}; write 1, 2 or 3"
            )
        noted.append(replace(sample, kind=row.get("kind", ""), confidence=int(confidence)))
    return noted


def _kind(name: str) -> str:
    if re.fullmatch(r"motion\d{4}", name):
        return "motion"
    return "defocus" if re.fullmatch(r"out_of_focus\d{4}", name) else ""
