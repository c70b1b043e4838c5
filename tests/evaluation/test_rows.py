from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from blurmapper.datasets import Sample, read_dataset
from blurmapper.evaluation.benchmark import Entry, run_benchmark
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.rows import differences, make_rows, subset_names
from blurmapper.evaluation.scores import image_counts, score_paper
from blurmapper.evaluation.tables import (
    Table,
    difference_table,
    format_csv,
    format_json,
    format_latex,
    format_markdown,
    format_photos,
    score_tables,
)

SMALL = Table("100 % of a_set", ("method", "ODS"), (("everything is blurred", "0.758"),))


@pytest.fixture
def results(benchmark_folder: Path) -> tuple[dict[str, Records], list[Sample]]:
    samples = read_dataset(benchmark_folder)
    soft = Entry("soft", maps=benchmark_folder / "soft")
    rough = Entry("rough", maps=benchmark_folder / "rough", white="sharp")
    return {e.name: run_benchmark(e, samples, benchmark_folder) for e in (soft, rough)}, samples


Results = tuple[dict[str, Records], list[Sample]]


@pytest.mark.parametrize("protocol", ["paper", "pooled", "dbd"])
def test_everything_is_blurred_heads_every_table(results: Results, protocol: str) -> None:
    rows = make_rows(*results, protocol, subsets=True)
    for table in score_tables(rows, "four photos"):
        assert table.rows[0][0] == "everything is blurred"
        assert f"protocol {protocol}" in table.title


def test_the_row_of_everything_is_what_that_method_scores(
    results: Results, benchmark_folder: Path
) -> None:
    records, samples = results
    method = run_benchmark(Entry("all-blurred", "all-blurred"), samples, benchmark_folder)
    closed, run = make_rows(records, samples, "paper")[0], score_paper(method.counts)
    assert closed.scores["ods"].value == pytest.approx(run.ods)
    assert closed.scores["ap"].value == pytest.approx(run.ap)
    twice = make_rows({**records, "all-blurred": method}, samples, "paper")
    assert [row.method for row in twice] == ["all-blurred", "soft", "rough"]


def test_subsets_are_by_kind_and_by_size_of_the_blurred_region(results: Results) -> None:
    rows = make_rows(*results, "paper", subsets=True)
    images = {row.subset: row.images for row in rows}
    assert images == {
        "all": 4,
        "motion": 2,
        "defocus": 2,
        "under 1/3 blurred": 1,
        "1/3 to 2/3 blurred": 2,
        "over 2/3 blurred": 1,
    }


def test_a_photo_undecided_all_over_is_of_no_subset(results: Results) -> None:
    records, samples = results
    blank = image_counts(np.zeros((4, 4)), np.zeros((4, 4), bool), np.zeros((4, 4), bool))
    soft = Records(
        replace(record, counts=blank) if number == 3 else record
        for number, record in enumerate(records["soft"])
    )
    kinds = [replace(sample, kind="abcd"[number]) for number, sample in enumerate(samples)]
    assert subset_names(kinds, soft) == {
        "a": [samples[0].name],
        "b": [samples[1].name],
        "c": [samples[2].name],
        "1/3 to 2/3 blurred": [samples[1].name, samples[2].name],
        "over 2/3 blurred": [samples[0].name],
    }


def named(samples: Sequence[Sample], sets: str, kinds: Sequence[str]) -> list[Sample]:
    """Return the samples in sets of a letter each, and of other kinds."""
    return [
        replace(sample, name=f"{inner}/{sample.name}" if inner.strip() else sample.name, kind=kind)
        for sample, inner, kind in zip(samples, sets, kinds, strict=True)
    ]


@pytest.mark.parametrize(
    ("sets", "kinds", "subsets"),
    [
        ("    ", ["all", "all", "all", ""], {"all (kind)": [0, 1, 2]}),
        ("aabb", ["a", "a", "b", "b"], {"a": [0, 1], "b": [2, 3]}),
        (
            *("aabb", ["a", "b", "b", "b"]),
            {"a": [0, 1], "b": [2, 3], "a (kind)": [0], "b (kind)": [1, 2, 3]},
        ),
        (
            *("    ", ["under 1/3 blurred", "", "", ""]),
            {"under 1/3 blurred": [0], "under 1/3 blurred (size)": [3]},
        ),
    ],
)
def test_subsets_of_one_name_stand_apart_unless_they_are_the_same(
    sets: str, kinds: list[str], subsets: dict[str, list[int]], results: Results
) -> None:
    records, samples = results
    samples = named(samples, sets, kinds)
    soft = Records(
        replace(record, name=sample.name)
        for record, sample in zip(records["soft"], samples, strict=True)
    )
    found = subset_names(samples, soft)
    sizes = {"under 1/3 blurred": [3], "1/3 to 2/3 blurred": [1, 2], "over 2/3 blurred": [0]}
    assert found == {
        label: [samples[number].name for number in numbers]
        for label, numbers in (sizes | subsets).items()
    }
    assert make_rows({"soft": soft}, samples, "paper", subsets=True)[0].images == 4


