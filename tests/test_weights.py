"""Weights, their cards, and what tells an altered file."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from blurmapper import weights
from blurmapper.errors import ImageError, WeightsError
from blurmapper.mapper import BlurMapper
from blurmapper.preprocessing import Preprocessing
from blurmapper.weights import (
    Score,
    WeightsCard,
    bundled_card,
    bundled_names,
    find_weights,
    read_card,
    verify,
    write_card,
)


@pytest.fixture
def own_weights(tiny_weights: Path, tmp_path: Path) -> Path:
    """A copy of the tiny network and its card that a test may spoil."""
    for path in (tiny_weights, tiny_weights.with_suffix(".json")):
        shutil.copy(path, tmp_path)
    return tmp_path / tiny_weights.name


def test_a_card_is_read_as_it_was_written(tiny_weights: Path, tmp_path: Path) -> None:
    card = read_card(tiny_weights.with_suffix(".json"))
    write_card(card, tmp_path / "card.json")
    assert read_card(tmp_path / "card.json") == card
    (tmp_path / "card.json").write_text(json.dumps(card.to_dict()), "utf-8-sig")
    assert read_card(tmp_path / "card.json") == card


def test_no_card_goes_through_a_link(tiny_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "card.json").symlink_to("mine")
    with pytest.raises(ImageError, match=r"card\.json: is not of .*; move away the link"):
        write_card(read_card(tiny_weights.with_suffix(".json")), tmp_path / "card.json")
    assert not (tmp_path / "mine").exists()


def test_fields_of_a_newer_version_are_left_out(own_weights: Path) -> None:
    path = own_weights.with_suffix(".json")
    card = read_card(path)
    path.write_text(json.dumps({**card.to_dict(), "invented_later": 1}))
    assert read_card(path) == card


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"name": "dbm"}', '{"preprocessing": 1}', '"card"']
)
def test_what_is_no_card_is_named_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"card\.json: not a weights card") as raised:
        read_card(path)
    assert "\n" not in str(raised.value)


def at(fields: Any, place: tuple[str | int, ...], value: object) -> Any:
    """Return a copy of a card's fields with one of them, however deep, replaced."""
    if not place:
        return value
    copied = dict(fields) if isinstance(fields, dict) else list(fields)
    copied[place[0]] = at(copied[place[0]], place[1:], value)
    return copied


PLACES: list[tuple[str | int, ...]] = [
    *((name,) for name in WeightsCard.__dataclass_fields__ if name != "milliseconds_384"),
    *(("preprocessing", name) for name in Preprocessing.__dataclass_fields__),
    *(("preprocessing", name, 2) for name in ("mean", "scale")),
    *(("scores", 0, name) for name in Score.__annotations__),
    ("scores", 0),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize(
    "value", [None, -1e300, math.nan, True, {"a": []}, [[]], "\ud800", 10**400]
)
def test_a_card_with_an_odd_field_is_named_in_one_line(
    place: tuple[str | int, ...], value: object, own_weights: Path
) -> None:
    path = own_weights.with_suffix(".json")
    fields = at(json.loads(path.read_text()), place, value)
    path.write_text(json.dumps(fields))
    with pytest.raises(WeightsError, match=r"tiny\.json: not a weights card") as raised:
        find_weights(own_weights)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300 + len(str(path))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("milliseconds_384",), "fast"),
        (("name",), "a\nb"),
        (("file",), "tiny\0.onnx"),
        (("preprocessing", "working_side"), 0),
        (("preprocessing", "working_side"), 384.5),
        (("preprocessing", "mean"), [127.0] * 4),
        (("preprocessing", "channel_order"), "cmyk"),
    ],
)
def test_a_card_with_a_wrong_value_is_named(
    place: tuple[str, ...], value: object, own_weights: Path
) -> None:
    path = own_weights.with_suffix(".json")
    path.write_text(json.dumps(at(json.loads(path.read_text()), place, value)))
    with pytest.raises(WeightsError, match=f"not a weights card \\({place[-1]} is "):
        find_weights(own_weights)


def test_no_name_is_no_folder() -> None:
    with pytest.raises(WeightsError, match="no weights named ''; choose from: dbm, dbm-lite"):
        find_weights("")


def test_a_card_of_the_folder_is_of_one_file(own_weights: Path) -> None:
    own_weights.with_suffix(".json").rename(own_weights.parent / "config.json")
    assert find_weights(own_weights) == find_weights(own_weights.parent)
    other = own_weights.rename(own_weights.with_name("other.onnx"))
    with pytest.raises(WeightsError, match=r"other\.json: no such weights card"):
        find_weights(other)


def test_the_time_may_be_unknown(own_weights: Path) -> None:
    path = own_weights.with_suffix(".json")
    path.write_text(json.dumps(at(json.loads(path.read_text()), ("milliseconds_384",), None)))
    assert find_weights(own_weights)[0].milliseconds_384 is None


@pytest.mark.parametrize("bracket", ["[", '{"name":'])
def test_a_card_of_brackets_is_one_line(bracket: str, tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text(bracket * 100_000)
    with pytest.raises(WeightsError, match=r"card\.json: not a weights card \(nested too deep\)"):
        read_card(path)


def test_a_path_gives_its_card_and_file(tiny_weights: Path) -> None:
    card, path = find_weights(tiny_weights)
    assert (card.name, path) == ("tiny", tiny_weights)
    assert find_weights(str(tiny_weights)) == (card, path)


def test_an_altered_file_is_refused(own_weights: Path) -> None:
    content = bytearray(own_weights.read_bytes())
    content[-1] ^= 1
    own_weights.write_bytes(content)
    with pytest.raises(WeightsError, match="SHA-256"):
        find_weights(own_weights)


def test_weights_without_a_card_are_refused(own_weights: Path) -> None:
    own_weights.with_suffix(".json").unlink()
    with pytest.raises(WeightsError, match=r"tiny\.json: no such weights card"):
        find_weights(own_weights)


def test_the_card_of_another_file_is_refused(own_weights: Path) -> None:
    renamed = own_weights.rename(own_weights.with_name("other.onnx"))
    own_weights.with_suffix(".json").rename(renamed.with_suffix(".json"))
    with pytest.raises(WeightsError, match=r"the card beside it is of tiny\.onnx"):
        find_weights(renamed)


def test_a_missing_file_is_named(own_weights: Path) -> None:
    card = read_card(own_weights.with_suffix(".json"))
    own_weights.unlink()
    with pytest.raises(WeightsError, match=r"tiny\.onnx: weights cannot be read"):
        verify(card, own_weights.parent)
    with pytest.raises(WeightsError, match="no such weights file"):
        find_weights(own_weights)


def test_a_bundled_name_finds_card_and_file(
    own_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "BUNDLED", own_weights.parent)
    assert bundled_names() == ("tiny",)
    assert bundled_card("tiny").architecture == "laplacian"
    assert find_weights("tiny")[1] == own_weights


def test_a_wrong_name_lists_the_choices(own_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "BUNDLED", own_weights.parent)
    with pytest.raises(WeightsError, match="no weights named 'tony'; choose from: tiny"):
        find_weights("tony")


@pytest.mark.parametrize("source", [5, None, b"somebody/tiny"])
def test_what_is_no_name_is_refused(source: Any) -> None:
    for take in (BlurMapper.from_pretrained, BlurMapper):
        with pytest.raises(WeightsError, match=f"a {type(source).__name__} names no weights; give"):
            take(source)
