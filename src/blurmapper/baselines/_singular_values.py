"""Singular values of the patch round every pixel, of many pixels side by side.

A patch is reduced to two diagonals by reflections (G. Golub and W. Kahan, 1965,
doi:10.1137/0702016) in single precision, which keeps small singular values to 1e-6 of the largest;
squaring the patch first would not. The eigenvalues of the diagonals' square follow in double
precision, by QL rotations without square roots (B. N. Parlett, "The Symmetric Eigenvalue Problem",
1998). Neighbouring columns take the same steps at once, which processors do many at
a time.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from blurmapper.baselines._features import Floats, share_rows

LANES = 64
"""Columns that are worked on side by side."""

Doubles = npt.NDArray[np.float64]

_TINY = 1e-300
# Of a squared off-diagonal, as a share of the squared trace, under which it counts as zero.
_CONVERGED = 1e-26
_MOST_SWEEPS = 60

_jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})


def largest_share(plane: Floats, side: int, largest: int) -> Floats:
    """Return the share of the largest singular values in the sum of all, of the patch round pixels.

    Parameters
    ----------
    plane : ndarray
        float32 (H, W); it is mirrored at its borders.
    side : int
        Of the patch, odd, in pixels.
    largest : int
        How many singular values are large.

    Returns
    -------
    ndarray
        float32 (H, W) in [0, 1]; 1 where a patch is all zeros.
    """
    height, width = plane.shape
    half = side // 2
    spare = -width % LANES
    padded = np.pad(plane, half, mode="symmetric")
    padded = np.pad(padded, ((0, 0), (0, spare)))
    shares = np.empty((height, width + spare), np.float32)
    share_rows(lambda top, end: _share(padded, side, largest, top, shares[top:end]), height)
    return shares[:, :width]


@_jit
def _share(padded: Floats, side: int, largest: int, top: int, shares: Floats) -> None:
    patch = np.empty((side, side, LANES), np.float32)
    reflector = np.empty((side, LANES), np.float32)
    weights = np.empty((side, LANES), np.float32)
    diagonal, beside = np.zeros((side, LANES)), np.zeros((side, LANES))
    for y in range(shares.shape[0]):
        for left in range(0, shares.shape[1], LANES):
            for i in range(side):
                for j in range(side):
                    for lane in range(LANES):
                        patch[i, j, lane] = padded[top + y + i, left + j + lane]
            _reduce(patch, reflector, weights, diagonal, beside)
            _square(diagonal, beside)
            _find_eigenvalues(diagonal, beside)
            _sum_largest(diagonal, largest, shares[y, left : left + LANES])


@_jit
def _reduce(
    patch: Floats, reflector: Floats, weights: Floats, diagonal: Doubles, beside: Doubles
) -> None:
    """Write the squares of the patch's two diagonals; the patch itself is used up."""
    side = len(patch)
    for k in range(side - 1):
        for i in range(k, side):
            for lane in range(LANES):
                reflector[i, lane] = patch[i, k, lane]
        _reflect(reflector, k, diagonal[k])
        _reflect_columns(patch, reflector, k, weights)
        for j in range(k + 1, side):
            for lane in range(LANES):
                reflector[j, lane] = patch[k, j, lane]
        _reflect(reflector, k + 1, beside[k])
        _reflect_rows(patch, reflector, k + 1, weights)
    for lane in range(LANES):
        diagonal[side - 1, lane] = patch[side - 1, side - 1, lane] ** 2


@_jit
def _reflect_columns(patch: Floats, reflector: Floats, first: int, weights: Floats) -> None:
    """Reflect the columns to the right of column `first`, from that row down."""
    side = len(patch)
    for j in range(first + 1, side):
        for lane in range(LANES):
            weights[j, lane] = 0
    for i in range(first, side):
        for j in range(first + 1, side):
            for lane in range(LANES):
                weights[j, lane] += reflector[i, lane] * patch[i, j, lane]
    for i in range(first, side):
        for j in range(first + 1, side):
            for lane in range(LANES):
                patch[i, j, lane] -= reflector[i, lane] * weights[j, lane]


@_jit
def _reflect_rows(patch: Floats, reflector: Floats, first: int, weights: Floats) -> None:
    """Reflect the rows from row `first` down, from that column to the right."""
    side = len(patch)
    for i in range(first, side):
        for lane in range(LANES):
            weights[i, lane] = 0
        for j in range(first, side):
            for lane in range(LANES):
                weights[i, lane] += reflector[j, lane] * patch[i, j, lane]
        for j in range(first, side):
            for lane in range(LANES):
                patch[i, j, lane] -= reflector[j, lane] * weights[i, lane]


