"""Scores during training, on photos of the training folder that are never trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from blurmapper.evaluation.scores import ImageCounts, image_counts, score_paper
from blurmapper.images import read_image
from blurmapper.preprocessing import Preprocessing
from blurmapper.training.inference import NetworkMapper
from blurmapper.training.photos import read_library


def score_held_out(
    network: nn.Module, preprocessing: Preprocessing, photos: Path
) -> dict[str, float]:
    """Return ODS, OIS and AP in the protocol ``paper`` of the photos held out of training.

    Traced photos and sharp subjects before a blurred background are scored apart; photos whose
    truth has no blurred pixel have no F-score and are left out.
    """
    library = read_library(photos, held_out=True)
    mapper = NetworkMapper(network, preprocessing)
    answer: dict[str, float] = {}
    for name, masked in (("traced", library.traced), ("bokeh", library.bokeh)):
        counts: list[ImageCounts] = []
        for item in masked:
            truth = read_image(item.mask)[..., 0]
            blurred = truth > 200 if name == "traced" else truth < 64
            sharp = truth < 50 if name == "traced" else truth > 191
            if blurred.any():
                blur_map = mapper(read_image(item.photo))
                counts.append(image_counts(blur_map, blurred, blurred | sharp))
        if counts:
            scores = score_paper(counts)
            answer |= {
                f"{name}_ods": scores.ods,
                f"{name}_ois": scores.ois,
                f"{name}_ap": scores.ap,
            }
    return {key: float(np.round(value, 4)) for key, value in answer.items()}
