"""Accelerators that a build of ONNX Runtime has, lacks, or cannot start."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import PIL.Image
import pytest
from click.testing import CliRunner

from blurmapper.backends import OnnxBackend, OpenVinoBackend, open_backend
from blurmapper.cli import app
from blurmapper.devices import CPU, DIRECTML, Device, choose_providers
from blurmapper.errors import ConfigError

CUDA, COREML = "CUDAExecutionProvider", "CoreMLExecutionProvider"
PHOTO = np.random.default_rng(0).random((1, 3, 32, 48), np.float32)


@pytest.fixture
def only_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])


@pytest.mark.parametrize("device", ["cuda", "coreml", "directml", "openvino"])
def test_a_device_that_is_lacking_is_named_in_one_line(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_providers(device, [CPU]) == [CPU]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("blurmapper", logging.WARNING)
    assert record.getMessage().startswith(f"device {device}: ONNX Runtime has no such part here")
    assert "install" in record.getMessage()


@pytest.mark.parametrize(
    ("device", "available", "first"),
    [
        ("auto", [CPU], CPU),
        ("auto", [CUDA, CPU], CUDA),
        ("auto", [DIRECTML, CPU], DIRECTML),
        ("auto", [COREML, CPU], CPU),
        ("cpu", [CUDA, CPU], CPU),
        ("coreml", [COREML, CPU], COREML),
    ],
)
def test_what_is_there_is_taken_without_a_word(
    device: Device, available: list[str], first: str, caplog: pytest.LogCaptureFixture
) -> None:
    providers = choose_providers(device, available)
    assert (providers[0], providers[-1]) == (first, CPU)
    assert not caplog.records


def test_an_unknown_device_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match="no device named 'gpu'; choose from: auto, cpu, cuda"):
        choose_providers("gpu", [CPU])  # type: ignore[arg-type]


@pytest.mark.parametrize("listed", [CUDA, DIRECTML])
def test_a_device_that_cannot_be_started_leaves_the_processor(
    listed: str,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected = OnnxBackend(tiny_weights, threads=1, device="cpu").run(PHOTO)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [listed, CPU])
    found = OnnxBackend(tiny_weights, threads=1).run(PHOTO)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        f"device {'cuda' if listed == CUDA else 'directml'}: cannot be started"
    ]


def test_openvino_is_the_backend_of_that_name(tiny_weights: Path) -> None:
    pytest.importorskip("openvino", reason="needs blurmapper[openvino]")
    backend = open_backend("onnxruntime", tiny_weights, threads=1, device="openvino")
    assert isinstance(backend, OpenVinoBackend)


@pytest.mark.usefixtures("only_processor")
def test_a_command_says_once_that_it_falls_back(
    sharp_photo: npt.NDArray[np.uint8],
    tiny_weights: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    photo = tmp_path / "photo.png"
    PIL.Image.fromarray(sharp_photo).save(photo)
    words = ["map", str(photo), "--method", str(tiny_weights), "--device", "cuda"]
    result = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "maps")])
    assert result.exit_code == 0
    assert len(caplog.records) == 1
    assert (tmp_path / "maps" / "photo.png.blur.png").is_file()
