"""Many photos: gone on with, several at a time, stopped, and what is written down of them."""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import (
    How,
    MapTask,
    Outputs,
    PhotoFailure,
    PixelBudget,
    Result,
    count_workers,
    find_photos,
    overlap,
    plan_jobs,
    run_in_threads,
    run_task,
)
from blurmapper.errors import ImageError
from blurmapper.images import ImageArray
from blurmapper.methods import BlurMethod, MethodOptions

Results = list[Result | PhotoFailure]
RunFolder = Callable[..., Results]


def map_nothing(image: ImageArray) -> npt.NDArray[np.float32]:
    return np.zeros(image.shape[:2], np.float32)


@dataclass(frozen=True)
class MapNothing(MapTask):
    """The task of `map` with a method that is made here, and one choice more."""

    settings: str = "s"

    def build(self) -> BlurMethod:
        return map_nothing

    def choices(self) -> tuple[Any, ...]:
        return (*super().choices(), self.settings)


def write_photos(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        PIL.Image.new("RGB", (32, 24), (90, 120, 60)).save(folder / name)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three photos of one colour."""
    write_photos(tmp_path / "in", "a.png", "b.png", "c.png")
    return tmp_path / "in"


@pytest.fixture
def run(photos: Path) -> RunFolder:
    """Map the folder into ``out`` beside it, as these settings would, on their manifest."""

    def call(*, settings: str = "s", outputs: Outputs = Outputs(), workers: int = 1) -> Results:  # noqa: B008
        out = photos.parent / "out"
        task = MapNothing("", outputs=outputs, settings=settings)
        return list(run_task(task, find_photos([photos]), out, How(workers=workers)))

    return call


def mapped_again(results: Results) -> list[str]:
    """Return the names of photos that the run mapped, rather than found mapped."""
    assert all(isinstance(result, Result) for result in results)
    return [each.photo.name for each in results if not getattr(each, "done_before", True)]


def test_what_is_mapped_is_not_mapped_again_and_its_figures_are_told(run: RunFolder) -> None:
    first = [result for result in run() if isinstance(result, Result)]
    again = run()
    assert mapped_again(again) == []
    assert [replace(each, done_before=True) for each in first] == again


def test_a_photo_that_has_changed_is_mapped_again(run: RunFolder, photos: Path) -> None:
    run()
    os.utime(photos / "b.png", ns=(1, 1))
    assert mapped_again(run()) == ["b.png"]
    assert mapped_again(run()) == []


def test_other_settings_or_outputs_map_again(run: RunFolder) -> None:
    run()
    assert len(mapped_again(run(settings="t"))) == 3
    assert len(mapped_again(run(settings="t", outputs=Outputs(overlay=True)))) == 3


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_map_that_is_gone_or_empty_is_made_again(
    harm: Callable[[Path], object], run: RunFolder, photos: Path
) -> None:
    run()
    harm(photos.parent / "out" / "c.png.blur.png")
    assert mapped_again(run()) == ["c.png"]


@pytest.mark.parametrize("odd", ["NaN", "7", "-0.5", '"0.5"', "null", "true", "[0]"])
@pytest.mark.parametrize("name", ["blur_degree", "share_blurred", "height", "seconds"])
def test_a_line_whose_figures_cannot_be_right_costs_its_photo_alone(
    name: str, odd: str, run: RunFolder, photos: Path
) -> None:
    if name in ("height", "seconds") and odd == "7":
        odd = "Infinity"
    run()
    manifest = photos.parent / "out" / "maps.jsonl"
    *others, last = manifest.read_text().splitlines(keepends=True)
    changed = re.sub(f'(?<="{name}": )[^,]+', odd, last)
    assert changed != last
    manifest.write_text("".join((*others, changed)))
    assert mapped_again(run()) == ["c.png"]
    assert mapped_again(run()) == []


def test_a_line_that_was_cut_short_costs_its_photo_alone(run: RunFolder, photos: Path) -> None:
    run()
    manifest = photos.parent / "out" / "maps.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-40])
    assert mapped_again(run()) == ["c.png"]
    assert mapped_again(run()) == []


def test_lines_of_no_meaning_are_passed_over(run: RunFolder, photos: Path) -> None:
    manifest = photos.parent / "out" / "maps.jsonl"
    manifest.parent.mkdir()
    manifest.write_bytes(b'\xff\n[]\n{}\n"x"\n{"target": "a.png"}\n')
    assert len(mapped_again(run())) == 3
    assert mapped_again(run()) == []


def test_photos_of_one_name_from_two_folders_both_survive_two_runs(tmp_path: Path) -> None:
    write_photos(tmp_path / "a", "x.png")
    write_photos(tmp_path / "b", "x.png")
    for folder in ("a", "b", "a", "b"):
        found = find_photos([tmp_path / folder / "x.png"])
        list(run_task(MapNothing(""), found, tmp_path / "out"))
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_the_settings_are_all_that_decides_what_is_written(tiny_weights: Path) -> None:
    def digest(name: str = str(tiny_weights), outputs: Outputs = Outputs(), **chosen: int) -> str:  # noqa: B008
        return MapTask(name, MethodOptions(**chosen), outputs).digest_settings()  # type: ignore[arg-type]

    different = {digest(), digest("all-blurred"), digest(outputs=Outputs("16"))}
    different |= {digest(working_side=64), digest(refine=False)}
    assert len(different) == 5
    assert digest(threads=2) == digest()


def test_results_come_in_order_whatever_takes_long() -> None:
    def work(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0)
        return number

    assert list(overlap(work, range(30), workers=4)) == list(range(30))


def test_items_are_taken_as_there_is_room_for_them() -> None:
    items = iter(range(1000))
    results = overlap(lambda item: item, items, workers=2)
    assert next(results) == 0
    assert next(items) < 20
    assert len(list(results)) > 900


def test_once_stopped_what_has_begun_is_finished_and_nothing_is_begun() -> None:
    stop = threading.Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            stop.set()
        return number

    done = list(overlap(work, range(1000), workers=1, stop=stop))
    assert done == begun == [0, 1, 2, 3]


def test_several_at_a_time_are_all_mapped(run: RunFolder) -> None:
    assert len(mapped_again(run(workers=3))) == 3
    assert mapped_again(run()) == []


def test_a_method_that_is_no_network_is_never_called_twice_at_a_time(photos: Path) -> None:
    inside, most = 0, 0

    def method(image: ImageArray) -> npt.NDArray[np.float32]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.02)
        inside -= 1
        return map_nothing(image)

    jobs = plan_jobs(find_photos([photos]), photos.parent / "out")
    assert len(list(run_in_threads(jobs, MapTask(""), method, workers=3))) == 3
    assert most == 1


@contextmanager
def hold(budget: PixelBudget, photo: Path) -> Iterator[None]:
    with photo.open("rb") as stream, budget.of(stream):
        yield


def test_large_photos_wait_for_each_other(photos: Path) -> None:
    budget = PixelBudget(1000)

    def hold_second() -> None:
        with hold(budget, photos / "b.png"):
            pass

    second = threading.Thread(target=hold_second)
    with hold(budget, photos / "a.png"):
        second.start()
        second.join(0.05)
        assert second.is_alive()
    second.join(60)
    assert not second.is_alive()


def test_a_photo_of_more_than_the_budget_is_let_in_alone(photos: Path) -> None:
    with hold(PixelBudget(10), photos / "a.png"):
        pass


def test_no_more_workers_than_photos_and_at_least_one() -> None:
    assert count_workers(8, 3) == 3
    assert count_workers(None, 0) == 1
    assert count_workers(2, 100) == 2


def test_a_full_disk_ends_the_run_in_one_line(
    run: RunFolder, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(_: Path, __: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(Path, "replace", fill)
        with pytest.raises(ImageError, match=r"No space left .* run the same command to go on"):
            run(workers=2)
    assert [path.name for path in (photos.parent / "out").iterdir()] == ["maps.jsonl"]
    assert len(mapped_again(run())) == 3


def test_a_disk_that_is_full_for_the_manifest_ends_the_run_in_the_same_line(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(os, "write", lambda file, content: 0)
        line = r"maps\.jsonl: .*No space left .* run the same command to go on$"
        with pytest.raises(ImageError, match=line):
            run()
    assert len(mapped_again(run())) == 3


def test_a_folder_that_cannot_be_made_is_said_before_any_photo(
    photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(ImageError, match="out: cannot be made"):
        list(run_task(MapNothing(""), find_photos([photos]), tmp_path / "out"))


def test_the_manifest_is_json_lines_with_the_figures(run: RunFolder, photos: Path) -> None:
    run()
    lines = (photos.parent / "out" / "maps.jsonl").read_text().splitlines()
    line = json.loads(lines[0])
    assert (line["target"], line["photo"]) == ("a.png", str(photos / "a.png"))
    assert (line["height"], line["width"], line["blur_degree"]) == (24, 32, 0.0)
