"""Photos and folders in, a map for each photo out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.batch import Job, Outputs, PhotoFigures, list_photos, map_photos, plan_jobs
from blurmapper.errors import ImageError
from blurmapper.images import ImageArray, read_image, read_map
from blurmapper.mapper import BlurMapper


def map_left_half(image: ImageArray) -> npt.NDArray[np.float32]:
    """Call the left half blurred at 0.75, and the rest sharp."""
    blur_map = np.zeros(image.shape[:2], np.float32)
    blur_map[:, : image.shape[1] // 2] = 0.75
    return blur_map


def write_photos(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (32, 24), (90, 120, 60)).save(folder / name)


def targets(jobs: list[Job], output: Path) -> list[str]:
    return [job.target.relative_to(output).as_posix() for job in jobs]


def test_a_folder_gives_its_photos_and_those_below(tmp_path: Path) -> None:
    write_photos(tmp_path, "b.jpg", "a.PNG", "sub/c.webp")
    (tmp_path / "notes.txt").write_text("no photo")
    names = [path.relative_to(tmp_path).as_posix() for path in list_photos(tmp_path)]
    assert names == ["a.PNG", "b.jpg", "sub/c.webp"]


def test_hidden_files_and_earlier_outputs_are_no_photos(tmp_path: Path) -> None:
    write_photos(tmp_path, "a.jpg", ".a.jpg", ".trash/b.jpg", "a.blur.png", "a.overlay.jpg")
    write_photos(tmp_path, "a.motion.png", "a.defocus.png", "a.cutout.png", "a.magnified.jpg")
    assert list_photos(tmp_path) == [tmp_path / "a.jpg"]


def test_a_folder_without_photos_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(ImageError, match="no photos in this folder"):
        list_photos(tmp_path)


def test_outputs_are_named_after_photos_and_folders_mirrored(tmp_path: Path) -> None:
    write_photos(tmp_path / "in", "x.jpg", "sub/x.jpg")
    jobs, errors = plan_jobs([tmp_path / "in"], tmp_path / "out")
    assert not errors
    assert targets(jobs, tmp_path / "out") == ["x", "sub/x"]


def test_no_two_photos_share_an_output(tmp_path: Path) -> None:
    write_photos(tmp_path, "a/x.jpg", "a/x.png", "a/X.jpg", "a/x.jpg.png", "b/x.jpg", "b/x.png")
    sources = [*list_photos(tmp_path / "a"), *list_photos(tmp_path / "b")]
    jobs, _ = plan_jobs(sources, tmp_path / "out")
    found = targets(jobs, tmp_path / "out")
    assert len({name.casefold() for name in found}) == len(sources)


def test_a_photo_given_twice_is_mapped_once(tmp_path: Path) -> None:
    write_photos(tmp_path, "x.jpg")
    jobs, _ = plan_jobs([tmp_path / "x.jpg", tmp_path, tmp_path / "x.jpg"], tmp_path / "out")
    assert len(jobs) == 1


def test_a_folder_without_photos_does_not_stop_the_others(tmp_path: Path) -> None:
    write_photos(tmp_path, "x.jpg")
    (tmp_path / "void").mkdir()
    jobs, errors = plan_jobs([tmp_path / "void", tmp_path / "x.jpg"], tmp_path / "out")
    assert len(jobs) == len(errors) == 1


def test_the_figures_are_those_of_the_map(tmp_path: Path) -> None:
    write_photos(tmp_path, "x.png")
    job = Job(tmp_path / "x.png", tmp_path / "out" / "x")
    (figures,) = map_photos([job], map_left_half, Outputs(overlay=True))
    assert isinstance(figures, PhotoFigures)
    assert (figures.height, figures.width) == (24, 32)
    assert figures.blur_degree == pytest.approx(0.375)
    assert figures.share_blurred == 0.5
    assert figures.overlay is not None
    assert read_image(figures.overlay).shape == (24, 32, 3)
    np.testing.assert_allclose(read_map(figures.map)[:, 0], 0.75, atol=1 / 510)


@pytest.mark.parametrize(("kind", "name"), [("8", "x.blur.png"), ("npy", "x.blur.npy")])
def test_only_what_was_asked_for_is_written(kind: str, name: str, tmp_path: Path) -> None:
    write_photos(tmp_path, "x.png")
    outputs = Outputs(kind)  # type: ignore[arg-type]
    list(map_photos([Job(tmp_path / "x.png", tmp_path / "out" / "x")], map_left_half, outputs))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_kinds_are_written_as_two_parts_of_the_map(
    tmp_path: Path, tiny_kinds_weights: Path
) -> None:
    write_photos(tmp_path, "a.jpg")
    jobs, _ = plan_jobs([tmp_path / "a.jpg"], tmp_path / "out")
    mapper = BlurMapper(tiny_kinds_weights)
    (figures,) = map_photos(jobs, mapper, Outputs("npy", kinds=True))
    assert isinstance(figures, PhotoFigures)
    assert figures.defocus is not None and figures.motion is not None
    parts = read_map(figures.defocus) + read_map(figures.motion)
    np.testing.assert_allclose(parts, read_map(figures.map), atol=1e-6)


def test_a_method_of_one_kind_cannot_be_asked_for_two(tmp_path: Path) -> None:
    write_photos(tmp_path, "a.jpg")
    jobs, _ = plan_jobs([tmp_path / "a.jpg"], tmp_path / "out")
    (error,) = map_photos(jobs, map_left_half, Outputs(kinds=True))
    assert "cannot tell motion from defocus" in str(error)
    assert not (tmp_path / "out").exists()


def test_a_bad_photo_yields_its_error_and_the_others_go_on(tmp_path: Path) -> None:
    write_photos(tmp_path, "a.jpg", "c.jpg")
    (tmp_path / "b.jpg").write_text("no photo")
    jobs, _ = plan_jobs([tmp_path], tmp_path / "out")
    results = list(map_photos(jobs, map_left_half, Outputs()))
    assert [isinstance(result, PhotoFigures) for result in results] == [True, False, True]
    assert "b.jpg" in str(results[1])


def test_an_output_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    write_photos(tmp_path, "a.jpg")
    (tmp_path / "out").write_text("in the way")
    jobs, _ = plan_jobs([tmp_path / "a.jpg"], tmp_path / "out")
    (error,) = map_photos(jobs, map_left_half, Outputs())
    assert "out: cannot be made" in str(error)
