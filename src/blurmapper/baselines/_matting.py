"""The matting Laplacian, and known values filled in along it.

A. Levin, D. Lischinski and Y. Weiss, "A Closed-Form Solution to Natural Image Matting", IEEE
TPAMI 30(2), 2008, doi:10.1109/TPAMI.2007.1177.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from pymatting import cf_laplacian
from scipy import sparse
from scipy.sparse.linalg import splu

from blurmapper.baselines._features import Floats
from blurmapper.images import ImageArray
from blurmapper.preprocessing import WHITE

Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Solver = Callable[[Values], Values]
Entries = tuple[Values, npt.NDArray[np.integer[Any]], npt.NDArray[np.integer[Any]]]
"""Data, columns and starts of the rows of a matrix in compressed rows."""

EPSILON = 1e-7
"""What Zhuo and Sim's program adds to the covariance of a window's colours, for [0, 1]."""

TOLERANCE = 1e-3
"""The error at which a solution is good enough, as a share of the largest known value.

It is the error's energy that is bounded, and so its root mean square where values are known.
"""

# Pixels a side of a tile: with fewer the direct solve is larger, with more there are more rounds.
_TILE = 6

# Up to this many unknowns a direct solve costs about as much as the rounds that it saves.
_MOST_DIRECT = 30_000

# Rounds by which the estimate of the error lags behind the solution.
_DELAY = 5

# Share of a candidate's length below which, in its tile, it only repeats those before it.
_DEPENDENT = 1e-4


def matting_laplacian(image: ImageArray, epsilon: float = EPSILON) -> sparse.csr_array:
    """Return the matting Laplacian of an image, 3 x 3 windows in colour.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1]; H and W are at least 3.
    epsilon : float
        Keeps the slopes small in flat windows, for an image in [0, 1]: it is added to the
        diagonal of a window's covariance.

    Returns
    -------
    csr_array
        float64 (H * W, H * W), symmetric and positive semidefinite, 25 entries a row; its
        rows sum to zero. The pixels come row by row.

    Notes
    -----
    Equation 12 of Levin et al. About 300 bytes a pixel.
    """
    # PyMatting divides by the window's pixels, as Levin's program does, before it adds.
    laplacian = cf_laplacian(_colours(image), 9 * epsilon)
    compact = sparse.csr_array(
        (laplacian.data, laplacian.indices.astype(np.int32), laplacian.indptr.astype(np.int32)),
        shape=laplacian.shape,
    )
    # Where a window leaves the image, PyMatting stores a zero in column 0.
    compact.eliminate_zeros()
    return compact


def fill_along_colours(
    image: ImageArray, known: Floats, where: npt.NDArray[np.bool_], weight: float
) -> Floats:
    """Fill in values that are known at some pixels, smoothly where colours are alike.

    Parameters
    ----------
    image : ndarray
        RGB (H, W, 3): uint8, uint16, or float32 in [0, 1]; H and W are at least 3.
    known : ndarray
        float32 (H, W), read at `where` alone.
    where : ndarray
        bool (H, W), True at one pixel at least.
    weight : float
        How strongly the known values hold, lambda below.

    Returns
    -------
    ndarray
        float32 (H, W): x of ``(L + lambda D) x = lambda D known`` with the matting Laplacian
        L and D the indicator of `where`. May leave the range of the known values a little.

    Notes
    -----
    Conjugate gradients, preconditioned by aggregation multigrid (Vanek, Mandel and Brezina,
    Computing 56, 1996, doi:10.1007/BF02238511). L hardly resists whatever is linear in colour
    within a window, so each tile's coarse unknowns are the weights of 1, red, green and blue:
    with them about 20 rounds suffice, where a constant or bilinear coarse grid takes hundreds
    and an incomplete Cholesky factor fails or fills. A small lambda makes the system nearly
    singular; the mean of the known values, from which the rounds start, is then nearly right.
    At `TOLERANCE`, in each of ten photos of 384 x 384, all but a thousandth of the pixels were
    within 0.2 % of the largest value from a direct solution, and the worst of all within 1.3 %.
    It is one system for the whole photo, whose tiles do not tell; it takes 0.9 kB a pixel.
    """
    system = matting_laplacian(image)
    anchors = weight * where.ravel().astype(np.float64)
    system.setdiag(system.diagonal() + anchors)
    right = anchors * known.ravel()
    start = np.full(right.size, right.sum() / anchors.sum())
    candidates = np.insert(_colours(image).reshape(-1, 3), 0, 1.0, axis=1)
    places = np.stack(np.unravel_index(np.arange(right.size), where.shape), axis=1)
    precondition = _multigrid(system, candidates, places, _TILE)
    enough = anchors.sum() * (TOLERANCE * np.abs(known[where]).max()) ** 2
    solution = _conjugate_gradients(system, right, start, precondition, enough)
    return np.asarray(solution.reshape(where.shape), np.float32)


def _colours(image: ImageArray) -> Values:
    """Return RGB in [0, 1] of full precision: in flat windows the rounding of float32 tells."""
    return image.astype(np.float64) / WHITE[image.dtype]


@dataclass(frozen=True)
class _Level:
    """A system on one grid, the way to and from the next coarser grid, and the solver there."""

    matrix: sparse.csr_array
    prolongation: sparse.csr_array
    restriction: sparse.csr_array
    prolonged_matrix: sparse.csr_array
    solve_coarse: Solver

    def __call__(self, right: Values) -> Values:
        """Return an approximate solution: a V-cycle, Gauss-Seidel down and then up."""
        entries = self.matrix.data, self.matrix.indices, self.matrix.indptr
        solution = _solve_lower(entries, right)
        residual = right - self.matrix @ solution
        coarse = self.solve_coarse(self.restriction @ residual)
        residual -= self.prolonged_matrix @ coarse
        solution += self.prolongation @ coarse
        solution += _solve_upper(entries, residual)
        return solution


def _multigrid(matrix: sparse.csr_array, candidates: Values, places: Places, side: int) -> _Level:
    """Return what solves a system nearly.

    Parameters
    ----------
    matrix : csr_array
        Symmetric and positive definite, (n, n).
    candidates : ndarray
        (n, k): vectors that the matrix hardly resists.
    places : ndarray
        (n, 2): row and column of each unknown.
    side : int
        Of a tile, in places.
    """
    prolongation, coarse_places = _aggregate(candidates, places // side)
    restriction = prolongation.T.tocsr()
    prolonged = matrix @ prolongation
    coarse = (restriction @ prolonged).tocsr()
    coarse.sort_indices()
    solve_coarse: Solver
    if len(coarse_places) > _MOST_DIRECT:
        solve_coarse = _multigrid(coarse, restriction @ candidates, coarse_places, side=2)
    else:
        solve_coarse = _direct(coarse)
    return _Level(matrix, prolongation, restriction, prolonged, solve_coarse)


def _direct(matrix: sparse.csr_array) -> Solver:
    """Return what solves a symmetric positive definite system exactly."""
    factors = splu(
        matrix.tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return lambda right: np.asarray(factors.solve(right), np.float64)


def _aggregate(candidates: Values, tiles: Places) -> tuple[sparse.csr_array, Places]:
    """Return the candidates, cut into tiles and made orthonormal in each, and whose each is.

    Returns
    -------
    prolongation : csr_array
        (n, m), a column for each tile and candidate that adds something there.
    places : ndarray
        (m, 2): row and column of each column's tile.
    """
    count, kinds = candidates.shape
    width = int(tiles[:, 1].max()) + 1
    names, labels = np.unique(tiles @ np.array([width, 1]), return_inverse=True)
    columns = np.zeros((count, kinds))
    kept = np.zeros((len(names), kinds), np.bool_)
    for kind in range(kinds):
        column = candidates[:, kind].copy()
        length = np.sqrt(np.bincount(labels, column**2))
        for earlier in columns[:, :kind].T:
            column -= np.bincount(labels, earlier * column)[labels] * earlier
        remaining = np.sqrt(np.bincount(labels, column**2))
        kept[:, kind] = remaining > _DEPENDENT * length
        scale = np.divide(1.0, remaining, out=np.zeros(len(names)), where=kept[:, kind])
        columns[:, kind] = column * scale[labels]
    # Indices of 32 bits; with wider ones SciPy would copy the matrix to widen its own.
    numbers = np.where(kept, kept.cumsum().reshape(kept.shape) - 1, 0).astype(np.int32)
    starts = np.arange(0, count * kinds + 1, kinds, dtype=np.int32)
    prolongation = sparse.csr_array(
        (columns.ravel(), numbers[labels].ravel(), starts), shape=(count, int(kept.sum()))
    )
    prolongation.eliminate_zeros()
    owners = names[np.nonzero(kept)[0]]
    return prolongation, np.stack(np.divmod(owners, width), axis=1)


@numba.njit(cache=True, nogil=True)
def _solve_lower(entries: Entries, right: Values) -> Values:
    """Solve with a matrix's lower triangle and diagonal; the columns of a row are sorted."""
    data, columns, starts = entries
    solution = np.empty_like(right)
    for row in range(right.size):
        residual, k = right[row], starts[row]
        while columns[k] < row:
            residual -= data[k] * solution[columns[k]]
            k += 1
        solution[row] = residual / data[k]
    return solution


