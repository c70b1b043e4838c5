"""What a photo may come as: paths, bytes and open files of every kind."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path
from tempfile import SpooledTemporaryFile

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.errors import ImageError
from blurmapper.images import read_image

Photo = npt.NDArray[np.uint8]


def encode(photo: Photo) -> bytes:
    """Return a photo as a PNG file."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(photo).save(buffer, "PNG")
    return buffer.getvalue()


class Somewhere:
    """A path as other libraries have them."""

    def __init__(self, path: Path, *, raw: bool) -> None:
        self.path = os.fsencode(path) if raw else str(path)

    def __fspath__(self) -> str | bytes:
        return self.path


@pytest.mark.parametrize("raw", [False, True])
def test_any_path_is_one(raw: bool, tmp_path: Path, sharp_photo: Photo) -> None:
    path = tmp_path / "写真.png"
    path.write_bytes(encode(sharp_photo))
    np.testing.assert_array_equal(read_image(Somewhere(path, raw=raw)), sharp_photo)


def test_a_missing_file_is_named_by_any_path(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.png: no such file"):
        read_image(Somewhere(tmp_path / "none.png", raw=True))


def test_bytes_of_every_kind_are_a_files_content(sharp_photo: Photo) -> None:
    content = encode(sharp_photo)
    wide = np.frombuffer(content + bytes(-len(content) % 4), np.uint32)
    for source in (bytearray(content), memoryview(content), wide.data):
        np.testing.assert_array_equal(read_image(source), sharp_photo)


def test_an_open_file_is_read_from_its_start_and_left_open(
    tmp_path: Path, sharp_photo: Photo
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encode(sharp_photo))
    with path.open("rb") as stream:
        stream.seek(100)
        np.testing.assert_array_equal(read_image(stream), sharp_photo)
        np.testing.assert_array_equal(read_image(stream), sharp_photo)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.write(path, "photo.png")
    with zipfile.ZipFile(tmp_path / "photos.zip") as archive, archive.open("photo.png") as member:
        np.testing.assert_array_equal(read_image(member), sharp_photo)


def test_files_that_others_open_are_open_files_for_types_too(sharp_photo: Photo) -> None:
    packed = io.BytesIO(gzip.compress(encode(sharp_photo)))
    with gzip.GzipFile(fileobj=packed) as unpacked, SpooledTemporaryFile() as spooled:
        spooled.write(encode(sharp_photo))
        np.testing.assert_array_equal(read_image(unpacked), sharp_photo)
        np.testing.assert_array_equal(read_image(spooled), sharp_photo)


def test_a_pipe_that_is_open_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as sink:
        sink.write(encode(np.full((20, 20, 3), 90, np.uint8)))
    with os.fdopen(reading, "rb") as stream:
        assert (read_image(stream) == 90).all()


def test_a_file_that_is_open_as_text_or_closed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"text")
    with path.open() as stream, pytest.raises(ImageError, match=r"photo\.png: gives no bytes"):
        read_image(stream)  # type: ignore[arg-type]
    closed = path.open("rb")
    closed.close()
    with pytest.raises(ImageError, match=r"photo\.png: cannot be read \(.*closed file"):
        read_image(closed)


def test_a_pipe_without_a_buffer_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as sink:
        sink.write(encode(np.full((20, 20, 3), 90, np.uint8)))
    with os.fdopen(reading, "rb", 0) as stream:
        assert (read_image(stream) == 90).all()  # type: ignore[arg-type]


def test_a_member_of_an_archive_that_is_damaged_is_one_line() -> None:
    whole = gzip.compress(encode(np.full((20, 20, 3), 90, np.uint8)))
    with (
        gzip.open(io.BytesIO(whole[:-12])) as stream,
        pytest.raises(ImageError, match=r"cannot be read \(.*\); open it anew"),
    ):
        read_image(stream)
