"""A photo in, a map of its own size out: claims that hold for any sensible network."""

from __future__ import annotations

import io
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blurmapper.errors import ConfigError, ImageError, WeightsError
from blurmapper.mapper import BlurMapper

Photo = npt.NDArray[np.uint8]


def test_more_blur_raises_the_blur_degree(tiny_mapper: BlurMapper, sharp_photo: Photo) -> None:
    photos = [sharp_photo, *(cv2.GaussianBlur(sharp_photo, (0, 0), s) for s in (1.0, 1.5, 2.5))]
    degrees = [float(tiny_mapper(photo).mean()) for photo in photos]
    assert degrees == sorted(set(degrees))


@pytest.mark.parametrize("refine", [True, False])
def test_a_sharp_half_beside_a_blurred_half_is_split_right(
    refine: bool, tiny_weights: Path, half_blurred_photo: Photo
) -> None:
    blur_map = BlurMapper(tiny_weights, refine=refine)(half_blurred_photo)
    truth = np.zeros(blur_map.shape, bool)
    truth[:, 64:] = True
    assert ((blur_map >= 0.5) == truth).mean() > 0.9


def test_a_flip_of_the_photo_flips_the_map(
    tiny_mapper: BlurMapper, half_blurred_photo: Photo
) -> None:
    flipped = tiny_mapper(half_blurred_photo[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(flipped, tiny_mapper(half_blurred_photo), atol=1e-3)


@pytest.mark.parametrize("refine", [True, False])
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(height=st.integers(16, 300), width=st.integers(16, 300))
def test_any_size_gives_a_map_of_that_size(
    refine: bool, tiny_weights: Path, height: int, width: int
) -> None:
    mapper = BlurMapper(tiny_weights, refine=refine, threads=1)
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    blur_map = mapper(photo)
    assert blur_map.shape == (height, width)
    assert blur_map.dtype == np.float32
    assert 0 <= blur_map.min() and blur_map.max() <= 1


@pytest.mark.parametrize(("height", "width"), [(16, 40_000), (40_000, 16), (17, 9_999)])
@pytest.mark.parametrize("refine", [True, False])
def test_a_very_long_photo_gives_a_map_of_its_size(
    height: int, width: int, refine: bool, tiny_weights: Path
) -> None:
    mapper = BlurMapper(tiny_weights, refine=refine, threads=1)
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    assert mapper(photo).shape == (height, width)
    coarse_height, coarse_width = mapper.map_coarse(photo).shape
    assert min(coarse_height, coarse_width) >= 16
    assert coarse_height * coarse_width <= mapper.preprocessing.working_side**2


def test_the_dtype_decides_the_scale(tiny_mapper: BlurMapper, half_blurred_photo: Photo) -> None:
    expected = tiny_mapper(half_blurred_photo)
    for same in (half_blurred_photo * np.uint16(257), half_blurred_photo / np.float32(255)):
        np.testing.assert_allclose(tiny_mapper(same), expected, atol=1e-2)


def test_a_dark_photo_is_not_stretched(tiny_mapper: BlurMapper, sharp_photo: Photo) -> None:
    dark = tiny_mapper(sharp_photo // 64)
    as_bright = tiny_mapper(sharp_photo // 64 * 64)
    assert dark.mean() > as_bright.mean() + 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_map_is_turned_as_the_photo(
    tiny_mapper: BlurMapper,
    half_blurred_photo: Photo,
    orientation: int,
    file_as_held: Callable[..., bytes],
) -> None:
    blur_map = tiny_mapper(file_as_held(half_blurred_photo, orientation))
    np.testing.assert_allclose(blur_map, tiny_mapper(half_blurred_photo), atol=1e-6)


def test_every_kind_of_source_gives_the_same_map(
    tiny_mapper: BlurMapper, half_blurred_photo: Photo, tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    picture = PIL.Image.fromarray(half_blurred_photo)
    picture.save(path)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    expected = tiny_mapper(half_blurred_photo)
    content = buffer.getvalue()
    for source in (path, str(path), content, bytearray(content), io.BytesIO(content), picture):
        np.testing.assert_array_equal(tiny_mapper(source), expected)


def test_the_photo_is_not_changed(tiny_mapper: BlurMapper, sharp_photo: Photo) -> None:
    before = sharp_photo.copy()
    tiny_mapper(sharp_photo)
    np.testing.assert_array_equal(sharp_photo, before)


def test_a_read_only_photo_is_mapped(tiny_mapper: BlurMapper, sharp_photo: Photo) -> None:
    sharp_photo.flags.writeable = False
    assert tiny_mapper(sharp_photo).shape == (96, 128)


def test_one_mapper_serves_many_threads(tiny_mapper: BlurMapper, half_blurred_photo: Photo) -> None:
    photos = [np.roll(half_blurred_photo, 16 * i, axis=1) for i in range(8)]
    expected = [tiny_mapper(photo) for photo in photos]
    found: dict[int, npt.NDArray[np.float32]] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: tiny_mapper(photos[i])}))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(8):
        np.testing.assert_array_equal(found[i], expected[i])


def test_the_working_side_is_what_the_network_sees(tiny_weights: Path) -> None:
    photo = np.zeros((300, 300, 3), np.uint8)
    assert BlurMapper(tiny_weights).map_coarse(photo).shape == (128, 128)
    assert BlurMapper(tiny_weights, working_side=64).map_coarse(photo).shape == (64, 64)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((32, 32, 3)),
        np.zeros((32, 32), np.uint8),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((0, 32, 3), np.uint8),
        np.full((32, 32, 3), np.nan, np.float32),
        "photo.jpg",
    ],
)
def test_what_is_no_image_is_not_mapped_at_the_networks_size(
    wrong: Any, tiny_mapper: BlurMapper
) -> None:
    with pytest.raises(ImageError):
        tiny_mapper.map_coarse(wrong)


