"""Timing methods."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.errors import ConfigError, MethodError
from blurmapper.laboratory.experiments import Experiment, read_experiment
from blurmapper.laboratory.reproduce import reproduce
from blurmapper.laboratory.times import crop_samples, read_photos


@pytest.fixture
def toy(tiny_weights: Path) -> Experiment:
    """Table VI of two small photos and two methods that cost nothing."""
    return replace(
        read_experiment("table6"),
        methods=("all-blurred", str(tiny_weights)),
        paper={"all-blurred": {"mean": 2.0, "deviation": 0.5}},
        photos=2,
        side=48,
        repeats=1,
    )


def test_crops_are_the_same_each_time_and_differ_from_one_another() -> None:
    crops = crop_samples(10, 384)
    assert {crop.shape for crop in crops} == {(384, 384, 3)}
    assert len({crop.tobytes() for crop in crops}) == 10
    for crop, again in zip(crops, crop_samples(10, 384), strict=True):
        np.testing.assert_array_equal(crop, again)


def test_crops_larger_than_the_samples_are_an_error() -> None:
    with pytest.raises(ConfigError, match="no sample photo has 4000 pixels"):
        crop_samples(1, 4000)


def test_the_middle_of_a_photo_is_timed(tmp_path: Path) -> None:
    photo = np.zeros((40, 80, 3), np.uint8)
    photo[:, 20:60] = 200
    PIL.Image.fromarray(photo).save(tmp_path / "a.png")
    (middle,) = read_photos(tmp_path, 1, 20)
    assert middle.shape == (20, 20, 3)
    assert (middle == 200).all()


def test_too_few_photos_are_an_error(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="holds 1 photo;"):
        read_photos(tmp_path, 2, 20)


def test_the_table_has_a_row_a_method_beside_the_papers(toy: Experiment, tmp_path: Path) -> None:
    results, _ = reproduce(toy, None, tmp_path)
    (table,) = results.tables
    assert [row[0] for row in table.rows] == ["all-blurred", "tiny"]
    assert table.rows[0][3] == "2.0 ± 0.5"
    assert table.rows[1][3:] == ("-", "-")


def test_what_was_timed_is_not_timed_again(toy: Experiment, tmp_path: Path) -> None:
    first, _ = reproduce(toy, None, tmp_path)
    again, _ = reproduce(toy, None, tmp_path)
    assert again.values == first.values


def test_other_photos_are_timed_anew(toy: Experiment, tmp_path: Path) -> None:
    first, _ = reproduce(toy, None, tmp_path)
    more, _ = reproduce(replace(toy, photos=3), None, tmp_path)
    assert len(more.values["times"]["tiny"]["seconds"]) == 3
    assert len(first.values["times"]["tiny"]["seconds"]) == 2


def test_machine_versions_and_experiment_are_kept(toy: Experiment, tmp_path: Path) -> None:
    _, written = reproduce(toy, None, tmp_path)
    assert [path.name for path in written] == ["table6.md", "table6.json", "table6.tex"]
    record = json.loads(written[1].read_text())
    assert record["machine"]["processor"]
    assert record["versions"]["numpy"] == np.__version__
    assert record["experiment"]["photos"] == 2


def test_a_wrong_method_is_an_error_before_any_is_timed(toy: Experiment, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="no method named 'nhoj'"):
        reproduce(replace(toy, methods=("all-blurred", "nhoj")), None, tmp_path)
    assert not list(tmp_path.iterdir())
