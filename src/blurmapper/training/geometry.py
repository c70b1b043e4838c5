"""Which part of a photo a pair shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Layer = npt.NDArray[Any]


def crop_layers(layers: Sequence[Layer], side: int, rng: np.random.Generator) -> list[Layer]:
    """Cut the same part of each layer and bring it to side x side, never enlarged much.

    The share of the photo is drawn evenly between the whole and a part at full detail; its
    shape may be stretched by a fifth, as aspect ratios differ; half of the parts are mirrored.
    """
    height, width = layers[0].shape[:2]
    least = min(1.0, side / min(height, width))
    share = rng.uniform(least, 1.0) if rng.random() < 0.7 else 1.0
    stretch = float(np.exp(rng.uniform(-0.2, 0.2)))
    rows = min(height, int(height * share * min(1.0, stretch)))
    columns = min(width, int(width * share * min(1.0, 1 / stretch)))
    top = int(rng.integers(height - rows + 1))
    left = int(rng.integers(width - columns + 1))
    mirrored = rng.random() < 0.5
    parts = (layer[top : top + rows, left : left + columns] for layer in layers)
    resized = (resize_layer(part, side) for part in parts)
    return [np.ascontiguousarray(part[:, ::-1] if mirrored else part) for part in resized]


def resize_layer(layer: Layer, side: int) -> Layer:
    """Return a layer resized to side x side: averaged where that is smaller."""
    how = cv2.INTER_AREA if layer.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(layer, (side, side), interpolation=how))