def test_another_backend_takes_the_place_of_onnx_runtime(tiny_weights: Path) -> None:
    class HalfBackend:
        def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            return np.full((len(batch), 1, *batch.shape[2:]), 0.5, np.float32)

    blur_map = BlurMapper(tiny_weights, backend=HalfBackend())(np.zeros((40, 50, 3), np.uint8))
    np.testing.assert_allclose(blur_map, 0.5, atol=1e-4)


class OddBackend:
    """Gives something else than the maps that it has."""

    def __init__(self, give: Callable[[Any], Any]) -> None:
        self._give = give

    def run(self, batch: npt.NDArray[np.float32]) -> Any:
        return self._give(np.full((len(batch), 1, *batch.shape[2:]), 0.5, np.float32))

    def run_kinds(self, batch: npt.NDArray[np.float32]) -> Any:
        return self.run(batch), self.run(batch)


ODD_OUTPUTS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda maps: maps[:, 0], "gave an array of float32"),
    (lambda maps: maps[..., :-1], "gave an array of float32"),
    (lambda maps: (maps * 255).astype(np.uint8), "gave an array of uint8"),
    (lambda maps: maps.tolist(), "gave a list"),
    (lambda maps: np.full_like(maps, np.nan), "gave NaN or infinite values; give floats in"),
]


@pytest.mark.parametrize(("give", "line"), ODD_OUTPUTS)
def test_what_another_backend_gives_is_checked(
    give: Callable[[Any], Any], line: str, tiny_weights: Path, sharp_photo: Photo
) -> None:
    mapper = BlurMapper(tiny_weights, refine=False, backend=OddBackend(give))
    for use in (mapper, mapper.map_coarse, mapper.map_kinds):
        with pytest.raises(ConfigError, match=f"^backend OddBackend: {line}"):
            use(sharp_photo)  # type: ignore[operator]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_both_kinds_are_asked_of_another_backend(
    count: int, tiny_weights: Path, sharp_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = OddBackend(lambda maps: maps)
    monkeypatch.setattr(backend, "run_kinds", lambda batch: (backend.run(batch),) * count)
    with pytest.raises(ConfigError, match="OddBackend: gave a tuple; give 2 arrays"):
        BlurMapper(tiny_weights, backend=backend).map_kinds(sharp_photo)


