from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import read_dataset
from blurmapper.errors import ImageError, MissingExtraError
from blurmapper.evaluation import figures
from blurmapper.evaluation.benchmark import Entry, run_benchmark
from blurmapper.evaluation.report import (
    FIGURES,
    Findings,
    draw_benchmark_curves,
    draw_benchmark_sheet,
    rank_extremes,
    write_figures,
    write_report,
)
from blurmapper.evaluation.rows import make_rows, photo_scores
from blurmapper.evaluation.tables import score_tables


@pytest.fixture
def findings(benchmark_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Findings:
    pytest.importorskip("matplotlib", reason="figures need the extra report")
    monkeypatch.setattr(figures, "DOTS_PER_INCH", 40)
    samples, output = read_dataset(benchmark_folder), benchmark_folder / "out"
    entries = [
        Entry("rough <1>", maps=benchmark_folder / "rough", white="sharp"),
        Entry("soft", maps=benchmark_folder / "soft"),
    ]
    results = {entry.name: run_benchmark(entry, samples, output) for entry in entries}
    tables = score_tables(make_rows(results, samples, "paper"), "four photos")
    return Findings(tables, results, samples, entries, output, "paper")


def test_the_report_is_one_file_that_needs_no_other(findings: Findings, tmp_path: Path) -> None:
    write_report(findings, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "four photos: 4 photos, protocol paper" in page
    assert "rough &lt;1&gt;" in page
    assert "<1>" not in page
    assert page.count("data:image/png;base64,") == 3
    assert not re.search(r'(src|href)="(?!data:)', page)


@pytest.mark.filterwarnings("error:invalid value")
def test_a_photo_that_is_undecided_all_over_is_in_no_row_and_no_sheet(
    findings: Findings, tmp_path: Path
) -> None:
    entry, samples = findings.entries[1], findings.samples
    blank = replace(samples[0], truth=tmp_path / "blank.png", undecided=128)
    PIL.Image.new("L", (48, 32), 128).save(tmp_path / "blank.png")
    results = {entry.name: run_benchmark(entry, [blank, *samples[1:]], tmp_path)}
    for protocol in ("paper", "dbd"):
        scored = make_rows(results, [blank, *samples[1:]], protocol)
        assert [row.images for row in scored] == [3, 3]
    shown = rank_extremes(replace(findings, results=results, samples=[blank, *samples[1:]]))
    assert blank not in shown["Worst"] + shown["Best"]
    assert photo_scores(results[entry.name])[blank.name]["mae"] is None


@pytest.mark.parametrize("protocol", ["paper", "pooled", "dbd"])
@pytest.mark.parametrize(
    ("grey", "written"), [(128, {"curves.pdf"}), (0, {*FIGURES}), (255, {*FIGURES})]
)
def test_masks_that_tell_nothing_get_a_report_of_what_there_is(
    grey: int, written: set[str], protocol: str, findings: Findings, tmp_path: Path
) -> None:
    samples = [replace(sample, undecided=True) for sample in findings.samples]
    for sample in samples:
        PIL.Image.new("L", (48, 32), grey).save(sample.truth)
    results = {e.name: run_benchmark(e, samples, tmp_path) for e in findings.entries}
    tables = score_tables(make_rows(results, samples, protocol), "four photos")
    found = Findings(tables, results, samples, findings.entries, tmp_path, protocol)
    write_report(found, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(written)
    write_figures(found, tmp_path / "figures")
    assert {path.name for path in (tmp_path / "figures").iterdir()} == written


def test_figures_are_files_too(findings: Findings, tmp_path: Path) -> None:
    write_figures(findings, tmp_path / "figures")
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    assert written == {*FIGURES} == {"curves.pdf", "best.png", "worst.png"}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_of_earlier_runs_give_way_and_photos_do_not(
    name: str, findings: Findings, tmp_path: Path
) -> None:
    write_figures(findings, tmp_path)
    write_figures(findings, tmp_path)
    # A plot of one's own is by Matplotlib too.
    figures.new_figure(2, 2).savefig(tmp_path / name)
    mine = (tmp_path / name).read_bytes()
    assert b"Matplotlib" in mine
    with pytest.raises(ImageError, match=f"{name}: is not of blurmapper's making"):
        write_figures(findings, tmp_path)
    assert (tmp_path / name).read_bytes() == mine


def test_a_sheet_shows_photo_maps_and_truth(findings: Findings) -> None:
    axes = draw_benchmark_sheet(findings, findings.samples).axes
    assert [cell.get_title() for cell in axes[:4]] == ["photo", "rough <1>", "soft", "truth"]
    assert len(axes) == 4 * 4
    assert float(axes[1].get_xlabel()) < float(axes[2].get_xlabel()) <= 1


def test_pictures_of_large_photos_have_what_is_printed(tmp_path: Path) -> None:
    large = np.zeros((1200, 2400), np.uint8)
    for folder in ("image", "gt"):
        (tmp_path / folder).mkdir()
        PIL.Image.fromarray(large).save(tmp_path / folder / "a.png")
    (sample,) = read_dataset(tmp_path)
    figure = figures.draw_sheet([sample], ["mine"], lambda method, sample: large, {"a": [""]})
    shapes = [cell.images[0].get_array().shape[:2] for cell in figure.axes]
    assert shapes == [(450, 900)] * 3


def test_a_curve_for_each_method_and_a_point_for_everything(findings: Findings) -> None:
    lines = draw_benchmark_curves(findings.results, findings.protocol).axes[0].lines
    labels = [line.get_label() for line in lines]
    assert labels == ["everything is blurred", "rough <1>", "soft"]


def test_the_worst_photos_are_those_that_are_least_right(findings: Findings) -> None:
    ranked = rank_extremes(findings)
    axes = draw_benchmark_sheet(findings, [*ranked["Worst"], *ranked["Best"][::-1]]).axes
    captions = [float(cell.get_xlabel()) for cell in axes[1::4]]
    assert len(captions) == len(findings.samples)
    assert captions == sorted(captions)


def test_without_matplotlib_the_extra_is_named(
    findings: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"\[report\]'"):
        write_report(findings, tmp_path / "report.html")
