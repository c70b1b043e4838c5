"""Pairs of a data set's photos."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import Sample, read_dataset
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.training.augmentation import resize_layer
from blurmapper.training.config import Mixture, TrainingConfig
from blurmapper.training.data import open_source
from blurmapper.training.export import describe_training
from blurmapper.training.labelled import LabelledSource
from blurmapper.training.pairs import BLURRED, SHARP, UNDECIDED


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Five photos of one grey each; blurred left, undecided amid, sharp right."""
    for inner in ("images", "truth"):
        (tmp_path / inner).mkdir()
    truth = np.repeat(np.array([[255, 128, 0]], np.uint8), 32, axis=1).repeat(64, axis=0)
    for number in range(5):
        photo = np.full((64, 96, 3), 40 * number, np.uint8)
        PIL.Image.fromarray(photo).save(tmp_path / "images" / f"p{number}.png")
        PIL.Image.fromarray(truth).save(tmp_path / "truth" / f"p{number}.png")
    return read_dataset(tmp_path)


def test_whole_photos_are_squeezed_with_their_masks(samples: list[Sample]) -> None:
    pair = LabelledSource(samples, 48, seed=0).pair(0)
    assert pair.image.shape == (48, 48, 3)
    assert (pair.label[:, :15] == BLURRED).all()
    assert (pair.label[:, 17:31] == UNDECIDED).all()
    assert (pair.label[:, 33:] == SHARP).all()


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ([0, 0, 0, 0, 255, 255, 128, 128, 128, 128], SHARP),
        ([0, 0, 255, 255, 255, 255, 128, 128, 128, 128], BLURRED),
        ([0, 0, 0, 255, 128, 128, 128, 128, 128, 128], UNDECIDED),
    ],
)
def test_what_is_undecided_is_not_blurred_where_masks_shrink(
    columns: list[int], label: int, samples: list[Sample]
) -> None:
    PIL.Image.new("RGB", (160, 160)).save(samples[0].photo or "")
    truth = np.tile(np.array(columns, np.uint8), (160, 16))
    PIL.Image.fromarray(truth).save(samples[0].truth)
    assert (LabelledSource(samples[:1], 16, seed=0).pair(0).label == label).all()


def test_half_blurred_is_sharp_however_a_mask_that_decides_all_shrinks(
    samples: list[Sample],
) -> None:
    PIL.Image.new("RGB", (640, 426)).save(samples[0].photo or "")
    truth = (np.random.default_rng(0).random((426, 640)) < 0.5).astype(np.uint8) * 255
    PIL.Image.fromarray(truth).save(samples[0].truth)
    for side in (71, 213):
        share = resize_layer((truth > 0).astype(np.float32), side)
        assert (share == 0.5).any()
        label = LabelledSource(samples[:1], side, seed=0).pair(0).label
        assert np.array_equal(label == BLURRED, share > 0.5)


def test_every_photo_comes_once_before_any_comes_again(samples: list[Sample]) -> None:
    source = LabelledSource(samples, 32, seed=3)
    greys = [int(source.pair(index).image[0, 0, 0]) for index in range(15)]
    for turn in range(3):
        assert sorted(greys[5 * turn : 5 * turn + 5]) == [0, 40, 80, 120, 160]
    assert len({tuple(greys[5 * turn : 5 * turn + 5]) for turn in range(3)}) > 1


@pytest.mark.parametrize("geometric", [True, False])
@pytest.mark.parametrize("photometric", [True, False])
def test_the_same_seed_gives_the_same_pair(
    samples: list[Sample], geometric: bool, photometric: bool
) -> None:
    first, second = (
        LabelledSource(samples, 32, 7, geometric=geometric, photometric=photometric).pair(11)
        for _ in range(2)
    )
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.label, second.label)


def test_geometric_augmentation_shows_parts_and_mirrors_them(samples: list[Sample]) -> None:
    source = LabelledSource(samples, 32, seed=0, geometric=True)
    labels = [source.pair(index).label for index in range(40)]
    assert any(label[0, 0] < label[0, -1] for label in labels)
    assert any(label[0, 0] > label[0, -1] for label in labels)
    shares = {float((label == BLURRED).mean()) for label in labels}
    assert len(shares) > 5


