"""Networks that experiments train, on a made benchmark of eight photos."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import read_dataset
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.laboratory.draws import draw
from blurmapper.laboratory.entries import plan_networks
from blurmapper.laboratory.experiments import (
    experiment_names,
    read_experiment,
)
from blurmapper.laboratory.reproduce import reproduce

from .toys import toy, with_overrides

ONE = ("configuration-i",)

ALIKE = {"size-two-thirds", "size-five-thirds", "rate-third"}
"""Ablations that differ from others by a number alone."""


@pytest.fixture(autouse=True)
def _narrow_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give VGG16 a sixteenth of its channels: how it is trained and used is the same."""
    pytest.importorskip("torch", reason="training needs the extra blurmapper[train]")
    from blurmapper.training import vgg

    narrow = tuple((convolutions, channels // 16) for convolutions, channels in vgg.VGG_GROUPS)
    monkeypatch.setattr(vgg, "VGG_GROUPS", narrow)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in experiment_names()
        if read_experiment(name).training is not None and name != "more-data"
    ],
)
def test_every_experiment_that_trains_runs_at_toy_size(
    name: str, halved: Path, kept: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra blurmapper[report]")
    training = read_experiment(name).training
    assert training is not None
    experiment = toy(name, kept, tuple(training.networks.keys() - ALIKE))
    results, written = reproduce(experiment, halved, tmp_path)
    assert experiment.training is not None
    assert "Networks trained on the schedule `medium`" in results.note
    assert results.values["networks"].keys() == experiment.training.networks.keys()
    if experiment.kind in {"scores", "curves", "sheet"}:
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
        name = f"configuration-v-draw-{number}"
        lines = (tmp_path / name / "counts.jsonl").read_text().splitlines()
        tested = {json.loads(line)["name"] for line in lines}
        trained_on = results.values["networks"][name]["config"]["listed"]
        names = Path(trained_on).read_text().split()
        assert (len(tested), len(names)) == (2, 6)
        assert tested.isdisjoint(names)


def test_a_draw_splits_photos_without_loss(halved: Path) -> None:
    samples = read_dataset(halved)
    added, rest = draw(samples, 5, seed=1)
    assert sorted(s.name for s in [*added, *rest]) == [s.name for s in samples]
    assert len(rest) == 3
    assert draw(samples, 5, seed=2)[1] != rest
    with pytest.raises(DatasetError, match="only 8 photos to test on: 8 cannot be taken away"):
        draw(samples, 8, seed=1)


def test_more_data_than_there_is_trains_nothing(halved: Path, tmp_path: Path) -> None:
    experiment = toy("more-data", tmp_path / "kept")
    assert experiment.training is not None
    training = replace(experiment.training, added=4)
    with pytest.raises(DatasetError, match="only 4 photos to test on: 4 cannot be taken away"):
        reproduce(replace(experiment, training=training), halved, tmp_path)
    assert not (tmp_path / "kept").exists()


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
    experiment = toy("table2", kept, ONE)
    assert experiment.training is not None
    changed = replace(experiment.training, overrides={**experiment.training.overrides, **change})
    (plain,) = plan_networks(experiment, halved)
    (other,) = plan_networks(replace(experiment, training=changed), halved)
    assert plain.folder != other.folder


def test_a_trained_network_is_not_trained_again(
    halved: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blurmapper.training import loop

    (network,) = plan_networks(toy("table2", kept, ONE), halved)
    network.train()
    record = network.read_record()
    assert record["config"]["iterations"] == 1
    assert record["versions"]["numpy"]
    monkeypatch.setattr(loop, "TrainingRun", None)
    network.train()


def test_a_cut_short_network_goes_on_also_where_its_data_is_called_otherwise(
    halved: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blurmapper.training.loop import TrainingRun

    experiment = toy("table2", kept, ONE)
    assert experiment.training is not None
    longer = {**experiment.training.overrides, "iterations": 3, "checkpoint_every": 1}
    training = replace(experiment.training, overrides=longer)
    longer_run = replace(experiment, training=training)
    (network,) = plan_networks(longer_run, halved)
    save = TrainingRun.save

    def save_and_die(run: TrainingRun) -> None:
        save(run)
        if run.step == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(TrainingRun, "save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            network.train()
    taken: list[int] = []
    advance = TrainingRun._advance

    def count(run: TrainingRun, *arguments: Any) -> float:
        taken.append(run.step)
        return advance(run, *arguments)

    monkeypatch.setattr(TrainingRun, "_advance", count)
    shutil.copytree(halved, tmp_path / "renamed")
    plan_networks(longer_run, tmp_path / "renamed")[0].train()
    assert taken == [2]


def test_a_network_killed_as_it_finished_is_finished(
    halved: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blurmapper.training import storage

    (network,) = plan_networks(with_overrides(toy("table2", kept, ONE), seed=7), halved)
    with monkeypatch.context() as context:
        context.setattr(storage, "strip_checkpoint", _die)
        with pytest.raises(KeyboardInterrupt):
            network.train()
    network.train()
    network.write_maps(read_dataset(halved), network.folder / "maps" / "halved")


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        ("run.json", b'{\n "config": {', r"run\.json: damaged"),
        ("run.json", b"{}", r"run\.json: damaged"),
        ("run.json", None, r"checkpoint\.pt: of a finished run.*"),
        ("checkpoint.pt", b"PK", r"checkpoint\.pt: not a checkpoint of ours \(.*\)"),
        ("checkpoint.pt", None, r"checkpoint\.pt: no such checkpoint"),
    ],
)
def test_a_damaged_folder_is_named_and_can_be_removed(
    file: str, content: bytes | None, fault: str, halved: Path, tmp_path: Path
) -> None:
    (network,) = plan_networks(toy("table2", tmp_path, ONE), halved)
    network.train()
    (network.folder / file).unlink()
    if content is not None:
        (network.folder / file).write_bytes(content)

    def use() -> None:
        network.train()
        network.write_maps(read_dataset(halved)[:1], tmp_path / "maps")
        network.read_record()

    mend = f"; remove the folder {network.folder}, and it is trained anew$"
    with pytest.raises(ConfigError, match=fault + mend):
        use()
    shutil.rmtree(network.folder)
    use()


def test_a_log_that_a_full_disk_cut_short_is_gone_on_with(halved: Path, kept: Path) -> None:
    (network,) = plan_networks(with_overrides(toy("table2", kept, ONE), seed=9), halved)
    network.folder.mkdir()
    (network.folder / "log.jsonl").write_text('{"step": 20, "seconds": 5}\n{"step": 40, "los')
    network.train()
    lines = (network.folder / "log.jsonl").read_text().splitlines()
    assert lines[1] == '{"step": 40, "los'
    last = json.loads(lines[2])
    assert network.read_record()["seconds_a_step"] == (5 + last["seconds"]) / 2


def test_a_network_that_another_process_trains_is_waited_for(halved: Path, kept: Path) -> None:
    from filelock import FileLock

    (network,) = plan_networks(with_overrides(toy("table2", kept, ONE), seed=8), halved)
    network.folder.mkdir()
    other = FileLock(network.folder / "training.lock", thread_local=False)
    other.acquire()
    told: list[str] = []

    def hear(line: str) -> None:
        told.append(line)
        other.release()

    network.train(hear)
    assert told == ["configuration-i: waits for another process that trains it"]
    assert network.read_record()["config"]["seed"] == 8


def test_fusion_weights_are_those_that_make_the_maps(halved: Path, kept: Path) -> None:
    from blurmapper.training.storage import read_checkpoint

    experiment = toy("table4", kept, ("fusion",))
    averaged = with_overrides(experiment, iterations=3, average=0.9, rate=1e-3)
    (network,) = plan_networks(averaged, halved)
    network.train()
    weights = network.read_record()["fusion_weights"]
    average = read_checkpoint(network.checkpoint)["average"]["fusion"].flatten().tolist()
    assert list(weights.values()) == average
    assert average != [0.2] * 5


def test_photos_that_changed_are_trained_on_and_mapped_anew(
    halved: Path, kept: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "halved"
    shutil.copytree(halved, folder)
    experiment = toy("table2", kept, ONE)
    (network,) = plan_networks(experiment, folder)
    # The same photos at another place are the same.
    assert network.folder == plan_networks(experiment, halved)[0].folder
    network.train()
    even, maps = read_dataset(folder)[1], tmp_path / "maps"
    before = network.write_maps([even], maps).joinpath(f"{even.name}.png").read_bytes()
    assert even.photo is not None
    PIL.Image.new("RGB", (48, 48), (255, 0, 0)).save(even.photo, "bmp")
    red = network.write_maps([even], maps).joinpath(f"{even.name}.png").read_bytes()
    assert red != before
    # One of the same size and time is another all the same.
    status = even.photo.stat()
    PIL.Image.fromarray(np.tile(np.arange(48) * 5, (48, 1)).astype(np.uint8)).convert("RGB").save(
        even.photo, "bmp"
    )
    os.utime(even.photo, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert even.photo.stat().st_size == status.st_size
    assert network.write_maps([even], maps).joinpath(f"{even.name}.png").read_bytes() != red
    assert plan_networks(experiment, folder)[0].folder == network.folder
    PIL.Image.new("L", (48, 48)).save(folder / "truth" / "motion0001.png")
    assert plan_networks(experiment, folder)[0].folder != network.folder


def _die(_: Path) -> None:
    raise KeyboardInterrupt
