"""Claims on the export of the network that measures blur."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from blurmapper.amounts import LEVELS
from blurmapper.backends import open_session
from blurmapper.errors import ConfigError, ImageError, WeightsError
from blurmapper.training import amount_export
from blurmapper.training.amount_export import export_amounts
from blurmapper.training.amount_network import AmountNetwork
from blurmapper.training.config import TrainingConfig
from blurmapper.training.export import export_checkpoint
from blurmapper.training.loop import TrainingRun


def test_an_export_answers_as_the_network_does(tmp_path: Path) -> None:
    config = TrainingConfig("amount", tmp_path, tmp_path)
    network = AmountNetwork().eval()
    state = {"config": config.to_dict(), "average": network.state_dict(), "step": 3}
    export_amounts(state, tmp_path / "checkpoint.pt", tmp_path, "amount")
    tile = torch.randn(1, 1, 96, 160, generator=torch.Generator().manual_seed(0))
    look = open_session(tmp_path / "amount-look.onnx")
    (notes,) = look.run(["notes"], {"image": tile.numpy()})
    np.testing.assert_allclose(network.look(tile).detach().numpy(), notes, atol=1e-4)
    stacked = np.repeat(notes, LEVELS, axis=1)
    (cells,) = open_session(tmp_path / "amount-weigh.onnx").run(["cells"], {"notes": stacked})
    found = network.weigh(torch.from_numpy(stacked)).detach().numpy()
    np.testing.assert_allclose(found, cells, atol=1e-4)


def test_weights_of_the_network_before_are_no_weights_of_this_one(tmp_path: Path) -> None:
    weights = AmountNetwork().state_dict()
    before = {name: value for name, value in weights.items() if not name.startswith("fusion")}
    state = {"config": TrainingConfig("amount", tmp_path, tmp_path).to_dict(), "average": before}
    with pytest.raises(ConfigError, match=r"old\.pt: not the weights of this network"):
        export_amounts(state, tmp_path / "old.pt", tmp_path / "to", "amount")
    assert not (tmp_path / "to").exists()


def test_an_export_that_fails_leaves_no_half_of_another_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainingConfig("amount", tmp_path, tmp_path)
    weights = AmountNetwork().state_dict()
    state = {"config": config.to_dict(), "average": weights, "step": 3}
    export_amounts(state, tmp_path / "checkpoint.pt", tmp_path, "amount")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    export_part = amount_export._export_part

    def fail_at_second(part: torch.nn.Module, *given: Any) -> bytes:
        if isinstance(part, amount_export.Weigh):
            raise WeightsError("differ")
        return export_part(part, *given)

    monkeypatch.setattr(amount_export, "_export_part", fail_at_second)
    state["average"] = {name: value + 1 for name, value in weights.items()}
    with pytest.raises(WeightsError, match="differ"):
        export_amounts(state, tmp_path / "checkpoint.pt", tmp_path, "amount")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["amount-weigh.onnx", "amount-look.json", "amount-weigh.json"])
def test_an_export_that_would_replace_anothers_file_writes_nothing(
    name: str, tmp_path: Path
) -> None:
    config = TrainingConfig("amount", tmp_path, tmp_path)
    state = {"config": config.to_dict(), "average": AmountNetwork().state_dict(), "step": 3}
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / name).write_text("mine")
    with pytest.raises(ImageError, match=f"{name}: is not of blurmapper's making"):
        export_amounts(state, tmp_path / "checkpoint.pt", tmp_path / "to", "amount")
    assert [path.name for path in (tmp_path / "to").iterdir()] == [name]


@pytest.mark.parametrize("option", [{"bits": 8}, {"working_side": 512}])
def test_what_an_export_of_amounts_does_not_know_is_refused(
    option: dict[str, Any], tmp_path: Path
) -> None:
    run = TrainingRun(TrainingConfig("amount", tmp_path, tmp_path))
    run.save()
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: .*; leave out --bits and --working"):
        export_checkpoint(run.path, tmp_path / "to", tmp_path, **option)
