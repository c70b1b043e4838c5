"""Endless training pairs: real, traced and made, each decided by a seed and an index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from blurmapper.applications.light import decode_light
from blurmapper.datasets import read_dataset
from blurmapper.errors import DatasetError
from blurmapper.splits import select_names
from blurmapper.training.augmentation import Layer, crop_layers, wear_image
from blurmapper.training.compositing import (
    apply_kernel,
    draw_radius,
    encode_srgb,
    lens_kernel,
    shake_kernel,
    smear_before,
)
from blurmapper.training.config import Mixture, TrainingConfig
from blurmapper.training.labelled import LabelledSource
from blurmapper.training.pairs import (
    BLURRED,
    DEFOCUSED,
    MOVED,
    SHARP,
    UNDECIDED,
    Material,
    Pair,
    label_of,
    label_smear,
)
from blurmapper.training.photos import (
    Masked,
    PhotoLibrary,
    read_library,
    read_pixels,
    read_rgb,
    read_subject,
    read_traced,
)
from blurmapper.training.synthesis import make_pair

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]

EDGE_TOLERANCE = 2
"""Pixels either side of a hand-drawn edge left undecided: hands are good to about five at 512."""

KINDS = {
    "defocus_bg": DEFOCUSED,
    "defocus_fg": DEFOCUSED,
    "plane": DEFOCUSED,
    "motion_bg": MOVED,
    "motion_subject": MOVED,
}
"""What blurs a traced photo of each kind; others hold several blurs, or are not told."""


class PairSource:
    """Draw the pair of an index; the same seed, side and index give the same pair.

    Parameters
    ----------
    library : PhotoLibrary
        The photos to draw from.
    side : int
        Height and width of the pairs, in pixels.
    seed : int
        Of everything drawn.
    mixture : Mixture
        How often each kind is drawn.
    labelled : LabelledSource or None
        Photos of a data set to mix in.
    """

    def __init__(
        self,
        library: PhotoLibrary,
        side: int,
        seed: int,
        mixture: Mixture | None = None,
        labelled: LabelledSource | None = None,
    ) -> None:
        self.library, self.side, self.seed = library, side, seed
        mixture = mixture or Mixture()
        self._kinds: list[tuple[Callable[[np.random.Generator], Pair], float]] = [
            (self._traced, mixture.traced if library.traced else 0.0),
            (self._bokeh, mixture.bokeh if library.bokeh else 0.0),
            (self._made, mixture.made if library.sharp and library.bokeh else 0.0),
            (self._sharp, mixture.sharp if library.sharp else 0.0),
            (self._blurred, mixture.blurred if library.blurred else 0.0),
        ]
        if labelled:
            any_of = labelled.pair
            self._kinds.append((lambda rng: any_of(int(rng.integers(2**31))), mixture.labelled))
        if not any(weight for _, weight in self._kinds):
            raise DatasetError("no training photos of any kind wanted: check `photos` and mixture")

    def pair(self, index: int) -> Pair:
        """Return pair number ``index``, uint8 image and label of ``side`` x ``side``."""
        rng = np.random.default_rng((self.seed, index))
        weights = np.array([weight for _, weight in self._kinds])
        draw, _ = self._kinds[int(rng.choice(len(weights), p=weights / weights.sum()))]
        pair = draw(rng)
        return Pair(wear_image(pair.image, rng), pair.label, pair.kind)

    def _traced(self, rng: np.random.Generator) -> Pair:
        chosen = _choose(self.library.traced, rng)
        image, truth = crop_layers(read_traced(chosen), self.side, rng)
        label = np.full(truth.shape, UNDECIDED, np.uint8)
        tolerance = np.ones((2 * EDGE_TOLERANCE + 1,) * 2, np.uint8)
        label[cv2.erode(truth, tolerance) > 250] = KINDS.get(chosen.kind, BLURRED)
        label[cv2.dilate(truth, tolerance) < 5] = SHARP
        return self._spoil(Pair(image, label, "traced"), rng)

    def _bokeh(self, rng: np.random.Generator) -> Pair:
        chosen = _choose(self.library.bokeh, rng)
        image, subject = crop_layers(read_subject(chosen), self.side, rng)
        label = label_of(1.0 - subject.astype(np.float32) / 255.0, DEFOCUSED)
        return self._spoil(Pair(image, label, "bokeh"), rng)

    def _sharp(self, rng: np.random.Generator) -> Pair:
        (image,) = crop_layers([read_rgb(_choose(self.library.sharp, rng))], self.side, rng)
        return self._spoil(Pair(image, np.full(image.shape[:2], SHARP, np.uint8), "sharp"), rng)

    def _blurred(self, rng: np.random.Generator) -> Pair:
        (image,) = crop_layers([read_rgb(_choose(self.library.blurred, rng))], self.side, rng)
        return Pair(image, np.full(image.shape[:2], BLURRED, np.uint8), "blurred")

    def _made(self, rng: np.random.Generator) -> Pair:
        return self.make(_choose(self.library.sharp, rng), rng)

    def make(self, photo: Path, rng: np.random.Generator, kind: str | None = None) -> Pair:
        """Return a pair made of this sharp photo: a scene of `synthesis.SCENES`, or any."""
        image, subject = crop_layers(self._with_subject(photo, rng), self.side, rng)
        cutout, alpha = self._cutout(rng)
        material = Material(image, _harden(subject), cutout, alpha)
        return make_pair(material, int(rng.integers(2**63)), kind)

    def _with_subject(self, photo: Path, rng: np.random.Generator) -> tuple[Layer, Layer]:
        """Return a photo and the mask of its subject, or of another's, stretched to this photo."""
        own = self.library.subject_of(photo)
        if own is not None:
            return read_subject(Masked(photo, own))
        image, other = read_rgb(photo), _choose(self.library.bokeh, rng).mask
        mask = read_pixels(other, cv2.IMREAD_GRAYSCALE)
        return image, cv2.resize(mask, image.shape[1::-1])

    def _cutout(self, rng: np.random.Generator) -> tuple[Image, npt.NDArray[np.float32]]:
        """Return a sharp subject of another photo, anywhere, at most about as large as it was.

        A subject cut off by its photo's frame stays cut off by ours: nothing floats in mid-air.
        """
        chosen = _choose(self.library.bokeh, rng)
        image, mask = read_subject(chosen)
        if rng.random() < 0.5:
            image, mask = image[:, ::-1], mask[:, ::-1]
        height, width = mask.shape
        scale = self.side / height * float(rng.uniform(0.5, 1.15))
        across, down = rng.uniform(-0.3, 0.3, 2) * self.side
        left = (self.side - width * scale) / 2 + across
        top = (self.side - height * scale) / 2 + down
        cut_left, cut_right, cut_bottom = mask[:, 0].max(), mask[:, -1].max(), mask[-1].max()
        if cut_left > 127:
            left = min(left, 0.0)
        if cut_right > 127:
            left = max(left, self.side - width * scale)
        if cut_bottom > 127:
            top = max(top, self.side - height * scale)
        move = np.array([[scale, 0, left], [0, scale, top]], np.float64)
        size = (self.side, self.side)
        shrunk = cv2.warpAffine(image, move, size, flags=cv2.INTER_AREA, borderMode=1)
        alpha = cv2.warpAffine(mask, move, size, flags=cv2.INTER_LINEAR)
        return np.asarray(shrunk, np.uint8), _harden(np.asarray(alpha, np.uint8))

    def _spoil(self, pair: Pair, rng: np.random.Generator) -> Pair:
        """Now and then blur all of a real photo, or put something blurred or moving before it.

        Without this a subject would always be sharp, and a network would look for subjects.
        """
        chance = rng.random()
        if chance < 0.05:
            shaken = rng.random() < 0.4
            radius = draw_radius(rng, self.side, 2.0)
            kernel = shake_kernel(rng, self.side) if shaken else lens_kernel(rng, radius)
            image = encode_srgb(apply_kernel(decode_light(pair.image), kernel))
            label = np.full_like(pair.label, MOVED if shaken else DEFOCUSED)
            return Pair(image, label, pair.kind)
        if chance < 0.18 and self.library.bokeh:
            moves = chance >= 0.12
            cutout, alpha = self._cutout(rng)
            radius = draw_radius(rng, self.side, 2.5)
            kernel = shake_kernel(rng, self.side) if moves else lens_kernel(rng, radius)
            behind = decode_light(pair.image)
            linear, spread = smear_before(decode_light(cutout), alpha, kernel, behind)
            label = label_smear(spread, pair.label, MOVED if moves else DEFOCUSED)
            return Pair(encode_srgb(linear), label, pair.kind)
        return pair


