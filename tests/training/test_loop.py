"""Claims on the training loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from blurmapper import BlurMapper
from blurmapper.datasets import SAMPLES
from blurmapper.errors import ConfigError, ImageError
from blurmapper.images import read_image
from blurmapper.training.config import TrainingConfig, read_config
from blurmapper.training.inference import NetworkMapper, runs_in_half
from blurmapper.training.loop import TrainingRun, build_optimiser, rate_at
from blurmapper.training.networks import build_network
from blurmapper.training.progress import Progress
from blurmapper.training.running import train
from blurmapper.training.storage import read_checkpoint, strip_checkpoint, write_checkpoint


def test_training_writes_a_checkpoint_and_a_log(config: Path, tmp_path: Path) -> None:
    checkpoint = train(config)
    state = read_checkpoint(checkpoint)
    assert state["step"] == 6
    assert state["config"]["architecture"] == "configuration-i"
    assert '"traced_ods"' in (tmp_path / "run/log.jsonl").read_text()


def test_a_run_can_start_from_anothers_averaged_weights(config: Path, tmp_path: Path) -> None:
    average = read_checkpoint(train(config))["average"]
    network = build_network("configuration-i", tmp_path / "run/checkpoint.pt")
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, average[name])


def test_fine_tuning_starts_from_bundled_weights_and_goes_on(config: Path) -> None:
    options = [
        "architecture=dbm-lite",
        "initialise=dbm-lite",
        "rate=1e-6",
        "average=0",
        "precision=bf16",
    ]
    path = train(config, overrides=[*options, "iterations=2"])
    again = train(config, resume=True, overrides=[*options, "iterations=3"])
    assert again == path
    image = read_image(SAMPLES / "cat.jpg")
    before = BlurMapper("dbm-lite", refine=False)(image)
    after = NetworkMapper.from_checkpoint(path)(image)
    assert 0.0 < np.abs(after - before).mean() < 0.01


@pytest.mark.parametrize(
    ("precision", "amx", "half"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("auto", None, False),
        ("bf16", False, True),
        ("fp32", True, False),
    ],
)
def test_bf16_is_taken_by_itself_only_where_it_is_fast(
    precision: str, amx: bool | None, half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if amx is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": amx}, raising=False)
    assert runs_in_half(precision, torch.device("cpu")) is half


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(config: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/log.jsonl").symlink_to("/dev/full")
    with (
        Progress(read_config(config), 0) as progress,
        pytest.raises(ConfigError, match=r"log\.jsonl: cannot be written \(No space left"),
    ):
        progress.report(1, {})
    with pytest.raises(ImageError, match="cannot be written"):
        write_checkpoint({"weights": torch.zeros(100_000)}, Path("/dev/full"))


def test_resuming_equals_never_having_stopped(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_checkpoint(train(config, overrides=[f"output={tmp_path / 'whole'}"]))
    advance = Progress.advance

    def stop_at_five(progress: Progress, loss: float, rate: float) -> None:
        advance(progress, loss, rate)
        if progress.step == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "advance", stop_at_five)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    assert read_checkpoint(tmp_path / "run/checkpoint.pt")["step"] == 3
    resumed = read_checkpoint(train(config, resume=True))
    for part in ("network", "average"):
        for name, value in whole[part].items():
            torch.testing.assert_close(resumed[part][name], value, rtol=0, atol=0)


def test_a_run_whose_loss_is_lost_stops_and_keeps_its_last_checkpoint(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = train(config, overrides=["iterations=3"]).read_bytes()
    monkeypatch.setattr("blurmapper.training.loop.rate_at", lambda step, config: 1e30)
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: the loss of step \d is nan; .*rate"):
        train(config, resume=True, overrides=["iterations=60"])
    assert (tmp_path / "run/checkpoint.pt").read_bytes() == kept


def test_a_last_step_that_leaves_no_maps_to_score_is_one_line(config: Path, tmp_path: Path) -> None:
    too_fast = ["rate=1e6", "bias_factor=1e6", "weight_decay=1e6", "iterations=1"]
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: maps are no numbers after step 1; "):
        train(config, overrides=["architecture=dbm-lite", *too_fast, "average=0"])
    assert not (tmp_path / "run/checkpoint.pt").exists()


def test_pairs_too_small_for_the_networks_norms_are_one_line(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: side=16 with batch=1 is too little"):
        train(config, overrides=["architecture=dbm-lite", "side=16", "batch=1"])


def test_learning_lowers_the_loss(config: Path, tmp_path: Path) -> None:
    settings = [
        "iterations=40",
        "rate=2e-3",
        "mixture.made=0",
        "mixture.bokeh=0",
        "mixture.traced=0",
        "mixture.sharp=0",
    ]
    train(config, overrides=settings)
    lines = (tmp_path / "run/log.jsonl").read_text().splitlines()
    losses = [float(line.split('"loss": ')[1].split(",")[0]) for line in lines if "loss" in line]
    assert losses[-1] < 0.8 * losses[0]


def test_polynomial_decay_is_the_papers() -> None:
    config = TrainingConfig(
        "configuration-v", Path("p"), Path("o"), rate=2**-10, decay="polynomial", iterations=10_000
    )
    assert rate_at(0, config) == 2**-10
    assert rate_at(5_000, config) == pytest.approx(2**-10 * 0.5358867, rel=1e-6)
    assert rate_at(9_999, config) == pytest.approx(2**-10 * 10_000**-0.9, rel=1e-6)


def test_warm_up_rises_evenly_and_cosine_falls_to_nothing() -> None:
    config = TrainingConfig("dbm-lite", Path("p"), Path("o"), rate=1.0, warmup=10, iterations=100)
    assert rate_at(0, config) == pytest.approx(0.1)
    assert rate_at(50, config) == pytest.approx(0.5)
    assert rate_at(99, config) < 0.001


def test_biases_learn_at_twice_the_rate_and_are_not_decayed() -> None:
    config = TrainingConfig(
        "configuration-i", Path("p"), Path("o"), optimiser="sgd", bias_factor=2.0, weight_decay=5e-4
    )
    groups = build_optimiser(build_network("configuration-i"), config).param_groups
    by_factor = {group["factor"]: group for group in groups}
    assert {value.ndim for value in by_factor[2.0]["params"]} == {1}
    assert by_factor[2.0]["weight_decay"] == 0.0
    assert by_factor[1.0]["weight_decay"] == 5e-4
    assert by_factor[1.0]["momentum"] == 0.9


@pytest.mark.parametrize(("optimiser", "factor"), [("adamw", 100.0), ("sgd", 1.0)])
def test_with_adam_fusion_weights_learn_faster(config: Path, optimiser: str, factor: float) -> None:
    from blurmapper.training.config import read_config

    settings = read_config(config, ["architecture=fusion", f"optimiser={optimiser}"])
    network = build_network("fusion")
    groups = build_optimiser(network, settings).param_groups
    of_fusion = [g for g in groups if any(p is network.fusion for p in g["params"])]
    assert [group["factor"] for group in of_fusion] == [factor]


def test_a_checkpoint_with_code_in_it_is_refused(tmp_path: Path) -> None:
    torch.save({"step": Path("x")}, tmp_path / "bad.pt")
    with pytest.raises(ConfigError, match=r"bad\.pt: not a checkpoint of ours"):
        read_checkpoint(tmp_path / "bad.pt")


@pytest.mark.parametrize("content", [b"", b"\xff\xd8 no weights", b"\x80\x02}q\0X\xff", b"PK\3\4"])
@pytest.mark.parametrize("name", ["bad.pt", "bad.safetensors"])
def test_what_torch_cannot_read_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.\w+: not a checkpoint of ours"):
        read_checkpoint(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ({"a": 1}, "config"),
        ([1], "config"),
        ({"config": {}, "step": 0, "average": {"weight": 1}}, "average"),
    ],
)
def test_another_programs_file_is_no_checkpoint(tmp_path: Path, content: Any, missing: str) -> None:
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(ConfigError, match=rf"other\.pt: not a checkpoint of ours \(no {missing}\)"):
        read_checkpoint(tmp_path / "other.pt")


def test_what_is_left_of_a_finished_run_does_not_go_on(config: Path) -> None:
    strip_checkpoint(train(config, overrides=["iterations=1"]))
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: of a finished run, .* initialise="):
        train(config, resume=True)


@pytest.mark.parametrize(("option", "begun"), [("optimiser=sgd", "adamw"), ("seed=9", "0")])
def test_a_run_does_not_go_on_with_another_config(config: Path, option: str, begun: str) -> None:
    train(config, overrides=["iterations=1"])
    said = f"begun with {option.partition('=')[0]}={begun};"
    with pytest.raises(ConfigError, match=rf"checkpoint\.pt: {said}"):
        train(config, resume=True, overrides=["iterations=2", option])


@pytest.mark.parametrize(
    ("begun", "resumed"),
    [
        (["initialise=dbm-lite"], ["initialise="]),
        (["initialise="], ["initialise=dbm-lite"]),
    ],
)
def test_a_run_goes_on_as_it_began_whatever_it_is_told_to_start_from(
    begun: list[str], resumed: list[str], config: Path, tmp_path: Path
) -> None:
    lite = ["architecture=dbm-lite", "decay=polynomial", "power=0"]
    whole = ["iterations=3", "checkpoint_every=1", f"output={tmp_path / 'whole'}"]
    expected = read_checkpoint(train(config, overrides=[*lite, *begun, *whole]))
    train(config, overrides=[*lite, *begun, "iterations=1"])
    for count in (2, 3):
        longer = f"iterations={count}"
        found = read_checkpoint(train(config, resume=True, overrides=[*lite, *resumed, longer]))
    assert found["network"].keys() == expected["network"].keys()
    for part in ("network", "average"):
        for name, value in expected[part].items():
            torch.testing.assert_close(found[part][name], value, rtol=0, atol=0)


def test_the_average_follows_the_weights(config: Path) -> None:
    run = TrainingRun(read_config(config, ["average=0.0"]))
    run.train()
    for name, value in run.network.state_dict().items():
        torch.testing.assert_close(run.average[name], value)
