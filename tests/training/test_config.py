"""Claims on training configs."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

from blurmapper.errors import ConfigError
from blurmapper.training.config import Mixture, TrainingConfig, read_config
from blurmapper.training.networks import ARCHITECTURES

CONFIGS = Path(__file__).parents[2] / "configs"
MINIMAL = 'architecture = "dbm-lite"\nphotos = "p"\noutput = "o"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_configs_are_read(path: Path) -> None:
    assert read_config(path).architecture in ARCHITECTURES


def test_overrides_replace_values(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, MINIMAL), ["side=64", "output=runs/x", "mixture.made=1"])
    assert config.side == 64
    assert config.output == Path("runs/x")
    assert config.mixture.made == 1.0


def test_the_mark_that_an_editor_sets_before_a_config_is_passed_over(tmp_path: Path) -> None:
    assert read_config(write(tmp_path, f"\ufeff{MINIMAL}")) == read_config(write(tmp_path, MINIMAL))


def test_numbers_may_be_numpys() -> None:
    numbers = {"side": np.int64(64), "rate": np.float32(0.5), "average": np.int64(1)}
    config = TrainingConfig("dbm-lite", Path("p"), Path("o"), **numbers)
    assert [type(each) for each in (config.side, config.rate, config.average)] == [
        int,
        float,
        float,
    ]
    assert (config.side, config.rate, config.average) == (64, 0.5, 1.0)


def test_a_config_survives_json(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, MINIMAL))
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "sides = 3\n", "no field 'sides'"),
        (MINIMAL + 'side = "large"\n', "side: 'large' is not of type int"),
        (MINIMAL + "batch = true\n", "batch: True is not of type int"),
        (MINIMAL + 'optimiser = "adam"\n', "'adam' is none of"),
        (MINIMAL + "[mixture]\nfake = 1\n", "mixture: no field 'fake'"),
        ('photos = "p"\noutput = "o"\n', "architecture"),
        (MINIMAL.replace('"o"', '"s3://bucket/o"'), "s3://bucket/o: has to be on this machine"),
        (MINIMAL + "mixture = 3\n", "mixture: 3 is no table of fields"),
        (MINIMAL.replace('"p"', "3"), "photos: 3 is not a path"),
        (MINIMAL + f"rate = 1{'0' * 400}\n", "int too large"),
        ("side = \n", "not TOML"),
        ("side = " + "[" * 100_000, "not TOML"),
    ],
)
def test_a_wrong_config_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(write(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "bounds"),
    [
        ("seed=-1", "0 to 18446744073709551615"),
        (f"seed={2**64}", "0 to 18446744073709551615"),
        ("side=15", "16 to 8192"),
        ("side=8193", "16 to 8192"),
        ("batch=0", "1 to 65536"),
        ("iterations=0", "1 to 10000000"),
        ("working_side=15", "16 to 100000"),
        ("rate=-1", "0.0 to 1000000.0"),
        ("rate=nan", "0.0 to 1000000.0"),
        ("rate=inf", "0.0 to 1000000.0"),
        ("power=-0.1", "0.0 to 1000000.0"),
        ("warmup=-1", "0 or more"),
        ("momentum=1.5", "0.0 to 1.0"),
        ("weight_decay=-1", "0.0 to 1000000.0"),
        ("bias_factor=-1", "0.0 to 1000000.0"),
        ("bias_factor=1e308", "0.0 to 1000000.0"),
        ("encoder_factor=nan", "0.0 to 1000000.0"),
        ("average=2", "0.0 to 1.0"),
        ("average=nan", "0.0 to 1.0"),
        ("threads=99999999999", "0 to 1024"),
        ("workers=-1", "0 to 1024"),
        ("score_every=0", "1 or more"),
        ("checkpoint_every=0", "1 or more"),
        ("mixture.made=-1", "0.0 to 1000000.0"),
        ("mixture.made=1e308", "0.0 to 1000000.0"),
        ("mixture.labelled=nan", "0.0 to 1000000.0"),
    ],
)
def test_a_number_out_of_range_is_refused_with_its_range(
    tmp_path: Path, setting: str, bounds: str
) -> None:
    name = setting.partition("=")[0].rpartition(".")[2]
    with pytest.raises(ConfigError, match=rf": {name} is [^;]+; use {re.escape(bounds)}$"):
        read_config(write(tmp_path, MINIMAL), [setting])


@pytest.mark.parametrize("kind", [TrainingConfig, Mixture])
def test_every_number_of_a_config_has_a_range_that_its_default_is_in(kind: type[Any]) -> None:
    hints = get_type_hints(kind, include_extras=True)
    numbers = {
        item.name: item.default for item in fields(kind) if type(item.default) in (int, float)
    }
    assert len(numbers) > 5
    for name, usual in numbers.items():
        (bounds,) = hints[name].__metadata__
        assert bounds.least <= usual <= bounds.most


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"side": 15}, "^side is 15; use 16 to 8192$"),
        ({"rate": 10**400}, "too large"),
        ({"optimiser": "adam"}, "^optimiser: 'adam' is none of"),
        ({"mixture": {"made": 1}}, "^mixture: {'made': 1} is not of type Mixture$"),
        ({"dataset": "set"}, "^name the photos of `dataset`"),
    ],
)
def test_a_config_made_in_python_is_checked_as_one_of_a_file(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        TrainingConfig("dbm-lite", Path("p"), Path("o"), **fields)
    with pytest.raises(ConfigError, match=r"^made is inf; use"):
        Mixture(made=float("inf"))


def test_a_setting_reaches_into_tables_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'side\.x=1': side is no table of fields"):
        read_config(write(tmp_path, MINIMAL + "side = 32\n"), ["side.x=1"])


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: no such config"):
        read_config(tmp_path / "none.toml")


BEGUN = {"architecture": "dbm-lite", "photos": "a/set", "output": "o", "listed": "a/train.txt"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"optimiser": "sgd"}, r"begun with optimiser=adamw; give another output, and"),
        ({"seed": 9}, r"begun with seed=0;"),
        ({"loss": "fidelity"}, r"begun with loss=cross-entropy;"),
        ({"rate": 1e-5}, r"begun with rate=0\.0006;"),
        ({"side": 96}, r"begun with side=320;"),
        ({"weight_decay": 0.1}, r"begun with weight_decay=0\.01;"),
        ({"bias_factor": 2}, r"begun with bias_factor=1\.0;"),
        ({"encoder_factor": 0.1}, r"begun with encoder_factor=1\.0;"),
        ({"mixture": {"made": 0}}, r"begun with mixture=Mixture\(.*\);"),
        ({"photos": "a/other"}, r"begun with photos=a/set;"),
        ({"listed": "a/test.txt"}, r"begun with listed=a/train\.txt;"),
        ({"dataset": "a/set"}, r"begun with dataset=None;"),
        ({"iterations": 6}, r"of 12 steps, more than iterations=6; give more, or export it"),
    ],
)
def test_a_run_that_would_learn_another_thing_is_not_resumed(
    changed: dict[str, Any], said: str
) -> None:
    config = TrainingConfig.from_dict(BEGUN | changed)
    with pytest.raises(ConfigError, match=rf"^run/checkpoint\.pt: {said}"):
        config.check_resumes(TrainingConfig.from_dict(BEGUN), Path("run/checkpoint.pt"), 12)


def test_a_run_may_go_on_for_longer_elsewhere_and_faster() -> None:
    changed = {"photos": "b/set", "listed": "b/train.txt", "output": "p", "iterations": 9_000}
    changed |= {"initialise": "gone.safetensors"}
    faster = {"threads": 4, "workers": 4, "precision": "bf16", "checkpoint_every": 1}
    config = TrainingConfig.from_dict(BEGUN | changed | faster)
    config.check_resumes(TrainingConfig.from_dict(BEGUN), Path("run/checkpoint.pt"), 12)


def test_lists_are_compared_by_what_they_hold_where_both_are_there(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for name, content in (("train", "a\nb\n"), ("copy", "a\nb\n"), ("other/train", "a\n")):
        (tmp_path / f"{name}.txt").write_text(content)
    begun, copy, other = (
        TrainingConfig.from_dict(BEGUN | {"listed": str(tmp_path / f"{name}.txt")})
        for name in ("train", "copy", "other/train")
    )
    copy.check_resumes(begun, Path("run/checkpoint.pt"), 12)
    with pytest.raises(ConfigError, match=r"begun with listed=.*train\.txt; give another output"):
        other.check_resumes(begun, Path("run/checkpoint.pt"), 12)
