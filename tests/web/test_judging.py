"""POST /v1/rank: what the server says of a photo is what `blurmapper rank` says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ExifTags

from blurmapper import rank_photos

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
pytest.importorskip("httpx", reason="httpx asks the server")


def judge(client: Any, photo: bytes) -> dict[str, Any]:
    answer = client.post("/v1/rank", content=photo)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_a_photo_is_judged_as_by_rank(
    client: Any, tiny_kinds_weights: Path, photo: bytes, tmp_path: Path
) -> None:
    (tmp_path / "half.png").write_bytes(photo)
    (row,) = rank_photos(tmp_path, method=str(tiny_kinds_weights), jobs=1)
    said = judge(client, photo)
    same = ("width", "height", "verdict", "reason", "focus_x", "focus_y", "stars")
    assert {name: said[name] for name in same} == {name: row[name] for name in same}
    assert said["sigma"] == pytest.approx(row["sigma"])
    # With the map of all blur the two parts are added up.
    assert said["blur_degree"] == pytest.approx(row["blur_degree"], abs=1e-6)


def test_figures_are_those_of_degree_too(client: Any, photo: bytes) -> None:
    figures = client.post("/v1/degree", content=photo).json()
    said = judge(client, photo)
    assert {name: said[name] for name in figures} == figures


def test_what_is_sharp_comes_before_what_is_blurred(
    client: Any, sharp_photo: npt.NDArray[np.uint8]
) -> None:
    orders = []
    for sigma in (0, 6):
        image = PIL.Image.fromarray(sharp_photo)
        if sigma:
            image = PIL.Image.fromarray(cv2.GaussianBlur(sharp_photo, (0, 0), sigma))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        said = judge(client, buffer.getvalue())
        orders.append([np.inf if value is None else value for value in said["order"]])
    assert orders[0] < orders[1]


def test_what_tells_a_burst_is_answered(client: Any, half_blurred_photo: Any) -> None:
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Model] = "Zorki 4"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:22 12:00:03"
    buffer = io.BytesIO()
    PIL.Image.fromarray(half_blurred_photo).save(buffer, "JPEG", exif=exif)
    said = judge(client, buffer.getvalue())
    assert said["taken"] == "2026-11-22T12:00:03"
    assert said["camera"] == " Zorki 4"
    assert 0 <= int(said["fingerprint"], 16) < 2**64
    assert said["detail"] > 0


def test_a_flat_photo_has_no_figure(client: Any) -> None:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (64, 48), "white").save(buffer, "PNG")
    said = judge(client, buffer.getvalue())
    assert (said["verdict"], said["sigma"], said["focus_x"]) == ("cannot tell", None, None)
    assert said["order"][1] is None
    assert said["taken"] is None