def test_a_map_for_some_of_the_photos_is_refused(tiny_weights: Path, sharp_photo: Photo) -> None:
    mapper = BlurMapper(tiny_weights, backend=OddBackend(lambda maps: maps[:1]))
    with pytest.raises(ConfigError, match=r"float32 \(1, 1, .* for photos \(3, 3, .*; give floats"):
        list(mapper.map_many([sharp_photo] * 3))


def test_what_another_backend_gives_in_double_precision_is_in_single(
    tiny_weights: Path, sharp_photo: Photo
) -> None:
    mapper = BlurMapper(tiny_weights, backend=OddBackend(lambda maps: maps.astype(np.float64)))
    assert mapper.map_coarse(sharp_photo).dtype == np.float32


def test_a_mapper_can_be_referred_to_weakly(tiny_weights: Path) -> None:
    mapper = BlurMapper(tiny_weights)
    assert weakref.ref(mapper)() is mapper


def test_a_backend_can_be_given_by_name(
    tiny_weights: Path, tiny_mapper: BlurMapper, half_blurred_photo: Photo
) -> None:
    pytest.importorskip("openvino", reason="needs blurmapper[openvino]")
    blur_map = BlurMapper(tiny_weights, backend="openvino", threads=1)(half_blurred_photo)
    np.testing.assert_allclose(blur_map, tiny_mapper(half_blurred_photo), atol=1e-4)


def test_what_the_network_exceeds_is_clipped(tiny_weights: Path) -> None:
    class LoudBackend:
        def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            return np.full((len(batch), 1, *batch.shape[2:]), 1.001, np.float32)

    mapper = BlurMapper(tiny_weights, refine=False, backend=LoudBackend())
    assert mapper(np.zeros((40, 50, 3), np.uint8)).max() == 1


def test_a_mapper_cannot_be_changed(tiny_mapper: BlurMapper) -> None:
    with pytest.raises(AttributeError):
        tiny_mapper.card = None  # type: ignore[misc, assignment]
    with pytest.raises(AttributeError):
        tiny_mapper.refine = False  # type: ignore[attr-defined]


def test_a_working_side_below_the_networks_reach_is_refused(tiny_weights: Path) -> None:
    with pytest.raises(ConfigError, match="working side is 8"):
        BlurMapper(tiny_weights, working_side=8)


def test_a_wrong_name_is_refused() -> None:
    with pytest.raises(WeightsError, match="no weights named 'dbn'"):
        BlurMapper("dbn")


def test_a_bad_photo_is_refused(tiny_mapper: BlurMapper) -> None:
    with pytest.raises(ImageError, match="empty"):
        tiny_mapper(b"")


def test_defocus_and_motion_add_up_to_the_blur_map(
    tiny_kinds_weights: Path, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    mapper = BlurMapper(tiny_kinds_weights)
    kinds = mapper.map_kinds(half_blurred_photo)
    blur_map = mapper(half_blurred_photo)
    np.testing.assert_allclose(kinds.defocus + kinds.motion, blur_map, atol=1e-6)
    for part in kinds:
        assert part.dtype == np.float32
        assert 0 <= part.min() and part.max() <= 1


def test_motion_is_the_networks_share_of_the_blur(
    tiny_kinds_weights: Path, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    mapper = BlurMapper(tiny_kinds_weights, refine=False)
    blur_map = mapper(half_blurred_photo)
    np.testing.assert_allclose(mapper.map_kinds(half_blurred_photo).motion, blur_map**2, atol=1e-3)


def test_a_network_of_one_kind_says_so(
    tiny_weights: Path, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    with pytest.raises(WeightsError, match=r"tiny\.onnx: cannot tell motion from defocus"):
        BlurMapper(tiny_weights).map_kinds(half_blurred_photo)
