"""What is no image is not measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from blurmapper.amounts import measure_amounts
from blurmapper.errors import ImageError

PHOTO = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)


@pytest.mark.parametrize(
    "image",
    [PHOTO[..., 0], PHOTO / 255, PHOTO[:0], PHOTO.astype(np.float32), np.ma.masked_less(PHOTO, 9)],
)
def test_what_is_no_image_is_not_measured(image: Any) -> None:
    with pytest.raises(ImageError, match=r"image.*; "):
        measure_amounts(image)