def test_photometric_augmentation_leaves_the_truth_alone(samples: list[Sample]) -> None:
    plain, worn = (LabelledSource(samples, 32, 0, photometric=on) for on in (False, True))
    pairs = [(plain.pair(index), worn.pair(index)) for index in range(10)]
    assert all(np.array_equal(a.label, b.label) for a, b in pairs)
    assert not all(np.array_equal(a.image, b.image) for a, b in pairs)


def test_a_mask_of_another_size_is_named(samples: list[Sample]) -> None:
    PIL.Image.new("L", (10, 10)).save(samples[0].truth)
    source = LabelledSource(samples[:1], 32, seed=0)
    with pytest.raises(DatasetError, match=r"p0\.png: of another size than"):
        source.pair(0)


def test_what_a_worker_cannot_use_is_one_line(samples: list[Sample], tmp_path: Path) -> None:
    PIL.Image.new("L", (10, 10)).save(samples[0].truth)
    (tmp_path / "listed.txt").write_text("p0\n")
    config = tmp_path / "config.toml"
    config.write_text(
        f'architecture = "configuration-i"\nphotos = "{samples[0].truth.parents[1]}"\n'
        f'listed = "{tmp_path / "listed.txt"}"\noutput = "{tmp_path / "run"}"\nside = 32\n'
        "workers = 1\nthreads = 1\n"
    )
    command = [sys.executable, "-m", "blurmapper", "train", str(config)]
    said = subprocess.run(command, check=False, capture_output=True, text=True).stderr
    line = f"error: {samples[0].truth}: of another size than {samples[0].photo}; replace one"
    assert said.splitlines() == [line]


def test_nothing_to_train_on_is_said() -> None:
    with pytest.raises(DatasetError, match="no photo to train on"):
        LabelledSource([], 32, seed=0)


def mixed(samples: list[Sample], photos: Path, **values: object) -> TrainingConfig:
    folder = samples[0].truth.parents[1]
    listed = folder / "listed.txt"
    listed.write_text("p1\np3\n")
    fields = {"architecture": "dbm-lite", "photos": photos, "output": folder / "run", "side": 40}
    return TrainingConfig(**{**fields, "dataset": folder, "listed": listed, **values})  # type: ignore[arg-type]


def test_a_data_set_is_mixed_with_the_pairs_of_a_library(
    samples: list[Sample], photos: Path
) -> None:
    source = open_source(mixed(samples, photos, mixture=Mixture(labelled=0.5, traced=0.3)))
    kinds = [source.pair(index).kind for index in range(60)]
    assert {"labelled", "traced", "bokeh"} <= set(kinds)
    share = 0.5 / (0.5 + 0.3 + 0.25 + 0.08 + 0.03 + 0.34)
    assert kinds.count("labelled") / 60 == pytest.approx(share, abs=0.2)


def test_without_a_data_set_nothing_is_mixed_in(samples: list[Sample], photos: Path) -> None:
    values = {"dataset": None, "listed": None}
    source = open_source(mixed(samples, photos, **values))
    assert "labelled" not in {source.pair(index).kind for index in range(40)}
    alone = open_source(mixed(samples, samples[0].truth.parents[1], dataset=None))
    assert {alone.pair(index).kind for index in range(8)} == {"labelled"}


def test_photos_of_a_data_set_that_nobody_names_are_refused() -> None:
    values = {"architecture": "dbm-lite", "photos": "p", "output": "o", "dataset": "cuhk"}
    with pytest.raises(ConfigError, match="name the photos of `dataset` to train on with `listed`"):
        TrainingConfig.from_dict(values)


def test_a_card_names_what_was_trained_on(samples: list[Sample], photos: Path) -> None:
    both = describe_training(mixed(samples, photos), 7)
    folder = samples[0].truth.parents[1].name
    assert both.startswith(
        f"7 steps of 8 pairs of 40 x 40 pixels, from photos of {photos.name} (20% traced, "
        "17% bokeh, 5% sharp, 2% blurred, 23% made, 33% labelled) and the photos of "
        f"{folder} that listed.txt names, seed 0."
    )
    alone = describe_training(mixed(samples, photos, dataset=None, listed=None), 7)
    assert "34% made)" in alone
    assert "names" not in alone
    assert "made" not in describe_training(mixed(samples, photos, dataset=None), 7)
