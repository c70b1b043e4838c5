"""Photos in the order of S."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pytest
from click.testing import CliRunner

from blurmapper.cli import app
from blurmapper.errors import DatasetError
from blurmapper.laboratory.degrees import find_degrees, run_degrees
from blurmapper.laboratory.experiments import Experiment, read_experiment
from blurmapper.laboratory.photos import list_photos


@pytest.fixture
def toy(tiny_weights: Path) -> Experiment:
    return replace(read_experiment("figure11"), methods=(str(tiny_weights),), photos=3)


def ignore(line: str) -> None:
    pass


def test_the_order_is_from_sharp_to_blurred(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    pytest.importorskip("scipy", reason="needs the extra blurmapper[baselines]")
    values = run_degrees(toy, toy_benchmark, tmp_path, ignore).values
    found = list(values["degrees"].values())
    assert len(found) == 6
    assert found == sorted(found)
    assert values["shown"][0] == next(iter(values["degrees"]))
    assert values["shown"][-1] == list(values["degrees"])[-1]


def test_the_more_of_a_photo_is_blurred_the_later_it_comes(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    pytest.importorskip("scipy", reason="needs the extra blurmapper[baselines]")
    assert run_degrees(toy, toy_benchmark, tmp_path, ignore).values["rank_correlation"] > 0.8


def test_a_photo_undecided_all_over_has_no_share(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    pytest.importorskip("scipy", reason="needs the extra blurmapper[baselines]")
    before = run_degrees(toy, toy_benchmark, tmp_path, ignore).values
    PIL.Image.new("RGB", (96, 64), "grey").save(toy_benchmark / "images" / "z.png")
    PIL.Image.new("L", (96, 64), 128).save(toy_benchmark / "truth" / "z.png")
    with (toy_benchmark / "photos.csv").open("a") as notes:
        notes.write("z,,3\n")
    after = run_degrees(toy, toy_benchmark, tmp_path, ignore).values
    assert "z" in after["degrees"]
    for name in ("blurred_shares", "rank_correlation", "mean_absolute_difference"):
        assert after[name] == before[name]


def test_what_was_measured_is_not_measured_again(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, file = list_photos(toy, toy_benchmark), tmp_path / "degrees.jsonl"
    first = find_degrees(toy.methods[0], photos, file, ignore)
    monkeypatch.setattr("blurmapper.laboratory.degrees.read_image", None)
    assert find_degrees(toy.methods[0], photos, file, ignore) == first


def test_a_photo_changed_in_its_rights_alone_is_written_down_once(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    photos, file = list_photos(toy, toy_benchmark), tmp_path / "degrees.jsonl"
    first = find_degrees(toy.methods[0], photos, file, ignore)
    photos[0].path.chmod(0o600)
    for _ in range(2):
        assert find_degrees(toy.methods[0], photos, file, ignore) == first
    assert len(file.read_text().splitlines()) == len(photos) + 1


def test_a_photo_that_has_changed_is_measured_anew(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    photos, file = list_photos(toy, toy_benchmark), tmp_path / "degrees.jsonl"
    first = find_degrees(toy.methods[0], photos, file, ignore)
    PIL.Image.new("RGB", (96, 64), "grey").save(photos[0].path)
    again = find_degrees(toy.methods[0], photos, file, ignore)
    assert {n for n in again if again[n] != first[n]} == {photos[0].name}


def test_photos_of_one_size_and_time_that_change_places_are_measured_anew(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    for file in list((toy_benchmark / "images").iterdir()):
        PIL.Image.open(file).save(file.with_suffix(".bmp"))
        os.utime(file.with_suffix(".bmp"), ns=(0, 0))
        file.unlink()
    photos, file = list_photos(toy, toy_benchmark), tmp_path / "degrees.jsonl"
    first = find_degrees(toy.methods[0], photos, file, ignore)
    one, other = photos[0], photos[-1]
    one.path.rename(tmp_path / "kept")
    other.path.rename(one.path)
    (tmp_path / "kept").rename(other.path)
    again = find_degrees(toy.methods[0], photos, file, ignore)
    assert first[one.name] != first[other.name]
    assert (again[one.name], again[other.name]) == (first[other.name], first[one.name])


def test_a_file_cut_short_is_passed_over(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    photos, file = list_photos(toy, toy_benchmark), tmp_path / "degrees.jsonl"
    first = find_degrees(toy.methods[0], photos, file, ignore)
    file.write_text(file.read_text()[:-20])
    assert find_degrees(toy.methods[0], photos, file, ignore) == first
    assert len(file.read_text().splitlines()) == 7


def test_a_photo_that_cannot_be_read_is_said_and_left_out(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    photos, said = list_photos(toy, toy_benchmark), []
    photos[0].path.write_bytes(b"no photo")
    found = find_degrees(toy.methods[0], photos, tmp_path / "degrees.jsonl", said.append)
    assert photos[0].name not in found
    assert len(found) == 5
    assert any(photos[0].path.name in line for line in said)


@pytest.mark.parametrize("odd", ["NaN", "7", '"soft"'])
def test_a_line_whose_degree_cannot_be_right_is_measured_again(
    odd: str, toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    photos, file = list_photos(toy, toy_benchmark), tmp_path / "degrees.jsonl"
    found = find_degrees(toy.methods[0], photos, file, ignore)
    file.write_text(re.sub(r'(?<="degree": )[^,}]+', odd, file.read_text()))
    assert find_degrees(toy.methods[0], photos, file, ignore) == found


def test_where_no_photo_can_be_read_there_is_one_line(toy: Experiment, tmp_path: Path) -> None:
    (tmp_path / "damaged.jpg").write_bytes(b"no photo")
    with pytest.raises(DatasetError, match="no photo in it can be read"):
        run_degrees(toy, tmp_path, tmp_path / "out", ignore)


def test_masks_without_photos_are_one_line(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    shutil.rmtree(toy_benchmark / "images")
    with pytest.raises(DatasetError, match=r"truth/.*\.png: has no photo to map; add the photos"):
        run_degrees(toy, toy_benchmark, tmp_path, ignore)


def test_a_folder_of_photos_has_no_figure_of_truth(
    toy: Experiment, toy_benchmark: Path, tmp_path: Path
) -> None:
    results = run_degrees(toy, toy_benchmark / "images", tmp_path, ignore)
    assert list(results.figures) == ["figure11"]
    assert "rank_correlation" not in results.values


def test_with_few_photos_asked_for_all_are_ranked(
    tiny_weights: Path, toy_benchmark: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra blurmapper[report]")
    options = ["--method", str(tiny_weights), "--data", str(toy_benchmark), "--photos", "2"]
    result = CliRunner().invoke(app, ["reproduce", "figure11", *options, "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    values = json.loads((tmp_path / "figure11.json").read_text())
    assert (len(values["shown"]), len(values["degrees"])) == (2, 6)
