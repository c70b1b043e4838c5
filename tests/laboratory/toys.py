"""Experiments that take a moment, and a made benchmark of known kinds of blur for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image

from blurmapper.laboratory.experiments import (
    Experiment,
    read_experiment,
)

KINDS = ("motion", "defocus", "motion", "defocus", "defocus", "defocus")

TOY = {"iterations": 1, "side": 32, "working_side": 32, "batch": 2, "threads": 1}


def make_toy_benchmark(folder: Path) -> Path:
    """Write six numbered photos, 64 x 96, as the open benchmark is laid out: blurred on the right.

    In the left half there is a flat surface too, sharp by its truth. Of photo k, from 1,
    48 - 6 k columns are sharp.
    """
    rng = np.random.default_rng(0)
    for inner in ("images", "truth"):
        (folder / inner).mkdir(parents=True)
    lines = ["photo,kind,confidence"]
    for number, kind in enumerate(KINDS, 1):
        name = f"{kind}{number:04}"
        lines.append(f"{name},{kind},3")
        texture = rng.integers(0, 256, (64, 96, 3), np.uint8)
        texture[40:, :24] = 128
        truth = np.zeros((64, 96), np.uint8)
        truth[:, 48 - 6 * number :] = 255
        blurred = cv2.GaussianBlur(texture, (0, 0), 4)
        photo = np.where(truth[..., None] > 0, blurred, texture)
        PIL.Image.fromarray(photo).save(folder / "images" / f"{name}.png")
        PIL.Image.fromarray(truth).save(folder / "truth" / f"{name}.png")
    (folder / "photos.csv").write_text("\n".join(lines) + "\n")
    return folder


def toy(name: str, kept: Path, only: tuple[str, ...] = ()) -> Experiment:
    """Return an experiment whose networks take one step on 32 x 32 pixels, from scratch."""
    experiment = read_experiment(name)
    training = experiment.training
    assert training is not None
    networks = {k: v for k, v in training.networks.items() if not only or k in only}
    settings: dict[str, Any] = {"overrides": {**TOY, "initialise": ""}, "kept": str(kept)}
    if training.draws:
        settings |= {"draws": 2, "added": 2}
    training = replace(training, networks=networks, **settings)
    return replace(experiment, methods=(), side=16, training=training)


def with_overrides(experiment: Experiment, **overrides: Any) -> Experiment:
    """Return an experiment whose networks are trained otherwise."""
    assert experiment.training is not None
    changed = {**experiment.training.overrides, **overrides}
    return replace(experiment, training=replace(experiment.training, overrides=changed))
