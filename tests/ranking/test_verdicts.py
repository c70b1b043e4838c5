"""Verdicts on made maps and amounts: what is said of a photo, and where it is sharpest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.amounts import CELL, BlurAmounts
from blurmapper.ranking.records import (
    KEPT,
    Measure,
    PhotoRecord,
    Verdict,
    Word,
    order_photos,
)
from blurmapper.ranking.selection import Selection, select_photos
from blurmapper.ranking.verdicts import judge
from blurmapper.sharpest import SharpestPart, find_limit, find_sharpest

ROWS, COLUMNS = 30, 40

Map = npt.NDArray[np.float32]
MakeRecord = Callable[..., PhotoRecord]


def amounts_of(sigma: Map, length: Map | None = None) -> BlurAmounts:
    known = np.isfinite(sigma)
    length = np.where(known, 0, np.nan).astype(np.float32) if length is None else length
    return BlurAmounts(sigma, length, np.where(length > 0, 30, np.nan).astype(np.float32))


def whole(value: float) -> Map:
    return np.full((ROWS, COLUMNS), value, np.float32)


def enlarge(blur: Map) -> Map:
    return blur.repeat(CELL, axis=0).repeat(CELL, axis=1)


def judge_all(
    blur: Map, sigma: Map, length: Map | None = None, motion: float | None = None
) -> Verdict:
    blur_map, amounts = enlarge(blur), amounts_of(sigma, length)
    return judge(blur_map, amounts, find_sharpest(amounts, blur_map), motion=motion)


def in_the_middle(inside: float, outside: float) -> Map:
    grid = whole(outside)
    grid[9:21, 12:28] = inside
    return grid


def test_a_photo_that_is_sharp_all_over_is_sharp() -> None:
    verdict = judge_all(whole(0), whole(0.6))
    assert verdict == Verdict("sharp", "Sharp to 0.6 px, 100% of it.")


def test_a_sharp_subject_before_a_soft_background_is_forgiven() -> None:
    verdict = judge_all(in_the_middle(0, 1), in_the_middle(0.7, 6))
    assert verdict.word == "subject sharp"
    assert "0.7 px" in verdict.reason


def test_a_small_subject_counts() -> None:
    blur, sigma = whole(1), whole(6)
    blur[4:9, 30:36], sigma[4:9, 30:36] = 0, 0.7
    assert judge_all(blur, sigma).word == "subject sharp"


def test_a_subject_that_is_sharp_in_a_small_view_alone_is_soft() -> None:
    assert judge_all(in_the_middle(0, 1), in_the_middle(1.4, 6)).word == "soft"


def test_plain_ground_between_two_sharp_sides_is_no_fault() -> None:
    for measured in (0.9, np.nan):
        assert judge_all(in_the_middle(1, 0), in_the_middle(measured, 0.6)).word in KEPT
    assert judge_all(in_the_middle(1, 0), in_the_middle(4, 0.6)).word.startswith("focus")


def test_nothing_in_focus_is_soft() -> None:
    verdict = judge_all(whole(1), whole(4))
    assert verdict == Verdict("soft", "Nothing in it is in focus; it is 4.0 px wide.")


def test_a_soft_subject_is_told_by_its_own_width_not_by_that_of_its_background() -> None:
    verdict = judge_all(in_the_middle(0, 1), in_the_middle(1.3, 6))
    reason = "Nothing in it is in focus; its sharpest part is 1.3 px wide."
    assert verdict == Verdict("soft", reason)


@pytest.mark.parametrize("motion", [0.9, 0.0, None])
def test_what_is_seen_blurred_and_measured_sharp_is_not_told(motion: float | None) -> None:
    verdict = judge_all(whole(1), whole(0.9), motion=motion)
    assert verdict == Verdict("cannot tell", "It is seen blurred, and measured sharp.")
    assert judge_all(whole(1), whole(0.9), whole(5), motion).word == "shaken"
    assert judge_all(whole(1), whole(1.3), motion=motion).word in ("soft", "shaken")


@pytest.mark.parametrize("motion", [0.9, None])
def test_a_photo_that_moved_all_over_is_shaken(motion: float | None) -> None:
    length = whole(14) if motion is None else whole(0)
    assert judge_all(whole(1), whole(4), length, motion).word == "shaken"


def test_a_soft_middle_with_sharp_ground_behind_is_focus_behind() -> None:
    blur, sigma = whole(0), whole(0.6)
    blur[12:], sigma[12:] = 1, 5
    blur[6:, 10:30], sigma[6:, 10:30] = 1, 5
    assert judge_all(blur, sigma).word == "focus behind"


@pytest.mark.parametrize("side", [slice(0, 9), slice(31, 40)])
def test_a_sharp_subject_at_a_side_is_forgiven(side: slice) -> None:
    blur, sigma = whole(1), whole(5)
    blur[:, side], sigma[:, side] = 0, 0.6
    assert judge_all(blur, sigma).word == "subject sharp"


def test_a_soft_middle_with_sharp_ground_before_is_focus_before() -> None:
    blur, sigma = whole(1), whole(5)
    blur[21:], sigma[21:] = 0, 0.6
    assert judge_all(blur, sigma).word == "focus before"


def test_what_moved_in_the_middle_of_a_sharp_photo_is_said() -> None:
    length = in_the_middle(11, 0)
    verdict = judge_all(in_the_middle(1, 0), in_the_middle(4, 0.6), length)
    assert verdict.word == "subject moved"
    assert "11 px" in verdict.reason


def judge_moving(inside: float, moving: Map, sigma: Map) -> Verdict:
    """Judge a photo whose middle is blurred and moves so likely, and whose rest is sharp."""
    blur_map, amounts = enlarge(in_the_middle(inside, 0)), amounts_of(sigma)
    focus = find_sharpest(amounts, blur_map)
    return judge(blur_map, amounts, focus, find_moving=lambda: moving)


def test_what_the_map_sees_moving_in_the_middle_need_not_be_measured() -> None:
    unmeasured = in_the_middle(np.nan, 0.6)
    verdict = judge_moving(1, in_the_middle(0.9, 0), unmeasured)
    assert verdict == Verdict("subject moved", "What is in the middle moved; the rest stood.")
    assert judge_moving(1, whole(0), unmeasured).word in KEPT
    assert judge_moving(0, in_the_middle(0.9, 0), unmeasured).word == "sharp"


def test_what_is_measured_sharp_in_the_middle_has_not_moved() -> None:
    assert judge_moving(1, in_the_middle(0.9, 0), in_the_middle(0.9, 0.6)).word in KEPT


def test_a_subject_that_was_followed_before_a_moving_background_is_forgiven() -> None:
    blur_map, amounts = enlarge(in_the_middle(0, 1)), amounts_of(in_the_middle(0.6, np.nan))
    focus = find_sharpest(amounts, blur_map)
    verdict = judge(blur_map, amounts, focus, find_moving=lambda: whole(1) - in_the_middle(1, 0))
    assert verdict.word == "subject sharp"


def test_nothing_to_measure_is_said_whatever_the_map_says() -> None:
    for value in (0, 1):
        assert judge_all(whole(value), whole(np.nan)).word == "cannot tell"


def test_a_subject_without_detail_is_judged_by_the_map() -> None:
    verdict = judge_all(in_the_middle(0, 1), in_the_middle(np.nan, 6))
    assert verdict.word == "subject sharp"
    assert "as far as a small view tells" in verdict.reason


def test_the_focus_is_at_the_sharpest_of_what_is_meant() -> None:
    blur, sigma = in_the_middle(0, 1), in_the_middle(0.9, 0.3)
    sigma[15, 20] = sigma[15, 21] = 0.8
    sigma[12:18, 13:19] = 0.7
    focus = find_sharpest(amounts_of(sigma), enlarge(blur))
    assert focus is not None and focus.sigma == pytest.approx(0.7)
    assert 13 * CELL <= focus.column < 19 * CELL and 12 * CELL <= focus.row < 18 * CELL


def test_blur_that_a_map_would_have_seen_is_no_figure() -> None:
    assert find_sharpest(amounts_of(whole(6)), enlarge(whole(0))) is None


@pytest.mark.parametrize("shape", [(16, 16), (17, 500), (500, 17)])
def test_photos_of_any_shape_are_judged(shape: tuple[int, int]) -> None:
    cells = tuple(-(-side // CELL) for side in shape)
    amounts = amounts_of(np.full(cells, 0.6, np.float32))
    blur_map = np.zeros(shape, np.float32)
    focus = find_sharpest(amounts, blur_map)
    assert judge(blur_map, amounts, focus).word in get_args(Word)
    assert focus is None or (0 <= focus.column < shape[1] and 0 <= focus.row < shape[0])


def test_what_is_asked_of_large_photos_is_what_a_screen_shows() -> None:
    assert find_limit(500) == find_limit(2000) < find_limit(6000)


def record_of(make_record: MakeRecord, name: str, word: Word, sigma: float | None) -> PhotoRecord:
    focus = None if sigma is None else SharpestPart(sigma, 1, 1)
    return replace(make_record(f"{name}.jpg", 0.5), focus=focus, verdict=Verdict(word, "."))


@pytest.fixture
def records(make_record: MakeRecord) -> list[PhotoRecord]:
    """Photos a to e, from the best to the worst."""
    given: list[tuple[Word, float | None]] = [
        ("subject sharp", 0.5),
        ("sharp", 0.7),
        ("sharp", None),
        ("cannot tell", None),
        ("subject moved", 0.4),
        ("soft", 4),
    ]
    return [record_of(make_record, n, *each) for n, each in zip("abcdef", given, strict=True)]


def test_focus_orders_what_is_kept_and_then_the_rest(records: list[PhotoRecord]) -> None:
    assert order_photos(records[::-1], by="focus")[0] == records


def test_stars_by_focus_fall_with_it(records: list[PhotoRecord]) -> None:
    assert [record.stars("focus") for record in records] == [5, 4, 3, 3, 2, 1]


def test_what_cannot_be_told_has_no_stars_of_the_sharp(make_record: MakeRecord) -> None:
    assert record_of(make_record, "a", "cannot tell", 0.3).stars("focus") == 3


def test_what_is_unknown_is_beyond_no_threshold(records: list[PhotoRecord]) -> None:
    by: Measure = "focus"
    names = "".join(r.photo.stem for r in select_photos(records, Selection(above=0.6), by=by))
    assert names == "bf"
    names = "".join(r.photo.stem for r in select_photos(records, Selection(below=0.6), by=by))
    assert names == "ae"


def test_verdicts_are_selected(records: list[PhotoRecord]) -> None:
    chosen = select_photos(records, Selection(verdicts=frozenset(("soft", "sharp"))), by="focus")
    assert [record.photo for record in chosen] == [Path(f"{n}.jpg") for n in "bcf"]
    assert set(KEPT) <= set(get_args(Word))
