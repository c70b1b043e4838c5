"""Claims on exported weights."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from blurmapper.backends import OnnxBackend
from blurmapper.errors import ConfigError, WeightsError
from blurmapper.mapper import BlurMapper
from blurmapper.training import export
from blurmapper.training.config import TrainingConfig
from blurmapper.training.loop import TrainingRun
from blurmapper.training.networks import predict
from blurmapper.training.storage import Bits, read_checkpoint, read_onnx_weights, write_checkpoint
from blurmapper.weights import Score, read_card, write_card

from .conftest import texture

Exported = Callable[[Bits], Path]

# An export of dbm-lite takes five times as long, nearly all of it to see its graph for any size.
ONE_NETWORK = pytest.mark.parametrize("run", ["configuration-ii"], indirect=True)


@pytest.fixture(autouse=True)
def _small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an export be checked at a small size: any is tried here, and the usual ones take long."""
    monkeypatch.setattr(export, "CHECKED_SIZES", ((96, 64),))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], TrainingRun]:
    """Architecture -> a run of it, begun once."""

    @cache
    def begin(architecture: str) -> TrainingRun:
        folder = tmp_path_factory.mktemp("run")
        run = TrainingRun(TrainingConfig(architecture, folder, folder / "mine"))
        run.path.parent.mkdir()
        run.save()
        cv2.imwrite(str(folder / "0.png"), texture(0, 160))
        return run

    return begin


@pytest.fixture(params=["configuration-ii", "dbm-lite"])
def run(request: pytest.FixtureRequest, runs: Callable[[str], TrainingRun]) -> TrainingRun:
    return runs(request.param)


@pytest.fixture(scope="module")
def exports(
    runs: Callable[[str], TrainingRun], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Bits], Path]:
    """Architecture, bits of the weights -> the file, exported when it is first asked for."""

    @cache
    def export_in(architecture: str, bits: Bits) -> Path:
        run, folder = runs(architecture), tmp_path_factory.mktemp("exported")
        return export.export_checkpoint(run.path, folder, run.config.photos, bits=bits)

    return export_in


@pytest.fixture
def exported(run: TrainingRun, exports: Callable[[str, Bits], Path]) -> Exported:
    """Bits of the weights -> the file of the network."""
    return partial(exports, run.config.architecture)


def test_an_export_maps_photos(run: TrainingRun, exported: Exported) -> None:
    path = exported(16)
    card = read_card(path.with_suffix(".json"))
    assert (card.name, card.architecture) == ("mine", run.config.architecture)
    assert card.bytes == path.stat().st_size < 2.3 * card.parameters + 200_000
    blur_map = BlurMapper(path)(texture(3, 90))
    assert blur_map.shape == (90, 90)


def test_weights_are_kept_in_sixteen_bits(exported: Exported) -> None:
    model = onnx.load(exported(16))
    large = [weight for weight in model.graph.initializer if np.prod(weight.dims) > 8]
    assert {weight.data_type for weight in large} == {onnx.TensorProto.FLOAT16}


@ONE_NETWORK
def test_weights_in_eight_bits_are_whole_steps_of_each_channel(exported: Exported) -> None:
    stored = {weight.name: weight for weight in onnx.load(exported(8)).graph.initializer}
    steps = [name for name in stored if stored[name].data_type == onnx.TensorProto.INT8]
    assert steps
    for name in steps:
        scale = onnx.numpy_helper.to_array(stored[name.replace(".steps", ".scale")])
        assert scale.shape == (stored[name].dims[0], 1, 1, 1)
        assert np.abs(onnx.numpy_helper.to_array(stored[name]).astype(int)).max() == 127


@ONE_NETWORK
def test_eight_bits_make_a_file_smaller_by_more_than_a_third(exported: Exported) -> None:
    assert exported(8).stat().st_size < 0.66 * exported(16).stat().st_size