def open_source(config: TrainingConfig) -> PairSource | LabelledSource:
    """Return what a config trains on: a library of photos, photos of a data set, or both."""
    labelled, mixed = None, config.dataset is not None
    if config.listed is not None:
        labelled = LabelledSource(
            select_names(read_dataset(config.dataset or config.photos), config.listed),
            config.side,
            config.seed,
            geometric=config.geometric,
            photometric=config.photometric and not mixed,  # All that is mixed is worn already.
        )
        if not mixed:
            return labelled
    library = read_library(config.photos)
    return PairSource(library, config.side, config.seed, config.mixture, labelled)


class PairDataset(Dataset[tuple[Tensor, Tensor]]):
    """The first ``count`` pairs of a source as tensors: uint8 (3, H, W) and (H, W)."""

    def __init__(self, source: PairSource | LabelledSource, count: int) -> None:
        self.source, self.count = source, count

    def __len__(self) -> int:
        """Return how many pairs there are."""
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return image and label."""
        pair = self.source.pair(index)
        image = torch.from_numpy(np.ascontiguousarray(pair.image.transpose(2, 0, 1)))
        return image, torch.from_numpy(pair.label)


def _harden(mask: Mask) -> npt.NDArray[np.float32]:
    """Return a mask's alpha without the half-sure regions that would make ghosts."""
    steep = (mask.astype(np.float32) / 255.0 - 0.5) * 3.0 + 0.5
    return np.asarray(np.clip(steep, 0.0, 1.0), np.float32)


def _choose(items: Any, rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))]
