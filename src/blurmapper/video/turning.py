"""How a frame that is stored on its side or mirrored is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import av


def to_matrix(frame: av.VideoFrame) -> npt.NDArray[Any]:
    """Return what turns and mirrors a frame as it is seen: rows a, b and c, d of its matrix.

    A stored place (x, y), with y downwards, is seen at (ax + cy, bx + dy).
    """
    try:
        data: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # Beside data of a kind that PyAV does not know, as EXIF, it gives none but the angle.
        angle = np.radians(frame.rotation)
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # As floats, for the least of integers has no amount.
    return np.eye(2) if data is None else np.frombuffer(bytes(data), np.int32).reshape(3, 3) * 1.0


def is_on_side(matrix: npt.NDArray[Any]) -> bool:
    """Say whether a frame's rows are seen as columns."""
    return bool(abs(matrix[0, 1]) > abs(matrix[0, 0]))


def turn_upright(frame: av.VideoFrame, matrix: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return the frame's pixels as they are seen, at its own size: enlarged they were blurred."""
    from av.video.reformatter import Colorspace

    # What does not say its matrix (2) is taken as players take it; FFmpeg takes BT.601 for all.
    is_plain_hd = frame.colorspace == 2 and (frame.height >= 720 or frame.width >= 1280)
    space = Colorspace.ITU709 if is_plain_hd else None
    pixels: npt.NDArray[Any] = frame.reformat(format="rgb24", src_colorspace=space).to_ndarray()
    if is_on_side(matrix):
        pixels, matrix = pixels.swapaxes(0, 1), matrix[1::-1]
    down, across = (-1 if matrix[n, n] < 0 else 1 for n in (1, 0))
    return np.ascontiguousarray(pixels[::down, ::across])
