"""Sheets of pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra blurmapper[report]")

from blurmapper.evaluation.figures import (
    COLOURS,
    Curve,
    Picture,
    as_shown,
    draw_curves,
    draw_pictures,
    encode_figure,
)
from blurmapper.evaluation.rows import ALL_BLURRED

ROWS = {
    "a": [Picture(np.zeros((20, 40)), "left"), Picture(np.ones((20, 40)), "right")],
    "b": [Picture(np.zeros((40, 20))), Picture(np.ones((40, 20)))],
    "c": [Picture(np.zeros((30, 30))), Picture(np.ones((30, 30)))],
}


def test_rows_are_labelled_and_columns_headed() -> None:
    axes = draw_pictures(["photo", "map"], ROWS).axes
    assert len(axes) == 6
    assert [cell.get_title() for cell in axes[:2]] == ["photo", "map"]
    assert [cell.get_ylabel() for cell in axes[::2]] == ["a", "b", "c"]
    assert [cell.get_xlabel() for cell in axes[:2]] == ["left", "right"]


def test_with_columns_down_both_change_places() -> None:
    axes = draw_pictures(["photo", "map"], ROWS, columns_down=True).axes
    assert [cell.get_title() for cell in axes[:3]] == ["a", "b", "c"]
    assert [cell.get_ylabel() for cell in axes[::3]] == ["photo", "map"]
    assert [cell.get_xlabel() for cell in axes[::3]] == ["left", "right"]


@pytest.mark.parametrize("columns_down", [False, True])
def test_no_picture_is_stretched(columns_down: bool) -> None:
    for cell in draw_pictures(["photo", "map"], ROWS, columns_down=columns_down).axes:
        assert cell.get_aspect() == 1


def test_greys_are_shares_of_white_whatever_the_depth() -> None:
    for level in (np.uint8(51), np.uint16(13107), np.float32(0.2)):
        assert as_shown(np.full((2, 2), level)) == pytest.approx(0.2)


def made_curves(count: int) -> dict[str, Curve]:
    line = Curve(np.array([0.5, 0.9]), np.array([1.0, 0.4]))
    return {ALL_BLURRED: line, **{f"m{n}": line for n in range(count)}}


@pytest.mark.parametrize("name", ["$^$", "$a$", "a$", "_a"])
def test_names_are_drawn_as_they_are_written(name: str) -> None:
    from matplotlib import rc_context

    pictures = draw_pictures([name, "b"], {name: ROWS["a"]})
    curves = draw_curves({name: made_curves(1)["m0"]}, "")
    svg = io.StringIO()
    with rc_context({"svg.fonttype": "none"}):
        for figure in (pictures, curves):
            figure.savefig(svg, format="svg")
    assert svg.getvalue().replace("> _", ">_").count(f">{name}</text>") == 3


@pytest.mark.parametrize("name", ["lat\udce9in", "a\tb\n", "\u6728\U0001f33c"])
def test_names_that_no_font_has_are_drawn_without_a_word(
    name: str, recwarn: pytest.WarningsRecorder
) -> None:
    for file_format in ("png", "pdf"):
        assert encode_figure(draw_pictures([name], {name: ROWS["a"][:1]}), file_format)
    assert not recwarn.list


def test_no_two_lines_look_alike() -> None:
    (axes,) = draw_curves(made_curves(2 * len(COLOURS)), "").axes
    looks = [(line.get_color(), line.get_linestyle()) for line in axes.lines[1:]]
    assert len(set(looks)) == len(looks)


def test_one_round_of_colours_has_one_dash() -> None:
    (axes,) = draw_curves(made_curves(len(COLOURS)), "").axes
    assert {line.get_linestyle() for line in axes.lines[1:]} == {"-"}


@pytest.mark.parametrize(("count", "beside"), [(3, False), (11, True)])
def test_the_legend_of_many_lines_stands_beside_them(count: int, beside: bool) -> None:
    figure = draw_curves(made_curves(count), "")
    assert (figure.axes[0].get_legend() is None) is beside
    assert bool(figure.legends) is beside
