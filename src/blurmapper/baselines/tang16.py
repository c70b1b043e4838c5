"""Tang16: the log averaged spectrum residual, region by region.

C. Tang, J. Wu, Y. Hou, P. Wang and W. Li, "A Spectral and Spatial Approach of Coarse-to-Fine
Blurred Image Region Detection", IEEE Signal Processing Letters 23(11), 2016,
doi:10.1109/LSP.2016.2611608.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage, sparse
from skimage.color import rgb2lab
from skimage.segmentation import slic

from blurmapper.baselines._features import (
    Floats,
    Regions,
    neighbours,
    region_means,
    stretch,
    to_grey,
    to_unit,
)
from blurmapper.decoding import ignore_underflow
from blurmapper.images import BlurMap, ImageArray

REGIONS = 600
"""How many superpixels are asked for: ours."""

COMPACTNESS = 5.0
SOFTNESS = 0.1
"""The distance, of colours or gradients, at which similarity has fallen to 1/e."""

COLOUR_WEIGHT, GRADIENT_WEIGHT = 0.4, 0.6
SETTLED = 0.03
"""The rounds end with the first that moves no region by more than this: ours."""

MOST_ROUNDS = 200

LEAST_ENERGY = 1e-6
"""Of a region, as a share of the largest: ours, where a photo has regions without any."""

# Standard deviation that rounding to 8 bits leaves, for grey in [0, 1].
_QUANTISATION = 1 / (255 * 12**0.5)

Values = npt.NDArray[np.float64]


@ignore_underflow()
def map_tang16(image: ImageArray) -> BlurMap:
    """Map blur where whitening the spectrum leaves little, evened out among like regions.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1], 1 = blurred; constant in each superpixel.

    Notes
    -----
    Certainty of our reading is low to medium: from the paper's description, not its program.
    Keeping the phase is our reading; without it the residual knows no places. So are that the
    energy is smoothed by nothing but its mean over a region, and that blur is its reciprocal: the
    published curve falls early, and that of one minus the energy would fall last. `REGIONS` and
    the scale of Lab (L in [0, 1]) were chosen on pairs for training, the end of the rounds by the
    published curve. That end is part of the method: a round takes weighted means only, so that
    after endless rounds all regions would be equal. Where no region differs from another, as in a
    flat photo, all is blurred: our choice.
    """
    regions = slic(to_unit(image), REGIONS, compactness=COMPACTNESS, start_label=0)
    means = region_means(_residual_energy(to_grey(image)), regions)
    # A flat photo's regions differ by rounding alone, which must not be stretched.
    means = (means / max(float(means.max()), float(np.finfo(np.float32).tiny))).round(5)
    if not np.ptp(means):
        return np.ones(regions.shape, np.float32)
    blur = stretch(1.0 / np.maximum(means, LEAST_ENERGY)).astype(np.float64)
    settled = stretch(_even_out(blur, _similarity(image, regions)))
    return np.asarray(settled[regions], np.float32)


def _residual_energy(grey: Floats) -> Floats:
    """Return what is left of a grey image once its spectrum is levelled, squared.

    With L the log spectrum and A its 3 x 3 mean, exp(L - A + j phase) is the spectrum itself
    over exp(A): neither phase nor logarithm of it has to be taken back.
    """
    spectrum = fft.fft2(grey)
    noise = np.float32(_QUANTISATION * grey.size**0.5)
    log_average = ndimage.uniform_filter(np.log(np.abs(spectrum) + noise), 3, mode="wrap")
    spectrum *= np.exp(-log_average)
    residual = fft.ifft2(spectrum, overwrite_x=True)
    return np.asarray(residual.real**2 + residual.imag**2, np.float32)


def _similarity(image: ImageArray, regions: Regions) -> sparse.csr_array:
    """Return s of every two regions that touch, symmetric, with no entry for others."""
    first, second = neighbours(regions)
    count = int(regions.max()) + 1
    lab = rgb2lab(to_unit(image)) / np.float32(100.0)
    colours = np.stack([region_means(lab[..., c], regions) for c in range(3)], axis=-1)
    colour = np.linalg.norm(colours[first] - colours[second], axis=-1)
    covariances = _gradient_covariances(to_grey(image), regions)
    gradient = _affine_distance(covariances[first], covariances[second])
    likeness = COLOUR_WEIGHT * np.exp(-colour / SOFTNESS)
    likeness += GRADIENT_WEIGHT * np.exp(-gradient / SOFTNESS)
    upper = sparse.coo_array((likeness, (first, second)), shape=(count, count)).tocsr()
    return sparse.csr_array(upper + upper.T)


def _even_out(values: Values, similarity: sparse.csr_array) -> Values:
    """Draw each region to its like neighbours, the more the more alike they are, until settled."""
    totals = similarity.sum(axis=1)
    if not totals.any():
        return values
    coherence = 1.0 / (1.0 + similarity.max(axis=1).toarray().ravel())
    for _ in range(MOST_ROUNDS):
        around = np.divide(similarity @ values, totals, out=values.copy(), where=totals > 0)
        moved = (1.0 - coherence) * (around - values)
        values = values + moved
        if np.abs(moved).max() < SETTLED:
            break
    return values


def _gradient_covariances(grey: Floats, regions: Regions) -> Values:
    """Return the covariance of each region's gradient, (count, 2, 2), its least that of noise."""
    down, across = ndimage.sobel(grey, 0) / 8, ndimage.sobel(grey, 1) / 8
    means = [region_means(slope, regions) for slope in (down, across)]
    covariances = np.empty((len(means[0]), 2, 2))
    for i, one in enumerate((down, across)):
        for j, other in enumerate((down, across)):
            covariances[:, i, j] = region_means(one * other, regions) - means[i] * means[j]
    return covariances + _QUANTISATION**2 * np.eye(2)


def _affine_distance(one: Values, other: Values) -> Values:
    """Return the affine-invariant distance of covariances (n, 2, 2).

    That is the norm of the logarithms of the eigenvalues of ``inv(one) @ other``, of which trace
    and determinant tell the two.
    """
    half_trace = np.trace(np.linalg.solve(one, other), axis1=-2, axis2=-1) / 2
    determinant = np.linalg.det(other) / np.linalg.det(one)
    root = np.sqrt(np.maximum(half_trace**2 - determinant, 0.0))
    larger = half_trace + root
    return np.asarray(np.hypot(np.log(larger), np.log(determinant / larger)), np.float64)
