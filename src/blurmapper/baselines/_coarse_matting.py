"""Closed-form matting, solved on a small image and brought up along the large one's colours."""

from __future__ import annotations

import cv2
import numba
import numpy as np
import numpy.typing as npt
from pymatting import cf_laplacian, cg, ichol
from scipy.sparse import diags

from blurmapper.baselines._features import Floats

EPSILON = 1e-7
"""Weight that keeps linear coefficients small, for colours in [0, 1]."""

SEED_WEIGHT = 100.0
"""Weight that holds seeds to their values: lambda of Levin et al."""

TOLERANCE = 1e-10
"""Of the solution's residual; the system is so ill conditioned that 1e-7 is felt in the matte."""

LEVELS = 3
"""Of the pyramid, the image's own size included."""

SMALLEST_SIDE = 21
"""Of an image whose coarsest level still holds one window of 3 x 3: 21, 9 and 3 pixels."""

BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
"""What an image is smoothed with before every second pixel is taken."""

TRIM = 2
"""Pixels a side that the next level begins after: half of `BINOMIAL`, so that no border tells."""

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class CoarseMatting:
    """Mattes of one image from different seeds.

    Parameters
    ----------
    image : ndarray
        RGB float32 (H, W, 3) in [0, 1], at least `SMALLEST_SIDE` on a side.

    Notes
    -----
    Levin, Lischinski and Weiss (TPAMI 2008, doi:10.1109/TPAMI.2007.1177) with the coarse-to-fine
    scheme of their program, as Yi and Eramian call it: the matte is solved at a quarter of the
    size; windows of 3 x 3 give it as linear functions of colour, whose coefficients, not the
    matte, are enlarged. The scheme also turns sure pixels of an enlarged matte into seeds; with a
    solution at the coarsest level alone, nobody reads those.

    The linear system is solved by conjugate gradients behind an incomplete Cholesky factor, so
    that memory grows with the pixels, as that of a direct solution does not.
    """

    def __init__(self, image: Floats) -> None:
        self._pyramid = [image.astype(np.float64)]
        for _ in range(LEVELS - 1):
            self._pyramid.append(_reduce(self._pyramid[-1]))
        self._laplacian = cf_laplacian(self._pyramid[-1], EPSILON, 1)

    def matte(self, low: Mask, high: Mask) -> Floats:
        """Return the matte that is 0 at low seeds and 1 at high ones.

        Parameters
        ----------
        low, high : ndarray
            bool (H, W), no pixel in both, at least one in either.

        Returns
        -------
        ndarray
            float32 (H, W) in [0, 1].
        """
        known, value = (low | high).astype(np.float64), high.astype(np.float64)
        for _ in range(LEVELS - 1):
            known, value = _reduce_seeds(known, value)
        alpha = self._solve(known, value)
        for coarse, fine in zip(self._pyramid[:0:-1], self._pyramid[-2::-1], strict=True):
            alpha = _enlarge(alpha, coarse, fine)
        return np.asarray(alpha.clip(0, 1), np.float32)

    def _solve(self, known: Doubles, value: Doubles) -> Doubles:
        system = self._laplacian + diags(SEED_WEIGHT * known.ravel())
        right = SEED_WEIGHT * (known * value).ravel()
        if not right.any():
            return np.zeros_like(value)
        alpha = cg(system, right, rtol=TOLERANCE, M=ichol(system.tocsc()))
        return np.asarray(alpha, np.float64).reshape(value.shape)


def _reduce(values: Doubles) -> Doubles:
    """Return an image or plane at half the size, less `TRIM` pixels a side of the larger one."""
    smooth = cv2.sepFilter2D(values, cv2.CV_64F, BINOMIAL, BINOMIAL)
    return np.asarray(smooth[TRIM:-TRIM:2, TRIM:-TRIM:2], np.float64)


def _reduce_seeds(known: Doubles, value: Doubles) -> tuple[Doubles, Doubles]:
    """Return seeds at half the size: where at least half of the neighbourhood's weight is known.

    A seed's value is 1 where at least half of all the weight is known and 1. Where nowhere half
    is known, seeds would be lost to the last; ours is that the densest place keeps one.
    """
    weight, high = _reduce(known), _reduce(known * value)
    enough = min(0.5, max(float(weight.max()), 1e-6))
    return (weight >= enough).astype(np.float64), (high >= enough).astype(np.float64)


def _enlarge(alpha: Doubles, coarse: Doubles, fine: Doubles) -> Doubles:
    """Return a matte at the size of the finer image of two."""
    coefficients = np.pad(_linear_coefficients(alpha, coarse), ((1, 1), (1, 1), (0, 0)), "edge")
    for axis in (0, 1):
        coefficients = _between(coefficients, axis, fine.shape[axis])
    return np.asarray((coefficients[..., :3] * fine).sum(axis=-1) + coefficients[..., 3])


def _between(coarse: Doubles, axis: int, size: int) -> Doubles:
    """Interpolate linearly along an axis to this size; beyond the first and last as they are.

    The coarse pixel i came from pixel ``2 i + TRIM``.
    """
    below, odd = np.divmod(np.arange(size) - TRIM, 2)
    last = coarse.shape[axis] - 1
    lower = coarse.take(below.clip(0, last), axis)
    upper = coarse.take((below + odd).clip(0, last), axis)
    return np.asarray((lower + upper) / 2, np.float64)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _linear_coefficients(alpha: Doubles, image: Doubles) -> Doubles:
    """Fit alpha = slopes . colour + offset in every window of 3 x 3, slopes held small.

    Returns float64 (H - 2, W - 2, 4), the offset last: least squares with `EPSILON` times the
    squared slopes added, by the normal equations of centred colours.
    """
    height, width = alpha.shape[0] - 2, alpha.shape[1] - 2
    coefficients = np.empty((height, width, 4))
    window, system = np.empty((9, 4)), np.empty((3, 4))
    for y in range(height):
        for x in range(width):
            fit = coefficients[y, x]
            for j in range(9):
                window[j, :3] = image[y + j // 3, x + j % 3]
                window[j, 3] = alpha[y + j // 3, x + j % 3]
            _centre(window, fit)
            for row in range(3):
                for column in range(4):
                    system[row, column] = EPSILON if row == column else 0.0
                    for j in range(9):
                        system[row, column] += window[j, row] * window[j, column]
            _solve_in_place(system)
            for k in range(3):
                fit[3] -= system[k, 3] * fit[k]
                fit[k] = system[k, 3]
    return coefficients


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _centre(window: Doubles, mean: Doubles) -> None:
    """Write the mean of a window's nine pixels and take it off them."""
    mean[:] = 0.0
    for j in range(9):
        for k in range(4):
            mean[k] += window[j, k] / 9
    for j in range(9):
        for k in range(4):
            window[j, k] -= mean[k]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _solve_in_place(system: Doubles) -> None:
    """Leave in the last column what a positive definite 3 x 3 system gives; no pivot is needed."""
    for pivot in range(3):
        for column in range(3, pivot - 1, -1):
            system[pivot, column] /= system[pivot, pivot]
        for row in range(3):
            if row != pivot:
                for column in range(3, pivot - 1, -1):
                    system[row, column] -= system[row, pivot] * system[pivot, column]
