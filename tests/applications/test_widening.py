"""Blur magnified in proportion to how wide it is."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.amounts import BlurAmounts
from blurmapper.applications import _lens
from blurmapper.applications.light import decode_light, encode_light
from blurmapper.applications.magnification import magnify_blur
from blurmapper.errors import ConfigError, ImageError

Photo = npt.NDArray[np.uint8]


def amounts_of(sigma: npt.NDArray[np.float32]) -> BlurAmounts:
    return BlurAmounts(sigma, np.zeros_like(sigma), np.full_like(sigma, np.nan))


def test_a_share_of_the_growth_is_asked_for_by_another_map() -> None:
    blur_map = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    share = np.linspace(1, 0.1, 400, dtype=np.float32).reshape(20, 20)
    grown = _lens._grow(_lens.shrink_growth(blur_map, share))
    np.testing.assert_allclose(grown, _lens._grow(blur_map) * share, atol=2e-3)


def test_with_amounts_blur_gets_wider_in_proportion() -> None:
    step = np.zeros((256, 512, 3), np.float32)
    step[128:] = 0.6
    light = np.hstack([cv2.GaussianBlur(step, (0, 0), sigma) for sigma in (2.0, 6.0)])
    photo = encode_light(light, np.dtype(np.float32))
    sigma = np.full((16, 64), np.nan, np.float32)
    sigma[6:10, :32], sigma[6:10, 32:] = 2.0, 6.0
    blurred = np.ones(photo.shape[:2], np.float32)
    magnified = magnify_blur(
        photo, blurred, strength=1, shape="gaussian", amounts=amounts_of(sigma)
    )
    for column, expected in ((128, 4.0), (896, 12.0)):
        edge = np.diff(decode_light(magnified)[:, column, 0].astype(np.float64))
        places = np.arange(len(edge)) - edge @ np.arange(len(edge)) / edge.sum()
        width = np.sqrt(edge @ places**2 / edge.sum())
        assert width == pytest.approx(expected, rel=0.15)


def test_amounts_are_at_the_same_place_in_a_photo_that_ends_within_a_cell() -> None:
    height, width = 240, 320
    photo = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    photo = cv2.GaussianBlur(photo, (0, 0), 3)
    sigma = np.full((height // 16, width // 16), 1.5, np.float32)
    sigma[:, 14:], sigma[10:] = 6, 6
    blur_map = np.ones((height, width), np.float32)
    blur_map[:, :32] = 0
    known = [
        magnify_blur(photo[:h, :w], blur_map[:h, :w], shape="gaussian", amounts=amounts_of(sigma))
        for h, w in ((height, width), (height - 15, width - 15))
    ]
    # Light that is cut off is missing near the border alone.
    np.testing.assert_array_equal(known[0][:160, :240], known[1][:160, :240])


def test_where_no_amount_is_known_blur_grows_as_without(sharp_photo: Photo) -> None:
    blurred = np.ones(sharp_photo.shape[:2], np.float32)
    unknown = amounts_of(np.full((6, 8), np.nan, np.float32))
    np.testing.assert_array_equal(
        magnify_blur(sharp_photo, blurred, amounts=unknown), magnify_blur(sharp_photo, blurred)
    )


@pytest.mark.parametrize("strength", [0, 1])
@pytest.mark.parametrize("cells", [(6, 7), (5, 8), (12, 16)])
def test_amounts_of_another_photo_are_refused(
    cells: tuple[int, int], strength: float, sharp_photo: Photo
) -> None:
    blurred = np.ones(sharp_photo.shape[:2], np.float32)
    others = amounts_of(np.ones(cells, np.float32))
    with pytest.raises(ImageError, match="give the amounts of this photo"):
        magnify_blur(sharp_photo, blurred, amounts=others, strength=strength)


def test_the_papers_way_takes_no_amounts(sharp_photo: Photo) -> None:
    blurred = np.ones(sharp_photo.shape[:2], np.float32)
    with pytest.raises(ConfigError, match="leave out naive or amounts"):
        magnify_blur(
            sharp_photo, blurred, method="naive", amounts=amounts_of(np.ones((6, 8), np.float32))
        )
