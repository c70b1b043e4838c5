"""No pixel that is shown comes from memory that nobody wrote."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from .making import COLOURS, COVER, chunk, png, tiff, with_depth
from .making_profiles import ADOBE_RGB, make_rgb_profile

READ_ALL = """
import ctypes, hashlib, pathlib, sys
from blurmapper.images import read_image
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
# Blocks too large for the C library's cache of freed ones, which are handed out as they are.
print("memory", ctypes.string_at(malloc(100_000), 100_000)[50_000:50_010].hex())
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        image = read_image(path)
    except Exception as error:
        print(path.name, "refused", str(error).partition(": ")[2])
    else:
        print(path.name, image.shape, image.dtype, hashlib.sha256(image.tobytes()).hexdigest())
"""


MAKE_SEEDS = """
import pathlib, sys
from benchmarks.hardening.seeds import make_seeds
for name, content in make_seeds().items():
    (pathlib.Path(sys.argv[1]) / name).write_bytes(content)
"""
ROOT = Path(__file__).parents[2]


def run_python(code: str, folder: Path, environment: dict[str, str] | None = None) -> list[str]:
    """Run code on a folder, and return the lines that it prints."""
    command = [sys.executable, "-c", code, str(folder)]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )
    return run.stdout.splitlines()


def make_files() -> dict[str, bytes]:
    """Return files of the depths and layouts of TIFF and PNG, and deep ones of JPEG 2000."""
    rgba = np.concatenate([COLOURS / 255, COVER], axis=2)
    profile = make_rgb_profile(ADOBE_RGB, 1.8)
    files: dict[str, bytes] = {}
    for dtype in ("u1", "u2", "u4", "f2", "f4"):
        for separate in (False, True):
            for name, options in {
                "strips": {"rowsperstrip": 7},
                "tiles": {"tile": (32, 16), "compression": "lzw"},
                "zip": {"compression": "zlib", "predictor": True, "iccprofile": profile},
            }.items():
                files[f"tiff-{dtype}-{separate}-{name}"] = tiff(
                    with_depth(rgba, dtype),
                    separate=separate,
                    photometric="rgb",
                    extrasamples=["assocalpha"],
                    **options,
                )
    for channels in (1, 2, 3, 4):
        deep = with_depth(rgba[..., :channels], "u2").squeeze()
        files[f"jpeg-2000-{channels}"] = bytes(imagecodecs.jpeg2k_encode(deep, level=40))
    for bits in (8, 16):
        samples = np.rint(rgba * (2**bits - 1))
        for channels in (1, 2, 3, 4):
            files[f"png-{bits}-{channels}"] = png(
                samples[..., :channels], bits, before=chunk(b"gAMA", b"\0\0\x80\0")
            )
    return files


def with_what_is_left(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return files, and what is left of each when it is cut short or partly zeroed."""
    for name, content in list(files.items()):
        for share in (0.4, 0.9, 0.999):
            files[f"{name}-cut-{share}"] = content[: int(share * len(content))]
        middle = len(content) * 2 // 3
        files[f"{name}-zeroed"] = content[:middle] + bytes(60) + content[middle + 60 :]
    return files


@pytest.mark.slow
def test_every_file_is_read_the_same_whatever_memory_held_before(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux") or not hasattr(
        ctypes.CDLL(None), "gnu_get_libc_version"
    ):
        pytest.skip("only the C library of GNU can be told what memory holds")
    folder = tmp_path / "files"
    folder.mkdir()
    run_python(MAKE_SEEDS, folder)
    seeds = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, content in with_what_is_left(seeds | make_files()).items():
        (folder / name).write_bytes(content)

    def read_over(byte: int) -> list[str]:
        environment = os.environ | {
            "MALLOC_PERTURB_": str(255 - byte),
            "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
            "OMP_NUM_THREADS": "1",
        }
        lines = run_python(READ_ALL, folder, environment)
        assert lines[0] == f"memory {bytes([byte] * 10).hex()}"
        return lines[1:]

    first, second = read_over(0x35), read_over(0xC9)
    assert len(first) > 400
    assert [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]] == []