def test_json_is_a_list_of_one_object_a_row(results: Results) -> None:
    rows = json.loads(format_json(make_rows(*results, "pooled")))
    assert [row["method"] for row in rows] == ["all-blurred", "soft", "rough"]
    for row in rows:
        assert (row["protocol"], row["images"]) == ("pooled", 4)
        assert 0 <= row["ap"] <= row["ods"] <= row["ois"] <= 1


def test_json_of_protocol_dbd_has_its_own_scores(results: Results) -> None:
    rows = json.loads(format_json(make_rows(*results, "dbd")))
    assert rows[1]["ods"] is None
    assert rows[1]["f_score"] > 0.9
    assert rows[1]["mae"] < 0.2


def test_csv_has_every_figure_and_interval(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(format_csv(make_rows(*results, "paper")))))
    assert float(rows[1]["ods_low"]) <= float(rows[1]["ods"]) <= float(rows[1]["ods_high"])


def test_csv_has_empty_cells_where_a_subset_has_no_f(benchmark_folder: Path) -> None:
    PIL.Image.new("L", (48, 32)).save(benchmark_folder / "gt" / "motion0001.png")
    samples = named(read_dataset(benchmark_folder), "    ", ["all_sharp", "", "", ""])
    soft = run_benchmark(Entry("soft", maps=benchmark_folder / "soft"), samples, benchmark_folder)
    rows = make_rows({"soft": soft}, samples, "paper", subsets=True)
    headings, *lines = csv.reader(io.StringIO(format_csv(rows)))
    assert {len(line) for line in lines} == {len(headings)}
    sharp = next(dict(zip(headings, line, strict=True)) for line in lines if "all_sharp" in line)
    ends = ("low", "high")
    assert [sharp[f"{name}_{end}"] for name in ("ods", "ois") for end in ends] == [""] * 4


def test_differences_are_to_the_reference(results: Results) -> None:
    table = difference_table(differences(results[0], "paper", "soft"), "soft", "paper")
    assert table.rows[0][0] == "rough"
    assert table.rows[0][1].startswith("-0.")


def test_markdown_is_a_table() -> None:
    lines = format_markdown(SMALL).splitlines()
    assert lines[2:] == ["| method | ODS |", "| --- | ---: |", "| everything is blurred | 0.758 |"]


def test_latex_escapes_what_it_must() -> None:
    latex = format_latex(SMALL)
    assert r"\caption{100 \% of a\_set}" in latex
    assert r"everything is blurred & 0.758 \\" in latex
    assert r"\label{tab:100-of-a-set}" in latex
    # Two experiments on one data set have tables of one title.
    assert r"\label{tab:table3-100-of-a-set}" in format_latex(SMALL, "table3")


def test_latex_takes_every_name() -> None:
    latex = format_latex(Table("a_$1", ("method", "ODS"), ((r"[*]^$\~{a}<b|c>", "0.758"),)))
    name = r"{[}{*}]\textasciicircum{}\$\textbackslash{}\textasciitilde{}\{a\}"
    name += r"\textless{}b\textbar{}c\textgreater{}"
    assert rf"\midrule{chr(10)}{name} & 0.758 \\" in latex
    assert r"\caption{a\_\$1}" in latex


def test_markdown_takes_every_name() -> None:
    markdown = format_markdown(Table("a", ("method", "ODS"), (("a|b", "0.758"),)))
    assert markdown.splitlines()[4] == r"| a\|b | 0.758 |"


def test_latex_prints_the_best_figures_bold() -> None:
    rows = (("one", "0.758", "0.2"), ("two", "0.813", "0.3"), ("three", "0.813", "-"))
    latex = format_latex(Table("three", ("method", "ODS", "MAE"), rows))
    assert r"one & 0.758 & \textbf{0.2} \\" in latex
    assert r"two & \textbf{0.813} & 0.3 \\" in latex
    assert r"three & \textbf{0.813} & - \\" in latex


def test_each_photo_has_scores_of_its_own(results: Results) -> None:
    records, samples = results
    rows = list(csv.DictReader(io.StringIO(format_photos(records))))
    assert len(rows) == len(records) * len(samples)
    soft = [row for row in rows if row["method"] == "soft" and row["f"]]
    scores = score_paper(records["soft"].counts)
    assert np.mean([float(row["f"]) for row in soft]) == pytest.approx(scores.ods)
    assert np.mean([float(row["best_f"]) for row in soft]) == pytest.approx(scores.ois)
