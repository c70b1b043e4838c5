from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import read_dataset
from blurmapper.errors import BlurMapperError, DatasetError, ImageError, MethodError
from blurmapper.evaluation import benchmark
from blurmapper.evaluation.benchmark import Entry, read_entry_map, run_benchmark
from blurmapper.evaluation.maps import read_any_map
from blurmapper.evaluation.records import Record, Records
from blurmapper.evaluation.scores import image_counts, score_paper


def soft_entry(folder: Path) -> Entry:
    return Entry("soft", maps=folder / "soft")


def rows_of(records: Records) -> list[object]:
    return [{**record.to_dict(), "seconds": None} for record in records]


def count_scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of each photo that is scored, and not gone on with."""
    scored: list[str] = []
    score = benchmark._score

    def score_and_note(job: benchmark._Job) -> Record:
        scored.append(job.sample.name)
        return score(job)

    monkeypatch.setattr(benchmark, "_score", score_and_note)
    return scored


def test_finished_maps_are_scored_without_photos(benchmark_folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(benchmark_folder / "image")
    samples = read_dataset(benchmark_folder)
    records = run_benchmark(soft_entry(benchmark_folder), samples, tmp_path / "out")
    assert [record.name for record in records] == [sample.name for sample in samples]
    assert score_paper(records.counts).ods > 0.98


def test_polarity_turns_the_maps(benchmark_folder: Path, tmp_path: Path) -> None:
    samples = read_dataset(benchmark_folder)
    right = Entry("right", maps=benchmark_folder / "rough", white="sharp")
    wrong = Entry("wrong", maps=benchmark_folder / "rough", white="blurred")
    scores = [score_paper(run_benchmark(e, samples, tmp_path).counts).ods for e in (right, wrong)]
    assert scores[0] > 0.9 > scores[1]


def test_a_method_runs_and_leaves_maps_counts_and_times(
    benchmark_folder: Path, tmp_path: Path, tiny_weights: Path
) -> None:
    samples = read_dataset(benchmark_folder)
    entry = Entry("tiny", str(tiny_weights))
    records = run_benchmark(entry, samples, tmp_path / "out")
    assert all(record.seconds is not None and record.seconds > 0 for record in records)
    kept = read_any_map(tmp_path / "out" / "tiny" / "maps" / "motion0001.png")
    assert kept.dtype == np.uint16
    assert np.array_equal(read_entry_map(entry, samples[0], tmp_path / "out"), kept)
    truth = np.asarray(PIL.Image.open(samples[0].truth)) > 127
    again = image_counts(kept, truth)
    assert again.to_dict() == next(iter(records)).counts.to_dict()


def test_a_run_goes_on_where_it_was_stopped(
    benchmark_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, entry = read_dataset(benchmark_folder), soft_entry(benchmark_folder)
    whole = run_benchmark(entry, samples, tmp_path / "whole")
    run_benchmark(entry, samples[:3], tmp_path / "parts")
    scored = count_scored(monkeypatch)
    parts = run_benchmark(entry, samples, tmp_path / "parts")
    assert scored == ["out_of_focus0004"]
    assert rows_of(parts) == rows_of(whole)


@pytest.mark.parametrize("change", ["map", "mask", "polarity", "stretch"])
def test_what_changed_is_scored_again(
    benchmark_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    samples, entry = read_dataset(benchmark_folder), soft_entry(benchmark_folder)
    run_benchmark(entry, samples, tmp_path / "out")
    if change in ("map", "mask"):
        other = benchmark_folder / ("soft" if change == "map" else "gt") / "motion0002.png"
        PIL.Image.fromarray(np.full((32, 48), 200, np.uint8)).save(other)
    elif change == "polarity":
        entry = replace(entry, white="sharp")
    else:
        entry = replace(entry, stretch=True)
    scored = count_scored(monkeypatch)
    run_benchmark(entry, samples, tmp_path / "out")
    assert scored == (["motion0002"] if change in ("map", "mask") else [s.name for s in samples])


def overwrite(file: Path, other: Path) -> None:
    """Write what another file holds, with the time that a file has."""
    status = file.stat()
    file.write_bytes(other.read_bytes())
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_size == status.st_size


def test_maps_of_one_size_and_time_are_told_by_what_they_hold(
    benchmark_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = read_dataset(benchmark_folder)
    for name, shown in (("a", 0.25), ("b", 0.75)):
        (tmp_path / name / "maps").mkdir(parents=True)
        for sample in samples:
            file = tmp_path / name / "maps" / f"{sample.name}.npy"
            np.save(file, np.full((32, 48), shown, np.float32))
            os.utime(file, ns=(0, 0))
    first, second = (Entry("maps", maps=tmp_path / name / "maps") for name in "ab")
    run_benchmark(first, samples, tmp_path / "out")
    there = run_benchmark(second, samples, tmp_path / "out")
    assert {record.counts.probability for record in there} == {0.75 * 32 * 48}

    scored = count_scored(monkeypatch)
    # What was moved or copied is what it was.
    shutil.copytree(tmp_path / "b" / "maps", tmp_path / "c")
    run_benchmark(replace(second, maps=tmp_path / "c"), samples, tmp_path / "out")
    assert scored == []
    overwrite(
        tmp_path / "b" / "maps" / "motion0002.npy", tmp_path / "a" / "maps" / "motion0002.npy"
    )
    run_benchmark(second, samples, tmp_path / "out")
    assert scored == ["motion0002"]


@pytest.mark.parametrize("mapped_here", [True, False])
def test_older_counts_hold_where_only_photos_could_be_others(
    benchmark_folder: Path,
    tmp_path: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    mapped_here: bool,
) -> None:
    for file in list((benchmark_folder / "image").iterdir()):
        PIL.Image.open(file).save(file.with_suffix(".bmp"))
        file.unlink()
    samples = read_dataset(benchmark_folder)
    entry = Entry("tiny", str(tiny_weights)) if mapped_here else soft_entry(benchmark_folder)
    run_benchmark(entry, samples, tmp_path)
    kept = tmp_path / entry.name / "counts.jsonl"
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    older = ({name: line[name] for name in line if name != "inputs"} for line in lines)
    kept.write_text("".join(f"{json.dumps(line)}\n" for line in older))
    scored = count_scored(monkeypatch)
    run_benchmark(entry, samples, tmp_path)
    assert scored == ([] if mapped_here else [sample.name for sample in samples])
    if mapped_here:
        first, second = (sample.photo for sample in samples[:2])
        assert first is not None
        assert second is not None
        overwrite(first, second)
        run_benchmark(entry, samples, tmp_path)
        assert scored == [samples[0].name]


def test_several_processes_give_the_same(benchmark_folder: Path, tmp_path: Path) -> None:
    samples, entry = read_dataset(benchmark_folder), soft_entry(benchmark_folder)
    steps: list[None] = []
    alone = run_benchmark(entry, samples, tmp_path / "alone")
    together = run_benchmark(
        entry, samples, tmp_path / "together", processes=2, advance=lambda: steps.append(None)
    )
    assert rows_of(together) == rows_of(alone)
    assert len(steps) == len(samples)


def test_stretching_is_asked_for_and_then_exact(benchmark_folder: Path, tmp_path: Path) -> None:
    for path in (benchmark_folder / "soft").iterdir():
        flat = np.asarray(PIL.Image.open(path)) // 5 + 100
        PIL.Image.fromarray(flat.astype(np.uint8)).save(path)
    samples, entry = read_dataset(benchmark_folder), soft_entry(benchmark_folder)
    plain = run_benchmark(entry, samples, tmp_path / "plain")
    stretched = run_benchmark(replace(entry, stretch=True), samples, tmp_path / "stretched")
    assert all(record.counts.detections[255] == 0 for record in plain)
    assert all(record.counts.detections[255] > 0 for record in stretched)


def test_a_map_of_another_size_is_named_or_resized(benchmark_folder: Path, tmp_path: Path) -> None:
    path = benchmark_folder / "soft" / "motion0002.png"
    PIL.Image.open(path).resize((24, 16)).save(path)
    samples, entry = read_dataset(benchmark_folder), soft_entry(benchmark_folder)
    with pytest.raises(DatasetError, match=r"motion0002\.png: is 16 x 24 but its mask .* 32 x 48"):
        run_benchmark(entry, samples, tmp_path / "out")
    records = run_benchmark(replace(entry, resize=True), samples, tmp_path / "out")
    assert score_paper(records.counts).ods > 0.95


def test_a_photo_of_another_size_than_its_mask_is_named(
    benchmark_folder: Path, tmp_path: Path
) -> None:
    path = benchmark_folder / "image" / "motion0001.png"
    PIL.Image.open(path).resize((24, 16)).save(path)
    with pytest.raises(DatasetError, match=r"motion0001\.png: is 16 x 24 but its mask"):
        run_benchmark(Entry("a", "all-blurred"), read_dataset(benchmark_folder), tmp_path / "out")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_damaged_map_is_named_and_what_was_scored_stays(
    benchmark_folder: Path, tmp_path: Path, processes: int
) -> None:
    samples, entry = read_dataset(benchmark_folder), soft_entry(benchmark_folder)
    (benchmark_folder / "soft" / "out_of_focus0004.png").write_bytes(b"damaged")
    run_benchmark(entry, samples[:2], tmp_path / "out")
    with pytest.raises(ImageError, match=r"out_of_focus0004\.png: not an image file"):
        run_benchmark(entry, samples, tmp_path / "out", processes=processes)
    lines = (tmp_path / "out" / "soft" / "counts.jsonl").read_text().splitlines()
    assert len(lines) >= 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda last: last[:-40],
        lambda last: b"{}\n" + last,
        lambda last: last.replace(b'"counts": {', b'"counts": 5, "other": {'),
        lambda last: last.replace(b'"pixels": ', b'"dots": '),
        lambda last: last.replace(b'"detections": [', b'"detections": [null, '),
    ],
)
def test_what_a_kill_or_a_disk_has_damaged_is_scored_anew(
    benchmark_folder: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    samples, entry = read_dataset(benchmark_folder), soft_entry(benchmark_folder)
    expected = rows_of(run_benchmark(entry, samples, tmp_path / "out"))
    counts = tmp_path / "out" / "soft" / "counts.jsonl"
    *whole, last = counts.read_bytes().splitlines(keepends=True)
    counts.write_bytes(b"".join(whole) + damage(last))
    for _ in range(2):
        assert rows_of(run_benchmark(entry, samples, tmp_path / "out")) == expected
    assert len(counts.read_bytes().splitlines()) == len(samples) + 1


def test_values_beyond_one_are_named(benchmark_folder: Path, tmp_path: Path) -> None:
    (benchmark_folder / "soft" / "motion0001.png").unlink()
    np.save(benchmark_folder / "soft" / "motion0001.npy", np.full((32, 48), 1.5))
    with pytest.raises(BlurMapperError, match=r"motion0001\.npy: .* outside \[0, 1\]"):
        run_benchmark(
            soft_entry(benchmark_folder), read_dataset(benchmark_folder), tmp_path / "out"
        )


def test_a_map_without_a_range_is_named(benchmark_folder: Path, tmp_path: Path) -> None:
    (benchmark_folder / "soft" / "motion0001.png").unlink()
    np.save(benchmark_folder / "soft" / "motion0001.npy", np.full((32, 48), np.inf))
    entry = replace(soft_entry(benchmark_folder), stretch=True)
    with pytest.raises(BlurMapperError, match=r"motion0001\.npy: .* no range to stretch"):
        run_benchmark(entry, read_dataset(benchmark_folder), tmp_path / "out")


def test_where_a_function_of_ones_own_fails_it_and_the_photo_are_named(
    benchmark_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_to_score.py").write_text("def fail(image): raise KeyError('weights')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    samples = read_dataset(benchmark_folder)
    line = rf"^{samples[0].photo}: failing_to_score:fail: fails for a photo .*weights"
    with pytest.raises(MethodError, match=line):
        run_benchmark(Entry("fail", "failing_to_score:fail"), samples, tmp_path / "out")


def test_a_method_without_photos_is_refused(benchmark_folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(benchmark_folder / "image")
    with pytest.raises(DatasetError, match="has no photo to map"):
        run_benchmark(Entry("a", "all-blurred"), read_dataset(benchmark_folder), tmp_path)


def test_no_computed_map_goes_through_a_link(benchmark_folder: Path, tmp_path: Path) -> None:
    sample = read_dataset(benchmark_folder)[0]
    mine, link = tmp_path / "mine.png", tmp_path / "out" / "m" / "maps" / f"{sample.name}.png"
    PIL.Image.new("L", (4, 4)).save(mine)
    before = mine.read_bytes()
    link.parent.mkdir(parents=True)
    link.symlink_to(mine)
    with pytest.raises(ImageError, match="is not of blurmapper's making"):
        run_benchmark(Entry("m", method="all-blurred"), [sample], tmp_path / "out")
    assert mine.read_bytes() == before
