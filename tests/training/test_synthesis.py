"""Claims on pairs made from sharp photos."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.applications.light import decode_light, disc_kernel
from blurmapper.training.compositing import (
    blur_behind,
    encode_srgb,
    flatten_texture,
    sweep,
)
from blurmapper.training.pairs import (
    DEFOCUSED,
    MOVED,
    SHARP,
    UNDECIDED,
    Material,
    label_of_radius,
    label_smear,
)
from blurmapper.training.synthesis import SCENES, make_pair


def detail(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """How much an image changes from pixel to pixel."""
    return np.asarray(np.abs(cv2.Laplacian(image.astype(np.float64), cv2.CV_64F)).mean(axis=2))


@pytest.mark.parametrize("kind", SCENES)
def test_the_same_seed_gives_the_same_pair(kind: str, material: Material) -> None:
    first, second = make_pair(material, 7, kind), make_pair(material, 7, kind)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.label, second.label)
    assert (make_pair(material, 8, kind).image != first.image).any() or kind == "none"


@pytest.mark.parametrize("kind", SCENES)
def test_scenes_are_made_as_small_as_a_config_may_ask_for(kind: str, material: Material) -> None:
    small = Material(*(plane[40:56, 40:56] for plane in vars(material).values()))
    for seed in range(20):
        assert make_pair(small, seed, kind).image.shape == (16, 16, 3)


@pytest.mark.parametrize("kind", SCENES)
def test_what_is_labelled_blurred_has_lost_detail(kind: str, material: Material) -> None:
    for seed in range(6):
        pair = make_pair(material, seed, kind)
        assert set(np.unique(pair.label)) <= {SHARP, UNDECIDED, MOVED, DEFOCUSED}
        loss = detail(pair.image) / (detail(material.photo).mean() + 1e-9)
        if (pair.label > UNDECIDED).mean() > 0.1:
            assert loss[pair.label > UNDECIDED].mean() < 0.75
        if (pair.label == SHARP).mean() > 0.1:
            assert loss[pair.label == SHARP].mean() > 0.6


def test_the_kind_is_drawn_when_none_is_named(material: Material) -> None:
    drawn = {make_pair(material, seed).kind for seed in range(40)}
    assert len(drawn) >= 5
    assert drawn <= set(SCENES)


def test_no_halo_of_the_subject_surrounds_it() -> None:
    linear = np.full((64, 64, 3), 0.2, np.float32)
    front = np.zeros((64, 64), np.float32)
    front[20:44, 20:44] = 1.0
    linear[front > 0] = 1.0
    behind = blur_behind(linear, front, disc_kernel(6.0))
    np.testing.assert_allclose(behind[front == 0], 0.2, atol=1e-5)


def test_a_blurred_foreground_has_a_soft_edge(material: Material) -> None:
    white = replace(
        material,
        photo=np.zeros_like(material.photo),
        cutout=np.full_like(material.cutout, 255),
        subject=np.zeros_like(material.subject),
    )
    soft = [
        ((image > 40) & (image < 215)).mean()
        for image in (make_pair(white, seed, "foreground_defocus").image for seed in range(24))
        if image.any()
    ]
    assert max(soft) > 0.03


def test_bright_points_become_discs_that_stay_bright(material: Material) -> None:
    night = np.zeros_like(material.photo)
    night[40:43, 60:63] = 255
    dark = replace(material, photo=night)
    lit = [
        (make_pair(dark, seed, "whole_defocus").image.max(axis=2) > 60).sum() for seed in range(12)
    ]
    assert max(lit) > 25


def test_eyes_draw_the_line_of_blur() -> None:
    radii = np.array([[0.0, 0.5, 0.8, 1.0, 9.0]], np.float32)
    assert label_of_radius(radii).tolist() == [[SHARP, SHARP, UNDECIDED, DEFOCUSED, DEFOCUSED]]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("subject_motion", {SHARP, MOVED}),
        ("light_trails", {SHARP, MOVED}),
        ("walkers", {SHARP, MOVED}),
        ("limb_in_motion", {SHARP, MOVED}),
        ("foreground_defocus", {SHARP, DEFOCUSED}),
        ("foreground_lights", {SHARP, DEFOCUSED}),
        ("motion_and_defocus", {SHARP, DEFOCUSED, MOVED}),
    ],
)
def test_the_label_says_what_blurred_a_pixel(
    kind: str, values: set[int], material: Material
) -> None:
    found = {int(v) for seed in range(12) for v in np.unique(make_pair(material, seed, kind).label)}
    assert found - {UNDECIDED} == values


def test_a_thin_thing_that_moves_far_is_labelled() -> None:
    spread = np.array([[0.05, 0.2, 0.4, 1.0]], np.float32)
    behind = np.full((1, 4), DEFOCUSED, np.uint8)
    assert label_smear(spread, behind, MOVED).tolist() == [[DEFOCUSED, UNDECIDED, MOVED, MOVED]]


def test_what_turns_moves_farther_the_farther_it_is_from_the_joint() -> None:
    alpha = np.zeros((65, 65), np.float32)
    alpha[31:34, 4:61] = 1.0
    front = np.repeat(alpha[..., None], 3, axis=2)
    light, spread = sweep(front, alpha, (60.0, 32.0), 0.8)
    np.testing.assert_allclose(light, np.repeat(spread[..., None], 3, axis=2), atol=1e-6)
    reach = [int((spread[:, x] > 0.02).sum()) for x in (58, 45, 30, 15)]
    assert reach == sorted(reach)
    assert reach[0] < 8
    assert reach[-1] > 25
    assert spread.sum() == pytest.approx(alpha.sum(), rel=0.02)


def test_a_flattened_photo_keeps_its_edges() -> None:
    rng = np.random.default_rng(0)
    halves = np.repeat(np.repeat([[60, 190]], 64, axis=0), 32, axis=1)[..., None]
    photo = (halves + rng.normal(0, 6, (64, 64, 3))).clip(0, 255).astype(np.uint8)
    flat = flatten_texture(photo).astype(float)
    assert flat[:, :28].std() < 0.6 * photo[:, :28].std()
    assert (flat[:, 32] - flat[:, 31]).mean() > 120


def test_srgb_comes_back() -> None:
    values = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    back = encode_srgb(decode_light(values))
    assert np.abs(back.astype(int) - values).max() <= 1
    assert decode_light(values)[0, 188, 0] == pytest.approx(0.5029, abs=1e-3)
