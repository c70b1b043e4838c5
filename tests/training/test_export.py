"""Claims on exported weights."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from blurmapper.backends import OnnxBackend
from blurmapper.errors import WeightsError
from blurmapper.mapper import BlurMapper
from blurmapper.training import export
from blurmapper.training.config import TrainingConfig
from blurmapper.training.loop import TrainingRun
from blurmapper.training.networks import predict
from blurmapper.weights import read_card

from .conftest import texture


@pytest.fixture(scope="module", params=["configuration-ii", "dbm-lite"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    folder = tmp_path_factory.mktemp("run")
    run = TrainingRun(TrainingConfig(request.param, folder, folder / "mine"))
    run.path.parent.mkdir()
    run.save()
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.png"), texture(number, 160))
    return run


def test_an_export_maps_photos(run: TrainingRun, tmp_path: Path) -> None:
    path = export.export_checkpoint(run.path, tmp_path, run.config.photos)
    card = read_card(path.with_suffix(".json"))
    assert (card.name, card.architecture) == ("mine", run.config.architecture)
    assert card.bytes == path.stat().st_size < 2.3 * card.parameters + 200_000
    blur_map = BlurMapper(path)(texture(3, 90))
    assert blur_map.shape == (90, 90)


def test_an_export_can_look_at_another_size(run: TrainingRun, tmp_path: Path) -> None:
    path = export.export_checkpoint(run.path, tmp_path, run.config.photos, working_side=96)
    assert read_card(path.with_suffix(".json")).preprocessing.working_side == 96


def test_weights_are_kept_in_sixteen_bits(run: TrainingRun, tmp_path: Path) -> None:
    model = onnx.load(export.export_checkpoint(run.path, tmp_path, run.config.photos))
    large = [weight for weight in model.graph.initializer if np.prod(weight.dims) > 8]
    assert {weight.data_type for weight in large} == {onnx.TensorProto.FLOAT16}


@pytest.mark.parametrize("size", [(16, 16), (64, 96), (37, 211)])
def test_torch_and_onnx_agree_at_any_size(
    run: TrainingRun, tmp_path: Path, size: tuple[int, int]
) -> None:
    network = export.round_weights(export.fold_norms(run.network.eval()))
    path = tmp_path / "network.onnx"
    export.write_onnx(network, path)
    batch = torch.randn(1, 3, *size)
    ours = predict(network, batch).numpy()
    np.testing.assert_allclose(OnnxBackend(path).run(batch.numpy()), ours, atol=1e-3)


def test_an_export_that_differs_is_refused_and_leaves_nothing(
    run: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = export._run_torch
    monkeypatch.setattr(
        export, "_run_torch", lambda *given: [output + 0.01 for output in honest(*given)]
    )
    with pytest.raises(WeightsError, match=r"differ by 1.0e-02 on .*png at 384 x 384"):
        export.export_checkpoint(run.path, tmp_path, run.config.photos)
    assert not list(tmp_path.iterdir())


def test_folding_norms_changes_nothing(run: TrainingRun) -> None:
    image = torch.randn(2, 3, 64, 64)
    run.network.train()(image)
    before = predict(run.network.eval(), image)
    after = predict(export.fold_norms(run.network), image)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_kinds_of_blur_are_taken_apart_before_they_are_enlarged(
    run: TrainingRun, tmp_path: Path
) -> None:
    path = tmp_path / "network.onnx"
    export.write_onnx(export.fold_norms(run.network.eval()), path)
    nodes = onnx.load(path).graph.node
    makers = {output: node for node in nodes for output in node.output}
    for output in [value.name for value in onnx.load(path).graph.output]:
        above = [output]
        while makers[above[-1]].op_type != "Resize":
            above.append(makers[above[-1]].input[0])
        enlarged = makers[makers[above[-1]].input[0]]
        assert enlarged.op_type == ("Split" if run.config.architecture == "dbm-lite" else "Conv")