@numba.njit(cache=True, nogil=True)
def _solve_upper(entries: Entries, right: Values) -> Values:
    """Solve with a matrix's upper triangle and diagonal; the columns of a row are sorted."""
    data, columns, starts = entries
    solution = np.empty_like(right)
    for row in range(right.size - 1, -1, -1):
        residual, k = right[row], starts[row + 1] - 1
        while columns[k] > row:
            residual -= data[k] * solution[columns[k]]
            k -= 1
        solution[row] = residual / data[k]
    return solution


def _conjugate_gradients(
    matrix: sparse.csr_array, right: Values, start: Values, precondition: Solver, enough: float
) -> Values:
    """Solve a symmetric positive definite system until the error's energy is below `enough`.

    By how much the energy falls in the rounds that follow tells what it was before them
    (Strakos and Tichy, ETNA 13, 2002); the residual's norm tells little of the error here.
    """
    solution = start
    residual = right - matrix @ solution
    direction, energy = np.zeros_like(right), 1.0
    falls: deque[float] = deque([np.inf], maxlen=_DELAY)
    while sum(falls) > enough and residual.any():
        preconditioned = precondition(residual)
        last_energy, energy = energy, float(residual @ preconditioned)
        direction = preconditioned + energy / last_energy * direction
        slope = matrix @ direction
        step = energy / float(direction @ slope)
        solution = solution + step * direction
        residual = residual - step * slope
        falls.append(step * energy)
    return solution
