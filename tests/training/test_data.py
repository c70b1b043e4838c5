"""Claims on the stream of training pairs."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from blurmapper.errors import DatasetError, ImageError
from blurmapper.training.config import Mixture
from blurmapper.training.data import PairDataset, PairSource
from blurmapper.training.inference import score_held_out
from blurmapper.training.networks import build_network, get_architecture
from blurmapper.training.pairs import BLURRED, DEFOCUSED, MOVED, SHARP, UNDECIDED
from blurmapper.training.photos import read_library

ONLY_TRACED = Mixture(traced=1, bokeh=0, sharp=0, blurred=0, made=0)


def test_a_pair_depends_on_seed_and_index_alone(photos: Path) -> None:
    one, other = (PairSource(read_library(photos), 48, seed=3) for _ in range(2))
    for index in (11, 2, 7):
        np.testing.assert_array_equal(one.pair(index).image, other.pair(index).image)
        np.testing.assert_array_equal(one.pair(index).label, other.pair(index).label)
    assert (PairSource(read_library(photos), 48, seed=4).pair(2).image != one.pair(2).image).any()


def test_pairs_have_the_side_and_values_that_were_asked_for(photos: Path) -> None:
    source = PairSource(read_library(photos), 40, seed=0)
    for index in range(30):
        pair = source.pair(index)
        assert pair.image.shape == (40, 40, 3)
        assert pair.image.dtype == pair.label.dtype == np.uint8
        assert set(np.unique(pair.label)) <= {SHARP, UNDECIDED, MOVED, DEFOCUSED, BLURRED}


def test_the_mixture_decides_the_kinds(photos: Path) -> None:
    library = read_library(photos)
    kinds = {PairSource(library, 40, 0, ONLY_TRACED).pair(i).kind for i in range(12)}
    assert kinds == {"traced"}
    kinds = {PairSource(library, 40, 0, Mixture(0, 0, 0, 1, 0)).pair(i).kind for i in range(12)}
    assert kinds == {"blurred"}


def test_a_subject_is_sharp_and_its_surroundings_blurred(photos: Path) -> None:
    source = PairSource(read_library(photos), 64, 0, Mixture(0, 1, 0, 0, 0))
    label = source.pair(0).label
    assert label[32, 32] == SHARP
    assert label[2, 2] == DEFOCUSED


def test_the_list_of_traced_photos_says_what_blurred_them(photos: Path, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    shutil.copytree(photos, root)
    rows = [f"hand{number},motion_subject" for number in range(40)]
    (root / "traced/photos.csv").write_text("\n".join(["photo,kind", *rows, ""]))
    source = PairSource(read_library(root), 48, 0, ONLY_TRACED)
    values = {int(value) for index in range(8) for value in np.unique(source.pair(index).label)}
    assert MOVED in values
    assert BLURRED not in values


def test_no_photo_is_both_trained_on_and_held_out(photos: Path) -> None:
    trained, held_out = read_library(photos), read_library(photos, held_out=True)
    for kind in ("sharp", "blurred", "bokeh", "traced"):
        assert not set(getattr(trained, kind)) & set(getattr(held_out, kind))
    assert held_out.traced
    assert len(held_out.traced) + len(trained.traced) == 40


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"photos\.csv: missing"):
        read_library(tmp_path)


def test_a_broken_photo_is_named(photos: Path, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    shutil.copytree(photos, root)
    for photo in (root / "traced/images").iterdir():
        photo.write_bytes(b"not a photo")
    with pytest.raises(DatasetError, match=r"traced.*cannot be read as a photo"):
        PairSource(read_library(root), 48, 0, ONLY_TRACED).pair(0)


def test_a_photo_of_one_pixel_is_named(photos: Path, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    shutil.copytree(photos, root)
    for image in (root / "traced/images").iterdir():
        cv2.imwrite(str(image), np.zeros((1, 1, 3), np.uint8))
    with pytest.raises(ImageError, match=r"traced.*\.jpg: 1 x 1 pixels is too small; "):
        PairSource(read_library(root), 48, 0, ONLY_TRACED).pair(0)


ONLY_BOKEH = Mixture(traced=0, bokeh=1, sharp=0, blurred=0, made=0)


@pytest.mark.parametrize(
    ("masks", "mixture"), [("traced/truth", ONLY_TRACED), ("subjects", ONLY_BOKEH)]
)
def test_a_mask_of_another_size_than_its_photo_is_named(
    masks: str, mixture: Mixture, photos: Path, tmp_path: Path
) -> None:
    root = tmp_path / "photos"
    shutil.copytree(photos, root)
    for mask in (root / masks).iterdir():
        cv2.imwrite(str(mask), np.repeat(np.uint8([[0, 255]]), 16, axis=1).repeat(32, axis=0))
    with pytest.raises(DatasetError, match=rf"{masks}/\w+\.\w+: of another size than .*\.jpg; "):
        PairSource(read_library(root), 48, 0, mixture).pair(0)
    preprocessing = get_architecture("configuration-i").preprocessing
    with pytest.raises(DatasetError, match=rf"{masks}/.*: of another size than"):
        score_held_out(build_network("configuration-i"), preprocessing, root)


def test_a_borrowed_subject_is_stretched_to_the_photo(photos: Path, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    shutil.copytree(photos, root)
    wide = np.zeros((64, 160, 3), np.uint8)
    for photo in (root / "images").glob("sharp*"):
        cv2.imwrite(str(photo), wide)
    source = PairSource(read_library(root), 48, 0)
    image, mask = source._with_subject(root / "images/sharp1.jpg", np.random.default_rng(0))
    assert image.shape[:2] == mask.shape
    # The subject is a disc amid its own photo.
    assert mask[32, 80] == 255
    assert not mask[:, [0, -1]].any()


def test_the_dataset_hands_out_tensors(photos: Path) -> None:
    dataset = PairDataset(PairSource(read_library(photos), 48, 0), 4)
    image, label = dataset[0]
    assert len(dataset) == 4
    assert image.shape == (3, 48, 48)
    assert label.shape == (48, 48)


def test_held_out_masks_are_scored_as_they_are_trained_on(photos: Path, tmp_path: Path) -> None:
    network, scores = build_network("configuration-i"), []
    preprocessing = get_architecture("configuration-i").preprocessing
    for depth in (np.uint8, np.uint16):
        root = tmp_path / np.dtype(depth).name
        shutil.copytree(photos, root)
        for mask in (root / "traced/truth").iterdir():
            truth = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE).astype(depth)
            cv2.imwrite(str(mask), truth * np.array(257 if depth is np.uint16 else 1, depth))
        scores.append(score_held_out(network, preprocessing, root))
    assert scores[0] == scores[1] != {}
