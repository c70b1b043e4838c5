"""Masks for programs that rebuild scenes: where they lie, what they keep, how they are turned."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import tifffile

from blurmapper.batch import How, KeepMasks, MapTask, Outputs, Result, find_photos, run_task
from blurmapper.errors import ConfigError
from blurmapper.images import ImageArray
from blurmapper.methods import BlurMethod

FileAsHeld = Callable[..., bytes]


def map_right(image: ImageArray) -> npt.NDArray[np.float32]:
    """Call the right half blurred."""
    blur_map = np.zeros(image.shape[:2], np.float32)
    blur_map[:, image.shape[1] // 2 :] = 1
    return blur_map


class MapRight(MapTask):
    """The task of `map` with that method."""

    def build(self) -> BlurMethod:
        return map_right


def write_masks(photos: Path, output: Path, masks: KeepMasks) -> list[Path]:
    """Map the photos of a folder; return the masks."""
    task = MapRight("all-blurred", outputs=Outputs(masks=masks))
    results = list(run_task(task, find_photos([photos]), output, How()))
    assert all(isinstance(each, Result) for each in results)
    return [Path(str(each.files["mask"])) for each in results if isinstance(each, Result)]


def read(mask: Path) -> npt.NDArray[np.uint8]:
    return np.asarray(PIL.Image.open(mask))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a photo in a folder of its own."""
    (tmp_path / "in" / "left").mkdir(parents=True)
    PIL.Image.new("RGB", (40, 20)).save(tmp_path / "in" / "left" / "x.jpg")
    return tmp_path / "in"


@pytest.mark.parametrize(("layout", "name"), [("colmap", "x.jpg.png"), ("folder", "x.png")])
def test_masks_are_called_as_programs_look_for_them(
    layout: str, name: str, photos: Path, tmp_path: Path
) -> None:
    (mask,) = write_masks(photos, tmp_path / "out", KeepMasks(layout))  # type: ignore[arg-type]
    assert mask == tmp_path / "out" / "masks" / "left" / name
    assert sorted(path.name for path in (tmp_path / "out" / "masks" / "left").iterdir()) == [name]


def test_what_is_blurred_is_black_and_the_rest_white(photos: Path, tmp_path: Path) -> None:
    pixels = read(write_masks(photos, tmp_path / "out", KeepMasks())[0])
    assert pixels.dtype == np.uint8
    assert (pixels[:, :20] == 255).all() and (pixels[:, 20:] == 0).all()


def test_what_is_left_out_grows_by_pixels(photos: Path, tmp_path: Path) -> None:
    pixels = read(write_masks(photos, tmp_path / "out", KeepMasks(grow=3))[0])
    assert (pixels[:, :17] == 255).all() and (pixels[:, 17:] == 0).all()


