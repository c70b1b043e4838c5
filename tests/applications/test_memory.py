"""How much memory a photo takes that its blur map is applied to."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from blurmapper.applications import cut_out, magnify_blur

SIDES = 1500, 2000


def cut_out_alone(photo: Any, blur_map: Any) -> Any:
    # Of a map that nobody else keeps.
    return cut_out(photo, blur_map.copy(), working_side=64)


@pytest.mark.parametrize(("apply", "most"), [(cut_out_alone, 16), (magnify_blur, 18)])
def test_a_pixel_takes_so_many_bytes_beside_the_photo(
    apply: Callable[[Any, Any], Any], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each core holds a tile of its own besides.
    monkeypatch.setattr("blurmapper.applications.magnification.count_cores", lambda: 1)
    if apply is cut_out_alone:
        pytest.importorskip("pymatting")
    photo, blur_map = np.full((*SIDES, 3), 90, np.uint8), np.ones(SIDES, np.float32)
    photo[400:1100, 600:1400], blur_map[400:1100, 600:1400] = 200, 0
    apply(photo[:64, :64].copy(), blur_map[:64, :64].copy() * 0)  # imports what it needs
    tracemalloc.start()
    try:
        apply(photo, blur_map)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most * blur_map.size
