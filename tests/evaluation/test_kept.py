"""What a benchmark keeps, and what of it need not be done again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from blurmapper.batch import sameness
from blurmapper.datasets import read_dataset
from blurmapper.errors import DatasetError
from blurmapper.evaluation import benchmark
from blurmapper.evaluation.benchmark import Entry, run_benchmark
from blurmapper.methods import MethodOptions


def test_what_was_only_changed_in_its_rights_is_read_once_and_not_again(
    benchmark_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, entry = read_dataset(benchmark_folder), Entry("soft", maps=benchmark_folder / "soft")
    run_benchmark(entry, samples, tmp_path)
    for sample in samples:
        sample.truth.chmod(0o600)
    read: list[object] = []
    digest = sameness.digest_content
    monkeypatch.setattr(sameness, "digest_content", lambda file: read.append(file) or digest(file))
    for _ in range(2):
        run_benchmark(entry, samples, tmp_path)
    # What is scored anew would be read too, masks and maps.
    assert len(read) == len(samples)


@pytest.mark.parametrize("damaged", [False, True])
def test_what_a_method_mapped_is_only_counted_anew_where_counts_change(
    benchmark_folder: Path,
    tmp_path: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    damaged: bool,
) -> None:
    samples, entry = read_dataset(benchmark_folder), Entry("tiny", str(tiny_weights))
    before = run_benchmark(entry, samples, tmp_path)
    maps = sorted((tmp_path / "tiny" / "maps").iterdir())
    if damaged:
        maps[0].write_bytes(maps[0].read_bytes()[:60])
        os.utime(maps[0], ns=(1, 1))
    times = [file.stat().st_mtime_ns for file in maps]
    monkeypatch.setattr(benchmark, "COUNTS_VERSIONS", (8, 9))
    for _ in range(2):
        after = run_benchmark(entry, samples, tmp_path)
    assert all(record.key.startswith("8 ") for record in after)
    written = [file.stat().st_mtime_ns != time for file, time in zip(maps, times, strict=True)]
    assert written == [damaged, *[False] * (len(samples) - 1)]
    assert [r.counts.to_dict() for r in after] == [r.counts.to_dict() for r in before]
    assert [r.seconds for r in after][damaged:] == [r.seconds for r in before][damaged:]
    lines = (tmp_path / "tiny" / "counts.jsonl").read_bytes().splitlines()
    assert len(lines) == 2 * len(samples)


def test_maps_of_a_run_that_was_stopped_do_not_stand_under_counts_of_another(
    benchmark_folder: Path,
    tmp_path: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples, entry = read_dataset(benchmark_folder), Entry("tiny", str(tiny_weights))
    before = run_benchmark(entry, samples, tmp_path)
    maps = sorted((tmp_path / "tiny" / "maps").iterdir())
    kept = [file.read_bytes() for file in maps]

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    other = replace(entry, options=MethodOptions(working_side=16))
    with monkeypatch.context() as patch:
        patch.setattr(benchmark, "boundary_counts", stop)
        with pytest.raises(KeyboardInterrupt):
            run_benchmark(other, samples, tmp_path)
    assert maps[0].read_bytes() != kept[0]
    # What was copied is what it was, whatever its time.
    os.utime(maps[1], ns=(1, 1))
    after = run_benchmark(entry, samples, tmp_path)
    assert [file.read_bytes() for file in maps] == kept
    assert maps[1].stat().st_mtime_ns == 1
    assert [r.counts.to_dict() for r in after] == [r.counts.to_dict() for r in before]


def test_a_process_that_is_killed_ends_in_one_line(
    benchmark_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "killed.py").write_text("import os\ndef die(image): os._exit(9)")
    monkeypatch.syspath_prepend(tmp_path)
    samples = read_dataset(benchmark_folder)
    with pytest.raises(DatasetError, match=r"was killed.* run again with fewer --processes"):
        run_benchmark(Entry("die", "killed:die"), samples, tmp_path / "out", processes=2)
