"""The open benchmark, of a library small enough for tests."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch", reason="training needs the extra blurmapper[train]")

from blurmapper.datasets import read_dataset, read_truth
from blurmapper.errors import ConfigError, DatasetError, ImageError
from blurmapper.laboratory import open_benchmark
from blurmapper.laboratory.open_benchmark import Entry, Image
from blurmapper.laboratory.twins import group_twins
from blurmapper.splits import select_split
from blurmapper.training.data import PairSource

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "photos"
SIDE = 64


def texture(seed: int) -> npt.NDArray[np.uint8]:
    """A photo of coarse and fine detail that no other seed's is like."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (SIDE, SIDE))
    fine = rng.integers(0, 60, (SIDE, SIDE, 3), np.uint8)
    return np.asarray(coarse // 2 + fine, np.uint8)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve sharp, four bokeh and four traced photos; the first two bokeh ones are twins."""
    root = tmp_path_factory.mktemp("library")
    for folder in ("images", "subjects", "traced/images", "traced/truth"):
        (root / folder).mkdir(parents=True)
    disc = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(disc, (SIDE // 2, SIDE // 2), SIDE // 4, 255, -1)
    rows, traced = ["photo,use"], ["photo,kind"]
    for number in range(12):
        rows.append(f"sharp{number},sharp")
        cv2.imwrite(str(root / f"images/sharp{number}.jpg"), texture(number))
    for number in range(4):
        rows.append(f"bokeh{number},bokeh")
        cv2.imwrite(str(root / f"images/bokeh{number}.jpg"), texture(100 + max(number, 1)))
        cv2.imwrite(str(root / f"subjects/bokeh{number}.webp"), disc)
        traced.append(f"hand{number},{'motion_bg' if number == 0 else 'plane'}")
        cv2.imwrite(str(root / f"traced/images/hand{number}.jpg"), texture(200 + number))
        cv2.imwrite(str(root / f"traced/truth/hand{number}.png"), disc)
    (root / "photos.csv").write_text("\n".join(rows) + "\n")
    (root / "traced/photos.csv").write_text("\n".join(traced) + "\n")
    return root


@pytest.fixture(autouse=True)
def _few_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="training needs the extra blurmapper[train]")
    monkeypatch.setattr(open_benchmark, "CUHK_PHOTOS", {"motion": 4, "defocus": 10})


@pytest.fixture
def benchmark(library: Path, tmp_path: Path) -> Path:
    return open_benchmark.build_open_benchmark(library, tmp_path / "made", side=SIDE)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "photos.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_kinds_and_halves_are_as_many_as_asked_for(benchmark: Path) -> None:
    samples = read_dataset(benchmark)
    assert Counter(sample.kind for sample in samples) == {"motion": 4, "defocus": 10}
    assert len(select_split(samples, "odd")) == len(select_split(samples, "even")) == 7


def test_real_blur_comes_before_made_blur(benchmark: Path) -> None:
    origins = Counter((row["kind"], row["origin"]) for row in rows_of(benchmark))
    assert origins == {
        ("motion", "traced"): 1,
        ("motion", "made"): 3,
        ("defocus", "traced"): 3,
        ("defocus", "optical"): 3,
        ("defocus", "made"): 4,
    }


def test_no_scene_is_there_twice(benchmark: Path) -> None:
    sources = [row["source"] for row in rows_of(benchmark)]
    assert len(set(sources)) == len(sources)
    assert not {"bokeh0", "bokeh1"} <= set(sources)


def test_what_is_borrowed_stays_in_its_half(library: Path) -> None:
    whole = open_benchmark.read_whole_library(library)
    entries = open_benchmark.plan_entries(whole, seed=0)
    even, odd = open_benchmark._halve(whole, entries)
    assert {m.photo for m in even.bokeh}.isdisjoint(m.photo for m in odd.bokeh)
    for half, part in enumerate((even, odd)):
        own = {entry.source.photo for entry in entries if entry.half == half}
        assert {m.photo for m in part.bokeh} <= own


def test_a_photo_is_made_with_what_its_own_half_may_lend(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent: dict[int, set[Path]] = {0: set(), 1: set()}
    make = open_benchmark._make

    def note(entry: Entry, source: PairSource, seed: tuple[int, int]) -> tuple[Image, Image]:
        lent[entry.half] |= {m.photo for m in source.library.bokeh}
        return make(entry, source, seed)

    monkeypatch.setattr(open_benchmark, "_make", note)
    made = open_benchmark.build_open_benchmark(library, tmp_path / "made", side=SIDE)
    for half, photos in lent.items():
        own = {row["source"] for row in rows_of(made) if int(row["photo"][-4:]) % 2 == half}
        assert photos
        assert {photo.stem for photo in photos} <= own


def test_photos_that_are_missing_claim_no_folder(library: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="missing; give a folder of photos"):
        open_benchmark.build_open_benchmark(tmp_path / "none", tmp_path / "made", side=SIDE)
    open_benchmark.build_open_benchmark(library, tmp_path / "made", side=SIDE)


def test_a_mask_of_another_size_than_its_photo_is_named(library: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    shutil.copytree(library, photos)
    for mask in (photos / "traced/truth").iterdir():
        cv2.imwrite(str(mask), cv2.resize(cv2.imread(str(mask)), (32, 32)))
    with pytest.raises(DatasetError, match=r"truth/hand\d\.png: of another size than"):
        open_benchmark.build_open_benchmark(photos, tmp_path / "made", side=SIDE)


def test_traced_masks_of_class_numbers_are_what_they_mean(
    benchmark: Path, library: Path, tmp_path: Path
) -> None:
    photos = tmp_path / library.name
    shutil.copytree(library, photos)
    for mask in (photos / "traced/truth").iterdir():
        cv2.imwrite(str(mask), cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE) // 255)
    again = open_benchmark.build_open_benchmark(photos, tmp_path / "again", side=SIDE)
    traced = [row["photo"] for row in rows_of(again) if row["origin"] == "traced"]
    assert traced
    for name in traced:
        mask = f"truth/{name}.png"
        assert (again / mask).read_bytes() == (benchmark / mask).read_bytes()


def test_every_made_photo_is_partly_blurred(benchmark: Path) -> None:
    made = {row["photo"] for row in rows_of(benchmark) if row["origin"] == "made"}
    for sample in read_dataset(benchmark):
        if sample.name in made:
            ground_truth, valid = read_truth(sample)
            assert valid is not None
            assert ground_truth.mean() > open_benchmark.LEAST_SHARE
            assert (~ground_truth & valid).mean() > open_benchmark.LEAST_SHARE


def test_the_same_seed_makes_the_same_benchmark(
    benchmark: Path, library: Path, tmp_path: Path
) -> None:
    again = open_benchmark.build_open_benchmark(library, tmp_path / "again", side=SIDE)
    names = sorted(p.relative_to(benchmark) for p in benchmark.rglob("*.*"))
    assert names == sorted(p.relative_to(again) for p in again.rglob("*.*"))
    assert all((benchmark / n).read_bytes() == (again / n).read_bytes() for n in names)


def test_another_seed_makes_another(benchmark: Path, library: Path, tmp_path: Path) -> None:
    other = open_benchmark.build_open_benchmark(library, tmp_path / "other", seed=1, side=SIDE)
    assert rows_of(benchmark) != rows_of(other)
    with pytest.raises(ConfigError, match="holds a benchmark made otherwise"):
        open_benchmark.build_open_benchmark(library, other, side=SIDE)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"\0\0", b"[" * 100_000])
def test_a_damaged_list_of_what_it_is_made_of_is_one_line(
    content: bytes, library: Path, tmp_path: Path
) -> None:
    (tmp_path / "benchmark.json").write_bytes(content)
    with pytest.raises(ConfigError, match="holds a benchmark made otherwise; give another folder"):
        open_benchmark.build_open_benchmark(library, tmp_path, side=SIDE)


@pytest.mark.parametrize("name", ["benchmark.json", "images", "truth"])
def test_no_benchmark_goes_through_a_link(name: str, library: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to("../mine")
    with pytest.raises(ImageError, match=f"{name}: is not of .*; move away the link"):
        open_benchmark.build_open_benchmark(library, tmp_path / "out", side=SIDE)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_run_left_is_gone_on_with(benchmark: Path, library: Path) -> None:
    before = {path: path.read_bytes() for path in benchmark.rglob("*.*")}
    (benchmark / "photos.csv").unlink()
    missing = [benchmark / "images" / "motion0002.jpg", benchmark / "truth" / "motion0004.png"]
    missing[0].unlink()
    kept = benchmark / "images" / "out_of_focus0001.jpg"
    modified = kept.stat().st_mtime_ns
    open_benchmark.build_open_benchmark(library, benchmark, side=SIDE)
    assert {path: path.read_bytes() for path in benchmark.rglob("*.*")} == before
    assert kept.stat().st_mtime_ns == modified


def test_a_run_that_was_stopped_does_not_go_on_with_other_photos(
    benchmark: Path, library: Path, tmp_path: Path
) -> None:
    shutil.copytree(library, tmp_path / "grown" / library.name)
    listed = tmp_path / "grown" / library.name / "photos.csv"
    first, *others = listed.read_text().splitlines()
    listed.write_text("\n".join([first, *others[::-1], ""]))
    # What is whole stays what it is.
    open_benchmark.build_open_benchmark(listed.parent, benchmark, side=SIDE)
    (benchmark / "photos.csv").unlink()
    with pytest.raises(ConfigError, match=r"begun with other photos than .*; give another folder"):
        open_benchmark.build_open_benchmark(listed.parent, benchmark, side=SIDE)


def test_too_few_sharp_photos_are_counted(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_benchmark, "CUHK_PHOTOS", {"motion": 40, "defocus": 10})
    whole = open_benchmark.read_whole_library(library)
    with pytest.raises(DatasetError, match=r"1\d more photos that are sharp all over"):
        open_benchmark.plan_entries(whole, seed=0)
    with pytest.raises(DatasetError, match="more photos that are sharp"):
        open_benchmark.plan_entries(replace(whole, sharp=()), seed=0)


def test_copies_and_mirrored_copies_are_twins(tmp_path: Path) -> None:
    one, other = texture(1), texture(2)
    pictures = [one, other, one[:, ::-1], cv2.resize(one, (96, 96)), texture(3)]
    paths = [tmp_path / f"{number}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        cv2.imwrite(str(path), picture)
    assert group_twins(paths) == [[0, 2, 3], [1], [4]]


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs ../shared/data/photos")
def test_the_photos_at_hand_suffice_for_the_papers_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(open_benchmark, "CUHK_PHOTOS", {"motion": 296, "defocus": 704})
    entries = open_benchmark.plan_entries(open_benchmark.read_whole_library(PHOTOS), seed=0)
    assert len({entry.source.photo for entry in entries}) == len(entries) == 1000
    assert sum(entry.origin != "made" for entry in entries) > 600


@pytest.mark.parametrize("name", ["truth/motion0001.png", "images/motion0001.jpg"])
def test_photos_and_masks_of_another_stay_as_they_are(
    name: str, library: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "part" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"\x89PNG of theirs")
    with pytest.raises(ConfigError, match="holds photos or masks of another; give another folder"):
        open_benchmark.build_open_benchmark(library, tmp_path / "part", side=SIDE)
    assert theirs.read_bytes() == b"\x89PNG of theirs"
    assert [path for path in (tmp_path / "part").rglob("*") if path.is_file()] == [theirs]


def test_a_list_of_anothers_is_no_benchmark(library: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "photos.csv").write_text("photo,stars\na,3\n")
    for _ in range(2):
        with pytest.raises(ImageError, match=r"photos\.csv: is not of blurmapper's making"):
            open_benchmark.build_open_benchmark(library, tmp_path / "made", side=SIDE)
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["photos.csv"]


def test_a_half_that_has_no_bokeh_to_lend_is_named(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_benchmark, "_halve", lambda whole, _: [replace(whole, bokeh=())] * 2)
    with pytest.raises(DatasetError, match=r"photos\.csv: too few photos of use bokeh; add some"):
        open_benchmark.build_open_benchmark(library, tmp_path / "made", side=SIDE)
    assert not (tmp_path / "made").exists()
