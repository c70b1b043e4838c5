"""Photos of one size go through the network together, and come out as one by one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.backends import OnnxBackend
from blurmapper.errors import ConfigError, ImageError
from blurmapper.images import write_image
from blurmapper.mapper import BlurMapper

Photo = npt.NDArray[np.uint8]

SIZES = [(40, 60), (40, 60), (60, 40), (20, 3000), (20, 3000), (40, 60)]


class Watched:
    """A backend that remembers how many photos it was given at a time."""

    def __init__(self, path: Path) -> None:
        self._backend = OnnxBackend(path, threads=1)
        self.runs: list[int] = []

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.runs.append(len(batch))
        return self._backend.run(batch)

    def run_kinds(
        self, batch: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        raise NotImplementedError


@pytest.fixture
def photos() -> list[Photo]:
    """Some that follow each other have one size; two are so long that they are cut."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]


@pytest.mark.parametrize("batch", [1, 2, 8])
@pytest.mark.parametrize("refine", [True, False])
def test_the_maps_are_those_of_one_by_one_in_order(
    batch: int, refine: bool, photos: list[Photo], tiny_weights: Path
) -> None:
    mapper = BlurMapper(tiny_weights, refine=refine, threads=1)
    found = list(mapper.map_many(photos, batch=batch))
    for blur_map, photo in zip(found, photos, strict=True):
        np.testing.assert_allclose(blur_map, mapper(photo), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_array_may_be_filled_anew_for_each_photo(dtype: Any, tiny_weights: Path) -> None:
    rng = np.random.default_rng(0)
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    # Every other one is black all over, and so has quite another map.
    frames = [(white * rng.random((40, 60, 3)) * (at % 2)).astype(dtype) for at in range(4)]

    def fill() -> Iterator[npt.NDArray[Any]]:
        held = np.empty_like(frames[0])
        for frame in frames:
            held[:] = frame
            yield held

    mapper = BlurMapper(tiny_weights, threads=1)
    found = list(mapper.map_many(fill()))
    np.testing.assert_array_equal(found, list(mapper.map_many(frames)))
    assert not np.allclose(found[0], found[1], atol=1e-3)


def test_photos_of_one_size_are_run_together(photos: list[Photo], tiny_weights: Path) -> None:
    watched = Watched(tiny_weights)
    mapper = BlurMapper(tiny_weights, backend=watched)
    assert len(list(mapper.map_many([*photos[:3], *photos[:1] * 5], batch=4))) == 8
    assert watched.runs == [2, 1, 4, 1]


def test_photos_are_read_as_their_maps_are_asked_for(
    photos: list[Photo], tiny_mapper: BlurMapper
) -> None:
    taken = []

    def watch() -> Iterator[Photo]:
        for number in range(1000):
            taken.append(number)
            yield photos[0]

    maps = tiny_mapper.map_many(watch(), batch=3)
    assert not taken
    next(maps)
    assert len(taken) == 3


def test_maps_of_photos_before_a_bad_one_are_not_lost(
    photos: list[Photo], tiny_mapper: BlurMapper
) -> None:
    maps = tiny_mapper.map_many([photos[0], photos[1], b"no photo"])
    assert next(maps).shape == next(maps).shape == (40, 60)
    with pytest.raises(ImageError, match="not an image file"):
        next(maps)


def test_one_photo_needs_no_list(
    photos: list[Photo], tiny_mapper: BlurMapper, tmp_path: Path
) -> None:
    photo, path = photos[0], tmp_path / "a.png"
    write_image(photo, path)
    content = path.read_bytes()
    sources = (path, str(path), content, io.BytesIO(content), PIL.Image.fromarray(photo), photo)
    for source in sources:
        (found,) = tiny_mapper.map_many(source)
        np.testing.assert_array_equal(found, tiny_mapper(photo))
    assert [found.shape for found in tiny_mapper.map_many(photo[..., 0])] == [photo.shape[:2]]


def test_stacks_and_arrays_of_paths_are_several(
    photos: list[Photo], tiny_mapper: BlurMapper, tmp_path: Path
) -> None:
    assert len(list(tiny_mapper.map_many(np.stack([photos[0]] * 3)))) == 3
    write_image(photos[0], tmp_path / "a.png")
    assert len(list(tiny_mapper.map_many(np.array([str(tmp_path / "a.png")] * 2)))) == 2


def test_what_is_no_photo_is_named(tiny_mapper: BlurMapper) -> None:
    none: Any = None
    with pytest.raises(ImageError, match="a NoneType is not a photo"):
        next(tiny_mapper.map_many(none))


def test_no_photos_give_no_maps(tiny_mapper: BlurMapper) -> None:
    assert not list(tiny_mapper.map_many([]))


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_of_none_is_refused_at_once(batch: int, tiny_mapper: BlurMapper) -> None:
    with pytest.raises(ConfigError, match=f"batch is {batch}; use 1 or more"):
        tiny_mapper.map_many([], batch=batch)
