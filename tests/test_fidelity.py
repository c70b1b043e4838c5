"""What the command that sets classical methods beside their authors' maps keeps, and its table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pymatting", reason="the command needs the extra blurmapper[baselines]")

from blurmapper.datasets import Sample
from blurmapper.evaluation.counts import image_counts

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmarks are no part of the package."""
    monkeypatch.syspath_prepend(ROOT)


def test_a_line_cut_short_is_passed_over_and_the_next_stands_alone(tmp_path: Path) -> None:
    from benchmarks.fidelity import Store

    store = Store(tmp_path / "new" / "su11.jsonl", "code")
    store.add("one", {"value": 1})
    with store.path.open("a") as stream:
        stream.write('{"name": "two", "ke')
    assert list(store.read()) == ["one"]
    store.add("three", {"value": 3})
    assert {name: entry["value"] for name, entry in store.read().items()} == {"one": 1, "three": 3}


def test_what_other_code_answered_is_not_counted(tmp_path: Path) -> None:
    from benchmarks.fidelity import Store

    store = Store(tmp_path / "su11.jsonl", "code")
    store.add("one", {"value": 1})
    assert not replace(store, key="other").read()


def test_the_key_tells_methods_apart() -> None:
    from benchmarks.measuring import source_key

    names = ("su11", "yi16", "shi14", "liu08")
    keys = [source_key(name) for name in names]
    assert len(set(keys)) == 4
    assert keys == [source_key(name) for name in names]


def test_more_photos_begin_with_the_same() -> None:
    from benchmarks.fidelity import in_turn

    samples = [Sample(f"{number:04}", None, Path()) for number in range(50)]
    order = [sample.name for sample in in_turn(samples)]
    assert order == [sample.name for sample in in_turn(samples)]
    assert sorted(order) == [sample.name for sample in samples]
    assert np.mean([int(name) for name in order[:20]]) == pytest.approx(24.5, abs=6)


def test_the_table_has_our_scores_beside_the_papers() -> None:
    from benchmarks.fidelity_table import Fidelity, markdown

    truth = np.arange(64).reshape(8, 8) >= 32
    counts = [image_counts(truth.astype(np.float32), truth)]
    published = np.stack([np.full(256, 0.7125), np.zeros(256)], axis=1)
    row = Fidelity("hifst", (0.5, 0.9, 1.0), {"odd": [], "even": counts}, {"even": []}, published)
    (line,) = markdown([row]).splitlines()[2:]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:4] == ["`hifst`", "De", "1", "0.900"]
    assert cells[4] == "1.000"  # recall is 1 at every threshold, and published at none
    assert cells[5] == "1.000 / 1.000 / .998"
    assert cells[7:] == [".813 / .851 / .717", "+0.001"]
