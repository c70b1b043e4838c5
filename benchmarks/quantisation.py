"""What 8 bits would cost and bring: quantise a bundled network, and score it beside float32.

    python -m benchmarks.quantisation ../shared/data

Static quantisation: weights by channel, activations by their range on photos of the training set,
as QDQ nodes around the convolutions. The first convolution and the decoder stay float32; quantised
too, they triple the error. The validation sets report the loss and choose nothing. Also
scored is OpenVINO in bfloat16. The table goes to ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from benchmarks.measuring import SAMPLES, table, write_part
from benchmarks.score_weights import SETS
from blurmapper.backends import Backend, OnnxBackend, OpenVinoBackend
from blurmapper.datasets import Sample, find_pictures, read_dataset, read_truth
from blurmapper.evaluation.counts import image_counts
from blurmapper.evaluation.scores import score_paper
from blurmapper.images import read_image
from blurmapper.mapper import BlurMapper
from blurmapper.preprocessing import Preprocessing
from blurmapper.weights import find_weights

FOLDER = Path("runs/int8")
PHOTOS = Path("../shared/data/photos/images")
CALIBRATED_ON = 28
"""Photos, spread evenly over the training set."""

FLOAT_TAIL = {"dbm-lite": 14, "dbm": 1}
"""Last convolutions that stay float32: the decoder, or the score layer."""


class Batches(CalibrationDataReader):  # type: ignore[misc]
    """Photos as the network sees them, one a batch."""

    def __init__(self, photos: list[Path], preprocessing: Preprocessing) -> None:
        self._batches = (
            preprocessing.normalise(preprocessing.resize(read_image(photo))) for photo in photos
        )

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return the next batch by the name of the graph's input, or None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"image": batch}


def quantise(name: str, photos: Path | None = None) -> Path:
    """Return the path of a bundled network in 8 bits, made unless it is there already.

    Calibrated on a folder's photos; on `PHOTOS`, or where they are missing on the package's
    samples, unless given.
    """
    card, path = find_weights(name)
    output = FOLDER / f"{name}-{card.sha256[:8]}.onnx"
    if output.exists():
        return output
    if photos is None:
        chosen = list(find_pictures(PHOTOS).values()) if PHOTOS.exists() else SAMPLES
    else:
        chosen = list(find_pictures(photos).values())
    chosen = chosen[:: max(1, len(chosen) // CALIBRATED_ON)][:CALIBRATED_ON]
    FOLDER.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        widened = Path(folder) / "float32.onnx"
        _fold_constants(path, widened)
        convolutions = [
            node.name for node in onnx.load(widened).graph.node if node.op_type == "Conv"
        ]
        quantize_static(
            str(widened),
            str(output),
            Batches(chosen, card.preprocessing),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[convolutions[0], *convolutions[-FLOAT_TAIL[name] :]],
            extra_options={"CalibMovingAverage": True},
        )
    logging.disable(logging.NOTSET)
    return output


def _fold_constants(path: Path, output: Path) -> None:
    """Write a graph with its 16-bit weights widened: the quantiser looks for plain constants."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(output)
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def compare(
    weights: str | Path, backends: dict[str, Backend], sets: Mapping[str, Iterable[Sample]]
) -> Iterator[list[str]]:
    """Yield a row a set: its name, each backend's ODS, and how far it moves maps."""
    mappers = [BlurMapper(weights, backend=backend) for backend in backends.values()]
    for set_, samples in sets.items():
        counts: list[list[Any]] = [[] for _ in mappers]
        moved: list[list[float]] = [[] for _ in mappers]
        for sample in samples:
            assert sample.photo is not None
            image, (truth, valid) = read_image(sample.photo), read_truth(sample)
            maps = [mapper(image) for mapper in mappers]
            for blur_map, count, move in zip(maps, counts, moved, strict=True):
                count.append(image_counts(blur_map, truth, valid))
                move.append(float(np.abs(blur_map - maps[0]).mean()))
        scores = [score_paper(count).ods for count in counts]
        row = [f"{set_} ({len(counts[0])})", f"{scores[0]:.4f}"]
        for score, move in zip(scores[1:], moved[1:], strict=True):
            row += [f"{score:.4f} ({score - scores[0]:+.4f})", f"{np.mean(move):.4f}"]
        yield row


def main() -> None:
    """Quantise, score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="holds photos/images and validation")
    parser.add_argument("--weights", default="dbm-lite")
    options = parser.parse_args()
    load = partial(OpenVinoBackend, find_weights(options.weights)[1])
    backends: dict[str, Backend] = {
        "float32": OnnxBackend(find_weights(options.weights)[1]),
        "int8": OnnxBackend(quantise(options.weights, options.data / "photos" / "images")),
        "bfloat16 (OpenVINO)": load(precision="bfloat16"),
    }
    sets = {name: read_dataset(options.data / "validation" / name) for name in SETS}
    headings = ["photos", "ODS, float32"]
    for backend in list(backends)[1:]:
        headings += [f"ODS, {backend}", "map moved by"]
    text = table(headings, compare(options.weights, backends, sets))
    print(text)
    write_part("precision", text)


if __name__ == "__main__":
    main()