@ONE_NETWORK
def test_an_export_is_stored_anew_for_another_size_and_loses_its_scores(
    run: TrainingRun, exported: Exported, tmp_path: Path
) -> None:
    card = read_card(exported(16).with_suffix(".json"))
    score = Score(data="mine", images=1, protocol="paper", ods=0.5, ois=0.5, ap=0.5)
    write_card(replace(card, scores=(score,)), exported(16).with_suffix(".json"))
    path = export.export_checkpoint(
        exported(16), tmp_path, run.config.photos, working_side=96, bits=8
    )
    anew = read_card(path.with_suffix(".json"))
    assert anew.preprocessing.working_side == 96
    assert (anew.scores, anew.training, anew.parameters) == ((), card.training, card.parameters)
    assert anew.bytes == path.stat().st_size < card.bytes


@ONE_NETWORK
def test_an_export_is_never_stored_anew_in_its_own_place(
    run: TrainingRun, exported: Exported
) -> None:
    before = exported(16).read_bytes()
    with pytest.raises(WeightsError, match=r"mine\.onnx: cannot be written with itself"):
        export.export_checkpoint(exported(16), exported(16).parent, run.config.photos, bits=8)
    assert exported(16).read_bytes() == before


@ONE_NETWORK
@pytest.mark.parametrize(
    "name", ["", "../x", "sub/x", "/x", "a\\b", "c:x", "a\0b", "a\nb", "a\udce4", "x" * 251]
)
def test_a_name_that_no_file_can_have_is_refused(
    run: TrainingRun, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigError, match="weights cannot be called so; give --name") as caught:
        export.export_checkpoint(run.path, tmp_path / "to", run.config.photos, name=name)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@ONE_NETWORK
def test_a_run_in_a_folder_without_a_name_has_to_be_given_one(
    run: TrainingRun, tmp_path: Path
) -> None:
    state = read_checkpoint(run.path)
    state["config"]["output"] = "."
    write_checkpoint(state, tmp_path / "checkpoint.pt")
    with pytest.raises(ConfigError, match="'': weights cannot be called so"):
        export.export_checkpoint(tmp_path / "checkpoint.pt", tmp_path / "to", run.config.photos)


@ONE_NETWORK
def test_a_size_that_no_card_names_is_refused(run: TrainingRun, exported: Exported) -> None:
    to = (exported(16).parent / "small", run.config.photos)
    with pytest.raises(ConfigError, match="working side is 8; use 16 or more"):
        export.export_checkpoint(exported(16), *to, working_side=8)


@ONE_NETWORK
def test_storing_anew_what_has_eight_bits_changes_no_weight(
    run: TrainingRun, exported: Exported, tmp_path: Path
) -> None:
    path = export.export_checkpoint(exported(8), tmp_path, run.config.photos, bits=8)
    before, after = read_onnx_weights(exported(8)), read_onnx_weights(path)
    assert before.keys() == after.keys()
    for name, weights in before.items():
        torch.testing.assert_close(after[name], weights, rtol=1e-6, atol=0)


def test_the_errors_of_a_channel_in_eight_bits_add_up_to_less_than_a_step() -> None:
    network = nn.Conv2d(64, 16, 3)
    before = network.weight.detach().clone()
    export.round_weights(network, 8)
    step = before.abs().amax(dim=(1, 2, 3)) / 127
    errors = network.weight.detach() - before
    assert (errors.abs().amax(dim=(1, 2, 3)) <= 1.01 * step).all()
    assert (errors.sum(dim=(1, 2, 3)).abs() <= 0.51 * step).all()


def test_a_channel_of_zeros_stays_zero_in_eight_bits() -> None:
    network = nn.Conv2d(64, 16, 3)
    with torch.no_grad():
        network.weight[3] = 0
    export.round_weights(network, 8)
    assert not network.weight[3].any()
    assert torch.isfinite(network.weight).all()


