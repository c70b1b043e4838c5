"""What networks of experiments are trained and scored on: halves that are kept apart."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from blurmapper.datasets import read_dataset
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.laboratory.entries import plan_networks
from blurmapper.laboratory.experiments import (
    add_maps,
    select_rows,
)
from blurmapper.laboratory.photos import has_halves
from blurmapper.laboratory.reproduce import reproduce

from .toys import toy, with_overrides

ONE = ("configuration-i",)


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    pytest.importorskip("torch", reason="training needs the extra blurmapper[train]")


def test_what_is_trained_on_is_never_scored(halved: Path, kept: Path, tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    shutil.copytree(halved, sets / "halved")
    experiment = toy("table2", kept, ONE)
    assert experiment.training is not None
    training = replace(experiment.training, data=str(sets / "halved"))
    with pytest.raises(DatasetError, match="would be trained on and scored, as 4 photos in all"):
        reproduce(replace(experiment, training=training), sets, tmp_path / "out")


def test_more_data_is_of_the_set_that_is_tested(halved: Path, kept: Path, tmp_path: Path) -> None:
    experiment = toy("more-data", kept)
    assert experiment.training is not None
    elsewhere = replace(experiment, training=replace(experiment.training, data=str(tmp_path)))
    with pytest.raises(DatasetError, match="both must be of one data set with halves"):
        reproduce(elsewhere, halved, tmp_path)


def test_an_experiment_without_rows_says_why(halved: Path, kept: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="more-data: no network is left"):
        reproduce(select_rows(toy("more-data", kept), ["hifst"]), halved, tmp_path)
    benchmark = tmp_path / "open"
    shutil.copytree(halved, benchmark)
    (benchmark / "benchmark.json").write_text("{}")
    names = [sample.name for sample in read_dataset(halved)]
    lines = ["photo,kind,confidence", *(f"{name},motion,3" for name in names)]
    (benchmark / "photos.csv").write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="whose photos the bundled networks have seen"):
        reproduce(select_rows(toy("table3", kept), ["dbm-lite"]), benchmark, tmp_path)


def test_maps_called_as_a_network_are_refused_before_it_is_trained(
    halved: Path, tmp_path: Path
) -> None:
    experiment = toy("table2", tmp_path / "kept", ONE)
    experiment = add_maps(experiment, [f"{ONE[0]}={halved / 'truth'}"], [])
    with pytest.raises(ConfigError, match=f"two rows would be called {ONE[0]}; name maps"):
        reproduce(experiment, halved, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_there_name_the_option(halved: Path, kept: Path) -> None:
    experiment = with_overrides(toy("table2", kept, ONE), initialise="none.safetensors")
    with pytest.raises(ConfigError, match=r"none\.safetensors: no such file; .* --set initialise="):
        plan_networks(experiment, halved)


def test_a_benchmark_that_is_not_all_made_is_refused(
    halved: Path, kept: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "open"
    shutil.copytree(halved, folder)
    (folder / "benchmark.json").write_text("{}")
    with pytest.raises(DatasetError, match="not all made; go on with blurmapper open-benchmark"):
        reproduce(toy("table2", kept, ONE), folder, tmp_path / "out")


def test_a_few_photos_of_a_benchmark_have_no_halves(halved: Path) -> None:
    samples = read_dataset(halved)
    assert has_halves(samples[:4])
    assert not has_halves(samples[:3])


def test_networks_need_a_half_to_train_on(tmp_path: Path, halved: Path, kept: Path) -> None:
    experiment = toy("table2", kept, ONE)
    assert experiment.training is not None
    renamed = tmp_path / "plain"
    for inner in ("images", "truth"):
        (renamed / inner).mkdir(parents=True)
        (renamed / inner / "one.png").write_bytes((halved / inner / "motion0001.png").read_bytes())
    training = replace(experiment.training, data=str(renamed))
    with pytest.raises(DatasetError, match="so that it has no halves"):
        plan_networks(replace(experiment, training=training), halved)


def test_a_folder_shaped_as_cuhk_unpacks_is_checked_split_and_trained_on(
    halved: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cuhk"
    shutil.copytree(halved / "images", folder / "image")
    shutil.copytree(halved / "truth", folder / "gt")
    experiment = toy("table2", kept, ONE)
    with pytest.raises(DatasetError, match="where CUHK has 296 and 704"):
        reproduce(experiment, folder, tmp_path / "out")
    monkeypatch.setattr("blurmapper.laboratory.photos.check_cuhk", lambda samples: None)
    results, _ = reproduce(experiment, folder, tmp_path / "out")
    assert results.tables[0].title.startswith("cuhk: 4 photos")
    assert "other photos than ours" not in results.note
    (network,) = plan_networks(experiment, folder)
    names = (network.folder / "photos.txt").read_text().split()
    assert names == ["motion0001", "motion0003", "out_of_focus0005", "out_of_focus0007"]


def test_a_set_without_halves_is_scored_by_networks_of_another(
    halved: Path, kept: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "plain"
    for inner in ("images", "truth"):
        (folder / inner).mkdir(parents=True)
        shutil.copy(halved / inner / "motion0001.png", folder / inner / "one.png")
    experiment = toy("table2", kept, ONE)
    assert experiment.training is not None
    training = replace(experiment.training, data=str(halved))
    results, _ = reproduce(replace(experiment, training=training), folder, tmp_path / "out")
    assert results.tables[0].title.startswith("plain: 1 photo,")
