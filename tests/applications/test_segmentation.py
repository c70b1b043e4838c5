"""The sharp subject: where GrabCut starts, what it finds, and how it is cut out."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from threading import Lock
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.applications import cut_out, seed_labels, segment_blur
from blurmapper.errors import ConfigError, ImageError, MissingExtraError, install_command
from blurmapper.images import encode_cutout

Photo = npt.NDArray[np.uint8]
BlurMap = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Scene = tuple[Photo, BlurMap, Mask]

needs_pymatting = pytest.mark.skipif(
    find_spec("pymatting") is None, reason="cutouts need the extra blurmapper[baselines]"
)
EACH = [segment_blur, pytest.param(cut_out, marks=needs_pymatting)]


def as_dtype(photo: Photo, dtype: Any) -> npt.NDArray[Any]:
    """Return the same photo with samples of another dtype."""
    if dtype == np.uint16:
        return photo * np.uint16(257)
    return photo / np.float32(255) if dtype == np.float32 else photo


def make_scene(height: int, width: int) -> Scene:
    """Return a photo of two textures, a map that is only roughly right, and the truth.

    An ellipse of warm noise lies on a ground of cold noise; the map is the ellipse eight times
    too coarse and shifted, and undecided along its outline.
    """
    rng = np.random.default_rng(0)
    truth = np.zeros((height, width), np.uint8)
    axes = round(0.3 * width), round(0.3 * height)
    cv2.ellipse(truth, (width // 2, height // 2), axes, 20, 0, 360, 1, -1)
    noise = rng.normal(0, 20, (height, width, 1))
    colours = np.where(truth[..., np.newaxis] > 0, (190, 120, 60), (60, 110, 150))
    photo = (colours + noise).clip(0, 255).astype(np.uint8)
    shifted = np.roll(truth, (height // 40, width // 40), axis=(0, 1)).astype(np.float32)
    blur_map = 1 - cv2.GaussianBlur(shifted, (0, 0), 0.04 * min(height, width))
    return photo, blur_map, truth > 0


@pytest.fixture
def scene() -> Scene:
    """A scene of 200 x 260."""
    return make_scene(200, 260)


def iou(mask: Mask, truth: Mask) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0.0, cv2.GC_FGD),
        (np.nextafter(np.float32(0.1), np.float32(0)), cv2.GC_FGD),
        (0.1, cv2.GC_PR_FGD),
        (np.nextafter(np.float32(0.5), np.float32(0)), cv2.GC_PR_FGD),
        (0.5, cv2.GC_PR_BGD),
        (np.nextafter(np.float32(0.9), np.float32(0)), cv2.GC_PR_BGD),
        (0.9, cv2.GC_BGD),
        (1.0, cv2.GC_BGD),
    ],
)
def test_the_seeds_are_the_papers(value: float, label: int) -> None:
    labels = seed_labels(np.full((2, 3), value, np.float32))
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, np.full((2, 3), label))


def test_a_region_of_another_texture_is_recovered(scene: Scene) -> None:
    photo, blur_map, truth = scene
    assert iou(blur_map < 0.5, truth) < 0.9
    assert iou(segment_blur(photo, blur_map), truth) > 0.98


def test_sure_seeds_are_kept(scene: Scene) -> None:
    photo, blur_map, _ = scene
    mask = segment_blur(photo, blur_map)
    assert mask[blur_map < 0.1].all()
    assert not mask[blur_map >= 0.9].any()


def test_a_large_photos_cut_follows_its_edges() -> None:
    photo, blur_map, truth = make_scene(640, 800)
    mask = segment_blur(photo, blur_map, working_side=128)
    assert mask.shape == truth.shape
    small = cv2.resize(truth.astype(np.float32), (143, 114), interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(np.float32(small >= 0.5), (800, 640), interpolation=cv2.INTER_NEAREST)
    assert iou(mask, truth) > iou(enlarged > 0, truth)


@pytest.mark.parametrize("value", [0.0, 0.3, 0.49])
def test_without_background_all_is_subject(scene: Scene, value: float) -> None:
    assert segment_blur(scene[0], np.full((200, 260), value, np.float32)).all()


@pytest.mark.parametrize("value", [0.5, 0.7, 1.0])
def test_without_foreground_there_is_no_subject(scene: Scene, value: float) -> None:
    assert not segment_blur(scene[0], np.full((200, 260), value, np.float32)).any()


def test_what_is_even_is_so_at_the_working_size_too() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (700, 900, 3), np.uint8)
    for shape in ((700, 900), (613, 777), (640, 427)):
        part = photo[: shape[0], : shape[1]]
        blur_map = np.full(shape, 0.5, np.float32)
        assert not segment_blur(part, blur_map, working_side=200).any()


@pytest.mark.parametrize("sharp", [1, 3])
def test_a_few_seeds_are_enough(scene: Scene, sharp: int) -> None:
    blur_map = np.ones((200, 260), np.float32)
    blur_map[100, 130 : 130 + sharp] = 0
    mask = segment_blur(scene[0], blur_map)
    np.testing.assert_array_equal(mask, blur_map == 0)


def test_the_callers_random_numbers_change_nothing_and_are_left_alone(scene: Scene) -> None:
    masks, drawn = [], []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        masks.append(segment_blur(scene[0], scene[1]))
        drawn.append(cv2.randu(np.empty(9, np.uint8), 0, 255))
    np.testing.assert_array_equal(masks[0], masks[1])
    cv2.setRNGSeed(2)
    np.testing.assert_array_equal(drawn[1], cv2.randu(np.empty(9, np.uint8), 0, 255))
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_dtype_changes_no_cut(scene: Scene, dtype: Any) -> None:
    same = segment_blur(as_dtype(scene[0], dtype), scene[1])
    np.testing.assert_array_equal(same, segment_blur(scene[0], scene[1]))


@pytest.mark.parametrize("apply", EACH)
@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 9), (2, 2), (30, 1), (33, 17), (16, 900), (41, 61)]
)
def test_any_size_is_met(apply: Any, height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    blur_map = rng.random((height, width), np.float32)
    for side in (512, 24):
        assert apply(photo, blur_map, working_side=side).shape[:2] == (height, width)


@pytest.mark.parametrize("side", [0, -512, 15, float("nan"), float("inf")])
@pytest.mark.parametrize("apply", EACH)
def test_a_size_at_which_nothing_is_cut_is_refused(apply: Any, scene: Scene, side: float) -> None:
    with pytest.raises(ConfigError, match=f"working side is {side}; use 16 or more"):
        apply(*scene[:2], working_side=side)


@pytest.mark.parametrize("apply", EACH)
def test_a_photo_of_one_colour_is_cut_too(apply: Any, scene: Scene) -> None:
    photo = np.full_like(scene[0], 90)
    assert apply(photo, scene[1]).shape[:2] == (200, 260)


@pytest.mark.parametrize("apply", EACH)
def test_the_map_of_another_photo_is_refused(apply: Any, scene: Scene) -> None:
    with pytest.raises(ImageError, match="give the map of this photo"):
        apply(scene[0], scene[1][1:])


@needs_pymatting
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_cutout_is_the_subject_on_nothing(scene: Scene, dtype: Any) -> None:
    photo, blur_map, truth = scene
    rgba = cut_out(as_dtype(photo, dtype), blur_map)
    assert rgba.shape == (200, 260, 4)
    assert rgba.dtype == dtype
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    inside = cv2.erode(truth.astype(np.uint8), np.ones((15, 15))) > 0
    outside = cv2.dilate(truth.astype(np.uint8), np.ones((15, 15))) == 0
    assert (rgba[inside, 3] == white).all()
    np.testing.assert_array_equal(rgba[inside, :3], as_dtype(photo, dtype)[inside])
    assert not rgba[outside].any()


@needs_pymatting
def test_floats_that_overshoot_by_rounding_do_not_wrap_around() -> None:
    photo = np.full((64, 64, 3), 1.000009, np.float32)
    photo[:, 32:] = -9e-6
    rgba = cut_out(photo, np.zeros((64, 64), np.float32))
    assert (rgba.min(), rgba.max()) == (0, 1)
    written = cv2.imdecode(np.frombuffer(encode_cutout(rgba), np.uint8), cv2.IMREAD_UNCHANGED)
    assert written is not None
    assert written[0, 0].tolist() == [65535] * 4


def test_alpha_that_is_rounded_to_nothing_takes_its_colour_along() -> None:
    rgba = np.full((2, 16, 4), 0.5, np.float32)
    rgba[0, :, 3], rgba[1, :, 3] = 6e-7, 1e-5
    written = cv2.imdecode(np.frombuffer(encode_cutout(rgba), np.uint8), cv2.IMREAD_UNCHANGED)
    assert written is not None
    assert written[:, 0].tolist() == [[0, 0, 0, 0], [32768, 32768, 32768, 1]]


@needs_pymatting
def test_the_backgrounds_colour_stays_behind() -> None:
    _, blur_map, truth = make_scene(200, 260)
    alpha = cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 1.5)[..., np.newaxis]
    photo = np.rint(alpha * (220, 60, 40) + (1 - alpha) * (40, 60, 220)).astype(np.uint8)
    rgba = cut_out(photo, blur_map)
    soft = (rgba[..., 3] > 25) & (rgba[..., 3] < 230)
    assert soft.sum() > 500
    blue_left = rgba[soft, 2].astype(float) - 40
    blue_before = photo[soft, 2].astype(float) - 40
    assert np.abs(blue_left).mean() < 0.1 * blue_before.mean()


@needs_pymatting
def test_a_soft_outline_gets_its_alpha() -> None:
    _, blur_map, truth = make_scene(200, 260)
    alpha = cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 1.5)
    photo = alpha[..., np.newaxis] * (220, 60, 40) + (1 - alpha[..., np.newaxis]) * (40, 60, 220)
    found = cut_out(np.rint(photo).astype(np.uint8), blur_map)[..., 3] / 255
    assert np.abs(found - alpha).max() < 0.1


@needs_pymatting
def test_one_cutout_at_a_time_is_matted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from blurmapper.applications import _matting

    inside, estimate, alone = Lock(), _matting.estimate_matte, []

    def watch(*given: Any) -> Any:
        alone.append(inside.acquire(blocking=False))
        found = estimate(*given)
        inside.release()
        return found

    monkeypatch.setattr(_matting, "estimate_matte", watch)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: cut_out(*scene[:2]), range(4)))
    assert alone == [True] * 4


@needs_pymatting
@pytest.mark.parametrize(("value", "alpha"), [(0.0, 255), (1.0, 0)])
def test_all_or_nothing_is_cut_out_of_an_even_map(scene: Scene, value: float, alpha: int) -> None:
    rgba = cut_out(scene[0], np.full((200, 260), value, np.float32))
    assert (rgba[..., 3] == alpha).all()
    np.testing.assert_array_equal(rgba[..., :3], scene[0] * (alpha == 255))


def test_without_pymatting_the_line_says_what_to_install(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "blurmapper.applications._matting", raising=False)
    monkeypatch.delattr("blurmapper.applications._matting", raising=False)
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("baselines"))):
        cut_out(scene[0], scene[1])


def test_colours_enlarged_row_by_row_are_those_enlarged_at_once() -> None:
    pytest.importorskip("pymatting", reason="the extra baselines is not installed")
    from blurmapper.applications import _matting

    plane = np.random.default_rng(0).random((37, 53, 3), np.float32)
    wide, whole = cv2.resize(plane, (777, 37)), cv2.resize(plane, (777, 401))
    for rows in (slice(0, 5), slice(5, 300), slice(300, 401)):
        part = _matting._enlarge_rows(np.asarray(wide, np.float32), rows, 401)
        np.testing.assert_allclose(part, whole[rows], atol=1e-6)
