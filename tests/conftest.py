"""What the tests share: photos made of texture, and a network small enough to build here."""

from __future__ import annotations

import functools
import hashlib
import inspect
import io
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from click.testing import CliRunner, Result

from blurmapper.mapper import BlurMapper
from blurmapper.preprocessing import Preprocessing
from blurmapper.weights import WeightsCard, read_card, write_card

if "mix_stderr" in inspect.signature(CliRunner).parameters:
    # Click 8.1 hands out the two streams either apart or together; later ones both.
    apart = functools.partialmethod(CliRunner.__init__, mix_stderr=False)
    setattr(CliRunner, "__init__", apart)  # noqa: B010 - a method, for mypy
    setattr(Result, "output", property(lambda result: result.stdout + result.stderr))  # noqa: B010

NUMBERS = itertools.count()

BENCHMARK_NAMES = ("motion0001", "motion0002", "out_of_focus0003", "out_of_focus0004")


@pytest.fixture(autouse=True)
def own_memory() -> Iterator[None]:
    """Keep what a test writes at ``memory://``, which is one for the process, from the next."""
    yield
    module = sys.modules.get("fsspec.implementations.memory")
    if module is not None:
        module.MemoryFileSystem.store.clear()
        module.MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the tests measure out of the user's cache, and each test's out of the others'.

    Few write anything there, and pytest looks through all folders to make another.
    """
    cache = tmp_path_factory.getbasetemp() / "caches" / str(next(NUMBERS))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture
def sharp_photo() -> npt.NDArray[np.uint8]:
    """A photo, uint8 (96, 128, 3), with sharp texture everywhere."""
    coarse = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    return coarse.repeat(2, axis=0).repeat(2, axis=1)


@pytest.fixture
def half_blurred_photo(sharp_photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The sharp photo with its right half out of focus."""
    photo = sharp_photo.copy()
    photo[:, 64:] = cv2.GaussianBlur(sharp_photo, (0, 0), 4)[:, 64:]
    return photo


@pytest.fixture
def benchmark_folder(tmp_path: Path) -> Path:
    """``image/`` and ``gt/``, and two folders of maps.

    ``soft/`` is the truth with soft edges, white = blurred; ``rough/`` is noisier, and white
    where it is sharp.
    """
    rng = np.random.default_rng(0)
    for inner in ("image", "gt", "soft", "rough"):
        (tmp_path / inner).mkdir()
    for number, name in enumerate(BENCHMARK_NAMES):
        truth = np.zeros((32, 48), np.float32)
        truth[:, 10 + 8 * number :] = 1
        texture = rng.integers(0, 256, (32, 48, 3), np.uint8)
        photo = np.where(truth[..., None] > 0, cv2.GaussianBlur(texture, (0, 0), 4), texture)
        soft = cv2.GaussianBlur(truth, (0, 0), 2)
        rough = (soft + rng.normal(0, 0.3, truth.shape)).clip(0, 1)
        PIL.Image.fromarray(photo).save(tmp_path / "image" / f"{name}.png")
        for inner, grey in (("gt", truth), ("soft", soft), ("rough", 1 - rough)):
            pixels = np.rint(255 * grey).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / inner / f"{name}.png")
    return tmp_path


@pytest.fixture(scope="session")
def as_held() -> Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]:
    """Upright photo, EXIF orientation -> the pixels that a camera held so stores."""
    turns: dict[int, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
        1: lambda upright: upright,
        2: lambda upright: upright[:, ::-1],
        3: lambda upright: upright[::-1, ::-1],
        4: lambda upright: upright[::-1],
        5: lambda upright: upright.swapaxes(0, 1),
        6: lambda upright: np.rot90(upright),
        7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
        8: lambda upright: np.rot90(upright, -1),
    }
    return lambda upright, orientation: np.ascontiguousarray(turns[orientation](upright))


@pytest.fixture(scope="session")
def file_as_held(
    as_held: Callable[[npt.NDArray[Any], int], npt.NDArray[Any]],
) -> Callable[..., bytes]:
    """Upright photo, EXIF orientation, format -> the file of a camera held so."""

    def encode(upright: npt.NDArray[np.uint8], orientation: int, kind: str = "PNG") -> bytes:
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        buffer = io.BytesIO()
        picture = PIL.Image.fromarray(as_held(upright, orientation))
        picture.save(buffer, kind, exif=exif.tobytes(), lossless=kind == "WEBP")
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of an .onnx network, with its card, that knows blur when it sees it.

    It is no trained network: the mean size of the Laplacian in a window, through a sigmoid,
    is high where there is fine texture. That is enough for claims on everything around it.
    """
    path = tmp_path_factory.mktemp("weights") / "tiny.onnx"
    path.write_bytes(_laplacian_network())
    card = WeightsCard(
        name="tiny",
        architecture="laplacian",
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        bytes=path.stat().st_size,
        parameters=30,
        preprocessing=Preprocessing(128, (127.0,) * 3, (1 / 128,) * 3, "rgb"),
        training="none",
        scores=({"data": "none", "images": 1, "protocol": "paper", "ods": 1, "ois": 1, "ap": 1},),
        milliseconds_384=1.0,
        licence="Apache-2.0",
        paper="none",
        created="2026-11-22",
    )
    write_card(card, path.with_suffix(".json"))
    return path


@pytest.fixture(scope="session")
def tiny_kinds_weights(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny network with a second output: motion is as likely as blur is."""
    path = tmp_path_factory.mktemp("kinds") / "tiny-kinds.onnx"
    path.write_bytes(_laplacian_network(kinds=True))
    content = path.read_bytes()
    card = replace(
        read_card(tiny_weights.with_suffix(".json")),
        name="tiny-kinds",
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
    )
    write_card(card, path.with_suffix(".json"))
    return path


@pytest.fixture(scope="session")
def tiny_mapper(tiny_weights: Path) -> BlurMapper:
    """A mapper with the tiny network, as users get one: refined, at the card's size."""
    return BlurMapper(tiny_weights, threads=1)


def _laplacian_network(*, kinds: bool = False) -> bytes:
    onnx = pytest.importorskip("onnx", reason="onnx builds the tests' network")
    helper = onnx.helper

    def constant(name: str, values: Any) -> Any:
        return onnx.numpy_helper.from_array(np.asarray(values), name)

    laplacian = np.float32([[0, 1, 0], [1, -4, 1], [0, 1, 0]]) / 3
    constants = [
        constant("border", np.int64([0, 0, 1, 1, 0, 0, 1, 1])),
        constant("laplacian", np.tile(laplacian, (1, 3, 1, 1))),
        constant("steepness", np.float32(-40)),
        constant("middle", np.float32(6)),
    ]
    nodes = [
        helper.make_node("Pad", ["image", "border"], ["padded"], mode="reflect"),
        helper.make_node("Conv", ["padded", "laplacian"], ["detail"]),
        helper.make_node("Abs", ["detail"], ["size"]),
        helper.make_node(
            "AveragePool", ["size"], ["energy"], kernel_shape=[9, 9], pads=[4, 4, 4, 4]
        ),
        helper.make_node("Mul", ["energy", "steepness"], ["steep"]),
        helper.make_node("Add", ["steep", "middle"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["blur_map"]),
    ]
    if kinds:
        nodes.append(helper.make_node("Identity", ["blur_map"], ["motion"]))
    outputs = ["blur_map", "motion"] if kinds else ["blur_map"]
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "laplacian",
        [helper.make_tensor_value_info("image", float32, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info(name, float32, ["n", 1, "h", "w"]) for name in outputs],
        constants,
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    serialised: bytes = model.SerializeToString()
    return serialised
