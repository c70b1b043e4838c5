"""What low-level cues tell, on photos with a flat sharp surface."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blurmapper.errors import ConfigError, DatasetError
from blurmapper.evaluation.bootstrap import Interval
from blurmapper.laboratory.cues import best_cue, classify, run_cues
from blurmapper.laboratory.experiments import Experiment, read_experiment
from blurmapper.laboratory.patches import STATISTICS


@pytest.fixture
def toy(tiny_weights: Path) -> Experiment:
    return replace(
        read_experiment("figure2"), methods=(str(tiny_weights),), side=8, patches=30, photos=6
    )


def test_flat_and_structured_are_thirds_of_what_is_sharp() -> None:
    rng = np.random.default_rng(0)
    patches = 0.5 + rng.normal(size=(9, 8, 8)) * np.linspace(0.01, 0.1, 9)[:, None, None]
    blurred = np.zeros(9, bool)
    assert classify(patches, blurred).tolist() == ["flat"] * 3 + [""] * 3 + ["structured"] * 3


def test_blurred_patches_have_no_say_in_what_is_flat() -> None:
    rng = np.random.default_rng(0)
    sharp = 0.5 + rng.normal(size=(9, 8, 8)) * np.linspace(0.01, 0.1, 9)[:, None, None]
    patches = np.concatenate([sharp, np.full((50, 8, 8), 0.5)])
    blurred = np.repeat([False, True], [9, 50])
    classes = classify(patches, blurred)
    assert classes[:9].tolist() == classify(sharp, blurred[:9]).tolist()
    assert set(classes[9:]) == {"blurred"}


def test_gradients_tell_structured_from_blurred_but_not_flat(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    areas = run_cues(toy, toy_benchmark, tmp_path, print).values["areas"]["gradient magnitude"]
    assert areas["structured"]["value"] > 0.95
    assert areas["flat"]["value"] < 0.6


def test_every_patch_is_kept_with_its_numbers(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    patches = run_cues(toy, toy_benchmark, tmp_path, print).values["patches"]
    assert {patch["class"] for patch in patches} == {"flat", "", "structured", "blurred"}
    assert patches[0].keys() == {"photo", "top", "left", "blurred", "class", *STATISTICS, "tiny"}


def test_the_wrong_way_round_counts_as_telling_apart() -> None:
    areas = {name: {"flat": Interval(0.6, 0.5, 0.7)} for name in STATISTICS}
    areas["gradient tails"]["flat"] = Interval(0.1, 0.0, 0.2)
    assert best_cue(areas, "flat") == "gradient tails"


@pytest.mark.parametrize("maps", [(), ("maps",)])
def test_masks_without_photos_are_one_line(
    maps: tuple[str, ...], toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    (toy_benchmark / "images").rename(tmp_path / "maps")
    finished = tuple(f"mine={tmp_path / name}" for name in maps)
    with pytest.raises(DatasetError, match=r"truth/.*\.png: has no photo to cut patches of; "):
        run_cues(replace(toy, maps=finished), toy_benchmark, tmp_path, print)


def test_maps_called_as_a_cue_are_one_line(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    maps = (f"gradient tails={toy_benchmark / 'truth'}",)
    with pytest.raises(ConfigError, match="two rows would be called gradient tails"):
        run_cues(replace(toy, maps=maps), toy_benchmark, tmp_path, print)


def test_patches_larger_than_what_is_sharp_are_one_line(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="no patch of 48 x 48 pixels that is sharp all over"):
        run_cues(replace(toy, side=48), toy_benchmark, tmp_path, print)
