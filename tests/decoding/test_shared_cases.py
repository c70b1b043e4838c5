"""Files that were once read wrongly, made from a photo: each as its expected PNG shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.images import read_image

from .making import levels

CASES = Path(__file__).parents[3] / "shared" / "cases"
FILES = sorted(path.name for path in CASES.glob("*.*") if path.suffix != ".md")


@pytest.mark.skipif(not FILES, reason="../shared/cases is not here")
@pytest.mark.parametrize("name", FILES or ["none"])
def test_a_file_is_read_as_it_was_made(name: str) -> None:
    with PIL.Image.open(CASES / "expected" / f"{name}.png") as picture:
        expected = np.asarray(picture.convert("RGB"), float)
    np.testing.assert_allclose(levels(read_image(CASES / name)), expected, rtol=0, atol=2)
