"""What a verdict is made from, and what must not change it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from blurmapper import BlurMapper
from blurmapper.datasets import SAMPLES
from blurmapper.errors import KindsError, WeightsError
from blurmapper.images import read_image
from blurmapper.ranking.judging import judge_photo


@pytest.mark.parametrize("kind", [KindsError, WeightsError])
def test_a_network_that_fails_is_not_one_that_tells_no_kinds(
    kind: type[WeightsError],
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise kind("no memory")

    mapper = BlurMapper(tiny_weights, threads=1)
    monkeypatch.setattr(BlurMapper, "map_kinds", fail)
    soft = np.asarray(cv2.GaussianBlur(read_image(SAMPLES / "coffee.jpg"), (0, 0), 5), np.uint8)
    blurred = np.ones(soft.shape[:2], np.float32)
    if kind is KindsError:
        assert judge_photo(mapper, soft, blurred).verdict.word == "soft"
    else:
        with pytest.raises(WeightsError, match="no memory"):
            judge_photo(mapper, soft, blurred)
