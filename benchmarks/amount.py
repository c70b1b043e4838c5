"""How true the amount of blur is, on photos that are sharp at full size and are blurred here.

    python -m benchmarks.amount FOLDER [--side 1024]

FOLDER holds photographs that are sharp at 100 %, none of which was trained on. Of each the part
of most contrast is blurred by discs, Gaussians and movements of known width, photographed
anew (noise of up to ISO 6400, sharpening, JPEG), and measured. The truth of a cell is the blur
added and what the cell had before, as variances.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.measuring import table
from blurmapper import BlurMapper
from blurmapper.amounts import CELL, BlurAmounts, measure_amounts
from blurmapper.applications.light import (
    Kernel,
    decode_light,
    disc_kernel,
    encode_light,
    gaussian_kernel,
)
from blurmapper.images import read_image
from blurmapper.ranking.measuring import find_sharpest_box
from blurmapper.sharpest import compare_amounts, find_sharpest
from blurmapper.training.compositing import apply_kernel, motion_kernel
from blurmapper.training.leaves import draw_leaves

SIGMAS = (0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0, 12.0)
ANGLE = 30.0
KERNELS: dict[str, Callable[[float], Kernel]] = {
    "disc": lambda sigma: disc_kernel(2 * sigma),
    "gaussian": gaussian_kernel,
    "movement": lambda sigma: motion_kernel(sigma * 24**0.5, -np.radians(ANGLE), 0.0),
}
CAMERAS = {
    "as it is": (0.0, 0.0, 98),
    "ISO 6400": (0.06, 0.0, 90),
    "sharpened": (0.0, 1.0, 92),
    "JPEG 70": (0.01, 0.0, 70),
}
"""Noise in mid-grey light, strength of unsharp masking with a radius of one pixel, quality."""

TAKES = (("disc", "as it is"), ("gaussian", "ISO 6400"), ("movement", "sharpened"))
PAIRS = {
    "a quarter apart": [(sigma, 1.25 * sigma) for sigma in SIGMAS],
    "0.3 px apart": [(0.0, 0.5), (0.5, 0.8), (0.8, 1.1), (1.1, 1.4)],
}
FEW_PAIRS = {
    "a quarter apart": [(2.0, 2.5), (5.0, 6.25), (8.0, 10.0)],
    "0.3 px apart": [(0.5, 0.8), (0.8, 1.1)],
}
"""For what takes five seconds a megapixel."""

COMPARED = "sigma, cell by cell"
"""The row of what looks at both takes."""

Photo = npt.NDArray[np.uint8]
Figure = Callable[[Photo, npt.NDArray[np.float32], BlurAmounts], float]


class Taken(NamedTuple):
    """A blurred photo, what was done to it, and what was measured of it."""

    name: str
    kernel: str
    sigma: float
    camera: str
    photo: Photo
    amounts: BlurAmounts
    truth: npt.NDArray[np.float32]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Measure the truth of amounts.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=1024)
    arguments = parser.parse_args()
    photos = {path.name: cut(path, arguments.side) for path in sorted(arguments.folder.iterdir())}
    print(f"{len(photos)} photos: {', '.join(photos)}\n")
    taken = [shot for name, photo in photos.items() for shot in take_all(name, photo)]
    print(error_table(taken), "\n")
    print(camera_table(taken), "\n")
    angles = np.concatenate([angle_errors(shot) for shot in taken if shot.kernel == "movement"])
    print(f"angle of paths over 6 px: median error {np.median(angles):.1f} degrees")
    print(
        f"flat with noise: {np.mean([flat_share(seed) for seed in range(8)]):.1%} of cells known; "
        f"plain beside shapes: {np.mean([plain_share(seed) for seed in range(24)]):.1%}\n"
    )
    print(order_table(photos, FIGURES, TAKES, PAIRS))
    if find_spec("blur_detector"):
        figures = FIGURES | {"blur-detector": _blur_detector}
        print("\n" + order_table(photos, figures, TAKES[:1], FEW_PAIRS))


def cut(path: Path, side: int) -> Photo:
    """Return the part of a photo with most contrast at its own pixels, by no figure of ours."""
    image = read_image(path)
    side = min(side, *image.shape[:2])
    contrast = cv2.boxFilter(cv2.Laplacian(_grey(image), cv2.CV_32F) ** 2, -1, (side, side))
    half = side // 2
    inside = contrast[half : image.shape[0] - half + 1, half : image.shape[1] - half + 1]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return np.ascontiguousarray(image[top : top + side, left : left + side])


def take_all(name: str, photo: Photo) -> Iterator[Taken]:
    """Yield the photo blurred in every way, measured."""
    before = measure_amounts(photo).sigma
    sharp = np.where(before < 1.0, before, np.nan)
    for (kernel, make), sigma in itertools.product(KERNELS.items(), SIGMAS):
        for camera in CAMERAS if sigma in (0.8, 2.0, 5.0) else ("as it is",):
            blurred = take(photo, make(sigma), camera)
            truth = np.sqrt(sharp**2 + np.float32(sigma**2))
            yield Taken(name, kernel, sigma, camera, blurred, measure_amounts(blurred), truth)


def take(photo: Photo, kernel: Kernel | None, camera: str, seed: int = 0) -> Photo:
    """Blur a photo in linear light and photograph it anew."""
    noise, sharpening, quality = CAMERAS[camera]
    light = decode_light(photo)
    if kernel is not None:
        light = apply_kernel(light, kernel)
    if noise:
        grain = np.random.default_rng(seed).standard_normal(light.shape, np.float32)
        light = light + grain * np.float32(noise) * np.sqrt(light * np.float32(0.7) + 0.005)
    image = encode_light(light.astype(np.float32), np.dtype(np.uint8))
    if sharpening:
        soft = cv2.GaussianBlur(image, (0, 0), 1.0)
        image = cv2.addWeighted(image, 1 + sharpening, soft, -sharpening, 0)
    _, content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(content, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1])


def errors(shot: Taken) -> npt.NDArray[np.float32]:
    """Return the relative errors of the cells that were sharp before and are known."""
    error = shot.amounts.sigma / shot.truth - 1
    return np.asarray(error[np.isfinite(error)])


def error_table(taken: list[Taken]) -> str:
    """Return median relative errors, as they are and without sign, by kernel and sigma.

    Of each photo, and then their mean: one full of texture would outvote all others by its cells.
    """
    rows = []
    for sigma in SIGMAS:
        row = [f"{sigma:g}"]
        for kernel in KERNELS:
            shots = [
                s for s in taken if (s.sigma, s.kernel, s.camera) == (sigma, kernel, "as it is")
            ]
            found = [each for each in map(errors, shots) if len(each)]
            off = np.mean([np.median(np.abs(each)) for each in found])
            shift = np.mean([np.median(each) for each in found])
            known = np.mean([np.isfinite(shot.amounts.sigma).mean() for shot in shots])
            row.append(f"{off:.0%} ({shift:+.0%}, known {known:.0%})")
        rows.append(row)
    return table(["sigma", *KERNELS], rows)


def camera_table(taken: list[Taken]) -> str:
    """Return how far cameras move the median sigma of a photo from that of the same blur as is."""
    rows = []
    for camera in CAMERAS:
        row = [camera]
        for sigma in (0.8, 2.0, 5.0):
            moved, error = [], []
            for shot in (s for s in taken if (s.camera, s.sigma) == (camera, sigma)):
                plain = next(s for s in taken if s[:3] == shot[:3] and s.camera == "as it is")
                both = shot.amounts.sigma / plain.amounts.sigma
                moved.append(np.nanmedian(both) - 1)
                error.append(errors(shot))
            found = np.abs(np.concatenate(error))
            row.append(f"{np.median(found):.0%} (moved {np.nanmedian(np.abs(moved)):.0%})")
        rows.append(row)
    return table(["camera", *(f"sigma {sigma:g}" for sigma in (0.8, 2.0, 5.0))], rows)


def angle_errors(shot: Taken) -> npt.NDArray[np.float32]:
    """Return the errors in degrees of the cells with a path, if it is longer than six pixels."""
    if shot.sigma * 24**0.5 < 6:
        return np.empty(0, np.float32)
    turned = (shot.amounts.angle - ANGLE + 90) % 180 - 90
    return np.asarray(np.abs(turned[np.isfinite(turned)]), np.float32)


def flat_share(seed: int) -> float:
    """Return the share of cells that are measured in a shaded wall with noise: none should be."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:768, 0:768] / 768
    wall = 40 + 30 * seed % 150 + rng.uniform(-40, 40) * rows + rng.uniform(-40, 40) * columns
    noisy = wall[..., np.newaxis] + rng.standard_normal((768, 768, 3)) * rng.uniform(0.5, 12)
    return float(np.isfinite(measure_amounts(noisy.clip(0, 255).astype(np.uint8)).sigma).mean())


