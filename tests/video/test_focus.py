"""Frames in the order of their focus, where S says nothing or the wrong thing."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.batch import Job
from blurmapper.images import ImageArray
from blurmapper.ranking.records import Word
from blurmapper.sharpest import SharpestPart
from blurmapper.video.mapping import ClipOutputs, ClipResult, map_clip
from blurmapper.video.selection import By, FrameResult, choose_best_of, choose_sharpest, drop_blurry

from .making import encode_clip

HEIGHT, WIDTH = 720, 1200


def alike(image: ImageArray) -> npt.NDArray[np.float32]:
    """Return a map on which all frames are equally sharp."""
    return np.full(image.shape[:2], 0.1, np.float32)


def misled(image: ImageArray) -> npt.NDArray[np.float32]:
    """Return a map with a little less S the less contrast a frame has."""
    return np.full(image.shape[:2], image.std() / 255, np.float32)


def film(sigmas: Sequence[float]) -> list[npt.NDArray[np.uint8]]:
    """Return frames of a pan over drawn shapes, each blurred all over by a sigma in pixels."""
    rng = np.random.default_rng(3)
    scene = np.full((HEIGHT, WIDTH + 4 * len(sigmas), 3), 110, np.uint8)
    for _ in range(500):
        middle = rng.integers(0, (scene.shape[1], HEIGHT))
        corners = middle + rng.integers(-60, 61, (3, 2))
        cv2.fillPoly(scene, [corners.astype(np.int32)], rng.integers(20, 236, 3).tolist(), 16)
    frames = []
    for place, sigma in enumerate(sigmas):
        frame = scene[:, 4 * place : 4 * place + WIDTH]
        frame = cv2.GaussianBlur(frame, (0, 0), sigma) if sigma else frame
        noise = rng.normal(0, 1, frame.shape)
        frames.append(np.rint(frame + noise).clip(0, 255).astype(np.uint8))
    return frames


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames, of which the third and the sixth are out of focus by a sigma of 4."""
    images = film([0, 0, 4, 0, 0, 4, 0, 0])
    return encode_clip(tmp_path_factory.mktemp("film") / "clip.mp4", images)


def map_it(clip: Path, folder: Path, *, misleading: bool = False, **choices: object) -> ClipResult:
    outputs = ClipOutputs(overlay=False, **choices)  # type: ignore[arg-type]
    return map_clip(Job(clip, folder / "clip"), misled if misleading else alike, outputs)


def photos_of(result: ClipResult) -> list[int]:
    return [int(photo.name[-10:-4]) for photo in result.photos]


@pytest.mark.parametrize("misleading", [False, True])
def test_soft_frames_are_dropped_though_their_s_is_no_higher(
    misleading: bool, clip: Path, tmp_path: Path
) -> None:
    result = map_it(clip, tmp_path, misleading=misleading, drop_blurry=True)
    assert photos_of(result) == [0, 1, 3, 4, 6, 7]
    degrees = [frame.blur_degree for frame in result.frames]
    assert max(degrees[2], degrees[5]) <= min(degrees[0], degrees[7]) + 1e-6


def test_the_sharpest_are_never_the_soft_ones(clip: Path, tmp_path: Path) -> None:
    result = map_it(clip, tmp_path, misleading=True, sharpest=6, apart=0.0)
    assert sorted(photos_of(result)) == [0, 1, 3, 4, 6, 7]
    assert set(photos_of(map_it(clip, tmp_path, misleading=True, sharpest=2, by="s"))) == {2, 5}


def test_the_table_tells_how_wide_the_blur_is_and_where(clip: Path, tmp_path: Path) -> None:
    with map_it(clip, tmp_path).table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    sigmas = [float(row["sigma"]) for row in rows]
    assert [sigma > 2 for sigma in sigmas] == [n in (2, 5) for n in range(8)]
    assert sigmas[2] == pytest.approx(4, rel=0.3)
    assert [row["verdict"] for row in rows[:3]] == ["sharp", "sharp", "soft"]
    assert all(
        0 <= int(row["focus_x"]) < WIDTH and 0 <= int(row["focus_y"]) < HEIGHT for row in rows
    )


def test_by_s_nothing_is_measured_and_the_columns_stay(clip: Path, tmp_path: Path) -> None:
    result = map_it(clip, tmp_path, by="s", drop_blurry=True)
    assert len(result.photos) == 8
    with result.table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row[name] for row in rows for name in ("sigma", "focus_x", "verdict")} == {""}


def test_a_table_of_before_is_written_anew(clip: Path, tmp_path: Path) -> None:
    before = tmp_path / "clip.frames.csv"
    before.write_text("frame,seconds,blur_degree,share_blurred\n0,0.000000,0.1000,0.0000\n")
    assert map_it(clip, tmp_path, by="s").table == before
    assert before.read_text().startswith("frame,seconds,blur_degree,share_blurred,sigma,")


def frames_of(
    sigmas: Sequence[float | None], degrees: Sequence[float], words: Sequence[Word] = ()
) -> list[FrameResult]:
    given = zip(sigmas, degrees, words or ["sharp"] * len(sigmas), strict=True)
    return [
        FrameResult(n, n / 25, s, s, 0, None if sigma is None else SharpestPart(sigma, 1, 1), word)
        for n, (sigma, s, word) in enumerate(given)
    ]


def numbers(frames: Sequence[FrameResult]) -> list[int]:
    return [frame.number for frame in frames]


def test_a_sharp_frame_without_a_figure_comes_before_a_soft_one_that_has_one() -> None:
    words: list[Word] = ["soft", "sharp", "cannot tell", "subject sharp"]
    frames = frames_of([2.0, None, None, 0.5], [0.2] * 4, words)
    assert numbers(choose_sharpest(frames, 4, apart=0)) == [3, 1, 2, 0]


def test_what_cannot_be_measured_comes_last_and_goes_by_s() -> None:
    frames = frames_of([None, 0.9, 0.5, None], [0.1, 0.3, 0.4, 0.05])
    assert numbers(choose_sharpest(frames, 4, apart=0)) == [2, 1, 3, 0]
    assert numbers(choose_best_of(frames, 2)) == [1, 2]
    assert numbers(choose_sharpest(frames, 4, apart=0, by="s")) == [3, 0, 1, 2]


@pytest.mark.parametrize(
    ("sigmas", "by"),
    [([None] * 5, "focus"), ([0.5, None, None, None, 0.5], "focus"), ([0.5] * 5, "s")],
)
def test_where_too_little_is_measured_frames_are_dropped_by_s(
    sigmas: list[float | None], by: By
) -> None:
    frames = frames_of(sigmas, [0.1, 0.1, 0.3, 0.1, 0.1])
    assert numbers(drop_blurry(frames, by=by)) == [0, 1, 3, 4]


def test_a_small_difference_of_width_drops_nothing() -> None:
    frames = frames_of([0.5, 0.6, 0.5, 0.55, 0.5], [0.1] * 5)
    assert len(drop_blurry(frames)) == 5
