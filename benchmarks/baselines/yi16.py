"""Yi16 step by step, every pattern, window and message written out; for small images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pymatting import cf_laplacian
from scipy.sparse import diags
from scipy.sparse.linalg import spsolve

from blurmapper.images import BlurMap, ImageArray

Plane = npt.NDArray[np.float64]

NEIGHBOURS = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
STEPS = [(0, 0, 1), (0, 0, -1), (0, 1, 0), (0, -1, 0), (1, 0, 0), (-1, 0, 0)]
AGREE_OR_NOT = np.array([[1, np.exp(-0.5)], [np.exp(-0.5), 1]])


def by_the_book(image: ImageArray) -> BlurMap:
    """Map the blur of a uint8 RGB image (H, W, 3) of 21 pixels or more; 1 = blurred."""
    grey = np.rint(image @ np.array([0.2989, 0.5870, 0.1140]) / 0.9999)
    codes = patterns(np.pad(grey, 1, "edge"))
    colours = [image / 255.0]
    for _ in range(2):
        colours.append(np.stack([halved(plane) for plane in np.moveaxis(colours[-1], 2, 0)], 2))
    mattes = [matte(colours, stretch(share_of_busy(codes, side))) for side in (11, 15, 21)]
    return np.asarray(1 - fused(np.stack(mattes[::-1])), np.float32)


def patterns(padded: Plane) -> Plane:
    """Return the code of every pixel but the outermost: bits set, or 9 if not uniform."""
    codes = np.empty((padded.shape[0] - 2, padded.shape[1] - 2))
    for y, x in np.ndindex(codes.shape):
        centre, bits = padded[y + 1, x + 1], []
        for down, right in NEIGHBOURS:
            reach = np.sqrt(0.5) if down and right else 1.0
            value = interpolated(padded, y + 1 + reach * down, x + 1 + reach * right)
            whole = np.floor(value + 1e-9)  # what is whole may come out a hair less
            bits.append(int(whole - centre > 0.016 * 255))
        changes = sum(a != b for a, b in zip(bits, bits[1:] + bits[:1], strict=True))
        codes[y, x] = sum(bits) if changes <= 2 else 9
    return codes


def interpolated(plane: Plane, y: float, x: float) -> float:
    """Return a plane's value between its pixels, bilinearly."""
    top, left = int(np.floor(y)), int(np.floor(x))
    down, right = y - top, x - left
    value = 0.0
    for row, column, weight in (
        (top, left, (1 - down) * (1 - right)),
        (top, left + 1, (1 - down) * right),
        (top + 1, left, down * (1 - right)),
        (top + 1, left + 1, down * right),
    ):
        value += weight * plane[row, column] if weight else 0.0
    return value


