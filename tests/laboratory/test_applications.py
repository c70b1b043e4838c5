"""Cut-outs and magnified photos: which photos, and what is measured of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import read_dataset
from blurmapper.errors import DatasetError
from blurmapper.images import read_image
from blurmapper.laboratory.applications import (
    DEGREES,
    Mapped,
    draw_mapped,
    magnify,
    mean_gradient,
    on_squares,
    overlap,
)
from blurmapper.laboratory.experiments import Experiment, read_experiment
from blurmapper.laboratory.photos import Photo, list_photos


@pytest.fixture
def toy(tiny_weights: Path) -> Experiment:
    return replace(read_experiment("figure12"), methods=(str(tiny_weights),), photos=3)


@pytest.fixture
def mapped(toy_benchmark: Path) -> Mapped:
    """A photo whose left 30 columns are sharp, with a map that says 42."""
    sample = next(s for s in read_dataset(toy_benchmark) if s.name.endswith("3"))
    assert sample.photo is not None
    blur_map = np.zeros((64, 96), np.float32)
    blur_map[:, 42:] = 1
    return Mapped(Photo("a", sample.photo, "", sample), read_image(sample.photo), blur_map)


def test_photos_with_a_sharp_and_a_blurred_part_are_drawn(
    toy: Experiment, toy_benchmark: Path
) -> None:
    drawn = draw_mapped(toy, toy_benchmark)
    assert 1 <= len(drawn) <= 3
    for mapped in drawn:
        assert DEGREES[0] <= mapped.degree <= DEGREES[1]
        assert mapped.photo.kind == "defocus"


def test_the_same_seed_draws_the_same(toy: Experiment, toy_benchmark: Path) -> None:
    first, again = (draw_mapped(toy, toy_benchmark) for _ in range(2))
    assert [m.photo.name for m in first] == [m.photo.name for m in again]


def test_where_all_is_blurred_there_is_one_line(toy: Experiment, toy_benchmark: Path) -> None:
    with pytest.raises(DatasetError, match=r"no photo has an S of 0\.2 to 0\.8"):
        draw_mapped(replace(toy, methods=("all-blurred",)), toy_benchmark)


def test_a_folder_of_photos_will_do(toy: Experiment, toy_benchmark: Path) -> None:
    photos = list_photos(toy, toy_benchmark / "images")
    assert len(photos) == 6
    assert all(photo.sample is None for photo in photos)


def test_the_samples_are_taken_where_no_data_are_given(toy: Experiment) -> None:
    assert [photo.name for photo in list_photos(toy, None)] == ["cat", "coffee", "rocket"]


def test_overlap_is_that_of_the_subject_with_what_is_sharp(mapped: Mapped) -> None:
    assert overlap(mapped, mapped.blur_map < 0.5) == pytest.approx(30 / 42)


def test_without_truth_there_is_no_overlap(mapped: Mapped) -> None:
    alone = replace(mapped, photo=replace(mapped.photo, sample=None))
    assert overlap(alone, mapped.blur_map < 0.5) is None


def test_truth_of_another_size_than_its_photo_is_named(mapped: Mapped) -> None:
    assert mapped.photo.sample is not None
    PIL.Image.new("L", (48, 32)).save(mapped.photo.sample.truth)
    with pytest.raises(DatasetError, match=r"truth/motion0003\.png: of another size than"):
        overlap(mapped, mapped.blur_map < 0.5)


def test_a_cut_out_lies_on_squares() -> None:
    rgba = np.zeros((48, 48, 4), np.uint8)
    rgba[:, :24] = 255
    shown = on_squares(rgba)
    assert (shown[:, :24] == 1).all()
    assert np.unique(shown[:, 24:].round(2)).tolist() == pytest.approx([0.8, 0.95])


def test_stronger_magnification_leaves_less_gradient(mapped: Mapped) -> None:
    pictures, left = magnify(mapped, (1.0, 4.0))
    assert len(pictures) == 4
    assert left[0] is not None
    assert left[1] is not None
    assert 1 > left[0] > left[1]


def test_where_nothing_is_blurred_there_is_no_gradient_to_lose(mapped: Mapped) -> None:
    sharp = np.zeros_like(mapped.blur_map)
    assert mean_gradient(mapped.image, sharp) == 0
    assert magnify(replace(mapped, blur_map=sharp), (1.0,))[1] == [None]
