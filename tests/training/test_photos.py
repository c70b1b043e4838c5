"""Claims on the sorting of the training photos."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from blurmapper.training.photos import REVIEWS, read_library

SHARED = Path(__file__).parents[3] / "shared" / "data"


def names(path: Path) -> set[str]:
    with path.open(newline="") as file:
        return {row["photo"] for row in csv.DictReader(file)}


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_every_photo_was_reviewed() -> None:
    assert names(SHARED / "photos/photos.csv") == names(REVIEWS)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_no_validation_photo_is_trained_on() -> None:
    validation = {path.stem for path in (SHARED / "validation").glob("*/images/*")}
    faults = {path.stem for path in (SHARED / "faults/images").iterdir()}
    library = read_library(SHARED / "photos")
    masked = [item.photo for item in (*library.bokeh, *library.traced)]
    trained = {path.stem for path in (*library.sharp, *library.blurred, *masked)}
    assert trained
    assert not trained & (validation | faults)
