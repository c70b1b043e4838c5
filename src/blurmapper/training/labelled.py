"""Training pairs of a data set's photos and their masks, as people have labelled them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from blurmapper.datasets import Sample, read_truth
from blurmapper.errors import DatasetError
from blurmapper.images import read_image
from blurmapper.masks import check_size
from blurmapper.training.augmentation import Layer, crop_layers, resize_layer, wear_image
from blurmapper.training.pairs import BLURRED, SHARP, UNDECIDED, Pair


class LabelledSource:
    """The photos of a data set with their masks, each once before any comes again.

    Parameters
    ----------
    samples : sequence of Sample
    side : int
        Height and width of the pairs in pixels; whole photos are squeezed to it.
    seed : int
        Of the order and of everything drawn.
    geometric : bool
        Whether parts of photos are shown, mirrored or not, instead of the whole.
    photometric : bool
        Whether photos are worn as cameras and web sites wear them.

    Raises
    ------
    DatasetError
        If there is no photo.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        side: int,
        seed: int,
        *,
        geometric: bool = False,
        photometric: bool = False,
    ) -> None:
        if not samples:
            raise DatasetError("no photo to train on: check `photos` and `listed` in the config")
        self.samples, self.side, self.seed = list(samples), side, seed
        self.geometric, self.photometric = geometric, photometric

    def pair(self, index: int) -> Pair:
        """Return pair number ``index``, uint8 image and label of ``side`` x ``side``."""
        turn, place = divmod(index, len(self.samples))
        sample = self.samples[_shuffled(len(self.samples), self.seed, turn)[place]]
        rng = np.random.default_rng((self.seed, index))
        image, blurred, decided = self._resize(_read_layers(sample), rng)
        if self.photometric:
            image = wear_image(image.astype(np.uint8), rng)
        # A pixel is what most of it is; the masks do not say which blur it is. Where all of it is
        # decided, that is one but for rounding, which must not decide ties.
        whole = np.where(decided > 0.999, 1, decided)
        label = np.where(decided > 0.5, np.where(2 * blurred > whole, BLURRED, SHARP), UNDECIDED)
        return Pair(image.astype(np.uint8), label.astype(np.uint8), sample.kind or "labelled")

    def _resize(self, layers: list[Layer], rng: np.random.Generator) -> list[Layer]:
        if self.geometric:
            return crop_layers(layers, self.side, rng)
        return [resize_layer(layer, self.side) for layer in layers]


@lru_cache(maxsize=2)
def _shuffled(count: int, seed: int, turn: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng((seed, turn, count)).permutation(count)


def _read_layers(sample: Sample) -> list[Layer]:
    """Return the photo, uint8, and float32 masks of what is blurred and of what is decided."""
    if sample.photo is None:
        raise DatasetError(f"{sample.truth}: has no photo to train on; add the photos")
    image = read_image(sample.photo)
    if image.dtype != np.uint8:
        raise DatasetError(f"{sample.photo}: not of 8 bits a channel; save it as such")
    ground_truth, valid = read_truth(sample)
    decided = np.ones_like(ground_truth) if valid is None else valid
    check_size(ground_truth, sample.truth, image, sample.photo)
    return [image, (ground_truth & decided).astype(np.float32), decided.astype(np.float32)]
