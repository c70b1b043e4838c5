"""Claims on fitting the classical methods and keeping what they learnt."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blurmapper.errors import ConfigError, DatasetError, ImageError, MethodError

shi14 = pytest.importorskip(
    "blurmapper.baselines.shi14", reason="fitting needs the extra blurmapper[baselines]"
)

from blurmapper.training import fitting  # noqa: E402
from blurmapper.training.fitting import FitPair, fit_method  # noqa: E402


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[FitPair]:
    """What a stand-in for Shi14's fit is given; it learns the mean of the images."""
    seen: list[FitPair] = []

    def fit(pairs: Iterable[FitPair]) -> dict[str, Any]:
        seen.extend(pairs)
        return {"mean": float(np.mean([image.mean() for image, _, _ in seen]))}

    monkeypatch.setattr(shi14, "fit_shi14", fit)
    monkeypatch.setattr(fitting, "SIDE", 48)
    return seen


def test_a_method_is_given_photos_and_their_truth(
    photos: Path, tmp_path: Path, drawn: list[FitPair]
) -> None:
    fit_method("shi14", photos, tmp_path, pairs=6)
    assert len(drawn) == 6
    for image, ground_truth, valid in drawn:
        assert (image.shape, image.dtype) == ((48, 48, 3), np.uint8)
        assert ground_truth.shape == valid.shape == (48, 48)
        assert ground_truth.dtype == valid.dtype == np.bool_
        assert not (ground_truth & ~valid).any()


def test_what_is_learnt_is_kept_with_its_origin(
    photos: Path, tmp_path: Path, drawn: list[FitPair]
) -> None:
    path = fit_method("shi14", photos, tmp_path / "new", pairs=5, seed=3)
    record = json.loads(path.read_text())
    assert path == tmp_path / "new" / "shi14.json"
    assert record["method"] == "shi14"
    assert record["values"] == {"mean": np.mean([image.mean() for image, _, _ in drawn])}
    assert sum(record["origin"]["pairs"].values()) == 5
    command = f"blurmapper fit shi14 --photos {photos.name} --pairs 5 --seed 3"
    assert record["origin"]["command"] == command


@pytest.mark.usefixtures("drawn")
def test_the_same_seed_learns_the_same_and_another_does_not(photos: Path, tmp_path: Path) -> None:
    one, again, other = (
        json.loads(fit_method("shi14", photos, tmp_path, pairs=4, seed=seed).read_text())["values"]
        for seed in (0, 0, 1)
    )
    assert one == again != other


def test_no_file_of_yours_is_overwritten(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "shi14.json").write_text('{"mine": 1}')
    with pytest.raises(ImageError, match="is not of blurmapper's making"):
        fit_method("shi14", photos, tmp_path, pairs=4)
    assert (tmp_path / "shi14.json").read_text() == '{"mine": 1}'


def test_no_held_out_photo_is_drawn_from(
    photos: Path, tmp_path: Path, drawn: list[FitPair], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    original = fitting.PairSource

    def remember(library: Any, *rest: Any) -> Any:
        read.extend(masked.photo for masked in library.traced)
        return original(library, *rest)

    monkeypatch.setattr(fitting, "PairSource", remember)
    fit_method("shi14", photos, tmp_path, pairs=1)
    held_out = {item.photo for item in fitting.read_library(photos, held_out=True).traced}
    assert drawn and read and held_out
    assert not held_out & set(read)


def test_a_fit_that_fails_leaves_the_old_numbers(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Iterable[FitPair]) -> dict[str, Any]:
        raise ValueError("all features are of one class")

    old, content = tmp_path / "shi14.json", '{\n "method": "shi14", "values": 1}'
    old.write_text(content)
    monkeypatch.setattr(shi14, "fit_shi14", fail)
    with pytest.raises(ConfigError, match=r"shi14: cannot be fitted on 2 pairs .all features"):
        fit_method("shi14", photos, tmp_path, pairs=2)
    assert old.read_text() == content


def test_a_method_that_learns_nothing_names_those_that_do(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="'hifst' is not fitted; choose from: liu08, shi14"):
        fit_method("hifst", photos, tmp_path)


def test_missing_photos_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"photos\.csv: missing"):
        fit_method("shi14", tmp_path, tmp_path)


@pytest.mark.usefixtures("drawn")
def test_a_file_that_cannot_be_written_is_named(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ImageError, match="taken: cannot be made"):
        fit_method("shi14", photos, tmp_path / "taken", pairs=1)