def test_a_photo_without_blur_is_kept_whole_however_far_masks_grow() -> None:
    content = KeepMasks(grow=9).encode(np.zeros((20, 40), np.float32), 1)
    assert content == KeepMasks().encode(np.zeros((20, 40), np.float32), 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_masks_lie_as_pixels_are_stored(
    orientation: int, file_as_held: FileAsHeld, as_held: Callable[..., object], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    upright = np.zeros((20, 40, 3), np.uint8)
    (tmp_path / "in" / "x.png").write_bytes(file_as_held(upright, orientation))
    (mask,) = write_masks(tmp_path / "in", tmp_path / "out", KeepMasks())
    expected = np.where(map_right(upright) > 0, 0, 255)
    assert np.array_equal(read(mask), as_held(expected, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("dtype", "xmp"), [("u1", b""), ("u1", b"<x/>"), ("u2", b""), ("f4", b"")])
def test_masks_of_tiff_lie_so_however_they_are_read(
    dtype: str, xmp: bytes, orientation: int, as_held: Callable[..., object], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    upright = np.zeros((20, 40, 3), dtype)
    tags = [(274, "H", 1, orientation, True)] + ([(700, "B", len(xmp), xmp, True)] if xmp else [])
    tifffile.imwrite(
        tmp_path / "in" / "x.tif", as_held(upright, orientation), photometric="rgb", extratags=tags
    )
    (mask,) = write_masks(tmp_path / "in", tmp_path / "out", KeepMasks())
    expected = np.where(map_right(upright) > 0, 0, 255)
    assert np.array_equal(read(mask), as_held(expected, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_masks_of_heic_lie_as_whatever_reads_it_gives_it(
    orientation: int, file_as_held: FileAsHeld, tmp_path: Path
) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra photo is not installed")
    (tmp_path / "in").mkdir()
    held = PIL.Image.open(io.BytesIO(file_as_held(np.zeros((20, 40, 3), np.uint8), orientation)))
    heif.from_pillow(held).save(tmp_path / "in" / "x.heic")
    (mask,) = write_masks(tmp_path / "in", tmp_path / "out", KeepMasks())
    seen = np.asarray(heif.open_heif(tmp_path / "in" / "x.heic"))
    assert np.array_equal(read(mask), np.where(map_right(seen) > 0, 0, 255))


@pytest.mark.parametrize("name", ["x.png", "X.JPG"])
def test_photos_that_would_share_a_mask_are_refused_at_once(
    name: str, photos: Path, tmp_path: Path
) -> None:
    PIL.Image.new("RGB", (40, 20)).save(photos / "left" / name)
    with pytest.raises(ConfigError, match=r"several photos would have the mask left/x\.png"):
        write_masks(photos, tmp_path / "out", KeepMasks("folder"))
    assert len(write_masks(photos, tmp_path / "out", KeepMasks("colmap"))) == 2


def test_photos_that_would_share_a_mask_are_refused_in_later_runs_too(
    photos: Path, tmp_path: Path
) -> None:
    other, out, layout = tmp_path / "other" / "left", tmp_path / "out", KeepMasks("folder")
    other.mkdir(parents=True)
    PIL.Image.new("RGB", (60, 20)).save(other / "X.png")
    (mask,) = write_masks(photos, out, layout)
    # The photo's own it may take again, and whoever writes no such mask takes none.
    write_masks(photos, out, KeepMasks("folder", grow=1))
    write_masks(photos, out, KeepMasks("colmap"))
    write_masks(other.parent, out, KeepMasks("colmap"))
    before = mask.read_bytes()
    with pytest.raises(ConfigError, match=r"X\.png: would take the mask left/x\.png of .*x\.jpg; "):
        write_masks(other.parent, out, layout)
    assert mask.read_bytes() == before
    (photos / "left" / "x.jpg").unlink()
    assert len(write_masks(other.parent, out, layout)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("orientation", [1, 6])
def test_colmap_finds_nothing_where_photos_are_blurred(
    orientation: int, file_as_held: FileAsHeld, tmp_path: Path
) -> None:
    if shutil.which("colmap") is None:
        pytest.skip("needs COLMAP: apt-get install colmap")
    noise = np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)
    texture = PIL.Image.fromarray(noise).resize((640, 480), PIL.Image.Resampling.BICUBIC)
    upright = np.asarray(texture.convert("RGB"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.png").write_bytes(file_as_held(upright, orientation))
    write_masks(tmp_path / "in", tmp_path / "out", KeepMasks(grow=2))
    found = [keypoints(tmp_path, masked) for masked in (False, True)]
    # Turned by a quarter, what was on the right is stored above.
    places = [each[:, 0] if orientation == 1 else 640 - each[:, 1] for each in found]
    assert (places[0] > 330).sum() > 50
    assert (places[1] < 310).sum() > 50
    assert (places[1] > 320).sum() == 0


def keypoints(folder: Path, masked: bool) -> npt.NDArray[np.float32]:
    """Return where COLMAP finds features in the photo, float32 (n, 2), x and y."""
    database = folder / f"{masked}.db"
    command = ["colmap", "feature_extractor", "--database_path", database]
    command += ["--image_path", folder / "in", "--SiftExtraction.use_gpu", "0"]
    command += ["--ImageReader.mask_path", folder / "out" / "masks"] if masked else []
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    connection = sqlite3.connect(database)
    ((rows, columns, content),) = connection.execute("SELECT rows, cols, data FROM keypoints")
    connection.close()
    return np.frombuffer(content, np.float32).reshape(rows, columns)[:, :2]