@_jit
def _reflect(vector: Floats, first: int, square: Doubles) -> None:
    """Make of a vector, from its row `first`, the reflector that leaves nothing but that row.

    It is scaled so that I - v v' reflects; `square` gets the squared length of the vector.
    """
    square[:] = 0
    for i in range(first, len(vector)):
        for lane in range(LANES):
            square[lane] += vector[i, lane] * vector[i, lane]
    scales = np.empty(LANES, np.float32)
    for lane in range(LANES):
        head, length = vector[first, lane], np.sqrt(square[lane])
        # Away from zero, so that nothing cancels.
        vector[first, lane] = head + length if head >= 0 else head - length
        size = length * (abs(head) + length)
        scales[lane] = 1 / np.sqrt(size) if size > 0 else 0
    for i in range(first, len(vector)):
        for lane in range(LANES):
            vector[i, lane] *= scales[lane]


@_jit
def _square(diagonal: Doubles, beside: Doubles) -> None:
    """Turn the squares of B's two diagonals into the diagonal of B B' and its others, squared.

    Last row first: small eigenvalues are then found before large ones, as QL wants it.
    """
    last = len(diagonal) - 1
    for i in range(last):
        for lane in range(LANES):
            diagonal[i, lane] += beside[i, lane]
            beside[i, lane] *= diagonal[i + 1, lane]
    for i in range((last + 1) // 2):
        for lane in range(LANES):
            upper, lower = diagonal[i, lane], diagonal[last - i, lane]
            diagonal[i, lane], diagonal[last - i, lane] = lower, upper
            upper, lower = beside[i, lane], beside[last - 1 - i, lane]
            beside[i, lane], beside[last - 1 - i, lane] = lower, upper


@_jit
def _find_eigenvalues(diagonal: Doubles, beside: Doubles) -> None:
    """Replace a diagonal by the eigenvalues, given the squares of what is beside it."""
    side = len(diagonal)
    enough = np.zeros(LANES)
    for i in range(side):
        enough += diagonal[i]
    enough = enough * enough * _CONVERGED
    scratch = np.empty((5, LANES))
    for first in range(side - 1):
        for _ in range(_MOST_SWEEPS):
            if (beside[first] <= enough).all():
                break
            _sweep(diagonal, beside, first, scratch)


@_jit
def _sweep(diagonal: Doubles, beside: Doubles, first: int, scratch: Doubles) -> None:
    """Do one QL step on the rows from `first`, shifted by the eigenvalue that it closes in on."""
    last = len(diagonal) - 1
    shift, cosine, sine, gamma, pivot = scratch
    for lane in range(LANES):
        here, root = diagonal[first, lane], np.sqrt(beside[first, lane])
        slope = (diagonal[first + 1, lane] - here) / (2 * root + _TINY)
        length = np.sqrt(slope * slope + 1)
        shift[lane] = here - root / (slope + length if slope >= 0 else slope - length)
        cosine[lane], sine[lane] = 1, 0
        gamma[lane] = diagonal[last, lane] - shift[lane]
        pivot[lane] = gamma[lane] * gamma[lane]
    for i in range(last - 1, first - 1, -1):
        for lane in range(LANES):
            square, old_cosine, old_gamma = beside[i, lane], cosine[lane], gamma[lane]
            length = pivot[lane] + square
            beside[i + 1, lane] = sine[lane] * length
            inverse = 1 / (length + _TINY)
            cosine[lane] = pivot[lane] * inverse if length > 0 else 1.0
            sine[lane] = square * inverse
            moved = cosine[lane] * (diagonal[i, lane] - shift[lane]) - sine[lane] * old_gamma
            diagonal[i + 1, lane] = old_gamma + (diagonal[i, lane] - moved)
            ratio = moved * moved / (cosine[lane] + _TINY)
            pivot[lane] = ratio if cosine[lane] > 0 else old_cosine * square
            gamma[lane] = moved
    for lane in range(LANES):
        beside[first, lane] = sine[lane] * pivot[lane]
        diagonal[first, lane] = shift[lane] + gamma[lane]


@_jit
def _sum_largest(squares: Doubles, largest: int, shares: Floats) -> None:
    """Write the share of the largest roots in the sum of all."""
    for lane in range(LANES):
        total = large = 0.0
        for i in range(len(squares)):
            squares[i, lane] = np.sqrt(max(squares[i, lane], 0.0))
            total += squares[i, lane]
        for _ in range(largest):
            top = 0
            for i in range(len(squares)):
                if squares[i, lane] > squares[top, lane]:
                    top = i
            large += squares[top, lane]
            squares[top, lane] = 0
        shares[lane] = large / total if total > 0 else 1
