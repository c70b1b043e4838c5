"""Maps of a network that has not been exported, and their scores while it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from blurmapper.evaluation.counts import ImageCounts, image_counts
from blurmapper.evaluation.scores import score_paper
from blurmapper.images import BlurMap, ImageArray
from blurmapper.preprocessing import Preprocessing
from blurmapper.refinement import enlarge_map
from blurmapper.training.config import TrainingConfig
from blurmapper.training.networks import build_trained, get_architecture
from blurmapper.training.photos import read_library, read_subject, read_traced
from blurmapper.training.storage import read_checkpoint


class NetworkMapper:
    """Map photos with a network in torch.

    Parameters
    ----------
    network : torch.nn.Module
        Gives logits, the first channel positive = blurred; is put into evaluation mode.
    preprocessing : Preprocessing
    precision : {"fp32", "bf16", "auto"}
        Of the forward pass, as in `TrainingConfig`.
    """

    def __init__(
        self, network: nn.Module, preprocessing: Preprocessing, precision: str = "fp32"
    ) -> None:
        self.network = network.eval()
        self.preprocessing = preprocessing
        self.device = next(network.parameters()).device
        self.half = runs_in_half(precision, self.device)

    @classmethod
    def from_checkpoint(cls, path: Path) -> NetworkMapper:
        """Return the mapper of a checkpoint's averaged weights, as it was trained.

        Raises
        ------
        ConfigError
            If there is no checkpoint, or it is none of ours.
        """
        state = read_checkpoint(path)
        config = TrainingConfig.from_dict(state["config"], str(path))
        network = build_trained(state, config.architecture, path)
        if torch.cuda.is_available():
            network = network.cuda()
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        usual = get_architecture(config.architecture).preprocessing
        preprocessing = replace(usual, working_side=config.working_side)
        return cls(network, preprocessing, config.precision)

    def __call__(self, image: ImageArray) -> BlurMap:
        """Return the blur map of a photo at its own size, enlarged without regard to edges."""
        batch = self.preprocessing.normalise(self.preprocessing.resize(image))
        inputs = torch.from_numpy(batch).to(self.device, memory_format=torch.channels_last)
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self.half),
        ):
            logits = self.network(inputs)[:, :1]
        coarse: npt.NDArray[np.float32] = torch.sigmoid(logits.float())[0, 0].cpu().numpy()
        return enlarge_map(coarse, *image.shape[:2])


def runs_in_half(precision: str, device: torch.device) -> bool:
    """Return whether ``precision`` means bf16 on a device; ``auto`` does where that is faster."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Older versions of torch cannot say; fp32 is never slow.
    say: Callable[[], dict[str, object]] = getattr(torch.cpu, "get_capabilities", dict)
    return device.type == "cpu" and bool(say().get("amx_bf16"))


def score_held_out(
    network: nn.Module, preprocessing: Preprocessing, photos: Path
) -> dict[str, float]:
    """Return ODS, OIS and AP in the protocol ``paper`` of the photos held out of training.

    Traced photos and sharp subjects before a blurred background are scored apart; photos whose
    truth has no blurred pixel have no F-score and are left out.

    Raises
    ------
    FloatingPointError
        If a map is no number somewhere.
    """
    library = read_library(photos, held_out=True)
    mapper = NetworkMapper(network, preprocessing)
    answer: dict[str, float] = {}
    for name, masked in (("traced", library.traced), ("bokeh", library.bokeh)):
        counts: list[ImageCounts] = []
        for item in masked:
            image, truth = (read_traced if name == "traced" else read_subject)(item)
            blurred = truth > 200 if name == "traced" else truth < 64
            sharp = truth < 50 if name == "traced" else truth > 191
            if blurred.any():
                blur_map = mapper(image)
                if not np.isfinite(blur_map).all():
                    raise FloatingPointError(item.photo)
                counts.append(image_counts(blur_map, blurred, blurred | sharp))
        if counts:
            scores = score_paper(counts)
            answer |= {f"{name}_{kind}": getattr(scores, kind) for kind in ("ods", "ois", "ap")}
    return {key: float(np.round(value, 4)) for key, value in answer.items()}