@pytest.mark.parametrize(
    ("run", "bits"),
    [("configuration-ii", 8), ("configuration-ii", 16), ("dbm-lite", 16)],
    indirect=["run"],
)
@pytest.mark.parametrize("size", [(16, 16), (64, 96), (37, 211)])
def test_torch_and_onnx_agree_at_any_size(
    run: TrainingRun, exported: Exported, size: tuple[int, int], bits: Bits
) -> None:
    network = export.round_weights(export.fold_norms(deepcopy(run.network).eval()), bits)
    batch = torch.randn(1, 3, *size)
    ours = predict(network, batch).numpy()
    np.testing.assert_allclose(OnnxBackend(exported(bits)).run(batch.numpy()), ours, atol=1e-3)


@ONE_NETWORK
def test_an_export_that_differs_is_refused_and_leaves_nothing(
    run: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = export._run_torch
    monkeypatch.setattr(
        export, "_run_torch", lambda *given: [output + 0.01 for output in honest(*given)]
    )
    with pytest.raises(WeightsError, match=r"differ by 1.0e-02 on .*png at 96 x 64"):
        export.export_checkpoint(run.path, tmp_path, run.config.photos)
    assert not list(tmp_path.iterdir())


@ONE_NETWORK
@pytest.mark.parametrize("lost", [float("nan"), float("inf"), 1e5])
def test_weights_that_are_no_numbers_are_refused(
    run: TrainingRun, tmp_path: Path, lost: float
) -> None:
    state = deepcopy(read_checkpoint(run.path))
    next(iter(state["average"].values()))[0, 0, 0, 0] = lost
    write_checkpoint(state, tmp_path / "lost.pt")
    with pytest.raises(WeightsError, match=r"lost\.pt: has weights that are NaN or too large"):
        export.export_checkpoint(tmp_path / "lost.pt", tmp_path / "to", run.config.photos)
    assert not (tmp_path / "to").exists()


def test_amounts_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    run = TrainingRun(TrainingConfig("amount", tmp_path, tmp_path))
    next(iter(run.average.values()))[0, 0, 0, 0] = torch.nan
    run.save()
    with pytest.raises(WeightsError, match=r"checkpoint\.pt: has weights that are NaN"):
        export.export_checkpoint(run.path, tmp_path / "to", tmp_path)


@ONE_NETWORK
def test_no_number_agrees_with_what_is_none(
    run: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = export._run_torch
    monkeypatch.setattr(
        export, "_run_torch", lambda *given: [output * np.nan for output in honest(*given)]
    )
    with pytest.raises(WeightsError, match="differ by nan on"):
        export.export_checkpoint(run.path, tmp_path, run.config.photos)


@pytest.mark.parametrize("run", ["dbm-lite"], indirect=True)
def test_no_kind_of_blur_may_differ(
    run: TrainingRun, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = export.round_weights(export.fold_norms(deepcopy(run.network).eval()), 16)
    preprocessing = read_card(exported(16).with_suffix(".json")).preprocessing
    photos = run.config.photos
    assert export.check_agreement(network, exported(16), preprocessing, photos) < export.TOLERANCE
    honest = export._run_torch
    monkeypatch.setattr(
        export, "_run_torch", lambda *given: [honest(*given)[0], honest(*given)[1] + 0.01]
    )
    with pytest.raises(WeightsError, match="differ"):
        export.check_agreement(network, exported(16), preprocessing, photos)


def test_folding_norms_changes_nothing(run: TrainingRun) -> None:
    image = torch.randn(2, 3, 64, 64)
    run.network.train()(image)
    before = predict(run.network.eval(), image)
    after = predict(export.fold_norms(run.network), image)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_kinds_of_blur_are_taken_apart_before_they_are_enlarged(
    run: TrainingRun, exported: Exported
) -> None:
    graph = onnx.load(exported(16)).graph
    makers = {output: node for node in graph.node for output in node.output}
    for output in [value.name for value in graph.output]:
        above = [output]
        while makers[above[-1]].op_type != "Resize":
            above.append(makers[above[-1]].input[0])
        enlarged = makers[makers[above[-1]].input[0]]
        assert enlarged.op_type == ("Split" if run.config.architecture == "dbm-lite" else "Conv")
