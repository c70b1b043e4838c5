"""Partly blurred photos made from sharp ones, with the truth of every pixel.

A scene is put together in linear light from layers, as light falls through a lens: a layer that
is out of focus spreads over what lies behind it, what lies behind a sharp layer does not shine
through it, and a bright point becomes a disc as bright as its aperture makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from blurmapper.applications.light import decode_light
from blurmapper.training import camera_scenes, moving_scenes
from blurmapper.training.compositing import Linear, cover, encode_srgb, flatten_texture
from blurmapper.training.pairs import SHARP, Label, Material, Pair

Making = Callable[[Material, np.random.Generator], tuple[Linear, Label]]


@dataclass(frozen=True)
class Scene:
    """A way to make a pair, and how often."""

    make: Making
    weight: float


def none(material: Material, rng: np.random.Generator) -> tuple[Linear, Label]:
    """Keep it sharp all over, with or without another sharp subject in front."""
    plain = rng.random() < 0.3
    linear = decode_light(flatten_texture(material.photo) if plain else material.photo)
    if rng.random() < 0.4:
        alpha = material.cutout_alpha
        linear = cover(decode_light(material.cutout) * alpha[..., None], alpha, linear)
    return linear, np.full(material.photo.shape[:2], SHARP, np.uint8)


SCENES: dict[str, Scene] = {
    "none": Scene(none, 0.09),
    "whole_defocus": Scene(camera_scenes.whole_defocus, 0.03),
    "background_defocus": Scene(camera_scenes.background_defocus, 0.13),
    "foreground_defocus": Scene(camera_scenes.foreground_defocus, 0.09),
    "foreground_lights": Scene(camera_scenes.foreground_lights, 0.03),
    "plane_of_focus": Scene(camera_scenes.plane_of_focus, 0.08),
    "several_depths": Scene(camera_scenes.several_depths, 0.06),
    "camera_motion": Scene(camera_scenes.camera_motion, 0.05),
    "panning": Scene(camera_scenes.panning, 0.09),
    "light_trails": Scene(camera_scenes.light_trails, 0.03),
    "traffic": Scene(camera_scenes.traffic, 0.06),
    "subject_motion": Scene(moving_scenes.subject_motion, 0.10),
    "part_in_motion": Scene(moving_scenes.part_in_motion, 0.03),
    "walkers": Scene(moving_scenes.walkers, 0.11),
    "limb_in_motion": Scene(moving_scenes.limb_in_motion, 0.08),
    "motion_and_defocus": Scene(moving_scenes.motion_and_defocus, 0.04),
}


def make_pair(material: Material, seed: int, kind: str | None = None) -> Pair:
    """Make a partly blurred photo with its truth.

    Parameters
    ----------
    material : Material
        The sharp photo and the shapes to work with.
    seed : int
        The same seed and material give the same pair.
    kind : str, optional
        A key of `SCENES`; drawn by its weight when left out.

    Notes
    -----
    The answer has no camera or web-site wear; `augmentation.wear_image` adds it.
    """
    rng = np.random.default_rng(seed)
    if kind is None:
        weights = np.array([scene.weight for scene in SCENES.values()])
        kind = str(rng.choice(list(SCENES), p=weights / weights.sum()))
    linear, label = SCENES[kind].make(material, rng)
    return Pair(encode_srgb(linear), label, kind)
