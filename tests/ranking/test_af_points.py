"""The AF point: every make's tags become one place of the upright photo."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL import ExifTags

from blurmapper import rank_photos, read_image
from blurmapper.errors import ConfigError
from blurmapper.ranking.af_points import check_exiftool, find_af_point, read_af_point

FRAME = {"ExifImageWidth": 6000, "ExifImageHeight": 4000}
CANON = {
    "AFImageWidth": 6000,
    "AFImageHeight": 4000,
    "AFAreaXPositions": "0 1500 -1500",
    "AFAreaYPositions": "0 1000 0",
    "AFPointsInFocus": 1,
}
FIRST = {"AFAreaXPositions": "1500 0", "AFAreaYPositions": "1000 0"}
PERCENT = {
    "AFImageWidth": 100,
    "AFImageHeight": 100,
    "AFAreaXPositions": "0 25",
    "AFAreaYPositions": "0 -25",
}
SUBJECT_AREA = 0x9214
NIKON = {"AFImageWidth": 6000, "AFImageHeight": 4000, "AFAreaXPosition": 4500}

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")


@pytest.mark.parametrize(
    "tags",
    [
        {**CANON, "Model": "Canon EOS R5"},
        {**CANON, "Model": "Canon PowerShot G7 X", "AFAreaYPositions": "0 -1000 0"},
        {**CANON, "Model": "Canon EOS 450D", "AFPointsInFocus": 0, **FIRST},
        {**FRAME, **CANON, "Model": "Canon PowerShot A2500", **PERCENT},
        {**NIKON, "AFAreaYPosition": 1000},
        {"FocusLocation": "6000 4000 4500 1000"},
        {**FRAME, "FocusPixel": "4500 1000"},
        {**FRAME, "AFPointPosition": "0.75 0.25"},
        {**FRAME, "AFPointSelected": "0.75 0.25 0.75 0.25"},
        {**FRAME, "SubjectArea": "4500 1000 600 600"},
    ],
)
def test_every_make_s_tags_give_the_place(tags: dict[str, Any]) -> None:
    assert find_af_point(tags, 400, 600) == pytest.approx((450, 100))


def test_of_several_points_in_focus_the_most_central_is_the_place() -> None:
    places = {"AFAreaXPositions": "-2400 1500 2400", "AFAreaYPositions": "0 -1000 0"}
    tags = {**CANON, **places, "Model": "Canon PowerShot A560"}
    assert find_af_point({**tags, "AFPointsInFocus": "0,1,2"}, 400, 600) == pytest.approx(
        (450, 100)
    )
    assert find_af_point({**tags, "AFPointsInFocus": "0,2"}, 400, 600) == pytest.approx((60, 200))


@pytest.mark.parametrize("name", ["PrimaryAFPoint", "AFPointsInFocus"])
@pytest.mark.parametrize(
    ("point", "place"),
    [("Center", (300, 200)), ("C6 (Center)", (300, 200)), ("Mid-left", None), ("(none)", None)],
)
def test_of_nikon_s_names_the_middle_is_a_place(
    name: str, point: str, place: tuple[float, float] | None
) -> None:
    assert find_af_point({**FRAME, name: point}, 400, 600) == place


@pytest.mark.parametrize(
    "tags",
    [
        {},
        FRAME,
        {**CANON, "AFPointsInFocus": "(none)"},
        {**NIKON, "AFAreaXPosition": 0, "AFAreaYPosition": 0},
        {**FRAME, "AFPointPosition": "n/a"},
        {**FRAME, "AFPointSelected": "0 0 0 0"},
        {**FRAME, "FocusPixel": "7000 1000"},
        {"FocusPixel": "450 100"},
        {**FRAME, "SubjectArea": "nothing"},
        {"FocusLocation": "4000 4000 450 100"},
    ],
)
def test_what_is_unknown_or_of_another_frame_has_no_place(tags: dict[str, Any]) -> None:
    assert find_af_point(tags, 400, 600) is None


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_place_turns_with_the_photo(turn: int) -> None:
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[10:12, 45:47] = 255
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    buffer = io.BytesIO()
    PIL.Image.fromarray(stored).save(buffer, "PNG", exif=exif)
    upright = read_image(buffer.getvalue())
    tags = {"FocusLocation": "60 40 46 11", "Orientation": turn}
    point = find_af_point(tags, *upright.shape[:2])
    assert point is not None
    rows, columns = np.nonzero(upright[..., 0] > 128)
    assert point == pytest.approx((columns.mean() + 0.5, rows.mean() + 0.5), abs=1)


@needs_exiftool
def test_exiftool_reads_it_from_the_file(
    sharp_photo: npt.NDArray[np.uint8], tmp_path: Path, tiny_weights: Path
) -> None:
    height, width = sharp_photo.shape[:2]
    exif = PIL.Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[SUBJECT_AREA] = (width // 4, height // 2)
    PIL.Image.fromarray(sharp_photo).save(tmp_path / "a.jpg", exif=exif, quality=95)
    with (tmp_path / "a.jpg").open("rb") as photo:
        box = read_af_point(photo, height, width)
    assert box is not None
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    assert middle == pytest.approx((width // 4, height // 2))
    (row,) = rank_photos(tmp_path / "a.jpg", af_point=True, method=str(tiny_weights), jobs=1)
    assert [each["label"] for each in row["boxes"]] == ["AF point"]


@needs_exiftool
@pytest.mark.parametrize("content", [b"", b"no photo", b"\xff\xd8\xff\xe1\xff\xff"])
def test_broken_files_have_none(content: bytes) -> None:
    assert read_af_point(io.BytesIO(content), 400, 600) is None


def test_a_missing_exiftool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="libimage-exiftool-perl"):
        check_exiftool()
