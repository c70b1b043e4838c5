"""What a program has set for its whole process: photos are read as ever, and it stays set."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ImageFile

from blurmapper.decoding import ignore_underflow
from blurmapper.decoding.opening import decode_safely
from blurmapper.decoding.settings import own_settings
from blurmapper.errors import ImageError
from blurmapper.evaluation.maps import read_any_map
from blurmapper.images import read_image
from blurmapper.masks import read_mask

from .making import encode

Photo = npt.NDArray[np.uint8]

KINDS = ("JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP", "AVIF")


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Pillow refuse what has over 20 pixels."""
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_of_pixels_is_not_for_photos(sharp_photo: Photo, kind: str) -> None:
    assert read_image(encode(sharp_photo, kind)).shape == sharp_photo.shape
    assert PIL.Image.MAX_IMAGE_PIXELS == 10


def test_a_limit_of_pixels_is_not_for_pictures_that_are_open(
    sharp_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PIL.Image.open(io.BytesIO(encode(sharp_photo, "TIFF"))) as picture:
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)
        np.testing.assert_array_equal(read_image(picture), sharp_photo)


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("read", [read_mask, lambda path: read_any_map(path, "blurred")])
def test_a_limit_of_pixels_is_not_for_masks_and_maps(read: object, tmp_path: Path) -> None:
    assert callable(read)
    path = tmp_path / "white.png"
    PIL.Image.new("L", (40, 30), 255).save(path)
    assert read(path).shape == (30, 40)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "AVIF"])
def test_half_a_photo_is_refused_where_a_program_takes_halves(
    sharp_photo: Photo, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = encode(sharp_photo, kind)
    with pytest.raises(ImageError):
        read_image(whole[: len(whole) // 2])
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_warning_of_pillow_is_no_error_where_a_program_makes_it_one(sharp_photo: Photo) -> None:
    jpeg = encode(sharp_photo, "JPEG")
    index = b"MPF\0no index"
    odd = jpeg[:2] + b"\xff\xe2" + struct.pack(">H", 2 + len(index)) + index + jpeg[2:]
    with warnings.catch_warnings(action="error"):
        with pytest.raises(UserWarning, match="malformed MPO"):
            PIL.Image.open(io.BytesIO(odd))
        np.testing.assert_array_equal(read_image(odd), read_image(jpeg))


def test_photos_read_at_a_time_leave_a_program_its_filters_of_warnings() -> None:
    entered, left = Event(), Event()
    warned: set[str] = set()

    def read(name: str) -> None:
        if name not in warned:
            warned.add(name)
            raise UserWarning("odd metadata")
        warnings.warn("more of it", stacklevel=1)
        if name == "first.jpg":
            others.append(pool.submit(decode_safely, lambda: read("second.jpg"), "second.jpg"))
            entered.wait()
        else:
            entered.set()
            left.wait()

    others: list[Future[None]] = []
    with warnings.catch_warnings(action="error"):
        with ThreadPoolExecutor(1) as pool:
            decode_safely(lambda: read("first.jpg"), "first.jpg")
            left.set()
            others[0].result()
        with pytest.raises(UserWarning, match="mine"):
            warnings.warn("mine", stacklevel=1)


def pillow_reads(file: bytes) -> bool:
    """Say whether Pillow opens and loads a file, as a program may have it do."""
    try:
        with PIL.Image.open(io.BytesIO(file)) as picture:
            picture.load()
    except (OSError, PIL.Image.DecompressionBombError):
        return False
    return True


@pytest.mark.parametrize("limit", [10, 10.0])
def test_what_a_program_sets_holds_for_all_its_threads_but_the_one_that_reads(
    limit: float, sharp_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = encode(sharp_photo, "JPEG")
    half = whole[: len(whole) // 2]
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with ThreadPoolExecutor(1) as others, own_settings():
        with own_settings():
            assert not pillow_reads(half)
        assert not pillow_reads(half)
        assert others.submit(pillow_reads, half).result()
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", limit)
        with own_settings():
            assert pillow_reads(whole)
            assert not others.submit(pillow_reads, whole).result()
            assert not others.submit(pillow_reads, half).result()
    assert not pillow_reads(whole)
    assert PIL.Image.MAX_IMAGE_PIXELS == limit
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_what_a_program_sets_while_a_photo_is_read_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)
    with own_settings():
        assert ImageFile.LOAD_TRUNCATED_IMAGES is False
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 20)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    assert PIL.Image.MAX_IMAGE_PIXELS == 20


@pytest.mark.parametrize("limit", [None, float("inf")])
def test_no_limit_is_left_alone(limit: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", limit)
    with own_settings():
        assert PIL.Image.MAX_IMAGE_PIXELS is limit


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")
def test_a_fork_while_a_photo_is_read_keeps_what_the_program_has_set() -> None:
    script = """
import io, os, threading
import PIL.Image
from blurmapper.decoding.settings import own_settings

file = io.BytesIO()
PIL.Image.new("L", (9, 9)).save(file, "PNG")
PIL.Image.MAX_IMAGE_PIXELS = 10
reading, forked = threading.Event(), threading.Event()


def read():
    with own_settings():
        reading.set()
        forked.wait()


thread = threading.Thread(target=read)
thread.start()
reading.wait()
child = os.fork()
if not child:
    with own_settings():
        PIL.Image.open(file)
    try:
        PIL.Image.open(file)
    except PIL.Image.DecompressionBombError:
        os._exit(0)
    os._exit(1)
forked.set()
thread.join()
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_what_a_program_has_set_for_small_numbers_is_put_back() -> None:
    @ignore_underflow()
    def halve(times: int) -> np.float32:
        assert np.geterr()["under"] == "ignore"
        return halve(times - 1) / np.float32(2) if times else np.float32(1e-45)

    with np.errstate(under="raise"):
        assert halve(3) == 0
        assert np.geterr()["under"] == "raise"
