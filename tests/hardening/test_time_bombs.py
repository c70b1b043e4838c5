"""Files that would take minutes to hours, or for ever: the tests would not end."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import Job, MapTask, PhotoFailure, Result, do_job
from blurmapper.decoding import read_metadata, read_stored
from blurmapper.errors import ConfigError, DatasetError, ImageError, WeightsError
from blurmapper.images import read_image
from blurmapper.ranking.boxes import read_boxes
from blurmapper.ranking.picks import read_picks
from blurmapper.splits import select_names
from blurmapper.weights import read_card
from tests.decoding.making import encode, make_scene, plain_tiff
from tests.decoding.test_raw import make_dng

SCENE = make_scene(64, 64)
TERABYTE = 1 << 40


def map_to_nothing(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return np.zeros(image.shape[:2], np.float32)


def do(photo: Path) -> Result | PhotoFailure:
    """Map a photo as the command does, which keeps a digest of it."""
    return do_job(Job(photo, photo.with_name("out"), inode=[1, 1]), MapTask(""), map_to_nothing)


def test_a_terabyte_of_holes_is_refused_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.touch()
    os.truncate(path, TERABYTE)
    result = do(path)
    assert isinstance(result, PhotoFailure)
    assert result.reason.startswith("not an image file that can be read; ")


def test_a_photo_with_a_terabyte_of_holes_behind_it_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(encode(SCENE, "JPEG"))
    os.truncate(path, TERABYTE)
    result = do(path)
    assert isinstance(result, Result)
    assert result.content


@pytest.mark.skipif(not os.path.exists("/proc/self/pagemap"), reason="needs Linux")  # noqa: PTH110
@pytest.mark.parametrize("name", ["self/pagemap", "kmsg"])
def test_a_file_of_the_system_without_an_end_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.symlink_to(f"/proc/{name}")
    result = do(path)
    assert isinstance(result, PhotoFailure)
    assert "\n" not in result.reason


@pytest.mark.parametrize("read", [read_boxes, read_picks, read_card, lambda p: select_names([], p)])
def test_a_list_or_card_of_a_terabyte_is_refused(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.touch()
    os.truncate(path, TERABYTE)
    with pytest.raises((ConfigError, DatasetError, WeightsError), match=r"x\.json: .*over .* MB"):
        read(path)


@pytest.mark.parametrize("kind", ["P1", "P2", "P3"])
def test_comments_in_a_plain_picture_are_passed_over(kind: str) -> None:
    mode = {"P1": "1", "P2": "L", "P3": "RGB"}[kind]
    pixels = np.asarray(PIL.Image.fromarray(SCENE).convert(mode)).astype(int)
    numbers = [str(value) for value in (1 - pixels if kind == "P1" else pixels).ravel()]
    head = f"{kind} # one\n64 64 # two\r" + ("" if kind == "P1" else "255\n")
    comments = "#\n" * 4_000_000
    file = f"{head}{' '.join(numbers[:99])}\n{comments}{' '.join(numbers[99:])} # end"
    expected = np.asarray(PIL.Image.fromarray(SCENE).convert(mode).convert("RGB"))
    np.testing.assert_array_equal(read_image(file.encode()), expected)


@pytest.mark.parametrize("kind", ["P2", "P4", "P6", "Pf"])
def test_a_header_of_megabytes_is_refused(kind: str) -> None:
    long = "#\n" if kind == "P4" else " "
    file = f"{kind}\n64 {long * 70_000}64 255\n".encode() + bytes(64 * 64 * 12)
    with pytest.raises(ImageError, match="over 65,536 bytes before its pixels"):
        read_image(file)


def test_a_header_with_some_comments_is_read() -> None:
    head = b"P6\n" + b"# text 1 2 3\n" * 4_000 + b"64#\n 64 #\r255\n"
    np.testing.assert_array_equal(read_image(head + SCENE.tobytes()), SCENE)


def exif(count: int) -> bytes:
    segment = b"Exif\0\0" + bytes(65_527)
    file = encode(SCENE, "JPEG")
    return (
        file[:2] + (b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment) * count + file[2:]
    )


def test_a_jpeg_of_many_segments_of_exif_is_refused() -> None:
    assert read_image(exif(100)).shape == SCENE.shape
    file = exif(101)
    for read in (read_image, lambda file: read_stored(io.BytesIO(file), "x")):
        with pytest.raises(ImageError, match="a JPEG of over 100 segments of EXIF is no photo"):
            read(file)
    with pytest.raises(ValueError, match="over 100 segments of EXIF"):
        read_metadata(io.BytesIO(file))


def scans(side: int, count: int) -> bytes:
    """Return a JPEG that goes over itself again and again."""
    file = encode(PIL.Image.new("RGB", (side, side)), "JPEG", progressive=True)
    scan = file.rfind(b"\xff\xda")
    return file[:scan] + file[scan:-2] * count + file[-2:]


def test_a_raw_photo_whose_preview_goes_over_itself_is_developed() -> None:
    pytest.importorskip("rawpy", reason="the extra photo is not installed")
    scene = make_scene(64, 64)
    assert not read_image(make_dng(scene, preview=scans(64, 90))).any()
    assert read_image(make_dng(scene, preview=scans(64, 200))).any()


@pytest.mark.parametrize(("compression", "model", "bits"), [(7, 2, 16), (34892, 34892, 8)])
def test_a_tiff_or_dng_of_a_jpeg_that_goes_over_itself_is_refused(
    compression: int, model: int, bits: int
) -> None:
    if model == 34892:
        pytest.importorskip("rawpy", reason="the extra photo is not installed")
    tags = {256: (64,), 257: (64,), 258: (bits,) * 3, 259: (compression,), 262: (model,)}
    tags |= {277: (3,), 278: (64,)} | ({50706: (0x101,)} if model == 34892 else {})
    with pytest.raises(ImageError, match="a JPEG of over 100 scans is no photo; save it anew"):
        read_image(plain_tiff(tags, scans(64, 200)))