def share_of_busy(codes: Plane, side: int) -> Plane:
    """Return the share of codes from 6 on in the window round each pixel."""
    padded = np.pad(codes, side // 2, "edge")
    share = np.empty(codes.shape)
    for y, x in np.ndindex(codes.shape):
        share[y, x] = np.mean(padded[y : y + side, x : x + side] >= 6)
    return share


def matte(colours: list[Plane], score: Plane) -> Plane:
    """Solve for the matte of a score's seeds at a quarter of the size and enlarge it twice."""
    painted = colours[0].copy()
    painted[score > 0.3] = 1
    painted[score < 0.01] = 0
    known = (np.abs(painted - colours[0]).sum(axis=2) > 0.001).astype(np.float64)
    sharp = known * (score > 0.3)
    for _ in range(2):
        known, sharp = (np.floor(halved(plane) + 0.5) for plane in (known, sharp))
    laplacian = cf_laplacian(colours[-1], 1e-7, 1)
    system = laplacian + diags(100 * known.ravel())
    alpha = spsolve(system.tocsc(), 100 * sharp.ravel()).reshape(known.shape)
    for coarse, fine in ((colours[2], colours[1]), (colours[1], colours[0])):
        coefficients = np.pad(fits(alpha, coarse), ((1, 1), (1, 1), (0, 0)), "edge")
        planes = np.moveaxis(coefficients, 2, 0)
        enlarged = np.stack([doubled(plane, *fine.shape[:2]) for plane in planes], axis=2)
        alpha = (enlarged[..., :3] * fine).sum(axis=2) + enlarged[..., 3]
    return np.asarray(alpha.clip(0, 1), np.float64)


def halved(plane: Plane) -> Plane:
    """Return every second of a plane's smoothed pixels, from the third to the last but two."""
    weights = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    rows, columns = (range(2, size - 2, 2) for size in plane.shape)
    windows = [[plane[y - 2 : y + 3, x - 2 : x + 3] for x in columns] for y in rows]
    return np.asarray((np.array(windows) * weights).sum(axis=(2, 3)))


def doubled(plane: Plane, height: int, width: int) -> Plane:
    """Return a plane enlarged: zeros put between its pixels, repeated outwards, and smoothed."""
    spread = np.zeros((height + 4, width + 4))
    for y, x in np.ndindex(spread.shape):
        # The first pixel came from the third, which the margin of two moves to the fifth.
        if y % 2 == 0 and x % 2 == 0:
            row = min(max((y - 4) // 2, 0), plane.shape[0] - 1)
            column = min(max((x - 4) // 2, 0), plane.shape[1] - 1)
            spread[y, x] = plane[row, column]
    weights = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
    answer = np.empty((height, width))
    for y, x in np.ndindex(answer.shape):
        answer[y, x] = (spread[y + 1 : y + 4, x + 1 : x + 4] * weights).sum()
    return answer


def fits(alpha: Plane, colour: Plane) -> Plane:
    """Return slopes and offset of alpha over colour in every window of 3 x 3."""
    answer = np.empty((alpha.shape[0] - 2, alpha.shape[1] - 2, 4))
    for y, x in np.ndindex(answer.shape[:2]):
        window = colour[y : y + 3, x : x + 3].reshape(9, 3)
        rows = np.hstack([window, np.ones((9, 1))])
        held_small = np.eye(3, 4) * np.sqrt(1e-7)
        targets = np.append(alpha[y : y + 3, x : x + 3].ravel(), np.zeros(3))
        answer[y, x] = np.linalg.lstsq(np.vstack([rows, held_small]), targets)[0]
    return answer


def fused(maps: Plane) -> Plane:
    """Return the probability of high at the first scale, by messages of two numbers."""
    values = (maps - maps.mean()) / maps.std()
    unary = np.stack([np.exp(-np.abs(values)), np.exp(-np.abs(1 - values))], axis=-1)
    heard = np.full((len(STEPS), *unary.shape), 0.5)  # from the pixels at each step
    for _ in range(100):
        told = np.stack([messages(unary, heard, index) for index in range(len(STEPS))])
        settled = np.abs(told - heard).max() < 1e-6
        heard = told
        if settled:
            break
    belief = unary[0] * heard[:, 0].prod(axis=0)
    return np.asarray(belief[..., 1] / belief.sum(axis=-1))


def messages(unary: Plane, heard: Plane, index: int) -> Plane:
    """Return what every pixel is told by the pixel at one of the steps from it."""
    all_others = [i for i in range(len(STEPS)) if i != index ^ 1]
    sent = (unary * heard[all_others].prod(axis=0)) @ AGREE_OR_NOT
    sent /= sent.sum(axis=-1, keepdims=True)
    padded = np.pad(sent, ((1, 1), (1, 1), (1, 1), (0, 0)), constant_values=0.5)
    starts = [1 + step for step in STEPS[index]]
    return padded[tuple(slice(a, a + n) for a, n in zip(starts, unary.shape, strict=False))]


def stretch(values: Plane) -> Plane:
    """Stretch values linearly to [0, 1]."""
    return np.asarray((values - values.min()) / (values.max() - values.min()))
