"""Arrays of every shape, dtype and layout: a right answer, or one clear error."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blurmapper import (
    BlurMapper,
    blur_degree,
    draw_overlay,
    magnify_blur,
    read_image,
    read_map,
    refine_map,
    segment_blur,
    write_map,
)
from blurmapper.errors import ImageError, MissingExtraError

Array = npt.NDArray[Any]

SIDES = st.one_of(st.integers(1, 48), st.sampled_from([1, 2, 15, 16, 17, 700, 2000]))
SIZES = st.tuples(SIDES, SIDES).filter(lambda size: size[0] * size[1] <= 40_000)
IMAGE_DTYPES = (np.uint8, np.uint16, np.float32)
ODD_VALUES = (np.nan, np.inf, -np.inf, -0.1, 1.1, 255.0, 1e30)

patient = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def layouts(draw: st.DrawFn) -> Callable[[Array], Array]:
    """Return a way to hold the same values elsewise in memory."""
    ways: list[Callable[[Array], Array]] = [
        lambda array: array,
        lambda array: np.asfortranarray(array),
        lambda array: array[::-1].copy()[::-1],
        lambda array: array[:, ::-1].copy()[:, ::-1],
        lambda array: array.repeat(2, axis=0)[::2],
        lambda array: array.swapaxes(0, 1).copy().swapaxes(0, 1),
        read_only,
    ]
    return draw(st.sampled_from(ways))


def read_only(array: Array) -> Array:
    """Return a copy that cannot be written to."""
    copy = array.copy()
    copy.setflags(write=False)
    return copy


def noise(shape: tuple[int, ...], dtype: Any, seed: int) -> Array:
    """Return texture of the whole range of a dtype."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@st.composite
def images(draw: st.DrawFn) -> Array:
    """Return an RGB image: noise, or all of one value."""
    size, dtype = draw(SIZES), draw(st.sampled_from(IMAGE_DTYPES))
    image = noise((*size, 3), dtype, draw(st.integers(0, 9)))
    if draw(st.booleans()):
        image[:] = image[0, 0]
    return draw(layouts())(image)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Array, Array]:
    """Return an image and a blur map of its size."""
    image = draw(images())
    blur_map = noise(image.shape[:2], np.float32, draw(st.integers(0, 9)))
    if draw(st.booleans()):
        blur_map[:] = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
    return image, draw(layouts())(blur_map)


@st.composite
def wrong_images(draw: st.DrawFn) -> Array:
    """Return an array that is no RGB image of uint8, uint16 or float32 in [0, 1]."""
    shapes = [(), (0,), (40,), (0, 40, 3), (40, 0, 3), (40, 40, 0), (40, 40, 2), (40, 40, 5)]
    right = (40, 40, 3)
    fault = draw(st.sampled_from(["shape", "dtype", "value"]))
    if fault == "shape":
        shape = draw(st.sampled_from([*shapes, (2, 40, 40, 3)]))
        return noise(shape, draw(st.sampled_from(IMAGE_DTYPES)), 0)
    if fault == "dtype":
        dtypes = [bool, np.int8, np.int16, np.int64, np.uint32, np.complex64, object, "U4", "M8[s]"]
        return np.zeros(right, draw(st.sampled_from(dtypes)))
    image = noise(right, np.float32, 0)
    image[draw(st.integers(0, 39)), 7, 1] = draw(st.sampled_from(ODD_VALUES))
    return image


@st.composite
def wrong_maps(draw: st.DrawFn) -> Array:
    """Return an array that is no blur map."""
    fault = draw(st.sampled_from(["shape", "dtype", "value"]))
    if fault == "shape":
        shape = draw(st.sampled_from([(), (0,), (40,), (0, 40), (40, 0), (40, 40, 1)]))
        return noise(shape, np.float32, 0)
    if fault == "dtype":
        dtypes = [bool, np.uint8, np.uint16, np.int64, np.complex64, object, "U4"]
        return np.zeros((40, 40), draw(st.sampled_from(dtypes)))
    blur_map = noise((40, 40), np.float32, 0)
    blur_map[draw(st.integers(0, 39)), 7] = draw(st.sampled_from(ODD_VALUES))
    return blur_map


def assert_is_map(blur_map: Array, size: tuple[int, int]) -> None:
    assert blur_map.shape == size and blur_map.dtype == np.float32
    assert blur_map.min() >= 0 and blur_map.max() <= 1


def is_clear(error: BaseException) -> bool:
    """Say whether an error is one line that also names the mend."""
    return str(error).isprintable() and "; " in str(error)


@patient
@given(image=images())
def test_an_image_gives_a_map_of_its_size_or_is_too_small(
    tiny_mapper: BlurMapper, image: Array
) -> None:
    before = image.copy()
    try:
        assert_is_map(tiny_mapper(image), image.shape[:2])
    except ImageError as error:
        clear = is_clear(error)
        assert clear and min(image.shape[:2]) < 16
    np.testing.assert_array_equal(image, before)


@patient
@given(image=images().filter(lambda image: min(image.shape[:2]) >= 16), layout=layouts())
def test_the_layout_in_memory_does_not_matter(
    tiny_mapper: BlurMapper, image: Array, layout: Callable[[Array], Array]
) -> None:
    np.testing.assert_array_equal(tiny_mapper(layout(image)), tiny_mapper(image.copy()))


@patient
@given(image=wrong_images())
def test_what_is_no_image_is_refused_in_one_clear_line(
    tiny_mapper: BlurMapper, image: Array
) -> None:
    with pytest.raises(ImageError, check=is_clear):
        tiny_mapper(image)


