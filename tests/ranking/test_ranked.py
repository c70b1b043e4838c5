"""The ranking as a function."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper import rank_photos
from blurmapper.batch import Manifest
from blurmapper.errors import ConfigError
from blurmapper.locations import Location
from blurmapper.ranking.tables import COLUMNS


@pytest.fixture
def photos(tmp_path: Path, sharp_photo: npt.NDArray[np.uint8]) -> Path:
    """A folder of a blurred and a sharp photo, and of one that is none."""
    PIL.Image.fromarray(cv2.GaussianBlur(sharp_photo, (0, 0), 4)).save(tmp_path / "a.png")
    PIL.Image.fromarray(sharp_photo).save(tmp_path / "b.png")
    (tmp_path / "c.png").write_text("no photo")
    return tmp_path


def test_rows_are_those_of_the_tables_the_sharpest_first(photos: Path, tiny_weights: Path) -> None:
    rows = rank_photos(photos, method=str(tiny_weights))
    assert [Path(row["photo"]).name for row in rows] == ["b.png", "a.png", "c.png"]
    assert all(list(row) == list(COLUMNS) for row in rows)
    assert rows[2]["rank"] is None and "c.png" in rows[2]["error"]


def test_what_was_measured_is_read_once(
    photos: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = Manifest.__init__

    def open_manifest(manifest: Manifest, location: Location, fields: Collection[str]) -> None:
        opened.append(location.name)
        real(manifest, location, fields)

    monkeypatch.setattr(Manifest, "__init__", open_manifest)
    rank_photos(photos, method=str(tiny_weights))
    assert opened == ["rank.jsonl"]


def test_several_places_are_ranked_together(photos: Path, tiny_weights: Path) -> None:
    given = [photos / "a.png", str(photos / "b.png"), photos / "nowhere"]
    rows = rank_photos(given, by="region", method=str(tiny_weights))
    assert [row["rank"] for row in rows] == [1, 2, None]


def test_paths_may_be_of_any_kind(photos: Path, tiny_weights: Path) -> None:
    with os.scandir(photos) as entries:
        rows = rank_photos(sorted(entries, key=lambda entry: entry.name), method=tiny_weights)
    assert [row["rank"] for row in rows] == [1, 2, None]
    kinds = {type(value) for row in rows for value in row.values()}
    assert kinds <= {str, int, float, bool, type(None), list}


@pytest.mark.parametrize(
    "given",
    [b"a.png", [b"a.png"], np.zeros((2, 3)), None, 5, [None], PIL.Image.new("RGB", (20, 20))],
)
def test_what_is_no_path_is_refused_in_one_line(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"^a \w+ is no path; give text or a Path$"):
        rank_photos(given)


def test_boxes_of_an_empty_path_are_refused(photos: Path) -> None:
    with pytest.raises(ConfigError, match="a path is empty"):
        rank_photos(photos, boxes="")


@pytest.mark.parametrize("jobs", [0, -1, 1025])
def test_no_photo_at_a_time_and_far_too_many_are_refused(jobs: int, photos: Path) -> None:
    with pytest.raises(ConfigError, match=f"jobs is {jobs}; use 1 to 1024"):
        rank_photos(photos, jobs=jobs)
