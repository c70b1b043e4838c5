"""Arrays of other classes and byte orders: what they hold, or refused where it is masked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper import (
    blur_degree,
    draw_overlay,
    magnify_blur,
    read_image,
    read_map,
    refine_map,
    segment_blur,
    write_map,
)
from blurmapper.errors import ImageError
from blurmapper.evaluation.counts import image_counts, stretch_map
from blurmapper.evaluation.maps import read_any_map

Array = npt.NDArray[Any]

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (40, 40, 3), np.uint8)
BLUR_MAP = RNG.random((40, 40), np.float32)

PAIRED: dict[str, Callable[[Array, Array], object]] = {
    "refine_map": refine_map,
    "segment_blur": segment_blur,
    "magnify_blur": magnify_blur,
    "draw_overlay": draw_overlay,
    "blur_degree": lambda image, blur_map: blur_degree(blur_map, weighting="saliency", image=image),
}


def masked(array: Array) -> Array:
    """Return an array of which a row is masked, and what it was is behind the mask."""
    held = np.ma.array(array)
    held[5] = np.ma.masked
    return held


@pytest.mark.parametrize("name", PAIRED)
def test_what_is_masked_is_refused_and_what_is_behind_the_mask_never_used(name: str) -> None:
    for image, blur_map in ((masked(IMAGE), BLUR_MAP), (IMAGE, masked(BLUR_MAP))):
        with pytest.raises(ImageError, match=r"holds masked values; fill them first") as refused:
            PAIRED[name](image, blur_map)
        assert str(refused.value).isprintable()


def test_masked_photos_and_maps_are_neither_read_nor_written_nor_counted(tmp_path: Path) -> None:
    uses: list[Callable[[], object]] = [
        lambda: read_image(masked(IMAGE / np.float32(255))),
        lambda: write_map(masked(BLUR_MAP), tmp_path / "map.npy"),
        lambda: image_counts(masked(BLUR_MAP), BLUR_MAP > 0.5),
        lambda: image_counts(BLUR_MAP, masked(BLUR_MAP > 0.5)),
        lambda: stretch_map(masked(BLUR_MAP)),
    ]
    for use in uses:
        with pytest.raises(ImageError, match="holds masked values; fill them first"):
            use()
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("kind", [np.matrix, np.ma.array])
@pytest.mark.parametrize("name", PAIRED)
def test_an_array_of_another_class_is_the_array_that_it_is(name: str, kind: Any) -> None:
    image = np.ma.array(IMAGE)
    expected = PAIRED[name](IMAGE, BLUR_MAP)
    np.testing.assert_array_equal(PAIRED[name](image, kind(BLUR_MAP)), expected)
    grey = IMAGE[..., 0]
    np.testing.assert_array_equal(read_image(kind(grey)), read_image(grey))


def test_the_order_of_bytes_does_not_matter(tmp_path: Path) -> None:
    levels, truth = RNG.integers(0, 65536, (40, 40), np.uint16), BLUR_MAP > 0.5
    swapped = levels.astype(">u2")
    assert image_counts(swapped, truth).probability == image_counts(levels, truth).probability
    np.save(tmp_path / "map.npy", swapped)
    np.testing.assert_array_equal(read_any_map(tmp_path / "map.npy"), levels)
    np.testing.assert_array_equal(read_map(tmp_path / "map.npy"), levels / np.float32(65535))
