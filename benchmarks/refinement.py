"""Compare ways to bring a coarse map to its photo's size, by how well edges are followed.

    python -m benchmarks.refinement ../shared/data -o docs/scores/refinement.md

Choices are made on the training photos that are held out of training (first columns); the
labelled validation photos only confirm them (last columns). Edge F is `evaluation.boundary`'s: an
edge pixel counts when it is within 2 pixels of a true one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.learned_refinement import train_refiner
from blurmapper.baselines._matting import fill_along_colours
from blurmapper.evaluation.boundary import BoundaryCounts, boundary_counts, score_boundary
from blurmapper.evaluation.counts import ImageCounts, image_counts
from blurmapper.evaluation.scores import score_paper
from blurmapper.images import BlurMap, ImageArray, read_image
from blurmapper.mapper import BlurMapper
from blurmapper.refinement import enlarge_map, refine_map
from blurmapper.training.photos import read_library

Photo = tuple[ImageArray, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
"""RGB image, ground truth and where it is decided."""

Refinement = Callable[[ImageArray, BlurMap], BlurMap]


def held_out(shared: Path) -> Iterator[Photo]:
    """Yield the training photos that no network has seen."""
    library = read_library(shared / "photos", held_out=True)
    for masked in (*library.traced, *library.bokeh):
        truth = read_image(masked.mask)[..., 0]
        if masked in library.bokeh:
            truth = 255 - truth
        yield read_image(masked.photo), truth > 200, (truth > 200) | (truth < 50)


def labelled(shared: Path) -> Iterator[Photo]:
    """Yield the labelled validation photos."""
    folder = shared / "validation" / "labelled"
    for path in sorted((folder / "images").iterdir()):
        truth = read_image(folder / "truth" / f"{path.stem}.png")[..., 0]
        yield read_image(path), truth > 200, (truth > 200) | (truth < 50)


def guided(**settings: Any) -> Refinement:
    """Return the guided filter with these settings."""
    return lambda image, coarse_map: refine_map(image, coarse_map, **settings)


def twice(image: ImageArray, coarse_map: BlurMap) -> BlurMap:
    """Guide at the coarse size, then once more at the photo's."""
    return refine_map(image, refine_map(image, coarse_map, guide="colour"), guide="colour")


def matting(image: ImageArray, coarse_map: BlurMap) -> BlurMap:
    """Trust the map where it is sure, and let closed-form matting say the rest."""
    enlarged = enlarge_map(coarse_map, *image.shape[:2])
    sure = (enlarged < 0.1) | (enlarged > 0.9)
    near = np.ones((5, 5), np.uint8)
    sure = cv2.erode(sure.astype(np.uint8), near) > 0
    if not sure.any():
        return enlarged
    return np.clip(fill_along_colours(image, enlarged, sure, 1.0), 0, 1).astype(np.float32)


def looking_closer(weights: str | Path) -> Refinement:
    """Let the network see the photo at twice the size, and believe that near the map's edges."""
    once = BlurMapper(weights).preprocessing.working_side
    closer = BlurMapper(weights, working_side=2 * once)

    def refine(image: ImageArray, coarse_map: BlurMap) -> BlurMap:
        height, width = image.shape[:2]
        coarse = enlarge_map(coarse_map, height, width)
        twice_as_large = cv2.resize(image, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
        fine = enlarge_map(closer.map_coarse(twice_as_large), height, width)
        unsure = (1.0 - np.abs(2.0 * coarse - 1.0)).astype(np.float32)
        share = np.clip(2.0 * cv2.dilate(unsure, np.ones((9, 9), np.uint8)), 0, 1)
        return np.asarray(coarse + (fine - coarse) * share, np.float32)

    return refine


REFINEMENTS: dict[str, Refinement] = {
    "bilinear": lambda image, coarse_map: enlarge_map(coarse_map, *image.shape[:2]),
    **{
        f"guided, {guide}, r {radius}, eps {epsilon:g}": guided(
            guide=guide, radius=radius, epsilon=epsilon
        )
        for guide in ("luma", "colour")
        for radius, epsilon in ((2, 1e-3), (4, 1e-3), (4, 1e-4), (8, 1e-4), (12, 1e-4), (16, 1e-4))
    },
    "guided twice, colour": twice,
    "closed-form matting": matting,
}


def score(
    photos: Iterator[Photo], mapper: BlurMapper, refinements: dict[str, Refinement]
) -> dict[str, tuple[float, float, float]]:
    """Return edge F, ODS and milliseconds of every refinement."""
    edges: dict[str, list[BoundaryCounts]] = {name: [] for name in refinements}
    areas: dict[str, list[ImageCounts]] = {name: [] for name in refinements}
    seconds = dict.fromkeys(refinements, 0.0)
    for image, truth, decided in photos:
        coarse_map = mapper.map_coarse(image)
        for name, refine in refinements.items():
            begun = time.perf_counter()
            blur_map = refine(image, coarse_map)
            seconds[name] += time.perf_counter() - begun
            edges[name].append(boundary_counts(blur_map, truth, decided))
            areas[name].append(image_counts(blur_map, truth, decided))
    answer = {}
    for name in refinements:
        edge = score_boundary(edges[name])
        assert edge is not None
        per_photo = 1e3 * seconds[name] / len(edges[name])
        answer[name] = (edge, score_paper(areas[name]).ods, per_photo)
    return answer


def main() -> None:
    """Score, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--output", "-o", type=Path, default=Path("docs/scores/refinement.md"))
    parser.add_argument("--weights", default="dbm-lite")
    arguments = parser.parse_args()
    weights = Path(arguments.weights) if arguments.weights.endswith(".onnx") else arguments.weights
    mapper = BlurMapper(weights)
    refinements = {
        **REFINEMENTS,
        "the network again, at twice the size": looking_closer(weights),
        "learned, 5 layers": train_refiner(mapper, arguments.shared / "photos"),
    }
    chosen_on = score(held_out(arguments.shared), mapper, refinements)
    confirmed_on = score(labelled(arguments.shared), mapper, refinements)
    lines = [
        "| refinement | edge F, held out | ODS | edge F, labelled | ODS | ms a photo |",
        "|---|---|---|---|---|---|",
    ]
    for name, (edge, ods, _) in chosen_on.items():
        other, other_ods, spent = confirmed_on[name]
        lines.append(
            f"| {name} | {edge:.3f} | {ods:.3f} | {other:.3f} | {other_ods:.3f} | {spent:.0f} |"
        )
    text = "\n".join(lines) + "\n"
    print(text)
    arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
