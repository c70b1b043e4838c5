"""One photo in, its files and result out."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from blurmapper.amount_pictures import encode_amounts
from blurmapper.amounts import BlurAmounts, measure_amounts
from blurmapper.batch import (
    Job,
    KeepMasks,
    MagnifyTask,
    MapTask,
    Outcome,
    Outputs,
    PhotoFailure,
    Result,
    do_job,
    read_for,
)
from blurmapper.errors import ImageError, MethodError, WeightsError
from blurmapper.images import ImageArray, read_image, read_map
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod, MethodOptions
from blurmapper.sharpest import find_sharpest


def map_left_half(image: ImageArray) -> npt.NDArray[np.float32]:
    """Call the left half blurred at 0.75, and the rest sharp."""
    blur_map = np.zeros(image.shape[:2], np.float32)
    blur_map[:, : image.shape[1] // 2] = 0.75
    return blur_map


MASKS = Outputs(masks=KeepMasks())


def target_of(job: Job) -> Path:
    assert isinstance(job.target, Path)
    return job.target


def path_of(result: Result, kind: str) -> Path:
    path = result.files[kind]
    assert isinstance(path, Path)
    return path


def map_photo(job: Job, method: BlurMethod, outputs: Outputs) -> Result | PhotoFailure:
    return do_job(job, MapTask("", outputs=outputs), method)


def map_content(content: bytes, method: BlurMethod, outputs: Outputs, name: str = "") -> Outcome:
    return MapTask("", outputs=outputs).work(method, io.BytesIO(content), name)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A photo of 32 x 24 pixels, and a place in a folder that is not there."""
    PIL.Image.new("RGB", (32, 24), (90, 120, 60)).save(tmp_path / "x.png")
    return Job(tmp_path / "x.png", tmp_path / "out" / "x.png")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A JPEG of 6 megapixels whose right half is out of focus, held upright by its EXIF."""
    rng = np.random.default_rng(0)
    picture = PIL.Image.fromarray(rng.integers(0, 256, (250, 375, 3), np.uint8))
    sharp = picture.resize((3000, 2000), PIL.Image.Resampling.NEAREST)
    soft = picture.resize((3000, 2000), PIL.Image.Resampling.BICUBIC)
    sharp.paste(soft.crop((1500, 0, 3000, 2000)), (1500, 0))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    sharp.save(tmp_path / "large.jpg", quality=92, exif=exif.tobytes())
    return tmp_path / "large.jpg"


def test_the_result_are_those_of_the_map(job: Job) -> None:
    result = map_photo(job, map_left_half, Outputs(overlay=True))
    assert isinstance(result, Result)
    assert (result.values["height"], result.values["width"]) == (24, 32)
    assert result.values["blur_degree"] == pytest.approx(0.375)
    assert result.values["share_blurred"] == 0.5
    assert read_image(path_of(result, "overlay")).shape == (24, 32, 3)
    np.testing.assert_allclose(read_map(path_of(result, "map"))[:, 0], 0.75, atol=1 / 510)


@pytest.mark.parametrize(("kind", "name"), [("8", "x.png.blur.png"), ("npy", "x.png.blur.npy")])
def test_only_what_was_asked_for_is_written(kind: str, name: str, job: Job) -> None:
    map_photo(job, map_left_half, Outputs(kind))  # type: ignore[arg-type]
    assert [path.name for path in target_of(job).parent.iterdir()] == [name]


def test_kinds_are_written_as_two_parts_of_the_map(job: Job, tiny_kinds_weights: Path) -> None:
    result = map_photo(job, BlurMapper(tiny_kinds_weights), Outputs("npy", kinds=True))
    assert isinstance(result, Result)
    parts = read_map(path_of(result, "defocus")) + read_map(path_of(result, "motion"))
    np.testing.assert_allclose(parts, read_map(path_of(result, "map")), atol=1e-6)


def test_a_method_of_one_kind_cannot_be_asked_for_two(job: Job) -> None:
    failure = map_photo(job, map_left_half, Outputs(kinds=True))
    assert isinstance(failure, PhotoFailure) and isinstance(failure.error, MethodError)
    assert not target_of(job).parent.exists()


def test_a_method_of_one_kind_is_named_before_any_photo(tiny_weights: Path) -> None:
    with pytest.raises(MethodError, match=r"^all-blurred: this method cannot tell motion"):
        MapTask("all-blurred", outputs=Outputs(kinds=True)).build()
    with pytest.raises(WeightsError, match=r"tiny\.onnx: cannot tell motion"):
        MapTask(str(tiny_weights), outputs=Outputs(kinds=True)).build()


def test_a_bad_photo_is_a_failure_with_its_reason(job: Job) -> None:
    Path(str(job.photo)).write_text("no photo")
    failure = map_photo(job, map_left_half, Outputs())
    assert isinstance(failure, PhotoFailure)
    assert failure.reason.startswith("not an image file")


def test_a_method_that_breaks_down_is_a_failure_of_its_photo(job: Job) -> None:
    def break_down(_: ImageArray) -> npt.NDArray[np.float32]:
        raise MemoryError

    failure = map_photo(job, break_down, Outputs())
    assert isinstance(failure, PhotoFailure)
    assert str(failure.error) == (
        f"{job.photo}: cannot be mapped (MemoryError); convert it or leave it out"
    )


def test_an_output_folder_that_is_a_file_is_named(job: Job) -> None:
    target_of(job).parent.write_text("in the way")
    failure = map_photo(job, map_left_half, Outputs())
    assert isinstance(failure, PhotoFailure)
    assert "out: cannot be made" in str(failure.error)


def test_content_is_mapped_as_its_file_is(job: Job) -> None:
    mapped = map_content(Path(str(job.photo)).read_bytes(), map_left_half, Outputs(overlay=True))
    result = map_photo(job, map_left_half, Outputs(overlay=True))
    assert isinstance(result, Result)
    assert mapped.files["map"] == path_of(result, "map").read_bytes()
    assert mapped.files["overlay"] == path_of(result, "overlay").read_bytes()


def test_an_error_of_content_has_the_name_that_it_was_given() -> None:
    with pytest.raises(ImageError, match=r"^s3://photos/a\.jpg: not an image file"):
        map_content(b"no photo", map_left_half, Outputs(), name="s3://photos/a.jpg")


def test_what_goes_in_and_what_comes_out_can_be_sent_to_other_processes(job: Job) -> None:
    for sent in (job, Outputs(), map_photo(job, map_left_half, Outputs())):
        assert pickle.loads(pickle.dumps(sent)) == sent  # noqa: S301
    failure = PhotoFailure(job.photo, ImageError(f"{job.photo}: gone"))
    assert pickle.loads(pickle.dumps(failure)).reason == "gone"  # noqa: S301


def test_a_large_jpeg_is_decoded_in_part_and_its_map_is_whole(
    large: Path, tiny_mapper: BlurMapper
) -> None:
    photo = read_for(tiny_mapper, large)
    assert photo.image.shape == (1500, 1000, 3)
    mapped = map_content(large.read_bytes(), tiny_mapper, Outputs("npy"))
    assert (mapped.values["height"], mapped.values["width"]) == (3000, 2000)
    whole = tiny_mapper(large)
    assert mapped.values["blur_degree"] == pytest.approx(float(whole.mean()), abs=0.01)


def test_a_large_jpeg_is_measured_whole_beside_its_map(
    large: Path, tiny_mapper: BlurMapper
) -> None:
    plain = map_content(large.read_bytes(), tiny_mapper, Outputs())
    task = MapTask("", outputs=Outputs(amount=True, masks=KeepMasks()))
    with large.open("rb") as stream:
        measured = task.work(tiny_mapper, stream, "")
    assert measured.files["map"] == plain.files["map"]
    assert (
        measured.files["mask"] == map_content(large.read_bytes(), tiny_mapper, MASKS).files["mask"]
    )
    amounts = measure_amounts(read_image(large))
    assert measured.files["amount"] == encode_amounts(amounts, ".amount.png")
    sharpest = find_sharpest(amounts, tiny_mapper(large))
    assert sharpest is not None
    assert measured.values["sigma"] == pytest.approx(sharpest.sigma, rel=0.02)


def test_a_method_that_is_no_network_sees_every_pixel(large: Path) -> None:
    assert read_for(map_left_half, large).image.shape == (3000, 2000, 3)


def test_an_overlay_has_every_pixel(large: Path, tmp_path: Path, tiny_mapper: BlurMapper) -> None:
    result = map_photo(Job(large, tmp_path / "large.jpg"), tiny_mapper, Outputs(overlay=True))
    assert isinstance(result, Result)
    assert read_image(path_of(result, "overlay")).shape == (3000, 2000, 3)


@pytest.mark.parametrize("is_large", [False, True])
def test_amounts_take_no_more_threads_than_are_asked_for(
    is_large: bool, large: Path, tiny_mapper: BlurMapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int | None] = []

    def measure(image: ImageArray, *, threads: int | None = None) -> BlurAmounts:
        seen.append(threads)
        return measure_amounts(image, threads=threads)

    for module in ("mapping", "applying"):
        monkeypatch.setattr(f"blurmapper.batch.{module}.measure_amounts", measure)
    content = large.read_bytes()
    if not is_large:
        small = io.BytesIO()
        PIL.Image.open(large).resize((64, 48)).save(small, "PNG")
        content = small.getvalue()
    options = MethodOptions(threads=1)
    for task in (
        MapTask("", outputs=Outputs(amount=True), options=options),
        MagnifyTask("", measured_width=True, options=options),
    ):
        task.work(tiny_mapper, io.BytesIO(content), "photo.jpg")
    assert seen == [1, 1]
