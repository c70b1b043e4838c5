"""Colour profiles made byte by byte, and what they make of a colour."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

# Primaries as the columns of a matrix to XYZ at D50, with Bradford's adaptation: B. Lindbloom,
# "RGB/XYZ Matrices", brucelindbloom.com.
SRGB = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
ADOBE_RGB = np.array(
    [
        [0.6097559, 0.2052401, 0.1492240],
        [0.3111242, 0.6256560, 0.0632197],
        [0.0194811, 0.0608902, 0.7448387],
    ]
)
DISPLAY_P3 = np.array(
    [
        [0.5151187, 0.2919778, 0.1571035],
        [0.2411892, 0.6922441, 0.0665668],
        [-0.0010505, 0.0418791, 0.7840713],
    ]
)
PROPHOTO = np.array(
    [
        [0.7976749, 0.1351917, 0.0313534],
        [0.2880402, 0.7118741, 0.0000857],
        [0.0, 0.0, 0.8252100],
    ]
)
D50 = (0.9642, 1.0, 0.8249)


def make_profile(
    device: bytes, space: bytes, tags: dict[bytes, bytes], title: bytes = b"a test's own"
) -> bytes:
    """Return an ICC profile, version 2, of these tags beside those that every one has."""
    white = b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(65536 * v)) for v in D50)
    name = title + b"\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": white,
        **tags,
    }
    table, content = struct.pack(">I", len(tags)), b""
    for tag, body in tags.items():
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(content), len(body))
        content += body + bytes(-len(body) % 4)
    illuminant = b"".join(struct.pack(">i", round(65536 * v)) for v in D50)
    connection = b"Lab " if b"A2B0" in tags else b"XYZ "
    head = struct.pack(
        ">I4sI4s4s4s", 128 + len(table + content), bytes(4), 0x02400000, device, space, connection
    )
    head += bytes(12) + b"acsp" + bytes(28) + illuminant
    return head.ljust(128, b"\0") + table + content


def gamma_curve(gamma: float) -> bytes:
    """Return a curve of a profile that is a power."""
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * gamma))


def table_curve(light: npt.NDArray[np.float64]) -> bytes:
    """Return a curve of a profile that is a table of light in [0, 1]."""
    table = np.rint(light * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", table.size) + table.tobytes()


def formula_curve(kind: int, *numbers: float) -> bytes:
    """Return a curve of a profile that is a formula of a kind from 0 to 4."""
    fixed = struct.pack(f">{len(numbers)}i", *(round(65536 * number) for number in numbers))
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + fixed


SRGB_CURVE = formula_curve(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def make_grey_profile(curve: bytes, title: bytes = b"a test's own") -> bytes:
    """Return the profile of grey with this curve."""
    return make_profile(b"mntr", b"GRAY", {b"kTRC": curve}, title)


def make_rgb_profile(
    primaries: npt.NDArray[np.float64], gamma: float | bytes, title: bytes = b"a test's own"
) -> bytes:
    """Return the profile of a screen with these primaries, and one gamma or curve."""
    curve = gamma if isinstance(gamma, bytes) else gamma_curve(gamma)
    tags = {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True):
        tags[tag] = (
            b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(65536 * v)) for v in column)
        )
    return make_profile(b"mntr", b"RGB ", tags, title)


def make_cmyk_profile() -> bytes:
    """Return the profile of a press whose cyan is green: ink takes away lightness, cyan also a*."""
    grid = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    nodes = b"".join(
        bytes((max(0, 255 - 100 * c - 50 * (m + y) - 255 * k), 128 - 80 * c, 128))
        for c, m, y, k in grid
    )
    ramp = bytes(range(256))
    identity = b"".join(struct.pack(">i", v) for v in (65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + 4 * ramp + nodes + 3 * ramp
    return make_profile(b"prtr", b"CMYK", {b"A2B0": lut})


def to_srgb(colour: Any, primaries: npt.NDArray[np.float64], gamma: float) -> Any:
    """Return what a colour of 8 bits is in sRGB."""
    return light_to_srgb((np.asarray(colour) / 255) ** gamma, primaries)


def light_to_srgb(light: Any, primaries: npt.NDArray[np.float64]) -> Any:
    """Return light (..., 3) of these primaries in levels of sRGB, by IEC 61966-2-1."""
    linear = (light @ (np.linalg.inv(SRGB) @ primaries).T).clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
