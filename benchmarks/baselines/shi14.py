"""The features of Shi14 patch by patch, as the paper's steps say them; for small images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import to_grey
from blurmapper.baselines._fitted import NaiveBayes, blurred_probability, read_fitted
from blurmapper.baselines._graph import fuse_scales
from blurmapper.images import BlurMap, ImageArray

Plane = npt.NDArray[np.float64]


def by_the_book(image: ImageArray) -> BlurMap:
    """Map the blur of an RGB image (H, W, 3) of 27 pixels or more; 1 = blurred."""
    grey = to_grey(image).astype(np.float64)
    maps = np.zeros((3, *grey.shape), np.float32)
    for scale, (side, fitted) in enumerate(read_fitted("shi14")["scales"].items()):
        features = patch_features(grey, np.array(fitted["filters"]))
        classes = NaiveBayes.from_dict(fitted["naive_bayes"])
        probability = blurred_probability(features, classes)
        half = int(side) // 2
        maps[scale, half:-half, half:-half] = stretch(probability)
    return fuse_scales(maps, (5, 7, 10))


def patch_features(grey: Plane, filters: Plane) -> Plane:
    """Return q1, q2, q3 and the filters' responses of every patch within an image."""
    side = round(filters.shape[1] ** 0.5)
    black = np.pad(grey, ((0, 1), (0, 1)))
    across, down = (black[:-1, 1:] - grey), (black[1:, :-1] - grey)
    magnitude = np.hypot(across, down)
    shape = (grey.shape[0] - side + 1, grey.shape[1] - side + 1)
    values = np.empty((*shape, 4 + len(filters)))
    for y, x in np.ndindex(shape):
        patch = (slice(y, y + side), slice(x, x + side))
        values[y, x, 0] = log_kurtosis(across[patch])
        values[y, x, 1] = log_kurtosis(down[patch])
        values[y, x, 2] = wider_sigma(magnitude[patch])
        values[y, x, 3] = mean_log_power(grey[patch])
        values[y, x, 4:] = filters @ grey[patch].ravel()
    for index in (0, 1, 3):
        feature = values[..., index]
        feature[np.isnan(feature)] = np.nanmin(feature)
    values[..., 2] = np.pad(values[3:-3, 3:-3, 2], 3, "edge")
    for index in range(4, values.shape[-1]):
        low, high = np.percentile(values[..., index], [3, 97])
        values[..., index] = values[..., index].clip(low, high)
    return np.concatenate([values[..., :2].min(axis=-1, keepdims=True), values[..., 2:]], axis=-1)


def log_kurtosis(values: Plane) -> float:
    """Return the log of the fourth central moment over the squared second; NaN if flat."""
    centred = values - values.mean()
    if not np.any(values):
        return float("nan")
    return float(np.log(np.mean(centred**4) / np.mean(centred**2) ** 2))


def wider_sigma(magnitudes: Plane) -> float:
    """Fit two Gaussians to the magnitudes and their negatives."""
    values = np.concatenate([magnitudes.ravel(), -magnitudes.ravel()])
    wide, narrow, share, last = 0.5, 1e-4, 0.5, 1.0
    rounds = 0
    while abs(last - share) / last > 1e-3 and rounds < 100:
        in_narrow = share * np.exp(-(values**2) / (2 * narrow)) / np.sqrt(2 * np.pi * narrow)
        in_wide = (1 - share) * np.exp(-(values**2) / (2 * wide)) / np.sqrt(2 * np.pi * wide)
        belongs = in_narrow / (in_narrow + in_wide)
        narrow = (belongs * values**2).sum() / belongs.sum()
        wide = ((1 - belongs) * values**2).sum() / (1 - belongs).sum()
        last, share = share, float(belongs.mean())
        rounds += 1
    return float(np.sqrt(max(narrow, wide)))


def mean_log_power(patch: Plane) -> float:
    """Return the log power of the patch over its sum, averaged over log radii; NaN if flat."""
    if np.ptp(patch) == 0:
        return float("nan")
    half = (len(patch) - 1) // 2
    power = np.abs(np.fft.fft2(patch / patch.sum()))[:half, :half] ** 2 / half**2
    counted = np.arange(1, half + 1)
    radius = np.rint(np.hypot(counted[:, np.newaxis], counted))
    radii = np.unique(radius)
    starts = np.unique(np.rint(np.log(radii) / 0.2)) * 0.2
    sums = np.zeros(len(starts))
    ring = -1
    for r in radii:
        if ring + 1 < len(starts) and np.log(r) >= starts[ring + 1] - 1e-12:
            ring += 1
        sums[ring] += power[radius == r].mean()
    return float(np.log(sums[:-1]).mean())


def stretch(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Stretch values linearly to [0, 1]."""
    return np.asarray((values - values.min()) / (values.max() - values.min()))
