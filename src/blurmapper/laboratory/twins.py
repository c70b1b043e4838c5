"""Photos that are nearly the same, also mirrored: a scene is in a benchmark once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.training.photos import read_pixels

SIDE = 16
"""Of the grey thumbnails that are compared, in pixels."""

ALIKE = 0.95
"""Correlation of two thumbnails from which on they are taken for the same scene."""


def group_twins(photos: Sequence[Path]) -> list[list[int]]:
    """Return the photos in groups: those nearly the same together, mirrored ones too.

    Returns
    -------
    list of list of int
        Places in `photos`, each in one group, in order.

    Raises
    ------
    DatasetError
        If a photo cannot be read.
    """
    thumbnails = np.stack([_thumbnail(path) for path in photos])
    mirrored = thumbnails[:, :, ::-1].reshape(len(photos), -1)
    plain = thumbnails.reshape(len(photos), -1)
    alike = np.maximum(plain @ plain.T, plain @ mirrored.T) > ALIKE
    np.fill_diagonal(alike, val=True)
    # Each takes the first photo that one like it has, until all of a group have the same.
    first = np.arange(len(photos))
    while (nearer := np.where(alike, first, len(photos)).min(axis=1)).tolist() != first.tolist():
        first = nearer
    return [np.flatnonzero(first == head).tolist() for head in np.unique(first)]


def _thumbnail(path: Path) -> npt.NDArray[np.float32]:
    """Return a small grey picture of mean 0 and length 1, so that products are correlations."""
    grey = read_pixels(path, cv2.IMREAD_REDUCED_GRAYSCALE_4)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-6), np.float32)
