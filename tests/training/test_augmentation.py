"""Claims on noise, tone and compression."""

from __future__ import annotations

import numpy as np

from blurmapper.training.augmentation import wear_image

from .conftest import texture


def test_wear_depends_on_the_seed_alone() -> None:
    photo = texture(0)
    first, second = (wear_image(photo, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_wear_keeps_size_dtype_and_the_original() -> None:
    photo = texture(0)
    before = photo.copy()
    for seed in range(40):
        worn = wear_image(photo, np.random.default_rng(seed))
        assert worn.shape == photo.shape
        assert worn.dtype == np.uint8
    np.testing.assert_array_equal(photo, before)


def test_some_photos_turn_black_and_white_and_some_stay_untouched() -> None:
    worn = [wear_image(texture(0), np.random.default_rng(seed)) for seed in range(150)]
    spread = [int(np.ptp(image.astype(int), axis=2).max()) for image in worn]
    assert sum(value <= 12 for value in spread) >= 3
    assert any((image == texture(0)).all() for image in worn)
