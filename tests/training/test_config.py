"""Claims on training configs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blurmapper.errors import ConfigError
from blurmapper.training.config import TrainingConfig, read_config
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
        ("side = \n", "not TOML"),
    ],
)
def test_a_wrong_config_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: no such config"):
        read_config(tmp_path / "none.toml")
