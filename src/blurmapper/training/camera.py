"""What a camera makes of light, at its own pixels: mosaic, noise and its reduction, tone, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from blurmapper.applications.light import encode_light
from blurmapper.training.augmentation import Image
from blurmapper.training.compositing import Linear

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
        photo = _sharpen(photo, rng)
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


def _sharpen(photo: Image, rng: np.random.Generator) -> Image:
    soft = cv2.GaussianBlur(photo, (0, 0), float(rng.uniform(0.5, 1.6)))
    amount = float(rng.uniform(0.2, 1.6))
    return np.asarray(cv2.addWeighted(photo, 1 + amount, soft, -amount, 0), np.uint8)


def _compress(photo: Image, rng: np.random.Generator) -> Image:
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    if rng.random() < 0.3:
        sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 100))]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, encoded = cv2.imencode(".jpg", photo[..., ::-1], options)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1])
