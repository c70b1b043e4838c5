"""What training makes small.

Of a pixel with the logit z and the probability p = sigmoid(z): cross entropy is the paper's loss
(equation 4); the balanced one and fidelity are those that it reports to have tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from blurmapper.training.pairs import DEFOCUSED, MOVED, UNDECIDED

Output = Literal["blur", "motion", "side"]
"""What a channel of a network's logits says: blurred; if blurred, then by motion; blurred, by a
layer on the way that is supervised too."""

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Logits, truth and which pixels count, all (N, H, W), the latter two boolean -> a number."""

KIND_WEIGHT = 0.2
"""Of telling motion from defocus, beside 1 of telling blurred from sharp."""


def loss_of(
    logits: Tensor,
    labels: Tensor,
    outputs: Sequence[Output] = ("blur",),
    loss: str = "cross-entropy",
) -> Tensor:
    """Return the loss of blur, and of its kind where a network tells it and it is known.

    Parameters
    ----------
    logits : Tensor
        (N, C, H, W), positive = blurred, or motion.
    labels : Tensor
        uint8 (N, H, W), values of `blurmapper.training.pairs`.
    outputs : sequence
        What each channel says.
    loss : str
        A key of `LOSSES`, of blur; the kind of blur has cross entropy always.
    """
    known = (labels == MOVED) | (labels == DEFOCUSED)
    total = logits.new_zeros(())
    for output, channel in zip(outputs, logits.unbind(1), strict=True):
        if output == "motion":
            total = total + KIND_WEIGHT * cross_entropy(channel, labels == MOVED, known)
        else:
            total = total + LOSSES[loss](channel, labels > UNDECIDED, labels != UNDECIDED)
    return total


def cross_entropy(logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    """Return the mean binary cross entropy over the pixels counted, zero if there are none."""
    loss = functional.binary_cross_entropy_with_logits(logits, target.float(), reduction="none")
    return _mean(loss, counted.float())


def balanced_cross_entropy(logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    """Return cross entropy in which blurred and sharp pixels of a batch weigh the same in sum.

    Xie and Tu, ICCV 2015, equation 2. A batch that is all of one kind keeps its plain mean.
    """
    loss = functional.binary_cross_entropy_with_logits(logits, target.float(), reduction="none")
    blurred, sharp = (target & counted).float(), (~target & counted).float()
    parts = [_mean(loss, part) for part in (blurred, sharp) if part.any()]
    return torch.stack(parts).mean() if parts else _mean(loss, blurred)


def fidelity(logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    """Return the mean of 1 - sqrt(p g) - sqrt((1 - p) (1 - g)), g being 1 where blurred.

    Tsai et al., "FRank", SIGIR 2007, doi:10.1145/1277741.1277808. Bounded by one: a pixel that
    is wrong for sure pulls hardly at all.
    """
    signed = torch.where(target, logits, -logits)
    # sqrt(sigmoid(z)) as exp(log sigmoid(z) / 2), whose gradient is finite everywhere.
    return _mean(1 - (functional.logsigmoid(signed) / 2).exp(), counted.float())


def cross_entropy_and_overlap(logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    """Return cross entropy plus half of what each photo's F misses of one, p taken for counts.

    Milletari et al., "V-Net", 3DV 2016, doi:10.1109/3DV.2016.79, equation 3, with sums for sums
    of squares. A small thing in motion is a hundredth of the cross entropy, and all of its
    photo's F. Photos with nothing blurred have no F, and count in cross entropy alone.
    """
    truth = (target & counted).float()
    probability = torch.sigmoid(logits) * counted
    both, either = (probability * truth).sum((1, 2)), (probability + truth).sum((1, 2))
    blurred = truth.sum((1, 2)) > 0
    missed = 1.0 - 2.0 * both / either.clamp(min=1.0)
    return cross_entropy(logits, target, counted) + 0.5 * _mean(missed, blurred.float())


LOSSES: dict[str, Loss] = {
    "cross-entropy": cross_entropy,
    "balanced": balanced_cross_entropy,
    "fidelity": fidelity,
    "overlap": cross_entropy_and_overlap,
}


def _mean(loss: Tensor, weight: Tensor) -> Tensor:
    return (loss * weight).sum() / weight.sum().clamp(min=1.0)
