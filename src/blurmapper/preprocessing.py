"""What a network sees of a photo: its size, channel order, mean and scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

HALVED = 8
"""A photo this many times too high and wide is halved before it is reduced.

Means of four pixels take a tenth of the time of means over fractions of pixels. Once only: that
moves a pixel of a photo, and noise on average, by about one level in 255.
"""

WHITE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(np.float32): 1.0}


@dataclass(frozen=True)
class Preprocessing:
    """Turn an image into a network's input; the same in training, export and inference.

    Attributes
    ----------
    working_side : int
        The network sees at most ``working_side ** 2`` pixels: a larger photo is reduced to
        that area with its aspect kept, a smaller one is left alone. An area, not a longest
        side, so that a panorama keeps enough rows to be understood.
    mean, scale : tuple of float
        Per channel, in ``channel_order``, for values in [0, 255]: ``(x - mean) * scale``.
    channel_order : {"rgb", "bgr"}
        The order the network was pre-trained in.
    """

    working_side: int
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    channel_order: Literal["rgb", "bgr"]

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) at which a photo of this size is mapped."""
        factor = min(1.0, self.working_side / (height * width) ** 0.5)
        return max(1, round(height * factor)), max(1, round(width * factor))

    def resize(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Reduce an image (H, W, 3) to its working size by averaging areas; dtype kept."""
        return reduce_area(image, *self.working_size(*image.shape[:2]))

    def normalise(self, image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the network's input, float32 (1, 3, H, W), for an RGB image (H, W, 3).

        The dtype decides the scale: uint8, uint16 or float32 in [0, 1].
        """
        import cv2

        mean, scale = np.array(self.mean, np.float32), np.array(self.scale, np.float32)
        planes = cv2.split(image) if self.channel_order == "rgb" else cv2.split(image)[::-1]
        batch = np.empty((1, 3, *image.shape[:2]), np.float32)
        for plane, out, low, factor in zip(planes, batch[0], mean, scale, strict=True):
            if image.dtype == np.uint8:
                # A table of all values is eight times as fast, and gives the same numbers.
                cv2.LUT(plane, (np.arange(256, dtype=np.float32) - low) * factor, out)
            else:
                values = plane * np.float32(255.0 / WHITE[image.dtype])
                np.multiply(values - low, factor, out=out)
        return batch

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Preprocessing:
        """Build from what `to_dict` returned, also after a round trip through JSON."""
        values: dict[str, Any] = {**fields, "mean": tuple(fields["mean"])}
        return cls(**values | {"scale": tuple(fields["scale"])})


def reduce_area(image: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """Reduce an image or map (H, W, ...) to a size by averaging areas; dtype kept."""
    import cv2

    if (height, width) == image.shape[:2]:
        return image
    if min(image.shape[0] / height, image.shape[1] / width) >= HALVED:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = cv2.resize(image, half, interpolation=cv2.INTER_AREA)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def reduce_within(image: npt.NDArray[Any], longest: int, least: int = 1) -> npt.NDArray[Any]:
    """Reduce an image or map so that no side has more pixels than `longest`, nor less than `least`.

    One that has no more is returned as it is.
    """
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = (max(least, round(side * scale)) for side in image.shape[:2])
    return reduce_area(image, height, width)


VGG16 = Preprocessing(384, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), "bgr")
"""Simonyan and Zisserman's VGG16 as trained with Caffe: blue first, mean subtracted."""

EFFICIENTNET_LITE = Preprocessing(384, (127.0,) * 3, (1 / 128,) * 3, "rgb")
"""EfficientNet-Lite as trained with TensorFlow: values in about [-1, 1]."""