@patient
@given(image=images(), size=SIZES, layout=layouts(), value=st.sampled_from([None, 0.0, 0.5, 1.0]))
def test_a_coarse_map_of_any_size_is_brought_to_the_images(
    image: Array, size: tuple[int, int], layout: Callable[[Array], Array], value: float | None
) -> None:
    size = min(size[0], image.shape[0]), min(size[1], image.shape[1])
    coarse = noise(size, np.float32, 1) if value is None else np.full(size, value, np.float32)
    assert_is_map(refine_map(image, layout(coarse)), image.shape[:2])


@patient
@given(pair=pairs())
def test_a_subject_is_a_mask_of_the_images_size(pair: tuple[Array, Array]) -> None:
    image, blur_map = pair
    mask = segment_blur(image, blur_map, working_side=64)
    assert mask.shape == blur_map.shape and mask.dtype == np.bool_


@patient
@given(pair=pairs(), strength=st.sampled_from([0.0, 0.01, 1.0, 8.0]))
@pytest.mark.parametrize("method", ["lens", "naive"])
def test_blur_is_magnified_within_the_images_range(
    method: Any, pair: tuple[Array, Array], strength: float
) -> None:
    image, blur_map = pair
    magnified = magnify_blur(image, blur_map, strength=strength, method=method)
    assert magnified.shape == image.shape and magnified.dtype == image.dtype
    assert magnified.min() >= 0 and magnified.max() <= (1 if image.dtype.kind == "f" else 65535)
    np.testing.assert_array_equal(magnified[blur_map <= 0.1], image[blur_map <= 0.1])


@patient
@given(pair=pairs())
@pytest.mark.parametrize("weighting", [None, "centre", "saliency"])
def test_a_blur_degree_is_within_its_maps_range(weighting: Any, pair: tuple[Array, Array]) -> None:
    image, blur_map = pair
    degree = blur_degree(blur_map, weighting=weighting, image=image)
    assert blur_map.min() - 1e-6 <= degree <= blur_map.max() + 1e-6
    assert 0 <= degree <= 1


@patient
@given(pair=pairs())
def test_an_overlay_is_a_picture_of_the_images_size(pair: tuple[Array, Array]) -> None:
    overlay = draw_overlay(*pair)
    assert overlay.shape == pair[0].shape and overlay.dtype == np.uint8


@patient
@given(
    size=SIZES,
    dtype=st.sampled_from([np.float16, np.float32, np.float64, ">f4"]),
    layout=layouts(),
    kind=st.sampled_from([("map.png", 8, 0.5 / 255), ("map.png", 16, 1e-5), ("map.npy", 8, 0)]),
)
def test_a_map_of_any_size_is_read_as_it_was_written(
    size: tuple[int, int],
    dtype: Any,
    layout: Callable[[Array], Array],
    kind: tuple[str, Any, float],
) -> None:
    name, bits, error = kind
    blur_map = layout(noise(size, np.float32, 3).astype(dtype))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_map(blur_map, path, bits=bits)
        read = read_map(path)
    assert_is_map(read, size)
    np.testing.assert_allclose(read, blur_map.astype(np.float32), rtol=0, atol=error + 1e-7)


PAIRED: dict[str, Callable[[Array, Array], object]] = {
    "refine_map": refine_map,
    "segment_blur": segment_blur,
    "magnify_blur": magnify_blur,
    "draw_overlay": draw_overlay,
    "blur_degree": lambda image, blur_map: blur_degree(blur_map, weighting="saliency", image=image),
}
RIGHT_IMAGE, RIGHT_MAP = noise((40, 40, 3), np.uint8, 0), noise((40, 40), np.float32, 0)


@patient
@given(image=wrong_images())
@pytest.mark.parametrize("name", PAIRED)
def test_what_is_no_image_beside_a_map_is_refused(name: str, image: Array) -> None:
    with pytest.raises(ImageError, check=is_clear):
        PAIRED[name](image, RIGHT_MAP)


@patient
@given(blur_map=wrong_maps())
@pytest.mark.parametrize("name", PAIRED)
def test_what_is_no_map_is_refused(name: str, blur_map: Array) -> None:
    with pytest.raises(ImageError, check=is_clear):
        PAIRED[name](RIGHT_IMAGE, blur_map)


@patient
@given(blur_map=wrong_maps(), ending=st.sampled_from(["png", "npy"]))
def test_what_is_no_map_is_not_written(blur_map: Array, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"map.{ending}"
        with pytest.raises(ImageError, check=is_clear):
            write_map(blur_map, path)
        assert not path.exists()


@pytest.mark.parametrize("name", [name for name in PAIRED if name != "refine_map"])
def test_a_map_of_another_size_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match="give the map of this photo"):
        PAIRED[name](RIGHT_IMAGE, RIGHT_MAP[:-1])


@patient
@given(content=st.binary(min_size=0, max_size=400), ending=st.sampled_from(["png", "npy"]))
def test_bytes_that_are_no_map_are_refused_in_one_clear_line(content: bytes, ending: str) -> None:
    head = b"\x93NUMPY\x01\x00" if ending == "npy" else b"\x89PNG\r\n\x1a\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"map.{ending}"
        path.write_bytes(head + content)
        with pytest.raises(ImageError, check=is_clear):
            read_map(path)


@patient
@given(content=st.binary(max_size=400))
def test_bytes_that_are_no_image_are_refused_in_one_clear_line(content: bytes) -> None:
    # A few begin as RAW photos do, which need an extra.
    def may_be(error: BaseException) -> bool:
        return isinstance(error, MissingExtraError) or is_clear(error)

    with pytest.raises((ImageError, MissingExtraError), check=may_be):
        read_image(content)
