"""Sheets of photos, maps and truth: which photos are drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.errors import DatasetError
from blurmapper.laboratory.experiments import read_experiment
from blurmapper.laboratory.sheets import draw_samples

FIGURE7 = read_experiment("figure7")


def test_photos_of_the_figures_kind_alone_are_drawn(toy_benchmark: Path) -> None:
    assert {s.kind for s in draw_samples(FIGURE7, toy_benchmark)} == {"defocus"}
    assert {s.kind for s in draw_samples(read_experiment("figure8"), toy_benchmark)} == {"motion"}


def test_as_many_are_drawn_as_are_asked_for(toy_benchmark: Path) -> None:
    assert len(draw_samples(replace(FIGURE7, photos=3), toy_benchmark)) == 3


def test_another_seed_draws_others(toy_benchmark: Path) -> None:
    drawn = {
        tuple(s.name for s in draw_samples(replace(FIGURE7, seed=seed, photos=2), toy_benchmark))
        for seed in range(5)
    }
    assert len(drawn) > 1


def test_a_photo_that_is_blurred_all_over_is_passed_over(toy_benchmark: Path) -> None:
    for path in (toy_benchmark / "truth").glob("defocus*"):
        PIL.Image.fromarray(np.full((64, 96), 255, np.uint8)).save(path)
    with pytest.raises(DatasetError, match="no defocus photo is partly blurred"):
        draw_samples(FIGURE7, toy_benchmark)


def test_without_kinds_there_is_one_line(toy_benchmark: Path) -> None:
    (toy_benchmark / "photos.csv").unlink()
    for path in toy_benchmark.rglob("*.png"):
        path.rename(path.with_name(f"a-{path.name}"))
    with pytest.raises(DatasetError, match="no photo's kind is defocus; name kinds"):
        draw_samples(FIGURE7, toy_benchmark)
