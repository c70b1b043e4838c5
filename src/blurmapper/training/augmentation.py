"""How a photo is shown: which part of it, and as sensors, cameras and web sites leave it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from blurmapper.applications.light import encode_light
from blurmapper.training.compositing import Linear

Image = npt.NDArray[np.uint8]
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


def wear_image(image: Image, rng: np.random.Generator) -> Image:
    """Return the image as it may reach a user; uint8 RGB (H, W, 3), size kept.

    Each step happens by chance, in the order of a camera's pipeline: exposure and colour, black
    and white, a resizing there and back too slight to blur, noise, sharpening, JPEG.
    """
    if rng.random() < 0.6:
        image = _retone(image, rng)
    if rng.random() < 0.1:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    if rng.random() < 0.2:
        image = _soften(image, rng)
    if rng.random() < 0.3:
        image = _add_noise(image, rng)
    if rng.random() < 0.2:
        image = sharpen(image, float(rng.uniform(0.6, 1.5)), float(rng.uniform(0.2, 0.8)))
    if rng.random() < 0.55:
        image = compress(image, int(rng.integers(35, 96)))
    return image


def _retone(image: Image, rng: np.random.Generator) -> Image:
    """Exposure, contrast and white balance, as a table a channel."""
    value = np.arange(256, dtype=np.float32) / 255.0
    gamma = float(np.exp(rng.normal(0, 0.25)))
    gain = float(np.exp(rng.normal(0, 0.12)))
    contrast = float(np.clip(rng.normal(1.0, 0.15), 0.5, 1.4))
    tables = []
    for _ in range(3):
        balance = float(np.exp(rng.normal(0, 0.05)))
        curve = (value**gamma * gain * balance - 0.5) * contrast + 0.5
        tables.append(np.clip(curve * 255.0, 0, 255).astype(np.uint8))
    return np.asarray(cv2.LUT(image, np.stack(tables, axis=-1)[None]), np.uint8)


def _soften(image: Image, rng: np.random.Generator) -> Image:
    """Make it a little smaller and large again, as demosaicing, stabilisers and web sites do."""
    height, width = image.shape[:2]
    share = float(rng.uniform(0.7, 0.95))
    size = (round(width * share), round(height * share))
    smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(smaller, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _add_noise(image: Image, rng: np.random.Generator) -> Image:
    """Shot and read noise, white or grainy, of one colour or three."""
    height, width = image.shape[:2]
    channels = 1 if rng.random() < 0.4 else 3
    sigma = float(np.exp(rng.uniform(np.log(1.5), np.log(16.0))))
    noise = rng.standard_normal((height, width, channels), np.float32)
    if rng.random() < 0.3:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.7).reshape(noise.shape) * 2.0
    shot = np.sqrt(0.3 + image.astype(np.float32) / 255.0)
    return np.asarray(np.clip(image + noise * shot * sigma, 0, 255), np.uint8)


def sharpen(image: Image, sigma: float, amount: float) -> Image:
    """Unsharp masking, as cameras and editors do: it does not undo a blur."""
    soft = cv2.GaussianBlur(image, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(image, 1.0 + amount, soft, -amount, 0.0), np.uint8)


def compress(image: Image, quality: int, *options: int) -> Image:
    """Write an image as JPEG, with OpenCV's further options, and read it again."""
    chosen = [cv2.IMWRITE_JPEG_QUALITY, quality, *options]
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], chosen)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1])


FAINTEST_NOISE, STRONGEST_NOISE = 0.002, 0.08
"""Of white, in mid-grey light before noise is reduced: about ISO 100 and ISO 12,800 of a small
sensor."""


def develop(light: Linear, rng: np.random.Generator) -> Image:
    """Return the photo, uint8 RGB (H, W, 3), that a camera writes of light, float32 (H, W, 3).

    Each step happens by chance, in a camera's order. None moves an edge or counts as blur, though
    demosaicing and noise reduction soften and sharpening steepens: what is measured is the lens
    and the hand.
    """
    light = light * np.float32(np.exp(rng.normal(0, 0.35)))
    noise = 0.0
    if rng.random() < 0.75:
        noise = float(np.exp(rng.uniform(np.log(FAINTEST_NOISE), np.log(STRONGEST_NOISE))))
    light = _expose_mosaic(light, noise, rng) if rng.random() < 0.65 else _expose(light, noise, rng)
    photo = encode_light(_tone(light, rng), np.dtype(np.uint8))
    if noise and rng.random() < 0.6:
        photo = _reduce_noise(photo, noise, rng)
    if rng.random() < 0.6:
        photo = sharpen(photo, float(rng.uniform(0.5, 1.6)), float(rng.uniform(0.2, 1.6)))
    return _compress(photo, rng) if rng.random() < 0.85 else photo


def _expose(light: Linear, noise: float, rng: np.random.Generator) -> Linear:
    """Shot noise grows with the root of light; what a sensor reads out adds its own."""
    grain = rng.standard_normal(light.shape, np.float32) * np.float32(noise)
    spread = np.sqrt(np.maximum(light, 0) * np.float32(0.7) + np.float32(0.08 * noise + 0.002))
    return np.asarray((light + grain * spread).clip(0, 1), np.float32)


def _expose_mosaic(light: Linear, noise: float, rng: np.random.Generator) -> Linear:
    """See one colour a pixel (Bayer's pattern), and guess the others along edges or evenly."""
    mosaic = np.empty(light.shape[:2], np.float32)
    for row, column, channel in ((0, 0, 2), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
        mosaic[row::2, column::2] = light[row::2, column::2, channel]
    raw = np.rint(_expose(mosaic, noise, rng) * np.float32(65535)).astype(np.uint16)
    code = cv2.COLOR_BayerRG2RGB_EA if rng.random() < 0.7 else cv2.COLOR_BayerRG2RGB
    return np.asarray(cv2.demosaicing(raw, code), np.float32) / np.float32(65535)


def _tone(light: Linear, rng: np.random.Generator) -> Linear:
    """Give it an S-curve, or less contrast above a veil, in light."""
    if rng.random() < 0.5:
        share = np.float32(rng.uniform(0, 0.8))
        root = np.sqrt(light)
        light = light * (1 - share) + share * (root * root * (3 - 2 * root)) ** 2
    if rng.random() < 0.25:
        light = light * np.float32(rng.uniform(0.05, 0.7)) + np.float32(rng.uniform(0, 0.05))
    return np.asarray(light, np.float32)


def _reduce_noise(photo: Image, noise: float, rng: np.random.Generator) -> Image:
    colour, reach = float(255 * noise * rng.uniform(1, 4)), float(rng.uniform(1, 2))
    return np.asarray(cv2.bilateralFilter(photo, 5, colour, reach), np.uint8)


def _compress(photo: Image, rng: np.random.Generator) -> Image:
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    if rng.random() < 0.3:
        sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    quality = int(rng.integers(60, 100))
    return compress(photo, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling)
