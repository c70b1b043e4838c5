"""Amounts of blur as files, and as a picture in steps of pixels."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.PngImagePlugin

from blurmapper.amounts import CELL, BlurAmounts
from blurmapper.decoding import grey_strips
from blurmapper.images import OVERLAY_TINT, ImageArray

UNIT = 100
"""A value of 16 bits is sigma in hundredths of a pixel; 0 where it cannot be measured."""

STEPS = ((1.0, (0, 158, 115)), (2.0, (178, 201, 40)), (4.0, (240, 170, 0)), (8.0, (213, 94, 0)))
"""Sigma in pixels up to which a cell gets a colour (Okabe and Ito's, told apart by all eyes)."""

WIDER = OVERLAY_TINT
"""Colour of what is blurred more widely than all steps."""


def encode_amounts(amounts: BlurAmounts, ending: str) -> bytes:
    """Return the content of a file of amounts, a pixel a cell.

    Parameters
    ----------
    amounts : BlurAmounts
    ending : str
        ``.png``: 16 bits, sigma in hundredths of a pixel, 0 where it cannot be measured, which
        its text says too; ``.npy``: float32 (3, h, w), sigma, length and angle, NaN as there.
    """
    buffer = io.BytesIO()
    if ending.endswith(".npy"):
        np.save(buffer, np.stack(amounts))
        return buffer.getvalue()
    text = PIL.PngImagePlugin.PngInfo()
    text.add_text("Unit", f"sigma of a Gaussian in 1/{UNIT} pixel of the photo; 0: not measurable")
    text.add_text("Cell", f"{CELL} x {CELL} pixels of the photo")
    hundredths = np.rint(np.nan_to_num(amounts.sigma) * UNIT).clip(0, 65535).astype(np.uint16)
    PIL.Image.fromarray(hundredths).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def draw_amounts(image: ImageArray, amounts: BlurAmounts) -> npt.NDArray[np.uint8]:
    """Draw a photo in grey under the colour of each cell's sigma; what is unknown stays grey.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16 or float32 in [0, 1].
    amounts : BlurAmounts
        Of the same photo.

    Returns
    -------
    ndarray
        uint8 RGB (H, W, 3), with what the colours mean in a corner.
    """
    import cv2

    height, width = image.shape[:2]
    colours = _colour(amounts.sigma)
    drawn = np.empty(image.shape, np.uint8)
    for rows, _, grey in grey_strips(image):
        cells = colours[np.arange(rows.start, min(rows.stop, height)) // CELL]
        cells = cells[:, np.arange(width) // CELL]
        share = np.where(cells.any(axis=-1, keepdims=True), np.float32(0.45), np.float32(0))
        drawn[rows] = np.rint(grey[..., np.newaxis] * (1 - share) + cells * share)
    unit = max(8, height // 60)
    if width >= 16 * unit and height >= 8 * unit:
        legend = [(f"up to {most:g} px", colour) for most, colour in STEPS]
        legend.append((f"over {STEPS[-1][0]:g} px", WIDER))
        for line, (name, colour) in enumerate(legend):
            top = line * unit * 3 // 2
            cv2.rectangle(drawn, (0, top), (8 * unit, top + unit * 3 // 2), (255,) * 3, -1)
            cv2.rectangle(drawn, (unit // 2, top + unit // 4), (2 * unit, top + unit), colour, -1)
            start = (unit * 5 // 2, top + unit)
            cv2.putText(drawn, name, start, cv2.FONT_HERSHEY_SIMPLEX, unit / 26, (0, 0, 0), 1)
    return drawn


def _colour(sigma: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    colours = np.zeros((*sigma.shape, 3), np.uint8)
    colours[np.isfinite(sigma)] = WIDER
    for most, colour in reversed(STEPS):
        colours[sigma <= most] = colour
    return colours
