"""Frames of one burst are found, others left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.ranking.bursts import MOST_DIFFERING_BITS, Burst, group_bursts
from blurmapper.ranking.frames import Frame, fingerprint, measure_detail, read_frame
from blurmapper.ranking.records import Measure, PhotoRecord, Verdict, order_photos
from blurmapper.ranking.selection import End, Selection, select_photos
from blurmapper.ranking.tables import make_ranking
from blurmapper.sharpest import SharpestPart

START = datetime.fromisoformat("2026-11-22T17:46:03")
NOON = "2026:11:22 12:00:00"

Scene = Callable[[int], npt.NDArray[np.uint8]]
WritePhoto = Callable[..., Path]
MakeRecord = Callable[..., PhotoRecord]


def read(photo: Path, image: npt.NDArray[np.uint8]) -> Frame | None:
    with photo.open("rb") as stream:
        return read_frame(stream, image)


def frame_at(seconds: float, fingerprint: int = 0, camera: str = "a", detail: float = 0.0) -> Frame:
    return Frame(START + timedelta(seconds=seconds), camera, fingerprint, detail)


def test_the_frame_has_the_second_its_fraction_and_the_camera(
    tmp_path: Path, write_photo: WritePhoto, scene: Scene
) -> None:
    photo = write_photo(tmp_path / "a.jpg", scene(0), "2026:11:22 17:46:03", "25")
    frame = read(photo, scene(0))
    assert frame is not None
    assert frame.taken == START + timedelta(seconds=0.25)
    assert "Zorki 4" in frame.camera


def test_a_heic_photo_says_when_it_was_taken(tmp_path: Path, scene: Scene) -> None:
    heif = pytest.importorskip("pillow_heif", reason="HEIC needs pillow-heif")
    exif = PIL.Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = NOON
    heif.from_pillow(PIL.Image.fromarray(scene(0))).save(tmp_path / "a.heic", exif=exif.tobytes())
    frame = read(tmp_path / "a.heic", scene(0))
    assert frame is not None
    assert frame.taken == datetime.fromisoformat("2026-11-22T12:00")


@pytest.mark.parametrize("taken", [None, "", "0000:00:00 00:00:00", "yesterday"])
def test_a_photo_without_a_time_is_no_frame(
    taken: str | None, tmp_path: Path, write_photo: WritePhoto, scene: Scene
) -> None:
    photo = write_photo(tmp_path / "a.jpg", scene(0), taken)
    assert read(photo, scene(0)) is None


def test_the_fingerprint_outlives_blur_size_brightness_and_depth(scene: Scene) -> None:
    image = scene(1)
    changed = [
        cv2.GaussianBlur(image, (0, 0), 3),
        cv2.resize(image, (320, 240)),
        (image * 0.8).astype(np.uint8),
        (image / 255).astype(np.float32),
    ]
    for other in changed:
        assert (fingerprint(image) ^ fingerprint(other)).bit_count() <= 4


def test_other_scenes_have_other_fingerprints(scene: Scene) -> None:
    prints = [fingerprint(scene(number)) for number in range(20)]
    for number, one in enumerate(prints):
        for other in prints[:number]:
            assert (one ^ other).bit_count() > MOST_DIFFERING_BITS


def test_frames_of_one_moment_are_a_burst_and_the_sharpest_its_best(
    make_record: MakeRecord,
) -> None:
    records = [
        make_record("later.jpg", 0.1, frame_at(60)),
        make_record("b.jpg", 0.2, frame_at(0.3)),
        make_record("c.jpg", 0.4, frame_at(0.6)),
        make_record("a.jpg", 0.5, frame_at(0)),
    ]
    assert group_bursts(records) == {
        Path("b.jpg"): Burst(1, place=1),
        Path("c.jpg"): Burst(1, place=2),
        Path("a.jpg"): Burst(1, place=3),
    }


def test_the_finest_difference_decides_within_a_burst(make_record: MakeRecord) -> None:
    ranked = [make_record(f"{k}.jpg", 0.5, frame_at(k, detail=90 + k)) for k in range(3)]
    bursts = group_bursts(ranked)
    assert [str(photo) for photo, each in bursts.items() if each.is_best] == ["2.jpg"]


@pytest.mark.parametrize(("by", "names"), [("focus", "bxac"), ("s", "axbc")])
def test_by_focus_a_burst_stands_in_its_own_order(
    by: Measure, names: str, make_record: MakeRecord
) -> None:
    sharp = {"verdict": Verdict("sharp", "")}
    frames = {"a": frame_at(0, detail=8), "x": frame_at(60), "b": frame_at(1, detail=9)}
    records = [
        replace(make_record(f"{name}.jpg", 0.1, frame), focus=SharpestPart(sigma, 0, 0), **sharp)
        for (name, frame), sigma in zip(frames.items(), (0.5, 0.6, 0.7), strict=True)
    ]
    faulty = replace(records[2], photo=Path("c.jpg"), frame=frame_at(2, detail=99))
    records.append(replace(faulty, verdict=Verdict("soft", "")))
    degrees = [replace(each, blur_degree=k / 9) for k, each in enumerate(records)]
    ranking = make_ranking(degrees, by=by, group=True)
    assert "".join(each.photo.stem for each in ranking.records) == names


def test_a_faulty_frame_is_not_the_best_for_its_detail(make_record: MakeRecord) -> None:
    sharp, front = Verdict("sharp", ""), Verdict("focus before", "")
    ranked = [
        replace(make_record("a.jpg", 0.5, frame_at(0, detail=9)), verdict=sharp),
        replace(make_record("b.jpg", 0.5, frame_at(1, detail=99)), verdict=front),
    ]
    assert group_bursts(ranked)[Path("a.jpg")].is_best


def test_a_slight_blur_takes_detail_at_every_depth() -> None:
    image = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    sharp = measure_detail(image)
    assert measure_detail(cv2.GaussianBlur(image, (0, 0), 0.5)) < 0.9 * sharp
    deep = image.astype(np.uint16) * 257
    assert measure_detail(deep) == pytest.approx(sharp, rel=0.01)
    assert measure_detail((image / 255).astype(np.float32)) == pytest.approx(sharp, rel=0.01)


def test_the_ranking_decides_which_is_best_of_equal_detail(make_record: MakeRecord) -> None:
    ranked = [make_record(f"{k}.jpg", 0.5, frame_at(k if k < 3 else 50 + k)) for k in range(6)]
    forth, back = group_bursts(ranked), group_bursts(ranked[::-1])
    assert {photo: each.number for photo, each in forth.items()} == {
        photo: each.number for photo, each in back.items()
    }
    assert [str(photo) for photo, each in forth.items() if each.is_best] == ["0.jpg", "3.jpg"]
    assert [str(photo) for photo, each in back.items() if each.is_best] == ["2.jpg", "5.jpg"]


def test_a_burst_may_last_longer_than_its_longest_gap(make_record: MakeRecord) -> None:
    records = [make_record(f"{k}.jpg", 0.5, frame_at(1.5 * k)) for k in range(5)]
    assert len(group_bursts(records)) == 5


@pytest.mark.parametrize(
    "second",
    [
        frame_at(2.5),
        frame_at(0.1, fingerprint=0x7FF),
        frame_at(0.1, camera="b"),
        None,
    ],
    ids=["too late", "another scene", "another camera", "no time"],
)
def test_photos_that_are_no_burst(second: Frame | None, make_record: MakeRecord) -> None:
    records = [make_record("a.jpg", 0.5, frame_at(0)), make_record("b.jpg", 0.5, second)]
    assert group_bursts(records) == {}


def test_two_cameras_at_once_take_two_bursts(make_record: MakeRecord) -> None:
    records = [
        make_record(f"{camera}{k}.jpg", 0.5, frame_at(0.5 * k, camera=camera))
        for k in range(4)
        for camera in "ab"
    ]
    bursts = group_bursts(records)
    assert {str(photo)[0]: burst.number for photo, burst in bursts.items()} == {"a": 1, "b": 2}


def test_what_was_taken_between_two_frames_does_not_part_them(make_record: MakeRecord) -> None:
    crop, other = frame_at(1, fingerprint=0x7FF), frame_at(1.5, fingerprint=2**64 - 1)
    frames = {"1": frame_at(0), "2": frame_at(1), "2-crop": crop, "3": frame_at(2), "x": other}
    bursts = group_bursts([make_record(f"{name}.jpg", 0.5, at) for name, at in frames.items()])
    assert {photo.stem for photo in bursts} == {"1", "2", "3"}


def test_two_runs_that_a_later_frame_joins_are_one_burst(make_record: MakeRecord) -> None:
    prints = {"a": 0, "b": 0xFFFF, "c": 0xFF}
    frames = {name: frame_at(k / 2, each) for k, (name, each) in enumerate(prints.items())}
    bursts = group_bursts([make_record(name, 0.5, frame) for name, frame in frames.items()])
    assert [each.number for each in bursts.values()] == [1, 1, 1]


def test_bodies_of_one_model_take_bursts_of_their_own(
    tmp_path: Path, write_photo: WritePhoto, scene: Scene, make_record: MakeRecord
) -> None:
    records = []
    for body, start in (("111", 0), ("222", 5)):
        for second in range(2):
            photo = tmp_path / f"{body}-{second}.jpg"
            taken = f"2026:11:22 12:00:0{second}"
            write_photo(photo, scene(0), taken, str(start), body=body)
            records.append(make_record(photo, 0.5, read(photo, scene(0))))
    bursts = group_bursts(records)
    assert {photo.stem[:3]: each.number for photo, each in bursts.items()} == {"111": 1, "222": 2}


def test_raw_and_jpeg_of_one_exposure_are_one_frame(make_record: MakeRecord) -> None:
    one = [make_record(f"1.{suffix}", 0.5, frame_at(0, detail=9)) for suffix in ("jpg", "nef")]
    assert group_bursts(one) == {}
    # What developed it may have called the camera otherwise.
    two = [make_record("2.jpg", 0.5, frame_at(1, detail=10))]
    two.append(make_record("2.dng", 0.6, frame_at(1, camera="b")))
    bursts = group_bursts(one + two)
    assert {str(photo): each for photo, each in bursts.items()} == {
        "2.jpg": Burst(1, place=1),
        "2.dng": Burst(1, place=1),
        "1.jpg": Burst(1, place=2),
        "1.nef": Burst(1, place=2),
    }
    chosen = select_photos(one + two, Selection(number=9), bursts)
    assert [str(record.photo) for record in chosen] == ["2.jpg", "2.dng"]


@pytest.mark.parametrize(
    ("end", "number", "names"),
    [
        ("sharpest", 1, ["1.jpg", "1.nef"]),
        ("sharpest", 2, ["1.jpg", "x.jpg", "1.nef"]),
        ("sharpest", 3, ["1.jpg", "x.jpg", "1.nef", "3.jpg", "3.nef"]),
        ("blurriest", 1, ["3.nef", "3.jpg"]),
        ("blurriest", 2, ["3.nef", "3.jpg", "2.jpg"]),
    ],
)
def test_of_bursts_a_number_is_one_of_exposures(
    end: End, number: int, names: list[str], make_record: MakeRecord
) -> None:
    frames = {
        "1.jpg": frame_at(0, detail=9),
        "x.jpg": None,
        "1.nef": frame_at(0, detail=9),
        "2.jpg": frame_at(1),
        "3.jpg": frame_at(60),
        "3.nef": frame_at(60),
    }
    ranked = [make_record(name, k / 10, frame) for k, (name, frame) in enumerate(frames.items())]
    chosen = select_photos(ranked, Selection(end=end, number=number), group_bursts(ranked))
    assert [str(record.photo) for record in chosen] == names


def test_exposures_are_counted_where_no_burst_is_found(make_record: MakeRecord) -> None:
    pair = [make_record(f"1.{suffix}", 0.5, frame_at(0)) for suffix in ("jpg", "nef")]
    assert select_photos(pair, Selection(number=1), make_ranking(pair, group=True).bursts) == pair
    assert select_photos(pair, Selection(number=1)) == pair[:1]


@pytest.mark.parametrize("bits", [2, 64], ids=["alike", "of other looks"])
def test_thousands_of_one_time_are_one_burst_where_they_look_alike(
    bits: int, make_record: MakeRecord
) -> None:
    prints = np.random.default_rng(0).integers(0, 2**bits, 12_000, np.uint64, endpoint=False)
    records = [
        make_record(f"{k}.jpg", 0.5, frame_at(0, int(each))) for k, each in enumerate(prints)
    ]
    bursts = group_bursts(records)
    assert (len(bursts) == len(records)) == (bits == 2)


def test_no_photos_hold_no_burst() -> None:
    assert group_bursts([]) == {}


def test_real_files_are_grouped_by_time_and_look(
    tmp_path: Path, write_photo: WritePhoto, scene: Scene, make_record: MakeRecord
) -> None:
    soft = cv2.GaussianBlur(scene(0), (0, 0), 2)
    photos = {
        write_photo(tmp_path / "1.jpg", soft, NOON, "10"): (soft, 0.6),
        write_photo(tmp_path / "2.jpg", scene(0), NOON, "45"): (scene(0), 0.1),
        write_photo(tmp_path / "3.jpg", scene(1), NOON, "80"): (scene(1), 0.3),
    }
    records = [
        make_record(path, degree, read(path, pixels)) for path, (pixels, degree) in photos.items()
    ]
    assert group_bursts(order_photos(records)[0]) == {
        tmp_path / "2.jpg": Burst(1, place=1),
        tmp_path / "1.jpg": Burst(1, place=2),
    }
