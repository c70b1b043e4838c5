"""Whether the CUHK benchmark is whole, and the right way round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import read_dataset
from blurmapper.errors import DatasetError
from blurmapper.laboratory.photos import BLURRED_SHARES, check_cuhk

CUHK = Path(__file__).parents[3] / "shared" / "data" / "cuhk"
PREFIXES = {"motion": "motion", "defocus": "out_of_focus"}

MakeFolder = Callable[..., Path]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Photos of motion, blurred shares -> a folder as CUHK unpacks, its masks 1 x 1000 pixels."""

    def make(motion: int = 296, shares: dict[str, float] = BLURRED_SHARES) -> Path:
        (tmp_path / "gt").mkdir()
        for kind, count in (("motion", motion), ("defocus", 704)):
            mask = np.zeros((1, 1000), np.uint8)
            mask[:, : round(1000 * shares[kind])] = 255
            first = tmp_path / "gt" / f"{PREFIXES[kind]}0001.png"
            PIL.Image.fromarray(mask).save(first)
            for number in range(2, count + 1):
                (tmp_path / "gt" / f"{PREFIXES[kind]}{number:04}.png").hardlink_to(first)
        return tmp_path

    return make


def inverted(shares: dict[str, float]) -> dict[str, float]:
    return {kind: 1 - share for kind, share in shares.items()}


def test_the_whole_benchmark_passes(make_folder: MakeFolder) -> None:
    shares = check_cuhk(read_dataset(make_folder()))
    assert shares == pytest.approx({**BLURRED_SHARES, "all": 0.635}, abs=0.001)


def test_a_part_of_it_is_refused_with_the_numbers(make_folder: MakeFolder) -> None:
    with pytest.raises(DatasetError, match=r"gt: holds 295 masks .* CUHK has 296 and 704"):
        check_cuhk(read_dataset(make_folder(motion=295)))


def test_inverted_masks_are_named_so(make_folder: MakeFolder) -> None:
    folder = make_folder(shares=inverted(BLURRED_SHARES))
    with pytest.raises(DatasetError, match=r"call 43\.9% blurred and .*56\.1%.* inverted"):
        check_cuhk(read_dataset(folder))


def test_inverted_masks_of_one_kind_are_found(make_folder: MakeFolder) -> None:
    shares = {**BLURRED_SHARES, "defocus": 1 - BLURRED_SHARES["defocus"]}
    with pytest.raises(DatasetError, match=r"masks of defocus blur .* inverted"):
        check_cuhk(read_dataset(make_folder(shares=shares)))


def test_other_masks_are_found(make_folder: MakeFolder) -> None:
    with pytest.raises(DatasetError, match="these are other masks"):
        check_cuhk(read_dataset(make_folder(shares={**BLURRED_SHARES, "motion": 0.2})))


@pytest.mark.skipif(not CUHK.exists(), reason="needs ../shared/data/cuhk")
def test_the_authors_masks_pass_to_three_digits() -> None:
    shares = check_cuhk(read_dataset(CUHK))
    assert shares == pytest.approx({**BLURRED_SHARES, "all": 0.635}, abs=5e-4)


@pytest.mark.skipif(not CUHK.exists(), reason="needs ../shared/data/cuhk")
def test_the_authors_masks_read_the_wrong_way_round_do_not() -> None:
    samples = [replace(sample, white="sharp") for sample in read_dataset(CUHK)]
    with pytest.raises(DatasetError, match="inverted"):
        check_cuhk(samples)
