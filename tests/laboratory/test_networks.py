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
from blurmapper.laboratory.draws import draw
from blurmapper.laboratory.entries import plan_networks
from blurmapper.laboratory.experiments import (
    Experiment,
    experiment_names,
    read_experiment,
    select_rows,
)
from blurmapper.laboratory.photos import has_halves
from blurmapper.laboratory.reproduce import reproduce

ONE = ("configuration-i",)
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
    training = replace(training, networks=networks, **settings)
    return replace(experiment, methods=(), side=16, training=training)


def with_overrides(experiment: Experiment, **overrides: Any) -> Experiment:
    """Return an experiment whose networks are trained otherwise."""
    assert experiment.training is not None
    changed = {**experiment.training.overrides, **overrides}
    return replace(experiment, training=replace(experiment.training, overrides=changed))


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
    experiment = toy(name, kept)
    results, written = reproduce(experiment, halved, tmp_path)
    assert experiment.training is not None
    assert "Networks trained on the schedule `short`" in results.note
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


def test_a_cut_short_network_goes_on(
    halved: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blurmapper.training.loop import TrainingRun

    experiment = toy("table2", kept, ONE)
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
    taken: list[int] = []
    advance = TrainingRun._advance

    def count(run: TrainingRun, *arguments: Any) -> float:
        taken.append(run.step)
        return advance(run, *arguments)

    monkeypatch.setattr(TrainingRun, "_advance", count)
    network.train()
    assert taken == [2]


def test_a_network_killed_as_it_finished_is_finished(
    halved: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blurmapper.training import checkpoints

    (network,) = plan_networks(with_overrides(toy("table2", kept, ONE), seed=7), halved)
    with monkeypatch.context() as context:
        context.setattr(checkpoints, "strip_checkpoint", _die)
        with pytest.raises(KeyboardInterrupt):
            network.train()
    network.train()
    network.write_maps(read_dataset(halved), network.folder / "maps" / "halved")


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
    from blurmapper.training.checkpoints import read_checkpoint

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
    PIL.Image.new("RGB", (48, 48), (255, 0, 0)).save(even.photo)
    assert network.write_maps([even], maps).joinpath(f"{even.name}.png").read_bytes() != before
    assert plan_networks(experiment, folder)[0].folder == network.folder
    PIL.Image.new("L", (48, 48)).save(folder / "truth" / "motion0001.png")
    assert plan_networks(experiment, folder)[0].folder != network.folder


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


def _die(_: Path) -> None:
    raise KeyboardInterrupt


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
