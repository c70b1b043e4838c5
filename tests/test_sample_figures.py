"""What the documents print of the sample photos is what the bundled weights say of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from blurmapper.datasets import SAMPLES

pytest.importorskip("fastapi", reason="needs the extra blurmapper[web]")

from blurmapper import rank_photos
from blurmapper.methods import get_method
from blurmapper.web.figures import PhotoMapping

DOCS = Path(__file__).parents[1] / "docs"


def test_the_ranking_of_the_samples_is_as_printed() -> None:
    page = (DOCS / "ranking.md").read_text("utf-8")
    row = r"^ +(\d) (\w+\.jpg) +([a-z ]+?) +([\d.]+) px ([\d.]+) +(\d+)%$"
    printed = re.findall(row, page, re.MULTILINE)
    ranked = rank_photos(SAMPLES)
    assert len(printed) == len(ranked) == 3
    for (rank, name, verdict, sigma, degree, share), found in zip(printed, ranked, strict=True):
        assert (int(rank), name, verdict) == (
            *(found["rank"], Path(found["photo"]).name, found["verdict"]),
        )
        assert found["sigma"] == pytest.approx(float(sigma), abs=0.01)
        assert found["blur_degree"] == pytest.approx(float(degree), abs=0.002)
        assert found["share_blurred"] == pytest.approx(float(share) / 100, abs=0.01)


def test_the_answer_about_a_sample_is_as_printed() -> None:
    page = (DOCS / "web.md").read_text("utf-8")
    (printed,) = re.findall(r'^```json\n(\{"verdict".*?\})\n```', page, re.MULTILINE | re.DOTALL)
    mapping, photo = PhotoMapping(get_method("dbm-lite")), (SAMPLES / "coffee.jpg").read_bytes()
    found: dict[str, Any] = mapping.judge(mapping.read(photo, whole=True), photo).model_dump()
    for name, value in json.loads(printed).items():
        # Another processor rounds otherwise.
        near = {"sigma": 0.01, "order": 0.01, "focus_x": 16, "focus_y": 16}.get(name)
        near = 2 if name in ("subject_x", "subject_y") else near
        assert found[name] == (value if near is None else pytest.approx(value, abs=near)), name
