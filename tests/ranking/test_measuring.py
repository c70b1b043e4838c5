"""Measuring photos, and not measuring them again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import How, PhotoFailure, Result, find_photos, run_task
from blurmapper.images import ImageArray
from blurmapper.methods import MethodOptions
from blurmapper.ranking.boxes import read_boxes
from blurmapper.ranking.measuring import (
    MeasureTask,
    find_cache,
    find_sharpest_box,
    to_record,
)
from blurmapper.ranking.records import PhotoRecord

Measure = Callable[..., list[PhotoRecord | PhotoFailure]]


def map_by_red(image: ImageArray) -> npt.NDArray[np.float32]:
    """Call red pixels blurred."""
    return image[..., 0].astype(np.float32) / 255


def write_red(path: Path, red: int) -> Path:
    PIL.Image.new("RGB", (40, 30), (red, 0, 0)).save(path)
    return path


def test_a_record_holds_the_figures_of_the_map(measure: Measure, tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :20, 0] = 255
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    (record,) = measure([tmp_path / "a.png"], map_by_red)
    assert isinstance(record, PhotoRecord)
    assert (record.height, record.width) == (40, 80)
    assert record.blur_degree == record.share_blurred == 0.25
    assert (record.sharpest.width, record.sharpest.height) == (20, 10)
    assert record.sharpest.blur == 0
    assert record.frame is None


def test_an_unreadable_photo_does_not_stop_the_others(measure: Measure, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no photo")
    photos = [tmp_path / "bad.png", write_red(tmp_path / "good.png", 0)]
    first, second = measure(photos, map_by_red)
    assert isinstance(first, PhotoFailure)
    assert "bad.png" in str(first.error)
    assert isinstance(second, PhotoRecord)


def test_what_stands_out_can_count_more(measure: Measure, tmp_path: Path) -> None:
    pixels = np.full((60, 80, 3), (0, 120, 0), np.uint8)
    pixels[5:20, 5:20] = (255, 0, 0)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    (plain,) = measure([tmp_path / "a.png"], map_by_red)
    (salient,) = measure([tmp_path / "a.png"], map_by_red, weighting="saliency")
    assert isinstance(plain, PhotoRecord) and isinstance(salient, PhotoRecord)
    assert salient.blur_degree > 3 * plain.blur_degree


def test_the_sharpest_box_is_where_the_map_is_least() -> None:
    blur_map = np.ones((80, 120), np.float32)
    blur_map[10:30, 60:90] = 0.2
    box = find_sharpest_box(blur_map)
    assert (box.x, box.y, box.width, box.height) == (60, 10, 30, 20)
    assert box.blur == pytest.approx(0.2)


@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_of_equal_windows_the_one_in_the_middle_is_taken(value: float) -> None:
    box = find_sharpest_box(np.full((80, 120), value, np.float32))
    assert (box.x, box.y) == (45, 30)


def test_rounding_does_not_decide_between_equal_windows() -> None:
    noise = np.random.default_rng(0).uniform(0, 1e-4, (80, 120)).astype(np.float32)
    box = find_sharpest_box(noise)
    assert (box.x, box.y) == (45, 30)


def test_the_box_of_a_large_map_is_found_to_a_step_of_the_search() -> None:
    blur_map = np.ones((1200, 2000), np.float32)
    blur_map[700:1000, 100:600] = 0
    box = find_sharpest_box(blur_map)
    assert (box.width, box.height) == (500, 300)
    assert abs(box.x - 100) <= 8 and abs(box.y - 700) <= 8
    assert box.blur < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 3), (257, 1000)])
def test_the_box_lies_inside_a_map_of_any_size(shape: tuple[int, int]) -> None:
    blur_map = np.random.default_rng(1).random(shape, np.float32)
    box = find_sharpest_box(blur_map)
    assert 0 <= box.x <= shape[1] - box.width and 0 <= box.y <= shape[0] - box.height
    assert box.width == max(1, shape[1] // 4) and box.height == max(1, shape[0] // 4)


def measure_all(folder: Path, weights: Path, *, redo: bool = False, refine: bool = True) -> str:
    """Measure the photos of a folder; return a letter each, b where it was done before."""
    task = MeasureTask(str(weights), MethodOptions(refine=refine, threads=1))
    results = list(run_task(task, find_photos([folder]), find_cache(), How(redo=redo)))
    assert all(isinstance(to_record(each), PhotoRecord) for each in results)
    return "".join("b" if isinstance(r, Result) and r.done_before else "n" for r in results)


def test_what_has_not_changed_is_measured_once(tmp_path: Path, tiny_weights: Path) -> None:
    for name in ("a.png", "b.png"):
        write_red(tmp_path / name, 9)
    assert measure_all(tmp_path, tiny_weights) == "nn"
    os.utime(tmp_path / "b.png", ns=(1, 1))
    assert measure_all(tmp_path, tiny_weights) == "bn"
    assert measure_all(tmp_path, tiny_weights, refine=False) == "nn"
    # What other options measured has displaced nothing.
    assert measure_all(tmp_path, tiny_weights) == "bb"
    assert measure_all(tmp_path, tiny_weights, refine=False) == "bb"
    assert measure_all(tmp_path, tiny_weights, redo=True) == "nn"


def test_photos_of_one_name_are_told_apart(tmp_path: Path, tiny_weights: Path) -> None:
    for inner in ("one", "two"):
        (tmp_path / inner).mkdir()
        write_red(tmp_path / inner / "a.png", 9)
        assert measure_all(tmp_path / inner, tiny_weights) == "n"
    for inner in ("one", "two"):
        assert measure_all(tmp_path / inner, tiny_weights) == "b"


def test_a_second_look_gives_the_same_record(
    tmp_path: Path, tiny_weights: Path, write_photo: Callable[..., Path]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    write_photo(tmp_path / "a.jpg", pixels, "2026:11:22 12:00:00", "45")
    task = MeasureTask(str(tiny_weights), MethodOptions(threads=1))
    found = find_photos([tmp_path])
    first, second = (list(run_task(task, found, find_cache(), How())) for _ in range(2))
    for weighting in (None, "centre", "saliency"):
        assert to_record(first[0], weighting) == to_record(second[0], weighting)
    assert isinstance(second[0], Result) and second[0].done_before
    record = to_record(second[0])
    assert isinstance(record, PhotoRecord) and record.frame is not None


def test_a_cache_that_cannot_be_written_costs_nothing(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
    write_red(tmp_path / "a.png", 9)
    assert measure_all(tmp_path, tiny_weights) == "n"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the home is found otherwise")
@pytest.mark.parametrize("given", ["~/kept", "kept", ""])
def test_without_a_home_nothing_is_kept_and_nothing_is_made(
    given: str, tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_entry(_: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr("pwd.getpwuid", no_entry)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    monkeypatch.chdir(tmp_path)
    write_red(tmp_path / "a.png", 9)
    for _ in range(2):
        assert measure_all(tmp_path, tiny_weights) == "n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_damaged_line_of_the_cache_is_measured_again(tmp_path: Path, tiny_weights: Path) -> None:
    write_red(tmp_path / "a.png", 9)
    measure_all(tmp_path, tiny_weights)
    manifest = find_cache() / "rank.jsonl"
    manifest.write_text(manifest.read_text().replace('"taken": ', '"taken": 12, "x": ')[:-30])
    assert measure_all(tmp_path, tiny_weights) == "n"


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        *(("sigma", odd) for odd in (float("nan"), "abc", -1)),
        *(("verdict", odd) for odd in (5, "superb", None, ["soft"])),
        *(("boxes", odd) for odd in (5, [5], [{"label": "a"}])),
        *(("reason", None), ("blur_degree_centre", 7), ("sharpest_x", None), ("width", 0)),
    ],
)
def test_a_line_of_the_cache_that_cannot_be_right_is_measured_again(
    name: str, odd: object, tmp_path: Path, tiny_weights: Path
) -> None:
    write_red(tmp_path / "a.png", 9)
    measure_all(tmp_path, tiny_weights)
    manifest = find_cache() / "rank.jsonl"
    line = json.loads(manifest.read_text().splitlines()[-1])
    manifest.write_text(f"{json.dumps(line | {name: odd})}\n")
    assert measure_all(tmp_path, tiny_weights) == "n"
    assert measure_all(tmp_path, tiny_weights) == "b"


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("taken", "2026-11-30T12:00:00+02:00"),
        ("fingerprint", -1),
        ("fingerprint", 1 << 64),
        ("detail", float("nan")),
    ],
)
def test_what_cannot_be_a_frame_is_none(
    name: str, odd: object, tmp_path: Path, tiny_weights: Path
) -> None:
    task = MeasureTask(str(tiny_weights), MethodOptions(threads=1))
    (result,) = run_task(task, find_photos([write_red(tmp_path / "a.png", 9)]), find_cache(), How())
    assert isinstance(result, Result)
    frame = {"taken": "2026-11-30T12:00:00", "camera": "", "fingerprint": 7, "detail": 1.0}
    values = [result.values | frame | change for change in ({}, {name: odd})]
    records = [to_record(replace(result, values=each)) for each in values]
    assert [getattr(record, "frame", 0) is None for record in records] == [False, True]


def test_boxes_that_were_judged_are_not_judged_again(tmp_path: Path, tiny_weights: Path) -> None:
    write_red(tmp_path / "a.png", 9)
    (tmp_path / "boxes.csv").write_text("photo,x,y,width,height\na.png,2,3,20,10\n")
    task = MeasureTask(str(tiny_weights), boxes=read_boxes(tmp_path / "boxes.csv"))
    for done_before in (False, True):
        (result,) = run_task(task, find_photos([tmp_path]), find_cache(), How())
        assert isinstance(result, Result)
        assert (result.done_before, len(result.values["boxes"])) == (done_before, 1)


def test_weights_that_measure_otherwise_measure_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = MeasureTask("dbm-lite").digest_settings()
    monkeypatch.setattr("blurmapper.ranking.measuring.identify_network", lambda: "other weights")
    assert MeasureTask("dbm-lite").digest_settings() != before
