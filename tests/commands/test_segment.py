"""The command that separates the sharp subject: what it writes, prints and refuses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from click.testing import Result

from blurmapper.commands.mapping import segment
from blurmapper.errors import ImageError, MethodError, MissingExtraError, install_command

Run = Callable[..., Result]

needs_pymatting = pytest.mark.skipif(
    find_spec("pymatting") is None, reason="cutouts need the extra blurmapper[baselines]"
)


@pytest.fixture
def run(run_here: Callable[[Callable[..., None]], Run]) -> Run:
    """Call the command with the tests' network, in an empty folder."""
    return run_here(segment)


def names_in(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


def test_a_photo_gives_a_mask_and_a_line(run: Run, photo: Path) -> None:
    result = run(photo)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    assert "photo.png: 128 x 96, " in result.stdout
    assert "% subject" in result.stdout
    with PIL.Image.open("blurmaps/photo.png.mask.png") as picture:
        mask = np.asarray(picture)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[:, :48].mean() > mask[:, 80:].mean() + 200


@needs_pymatting
def test_a_cutout_is_transparent_where_the_photo_is_blurred(run: Run, photo: Path) -> None:
    assert run(photo, "--cutout", "-o", "cut").exit_code == 0
    assert names_in("cut") == {"photo.png.cutout.png", "segment.jsonl"}
    with PIL.Image.open("cut/photo.png.cutout.png") as picture:
        assert picture.mode == "RGBA"
        rgba = np.asarray(picture)
    assert rgba[:, :48, 3].mean() > rgba[:, 80:, 3].mean() + 200
    opaque = rgba[..., 3] == 255
    np.testing.assert_array_equal(rgba[opaque, :3], np.asarray(PIL.Image.open(photo))[opaque])


@needs_pymatting
def test_a_cutout_of_16_bits_keeps_them(
    run: Run, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    deep = half_blurred_photo.astype(np.uint16) * 257
    cv2.imwrite("deep.png", deep[..., ::-1])
    assert run("deep.png", "--cutout").exit_code == 0
    written = cv2.imread("blurmaps/deep.png.cutout.png", cv2.IMREAD_UNCHANGED)
    assert written is not None and written.dtype == np.uint16
    opaque = written[..., 3] == 65535
    np.testing.assert_array_equal(written[opaque][:, 2::-1], deep[opaque])


def test_folders_are_mirrored_and_nothing_is_written_beside_the_photos(
    run: Run, photo: Path
) -> None:
    folder = Path("shoot/sub")
    folder.mkdir(parents=True)
    photo.rename(folder / "photo.png")
    result = run("shoot", "-o", "masks")
    assert result.exit_code == 0
    assert result.stderr.startswith("1 photo: 1 done in ")
    assert Path("masks/sub/photo.png.mask.png").exists()
    assert names_in("shoot/sub") == {"photo.png"}


def test_a_bad_photo_gets_one_line_and_the_others_go_on(run: Run, photo: Path) -> None:
    Path("text.jpg").write_text("no photo")
    result = run("none.jpg", "text.jpg", photo)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: none.jpg: no such file")
    assert lines[1].startswith("error: text.jpg: not an image")
    assert names_in("blurmaps") == {"failures.csv", "photo.png.mask.png", "segment.jsonl"}


def test_a_folder_that_cannot_be_made_is_one_line(run: Run, photo: Path) -> None:
    Path("taken").touch()
    result = run(photo, "-o", "taken")
    assert isinstance(result.exception, ImageError)
    assert str(result.exception).startswith("taken: cannot be made")


@pytest.mark.parametrize("option", [[], pytest.param(["--cutout"], marks=needs_pymatting)])
def test_a_file_that_cannot_be_written_is_one_line(
    run: Run, photo: Path, option: list[str]
) -> None:
    ending = "cutout" if option else "mask"
    Path(f"blurmaps/photo.png.{ending}.png").mkdir(parents=True)
    result = run(photo, *option)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert result.stderr.count("\n") == 1
    assert names_in("blurmaps") == {"failures.csv", f"photo.png.{ending}.png", "segment.jsonl"}


def test_an_unknown_method_is_refused_before_any_photo(run: Run, photo: Path) -> None:
    result = run(photo, "--method", "dmb")
    assert isinstance(result.exception, MethodError)
    assert not Path("blurmaps").exists()


def test_a_cutout_without_pymatting_is_refused_before_any_photo(
    run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pymatting", None)
    result = run(photo, "--cutout")
    assert isinstance(result.exception, MissingExtraError)
    assert install_command("baselines") in str(result.exception)
    assert run(photo).exit_code == 0
