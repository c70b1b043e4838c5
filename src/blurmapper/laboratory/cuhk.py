"""Whether the CUHK benchmark is whole and its masks are the right way round."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from blurmapper.datasets import Sample, read_truth
from blurmapper.errors import DatasetError

PHOTOS = {"motion": 296, "defocus": 704}
"""Kind of blur -> how many photos of it the benchmark has."""

BLURRED_SHARES = {"motion": 0.561, "defocus": 0.666}
"""Kind of blur -> mean share of a photo that the authors' masks call blurred; of all, .635."""

TOLERANCE = 0.03
"""By how much a mean share may differ: masks that were resized differ by far less, and of
inverted ones the shares are .439 and .334."""


def check_cuhk(samples: Sequence[Sample]) -> dict[str, float]:
    """Check that the CUHK benchmark is whole, and that white means blurred in its masks.

    Parameters
    ----------
    samples : sequence of Sample
        All that `blurmapper.datasets.read_dataset` found.

    Returns
    -------
    dict of str to float
        Kind of blur, and ``all`` -> the mean blurred share of its masks, in [0, 1].

    Raises
    ------
    DatasetError
        If photos are missing or too many, or the masks call another share blurred than the
        authors' masks do, as inverted ones would.

    Notes
    -----
    The benchmark: J. Shi, L. Xu and J. Jia, "Discriminative Blur Detection Features", CVPR
    2014, doi:10.1109/CVPR.2014.379.
    """
    _check_number(samples)
    shares = _blurred_shares(samples)
    for kind, expected in BLURRED_SHARES.items():
        share = shares[kind]
        if abs(share - expected) > TOLERANCE:
            inverted = abs(1 - share - expected) <= TOLERANCE
            fault = "they are inverted" if inverted else "these are other masks"
            raise DatasetError(
                f"{samples[0].truth.parent}: the masks of {kind} blur call {share:.1%} blurred and "
                f"CUHK's {expected:.1%}, so {fault}; unpack BlurDatasetGT.zip anew"
            )
    return shares


def _check_number(samples: Sequence[Sample]) -> None:
    found = Counter(sample.kind for sample in samples)
    if found == PHOTOS:
        return
    others = found.total() - sum(found[kind] for kind in PHOTOS)
    raise DatasetError(
        f"{samples[0].truth.parent}: holds {found['motion']} masks motionNNNN, {found['defocus']} "
        f"out_of_focusNNNN and {others} others, where CUHK has {PHOTOS['motion']} and "
        f"{PHOTOS['defocus']}; unpack BlurDatasetGT.zip anew, or name the folders of a part "
        "images/ and truth/"
    )


def _blurred_shares(samples: Sequence[Sample]) -> dict[str, float]:
    shares: dict[str, list[float]] = {kind: [] for kind in PHOTOS}
    for sample in samples:
        shares[sample.kind].append(float(read_truth(sample)[0].mean()))
    every = [share for of_kind in shares.values() for share in of_kind]
    return {kind: statistics.fmean(of) for kind, of in {**shares, "all": every}.items()}
