"""What broken files brought to light, each in the smallest form."""

from __future__ import annotations

import gc
import io
import os
import struct
import subprocess
import sys
import weakref
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import (
    Job,
    MapTask,
    Outputs,
    PhotoFailure,
    Result,
    do_job,
    run_in_threads,
)
from blurmapper.errors import ImageError
from blurmapper.images import encode_image, encode_map, read_image, read_photo
from blurmapper.mapper import BlurMapper
from blurmapper.ranking.measuring import MeasureTask

Photo = npt.NDArray[np.uint8]


def encode(picture: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png(height: int, width: int, rows: int) -> bytes:
    """Return a grey PNG file that claims a size and holds so many rows."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(width + 1) * rows)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def bare_dng() -> bytes:
    """Return a DNG file whose first picture is a grey mosaic of 32 x 48 pixels."""
    tags = [
        *((256, 4, 48), (257, 4, 32), (258, 3, 16), (259, 3, 1), (262, 3, 32803), (273, 4, 8)),
        *((277, 3, 1), (278, 4, 32), (279, 4, 32 * 48 * 2), (33421, 3, 2 | 2 << 16)),
        *((33422, 1, 0x02010100), (50706, 1, 0x401)),
    ]
    pixels = np.full((32, 48), 20_000, "<u2").tobytes()
    entries = b"".join(
        struct.pack("<HHII", tag, kind, {33421: 2, 33422: 4, 50706: 4}.get(tag, 1), value)
        for tag, kind, value in tags
    )
    head = b"II*\0" + struct.pack("<I", 8 + len(pixels))
    return head + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_map_of_a_turned_tiff_has_the_size_of_the_turned_photo(
    orientation: int, tmp_path: Path, tiny_mapper: BlurMapper
) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.tif"
    path.write_bytes(encode(PIL.Image.new("RGB", (40, 20)), "TIFF", exif=exif.tobytes()))
    result = do_job(
        Job(path, tmp_path / "turned"), MapTask("", outputs=Outputs(overlay=True)), tiny_mapper
    )
    assert isinstance(result, Result)
    assert (result.values["height"], result.values["width"]) == (
        (40, 20) if orientation > 4 else (20, 40)
    )
    with PIL.Image.open(result.files["map"]) as blur_map:
        assert blur_map.size == (result.values["width"], result.values["height"])


def test_many_pixels_from_next_to_nothing_are_refused_before_they_fill_memory() -> None:
    with pytest.raises(ImageError, match=r"20000 x 20000 pixels in [\d,]+ bytes is no photo"):
        read_image(png(20_000, 20_000, rows=1))


def test_a_jpeg_that_goes_over_itself_for_ever_is_refused() -> None:
    file = encode(PIL.Image.new("L", (64, 64)), "JPEG", progressive=True)
    scan = file.rfind(b"\xff\xda")
    assert read_image(file[:scan] + file[scan:-2] * 10 + file[-2:]).shape == (64, 64, 3)
    with pytest.raises(ImageError, match="a JPEG of over 100 scans is no photo; save it anew"):
        read_image(file[:scan] + file[scan:-2] * 200 + file[-2:])


def test_a_photo_may_be_large_and_plain() -> None:
    photo = read_photo(encode(PIL.Image.new("L", (10_001, 10_001)), "JPEG"), least_pixels=1_000)
    assert (photo.height, photo.width) == (10_001, 10_001)


@pytest.mark.parametrize("size", [(2, 1_000_001), (1_000_001, 2)])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_map_of_over_a_million_pixels_a_side_is_written(size: tuple[int, int], bits: Any) -> None:
    content = encode_map(np.ones(size, np.float32), "map.png", bits=bits)
    with PIL.Image.open(io.BytesIO(content)) as picture:
        assert picture.size == size[::-1]
        assert picture.getextrema() == (2**bits - 1, 2**bits - 1)


def test_a_picture_too_long_for_its_format_is_named() -> None:
    with pytest.raises(ImageError, match=r"^x\.jpg: JPEG takes no 70000 x 16 pixels; reduce"):
        encode_image(np.zeros((16, 70_000, 3), np.uint8), "x.jpg")


def test_a_photo_far_higher_than_wide_is_mapped_as_one_far_wider_than_high(
    tiny_mapper: BlurMapper,
) -> None:
    wide = np.random.default_rng(0).integers(0, 256, (16, 60_000, 3), np.uint8)
    high = np.ascontiguousarray(wide.swapaxes(0, 1))
    np.testing.assert_allclose(tiny_mapper(high).T, tiny_mapper(wide), atol=1e-3)


def test_a_raw_photo_without_a_thumbnail_is_developed() -> None:
    pytest.importorskip("rawpy", reason="the extra photo is not installed")
    assert read_image(bare_dng()).shape == (32, 48, 3)


def test_a_failure_does_not_keep_the_photo_in_memory(tmp_path: Path) -> None:
    kept: list[weakref.ref[Any]] = []

    def fails(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        kept.append(weakref.ref(image))
        raise MemoryError

    path = tmp_path / "x.png"
    PIL.Image.new("RGB", (20, 20)).save(path)
    failure = do_job(Job(path, tmp_path / "x"), MapTask(""), fails)
    gc.collect()
    assert isinstance(failure, PhotoFailure)
    assert kept[0]() is None


def test_a_ranking_goes_on_after_a_method_broke_down(tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, grey in zip(paths, (0, 255), strict=True):
        PIL.Image.new("RGB", (20, 20), (grey,) * 3).save(path)

    def fails_on_black(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        if not image.any():
            raise MemoryError
        return np.zeros(image.shape[:2], np.float32)

    black, white = run_in_threads(map(Job, paths), MeasureTask(""), fails_on_black)
    assert isinstance(black, PhotoFailure)
    assert black.reason.startswith("cannot be mapped (MemoryError); ")
    assert white.photo == paths[1] and not isinstance(white, PhotoFailure)


def test_codecs_do_not_write_to_the_terminal(tmp_path: Path, sharp_photo: Photo) -> None:
    deep = cv2.imencode(".png", sharp_photo.astype(np.uint16) * 257)[1].tobytes()
    middle = len(deep) // 2
    (tmp_path / "a.png").write_bytes(deep[:middle] + b"\0\1\2\3" + deep[middle + 4 :])
    tiff = bytearray(
        encode(PIL.Image.fromarray(sharp_photo), "TIFF", compression="tiff_adobe_deflate")
    )
    tiff[-40:-20] = bytes(20)
    (tmp_path / "b.tif").write_bytes(bytes(tiff))
    samples = bytearray(encode(PIL.Image.fromarray(sharp_photo), "TIFF"))
    place = samples.find(b"\x15\x01\x03\0") + 8
    samples[place : place + 2] = b"\xff\xff"
    (tmp_path / "c.tif").write_bytes(bytes(samples))
    code = (
        "import sys, pathlib; from blurmapper.commands._output import quiet_codecs\n"
        "from blurmapper.images import read_image\n"
        "def read(path):\n"
        "    try: read_image(path)\n"
        "    except Exception: pass\n"
        "    print('read', path.name, file=sys.stderr)\n"
        "paths = sorted(pathlib.Path(sys.argv[1]).iterdir())\n"
        "if sys.argv[2] == 'loud': [read(path) for path in paths]\n"
        "else:\n"
        "    with quiet_codecs(): [read(path) for path in paths]\n"
        "print('end', file=sys.stderr)\n"
    )

    def lines(how: str) -> list[str]:
        command = [sys.executable, "-c", code, str(tmp_path), how]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        return run.stderr.splitlines()

    assert lines("quiet") == ["read a.png", "read b.tif", "read c.tif", "end"]
    assert len(lines("loud")) > 3


def test_without_a_standard_error_codecs_need_no_quiet() -> None:
    code = (
        "from blurmapper.commands._output import quiet_codecs\n"
        "with quiet_codecs(): print('inside')\n"
    )
    run = subprocess.run(
        ["/bin/sh", "-c", '"$0" -c "$1" 2>&-', sys.executable, code],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ,
    )
    assert run.stdout == "inside\n"
