"""Schedules, and what rows and options make of them."""

from __future__ import annotations

import dataclasses
import math

import pytest

from blurmapper.errors import ConfigError
from blurmapper.laboratory.experiments import (
    DECIDED,
    Training,
    read_experiment,
    read_schedule,
    row_fields,
    schedule_names,
)
from blurmapper.laboratory.networks import describe_networks
from blurmapper.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rate", "fast", "rate: 'fast' is not of type float"),
        ("side", math.inf, "side: inf is not of type int"),
        ("side", math.nan, "side: nan is not of type int"),
        ("working_side", 96.5, r"working_side: 96\.5 is not of type int"),
        ("side", 10**400, "side is 1000.*; use 16 to 8192"),
        ("scale", "x", "no field 'scale'; choose among architecture, "),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: object, said: str) -> None:
    training = Training({}, overrides={name: value})
    with pytest.raises(ConfigError, match=f"--set: {said}"):
        row_fields({"scale": 0.6667}, read_schedule("medium"), training)


@pytest.mark.parametrize("name", [*DECIDED])
def test_what_reproduce_decides_cannot_be_set(name: str) -> None:
    assert name in {field.name for field in dataclasses.fields(TrainingConfig)}
    with pytest.raises(ConfigError, match=f"--set {name}: is decided by reproduce; leave it out"):
        row_fields({}, read_schedule("medium"), Training({}, overrides={name: ""}))


@pytest.mark.parametrize(
    ("experiment", "row", "name", "value"),
    [
        ("table2", "configuration-i", "architecture", "configuration-iv"),
        ("ablations", "fidelity", "loss", "overlap"),
        ("ablations", "geometric", "geometric", True),
    ],
)
def test_what_a_row_is_of_cannot_be_set(
    experiment: str, row: str, name: str, value: object
) -> None:
    training = read_experiment(experiment).training
    assert training is not None
    with pytest.raises(ConfigError, match=f"--set {name}: is what a row is of"):
        row_fields(
            training.networks[row], read_schedule("medium"), Training({}, overrides={name: value})
        )


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
    own = {"architecture": "configuration-v", "photos": "p", "output": "o"}
    config = TrainingConfig.from_dict({**read_schedule("full").values, **own})
    assert (config.optimiser, config.momentum, config.weight_decay) == ("sgd", 0.9, 5e-4)
    assert (config.batch, config.side, config.iterations) == (3, 384, 10_000)
    assert config.rate == 2**-10
    assert (config.decay, config.power, config.bias_factor) == ("polynomial", 0.9, 2.0)


def test_an_unknown_schedule_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match=r"no schedule named 'long'; choose from: full, medium$"):
        read_schedule("long")