def plain_share(seed: int) -> float:
    """Return the share of cells that are measured over two cells away from all shapes, blurred."""
    sigma = (0.0, 1.0, 3.0, 8.0)[seed % 4]
    light = draw_leaves(768, np.random.default_rng(seed))
    light[:, 384:] = light.mean(axis=(0, 1))
    kernel = gaussian_kernel(sigma) if sigma else None
    away = 384 + 3 * CELL + int(3 * sigma)
    shot = take(encode_light(light, np.dtype(np.uint8)), kernel, "JPEG 70", seed)
    return float(np.isfinite(measure_amounts(shot).sigma[:, -(-away // CELL) :]).mean())


def order_table(
    photos: dict[str, Photo],
    figures: dict[str, Figure],
    takes: tuple[tuple[str, str], ...],
    pairs: dict[str, list[tuple[float, float]]],
) -> str:
    """Return how often each figure finds the sharper of two takes of one scene."""
    mapper = BlurMapper()
    wins = {name: dict.fromkeys(pairs, 0.0) for name in (*figures, COMPARED)}
    for photo, (kernel, camera) in itertools.product(photos.values(), takes):
        for kind, pair in [(kind, pair) for kind, some in pairs.items() for pair in some]:
            shots = [
                take(photo, KERNELS[kernel](s) if s else None, camera, seed)
                for seed, s in enumerate(pair)
            ]
            seen = [(shot, mapper(shot), measure_amounts(shot)) for shot in shots]
            for name, figure in figures.items():
                sharp, blurred = (figure(*each) for each in seen)
                wins[name][kind] += (sharp < blurred) + 0.5 * (sharp == blurred)
            ratio = compare_amounts(seen[0][2], seen[1][2]) or 1.0
            wins[COMPARED][kind] += (ratio < 1) + 0.5 * (ratio == 1)
    scenes = len(photos) * len(takes)
    rows = [
        [name, *(f"{won[kind] / len(pairs[kind]) / scenes:.1%}" for kind in pairs)]
        for name, won in wins.items()
    ]
    return f"{scenes} scenes\n\n" + table(["figure", *pairs], rows)


def _sharpest_sigma(_: Photo, blur_map: npt.NDArray[np.float32], amounts: BlurAmounts) -> float:
    place = find_sharpest(amounts, blur_map)
    return 100.0 if place is None else place.sigma


def _blur_detector(photo: Photo, _: npt.NDArray[np.float32], __: BlurAmounts) -> float:
    """Return the figure of the package of that name, whose maps are large where it is sharp."""
    import blur_detector  # type: ignore[import-not-found]

    found = blur_detector.detectBlur(_grey(photo).astype(np.uint8), show_progress=False)
    return -float(np.mean(found))


def _grey(photo: Photo) -> npt.NDArray[np.float32]:
    return cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)


FIGURES: dict[str, Figure] = {
    "sigma of the sharpest part": _sharpest_sigma,
    "median sigma": lambda p, b, a: float(np.nanmedian(np.append(a.sigma, 100.0))),
    "variance of the Laplacian": lambda p, b, a: -float(cv2.Laplacian(_grey(p), cv2.CV_32F).var()),
    "Tenengrad": lambda p, b, a: (
        -float(
            (
                cv2.Sobel(_grey(p), cv2.CV_32F, 1, 0) ** 2
                + cv2.Sobel(_grey(p), cv2.CV_32F, 0, 1) ** 2
            ).mean()
        )
    ),
    "S": lambda p, b, a: float(b.mean()),
    "sharpest region by S": lambda p, b, a: find_sharpest_box(b).blur,
}


if __name__ == "__main__":
    main()
