"""Photos in PGM and PPM as Pillow does not read them: of 16 bits, or of another white than 255."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from blurmapper.decoding.arrays import check_size

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P([56])" + 3 * (_GAP + rb"(\d{1,9})") + rb"\s")
_MOST_HEADER_BYTES = 65_536


def read_samples(stream: BinaryIO, name: str) -> npt.NDArray[Any] | None:
    """Return a binary PGM or PPM file's samples (H, W, 1 or 3), white 255 or 65,535, or None.

    None of a file of 8 bits, which Pillow reads, or of another kind: one of 16 bits it reads sample
    by sample, which takes half a minute for 24 megapixels, and cuts to 8 bits.

    Raises
    ------
    ImageError
        If it is too small or too large.
    ValueError
        If pixels are missing.
    """
    stream.seek(0)
    header = _HEADER.match(stream.read(_MOST_HEADER_BYTES))
    if header is None:
        return None
    kind, width, height, white = map(int, header.groups())
    if white == 255 or not 0 < white <= 65535:
        return None
    check_size(height, width, name)
    dtype = np.dtype(">u2" if white > 255 else np.uint8)
    shape = height, width, 3 if kind == 6 else 1
    stream.seek(header.end())
    content = stream.read(int(np.prod(shape)) * dtype.itemsize)
    if len(content) < int(np.prod(shape)) * dtype.itemsize:
        raise ValueError("pixels are missing")
    samples = np.frombuffer(content, dtype).reshape(shape)
    top = 255 if white < 255 else 65535
    scale = np.minimum(np.rint(np.arange(top + 1) * (top / white)), top)
    scaled: npt.NDArray[Any] = scale.astype(np.uint8 if top == 255 else np.uint16)[samples]
    return scaled
