"""Networks that experiments train, on a made benchmark of eight photos."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import read_dataset
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.evaluation.records import read_records
from blurmapper.laboratory.draws import draw
from blurmapper.laboratory.entries import plan_networks, row_fields
from blurmapper.laboratory.experiments import Experiment, Training, read_experiment
from blurmapper.laboratory.networks import describe_networks, read_schedule, schedule_names
from blurmapper.laboratory.reproduce import reproduce
from blurmapper.training.config import TrainingConfig

TOY = {"iterations": 1, "side": 32, "working_side": 32, "batch": 2, "threads": 1}


@pytest.fixture(autouse=True)
def _needs_torch() -> None:
    pytest.importorskip("torch", reason="training needs the extra blurmapper[train]")


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight photos numbered as CUHK's, 48 x 48, each blurred on its right."""
    folder = tmp_path_factory.mktemp("toy") / "halved"
    rng = np.random.default_rng(0)
    for inner in ("images", "truth"):
        (folder / inner).mkdir(parents=True)
    for number in range(1, 9):
        name = f"{'motion' if number < 4 else 'out_of_focus'}{number:04}"
        photo = rng.integers(0, 256, (48, 48, 3), np.uint8)
        photo[:, 24:] = cv2.GaussianBlur(photo, (0, 0), 4)[:, 24:]
        truth = np.zeros((48, 48), np.uint8)
        truth[:, 24:] = 255
        PIL.Image.fromarray(photo).save(folder / "images" / f"{name}.png")
        PIL.Image.fromarray(truth).save(folder / "truth" / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all these tests keep networks, so that each is trained once."""
    return tmp_path_factory.mktemp("networks")


def toy(name: str, kept: Path, only: tuple[str, ...] = ()) -> Experiment:
    """Return an experiment whose networks take one step on 32 x 32 pixels, from scratch."""
    experiment = read_experiment(name)
    training = experiment.training
    assert training is not None
    networks = {k: v for k, v in training.networks.items() if not only or k in only}
    settings: dict[str, Any] = {"overrides": {**TOY, "initialise": ""}, "kept": str(kept)}
    if training.draws:
        settings |= {"draws": 2, "added": 2}
    return replace(
        experiment, methods=(), training=replace(training, networks=networks, **settings)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["table2", "table3", "table4", "table5", "ablations", "figure4", "figure5", "figure9"],
)
def test_every_experiment_that_trains_runs_at_toy_size(
    name: str, halved: Path, kept: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra blurmapper[report]")
    experiment = toy(name, kept)
    results, written = reproduce(experiment, halved, tmp_path)
    assert experiment.training is not None
    rows = {row[0] for row in results.tables[0].rows}
    assert rows >= set(experiment.training.networks)
    assert all(path.stat().st_size > 0 for path in written)


@pytest.mark.slow
def test_more_data_is_tested_on_what_neither_network_has_seen(
    halved: Path, kept: Path, tmp_path: Path
) -> None:
    experiment = toy("more-data", kept)
    results, _ = reproduce(experiment, halved, tmp_path)
    assert [row[0] for row in results.tables[0].rows] == ["draw 1", "draw 2", "mean"]
    assert results.tables[0].headings[1:3] == ("ODS, 4", "ODS, 6")
    for number in range(2):
        tested = read_records(tmp_path / f"configuration-v-draw-{number}" / "counts.jsonl")
        lists = [path.read_text().split() for path in kept.glob("*/photos.txt")]
        trained_on = [names for names in lists if len(names) == 6]
        assert any(tested.keys().isdisjoint(names) for names in trained_on)
        assert len(tested) == 2


def test_a_draw_splits_photos_without_loss(halved: Path) -> None:
    samples = read_dataset(halved)
    added, rest = draw(samples, 5, seed=1)
    assert sorted(s.name for s in [*added, *rest]) == [s.name for s in samples]
    assert len(rest) == 3
    assert draw(samples, 5, seed=2)[1] != rest
    with pytest.raises(DatasetError, match="only 8 photos to test on: 8 cannot be taken away"):
        draw(samples, 8, seed=1)


def test_a_network_is_trained_once_for_all_experiments(halved: Path, kept: Path) -> None:
    two, four = (
        {n.name: n.folder for n in plan_networks(toy(name, kept), halved)}
        for name in ("table2", "table4")
    )
    assert two["configuration-v"] == four["configuration-v"]
    assert len(set(two.values())) == 5
    # Here configuration V starts from scratch as well.
    assert four["from-scratch"] == four["configuration-v"]
    assert len(set(two.values()) | set(four.values())) == 8


@pytest.mark.parametrize("change", [{"seed": 1}, {"rate": 1.0}, {"loss": "fidelity"}])
def test_a_network_that_would_learn_otherwise_has_another_folder(
    change: dict[str, Any], halved: Path, kept: Path
) -> None:
    experiment = toy("table2", kept, ("configuration-i",))
    assert experiment.training is not None
    changed = replace(experiment.training, overrides={**experiment.training.overrides, **change})
    (plain,) = plan_networks(experiment, halved)
    (other,) = plan_networks(replace(experiment, training=changed), halved)
    assert plain.folder != other.folder


def test_a_trained_network_is_not_trained_again(
    halved: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blurmapper.training import loop

    (network,) = plan_networks(toy("table2", kept, ("configuration-i",)), halved)
    network.train()
    record = network.read_record()
    assert record["config"]["iterations"] == 1
    assert record["versions"]["numpy"]
    monkeypatch.setattr(loop, "TrainingRun", None)
    network.train()


def test_a_cut_short_network_goes_on(
    halved: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blurmapper.training.loop import TrainingRun

    experiment = toy("table2", kept, ("configuration-i",))
    assert experiment.training is not None
    longer = {**experiment.training.overrides, "iterations": 3, "checkpoint_every": 1}
    training = replace(experiment.training, overrides=longer)
    (network,) = plan_networks(replace(experiment, training=training), halved)
    save = TrainingRun.save

    def save_and_die(run: TrainingRun) -> None:
        save(run)
        if run.step == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingRun, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        network.train()
    monkeypatch.undo()
    network.train()
    lines = (network.folder / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3]


def test_rows_scale_the_schedules_side_and_rate() -> None:
    schedule = read_schedule("full")
    fields = row_fields({"scale": 0.6667, "rate_factor": 3.0}, schedule, Training({}))
    assert (fields["side"], fields["working_side"]) == (256, 256)
    assert fields["rate"] == pytest.approx(3 * 2**-10)
    assert row_fields({"scale": 1.6667}, schedule, Training({}))["side"] == 640


@pytest.mark.parametrize("name", schedule_names())
def test_every_schedule_is_a_config(name: str) -> None:
    own = {"architecture": "configuration-v", "photos": "p", "output": "o"}
    config = TrainingConfig.from_dict({**read_schedule(name).values, **own})
    line = describe_networks(Training({}, schedule=name), [])[0]
    assert f"{config.iterations:,} steps of {config.batch} photos at {config.side} x" in line


def test_what_overrides_the_schedule_is_what_a_table_says() -> None:
    line = describe_networks(Training({}, schedule="full", overrides={"iterations": 1500}), [])[0]
    assert ", iterations = 1500: 1,500 steps of 3 photos at 384 x 384" in line
    assert "10,000" not in line


def test_the_full_schedule_is_the_papers() -> None:
    values = read_schedule("full").values
    assert (values["iterations"], values["batch"], values["side"]) == (10_000, 3, 384)
    assert (values["rate"], values["power"]) == (2**-10, 0.9)
    assert (values["momentum"], values["weight_decay"]) == (0.9, 5e-4)


def test_networks_need_a_half_to_train_on(tmp_path: Path, halved: Path, kept: Path) -> None:
    experiment = toy("table2", kept, ("configuration-i",))
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
    experiment = toy("table2", kept, ("configuration-i",))
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
    experiment = toy("table2", kept, ("configuration-i",))
    assert experiment.training is not None
    training = replace(experiment.training, data=str(halved))
    results, _ = reproduce(replace(experiment, training=training), folder, tmp_path / "out")
    assert results.tables[0].title.startswith("plain: 1 photo,")


def test_an_unknown_schedule_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match="no schedule named 'long'; choose from: full, short"):
        read_schedule("long")
