"""The photos training pairs come from, as sorted by eye.

``photo_reviews.csv`` beside this file says what a look at each photo of ``photos.csv`` found: it
takes out what the first, automatic sorting had on the wrong side. Of 1,000 photos called sharp all
over, 415 were; most of the others hold some blur, often mild.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.csv_rows import read_rows
from blurmapper.decoding import arrays
from blurmapper.errors import DatasetError
from blurmapper.masks import check_size, read_mask

REVIEWS = Path(__file__).parent / "photo_reviews.csv"
HELD_OUT_SHARE = 12
"""One in so many traced photos, and half as many others, is kept for scores during training."""


@dataclass(frozen=True)
class Masked:
    """A photo and its mask: what a pixel's value means depends on the list it is in.

    `kind` is what the list says of the photo's blur; empty where it says nothing.
    """

    photo: Path
    mask: Path
    kind: str = ""


@dataclass(frozen=True)
class PhotoLibrary:
    """Photos by what they are good for.

    Attributes
    ----------
    sharp : tuple of Path
        Sharp all over.
    blurred : tuple of Path
        Blurred all over.
    shapes : tuple of Path
        Subject masks, 8-bit: 255 = subject.
    bokeh : tuple of Masked
        A sharp subject (mask, 255 = subject) before a background all out of focus.
    traced : tuple of Masked
        Hand-drawn truth: 255 blurred, 0 sharp, 128 undecided.
    """

    sharp: tuple[Path, ...]
    blurred: tuple[Path, ...]
    shapes: tuple[Path, ...]
    bokeh: tuple[Masked, ...]
    traced: tuple[Masked, ...]

    def subject_of(self, photo: Path) -> Path | None:
        """Return the subject mask of a photo, if it has one."""
        mask = photo.parent.parent / "subjects" / f"{photo.stem}.webp"
        return mask if mask in self._known_shapes else None

    @cached_property
    def _known_shapes(self) -> frozenset[Path]:
        return frozenset(self.shapes)


def read_library(root: Path, *, held_out: bool = False) -> PhotoLibrary:
    """Read the folder of training photos.

    Parameters
    ----------
    root : Path
        Holds ``photos.csv`` (column ``photo``; a column ``use`` with sharp, bokeh or blurred
        goes before our reviews), ``images/NAME.jpg``, ``subjects/NAME.webp`` and ``traced`` with
        ``photos.csv``, ``images/NAME.jpg`` and ``truth/NAME.png``.
    held_out : bool
        Give the photos kept for scores during training instead of those trained on; no photo is
        in both.

    Raises
    ------
    DatasetError
        If the folder, one of its lists or a subject of use bokeh is missing, a list cannot be
        read, or a use is none.
    """
    for needed in (root / "photos.csv", root / "traced" / "photos.csv"):
        if not needed.is_file():
            raise DatasetError(
                f"{needed}: missing; give a folder of photos laid out as docs/training.md says"
            )
    rows = read_rows(root / "photos.csv")
    use = {row["photo"]: row["use"] for row in read_rows(REVIEWS)}
    known = {*use.values()}
    use |= {row["photo"]: row["use"] for row in rows if row.get("use")}
    for name in use:
        if use[name] not in known:
            raise DatasetError(
                f"{root / 'photos.csv'}: {name} is of use {use[name]!r}; choose from: "
                f"{', '.join(sorted(known))}"
            )
    names = [row["photo"] for row in rows]
    names = [name for name in names if _is_held_out(name, 2 * HELD_OUT_SHARE) == held_out]
    subjects = {path.stem: path for path in sorted((root / "subjects").glob("*.webp"))}
    for name in (row["photo"] for row in rows):
        if use.get(name) == "bokeh" and name not in subjects:
            raise DatasetError(
                f"{root / 'subjects' / name}.webp: missing, though {name} is of use bokeh; add the "
                "mask of its subject, or take it off the list"
            )

    def photos(verdict: str) -> list[Path]:
        return [root / "images" / f"{name}.jpg" for name in names if use.get(name) == verdict]

    images, truth = root / "traced" / "images", root / "traced" / "truth"
    return PhotoLibrary(
        sharp=tuple(photos("sharp")),
        blurred=tuple(photos("blurred")),
        shapes=tuple(subjects[name] for name in names if name in subjects),
        bokeh=tuple(Masked(photo, subjects[photo.stem]) for photo in photos("bokeh")),
        traced=tuple(
            Masked(
                images / f"{row['photo']}.jpg", truth / f"{row['photo']}.png", row.get("kind", "")
            )
            for row in read_rows(root / "traced" / "photos.csv")
            if _is_held_out(row["photo"], HELD_OUT_SHARE) == held_out
        ),
    )


def read_pixels(path: Path, how: int) -> npt.NDArray[Any]:
    """Return a photo or a mask as OpenCV reads it: blue, green and red, or grey.

    Raises
    ------
    DatasetError
        If it cannot be read.
    """
    pixels = cv2.imread(str(path), how)
    if pixels is None:
        kind = "mask" if how == cv2.IMREAD_GRAYSCALE else "photo"
        raise DatasetError(
            f"{path}: cannot be read as a {kind}; restore it or take it off the list"
        )
    return pixels


def read_rgb(path: Path) -> npt.NDArray[np.uint8]:
    """Return a photo as RGB (H, W, 3), or raise as `read_pixels` does, and if it is too small."""
    pixels = read_pixels(path, cv2.IMREAD_COLOR)
    arrays.check_size(pixels.shape[0], pixels.shape[1], str(path))
    return np.ascontiguousarray(pixels[..., ::-1])


def read_subject(masked: Masked) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return a photo as RGB (H, W, 3) and the mask of its subject as grey (H, W), soft as it is.

    Raises
    ------
    DatasetError
        If one cannot be read, or they are of different sizes.
    ImageError
        If the photo is too small.
    """
    return _read_both(masked, read_pixels(masked.mask, cv2.IMREAD_GRAYSCALE))


def read_traced(masked: Masked) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return a photo and its hand-drawn truth as `read_subject` does, or raise as that does.

    Masks of class numbers and of 16 bits are read as where maps are scored; a mask of which that
    cannot be told what is white is refused.
    """
    return _read_both(masked, read_mask(masked.mask))


def _read_both(
    masked: Masked, mask: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    image = read_rgb(masked.photo)
    check_size(mask, masked.mask, image, masked.photo)
    return image, mask


def _is_held_out(name: str, share: int) -> bool:
    """By the name alone, so that the choice outlives changes to the lists."""
    return zlib.crc32(name.encode()) % share == 0
