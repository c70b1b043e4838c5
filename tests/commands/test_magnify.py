"""The command that blurs further: what it writes, prints and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import Result

from blurmapper.applications import magnify_blur
from blurmapper.applications.magnification import MOST_STRENGTH
from blurmapper.commands.mapping import magnify
from blurmapper.images import read_image
from blurmapper.mapper import BlurMapper

Run = Callable[..., Result]


@pytest.fixture
def run(run_here: Callable[[Callable[..., None]], Run]) -> Run:
    """Call the command with the tests' network, in an empty folder."""
    return run_here(magnify)


def test_a_photo_is_magnified_and_told_of_in_a_line(
    run: Run, photo: Path, tiny_mapper: BlurMapper
) -> None:
    result = run(photo)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "photo.png: 128 x 96, strength 1, " in result.stdout
    assert result.stdout.count("\n") == 1
    image = read_image(photo)
    expected = magnify_blur(image, tiny_mapper(image))
    np.testing.assert_array_equal(read_image("blurmaps/photo.png.magnified.png"), expected)


@pytest.mark.parametrize(
    "options",
    [["--strength", "3"], ["--shape", "polygon"], ["--shape", "gaussian"], ["--naive"]],
)
def test_every_option_changes_the_photo(run: Run, photo: Path, options: list[str]) -> None:
    assert run(photo, "-o", "plain").exit_code == 0
    assert run(photo, "-o", "other", *options).exit_code == 0
    plain = read_image("plain/photo.png.magnified.png")
    assert (read_image("other/photo.png.magnified.png") != plain).any()


def test_a_jpeg_stays_one_and_other_formats_lose_nothing(run: Run, photo: Path) -> None:
    for suffix in (".jpg", ".tiff"):
        PIL.Image.open(photo).save(photo.with_suffix(suffix))
    assert run("photo.jpg", "-o", "out").exit_code == 0
    assert run("photo.tiff", "-o", "out", "--strength", "0").exit_code == 0
    assert {path.name for path in Path("out").iterdir()} == {
        "magnify.jsonl",
        "photo.jpg.magnified.jpg",
        "photo.tiff.magnified.png",
    }
    np.testing.assert_array_equal(read_image("out/photo.tiff.magnified.png"), read_image(photo))


def test_the_photo_itself_is_never_written(run: Run, photo: Path) -> None:
    before = photo.read_bytes()
    assert run(photo, "-o", photo.parent).exit_code == 0
    assert photo.read_bytes() == before


def test_a_bad_photo_gets_one_line_and_the_others_go_on(run: Run, photo: Path) -> None:
    Path("empty.jpg").touch()
    result = run("empty.jpg", photo)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: empty.jpg: the file is empty")
    assert result.stderr.count("\n") == 1
    assert Path("blurmaps/photo.png.magnified.png").exists()


@pytest.mark.parametrize(
    "options", [["--strength", "-1"], ["--strength", str(MOST_STRENGTH + 1)], ["--shape", "star"]]
)
def test_wrong_use_exits_with_2(run: Run, photo: Path, options: list[str]) -> None:
    assert run(photo, *options).exit_code == 2


def test_the_strongest_is_allowed(run: Run, photo: Path) -> None:
    assert run(photo, "--strength", str(MOST_STRENGTH)).exit_code == 0
