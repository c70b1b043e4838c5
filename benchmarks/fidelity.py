"""The nine classical methods beside what their authors published, on the CUHK benchmark.

    python -m benchmarks.fidelity ../shared/data/cuhk

maps the photos that have not been mapped yet, keeps the counts of each in runs/fidelity/, and
prints a Markdown table of what it has: how our maps correlate with published ones, how far our
recall is from the published curve, and the scores of both halves beside the paper's. ``--photos
50`` maps 50 of each half, the same that a larger number begins with; ``--half odd`` leaves De
alone, which is for the end; ``--photos 0`` maps nothing and prints. ``--picture FILE`` draws the
curves.

The folder is the benchmark's, ``image/`` and ``gt/``, with the published maps in ``hifst/`` and
``published/METHOD/`` and the curves of HiFST's authors in ``prcurves/``. HiFST's scores are those
of its published maps: ours are the same, as the correlation says, and cost a second each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.fidelity_table import CURVES, UNSTRETCHED, Fidelity, draw_curves, markdown
from benchmarks.measuring import source_key
from blurmapper.datasets import Sample, read_dataset, read_truth
from blurmapper.evaluation.counts import ImageCounts, image_counts, stretch_map
from blurmapper.evaluation.maps import find_maps, read_any_map
from blurmapper.images import read_image
from blurmapper.methods import METHODS, get_method
from blurmapper.splits import Split, select_split

BASELINES = tuple(name for name, method in METHODS.items() if method.kind == "baseline")
HALVES: tuple[Split, ...] = ("odd", "even")

Map = npt.NDArray[Any]


@dataclass(frozen=True)
class Store:
    """What is kept of a method: a JSON object a line, of the code that is in use alone."""

    path: Path
    key: str

    def read(self) -> dict[str, dict[str, Any]]:
        """Return what is kept, by photo; a last line cut short is passed over."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = {}
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry["key"] == self.key:
                kept[entry["name"]] = entry
        return kept

    def add(self, name: str, values: dict[str, Any]) -> None:
        """Append the values of a photo, on a line of their own."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as stream:
            if stream.tell():
                stream.seek(-1, 2)
                whole = stream.read() == b"\n"
                stream.write(b"" if whole else b"\n")
            stream.write(json.dumps({"name": name, "key": self.key, **values}).encode() + b"\n")


def open_store(runs: Path, method: str, kind: str) -> Store:
    """Return the store of a method's counts or correlations."""
    return Store(runs / f"{method}.{kind}.jsonl", source_key(method))


def in_turn(samples: list[Sample]) -> list[Sample]:
    """Return samples in an order of which any beginning is spread over all of them."""
    order = np.random.default_rng(0).permutation(len(samples))
    return [samples[index] for index in order]


def read_published(folder: Path, method: str, sample: Sample) -> Map:
    """Return a photo's published map, white = blurred."""
    inner = Path("hifst") if method == "hifst" else Path("published", method)
    path = find_maps(folder / inner, [sample.name])[sample.name]
    return read_any_map(path, "sharp" if method == "hifst" else "blurred")


def make_map(method: str, sample: Sample) -> Map:
    """Return our map of a photo."""
    assert sample.photo is not None
    return get_method(method)(read_image(sample.photo))


def count_photo(folder: Path, method: str, sample: Sample) -> dict[str, Any]:
    """Return the counts of a method's map of a photo, and the seconds of computing it took."""
    started = time.process_time()
    published = method == "hifst"
    blur_map = read_published(folder, method, sample) if published else make_map(method, sample)
    seconds = time.process_time() - started
    if method not in UNSTRETCHED:
        blur_map = stretch_map(blur_map)
    counts = image_counts(blur_map, *read_truth(sample))
    return {"seconds": round(seconds, 3), "counts": counts.to_dict()}


def correlate_photo(folder: Path, method: str, sample: Sample) -> float:
    """Return the correlation of a method's map of a photo with the published one."""
    published = read_published(folder, method, sample).ravel().astype(np.float64)
    return float(np.corrcoef(make_map(method, sample).ravel(), published)[0, 1])


def with_published_maps(folder: Path, samples: list[Sample]) -> list[Sample]:
    """Return the samples of which published maps are at hand, of any method but HiFST."""
    names = {path.stem for path in (folder / "published").glob("*/*.jpg")}
    return [sample for sample in samples if sample.name in names]


def todo(halves: dict[Split, list[Sample]], number: int | None) -> Iterator[Sample]:
    """Yield the photos to map, the halves in turn."""
    for several in zip(*(half[:number] for half in halves.values()), strict=False):
        yield from several


def read_histograms(folder: Path, method: str) -> dict[str, ImageCounts]:
    """Return the counts of the published maps by photo, where their histograms are at hand."""
    path = folder / "published" / f"{method}.npz"
    if not path.exists():
        return {}
    with np.load(path) as kept:
        names, blurred, every = kept["name"], kept["blurred_pixels"], kept["all_pixels"]
    counts = {}
    for name, *histograms in zip(names, blurred, every, strict=True):
        reached, detected = (h[::-1].cumsum()[::-1].astype(np.int64) for h in histograms)
        counts[str(name)] = ImageCounts(
            true_positives=reached,
            detections=detected,
            true_positives_half=int(reached[128]),
            detections_half=int(detected[128]),
            positives=int(reached[0]),
            pixels=int(detected[0]),
            probability=0.0,
            positive_probability=0.0,
        )
    return counts


def measure(folder: Path, runs: Path, method: str, halves: dict[Split, list[Sample]]) -> Fidelity:
    """Return what has been counted of a method."""
    kept = open_store(runs, method, "counts").read()
    correlations = open_store(runs, method, "correlations").read()
    theirs = read_histograms(folder, method)
    curve = folder / "prcurves" / f"BlurDetection_{CURVES[method]}_PRCurve.txt"
    counted = {
        half: [s.name for s in samples if s.name in kept] for half, samples in halves.items()
    }
    return Fidelity(
        method,
        tuple(entry["correlation"] for entry in correlations.values()),
        {
            half: [ImageCounts.from_dict(kept[name]["counts"]) for name in names]
            for half, names in counted.items()
        },
        {half: [theirs[n] for n in names if n in theirs] for half, names in counted.items()},
        np.loadtxt(curve),
    )


def main() -> None:
    """Map what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="the benchmark's")
    parser.add_argument("--photos", type=int, help="of each half; all unless given")
    parser.add_argument("--half", choices=[*HALVES, "both"], default="both")
    parser.add_argument("--method", action="append", choices=BASELINES, help="all unless given")
    parser.add_argument("--picture", type=Path, help="where the curves of recall are drawn")
    parser.add_argument("--runs", type=Path, default=Path("runs/fidelity"))
    options = parser.parse_args()
    samples = read_dataset(options.folder)
    halves = {
        half: in_turn(select_split(samples, half))
        for half in HALVES
        if options.half in {half, "both"}
    }
    methods = options.method or BASELINES
    if options.photos != 0:
        for method in methods:
            correlate(
                options.folder, options.runs, method, with_published_maps(options.folder, samples)
            )
        stores = {method: open_store(options.runs, method, "counts") for method in methods}
        done = {method: set(store.read()) for method, store in stores.items()}
        for sample in todo(halves, options.photos):
            for method in methods:
                if sample.name not in done[method]:
                    stores[method].add(sample.name, count_photo(options.folder, method, sample))
    rows = [measure(options.folder, options.runs, method, halves) for method in methods]
    print(markdown(rows))
    if options.picture:
        draw_curves(rows, options.picture)


def correlate(folder: Path, runs: Path, method: str, samples: list[Sample]) -> None:
    """Keep the correlations with the published maps, where the method has any."""
    if method != "hifst" and not (folder / "published" / method).is_dir():
        return
    store = open_store(runs, method, "correlations")
    done = store.read()
    for sample in samples:
        if sample.name not in done:
            store.add(sample.name, {"correlation": correlate_photo(folder, method, sample)})


if __name__ == "__main__":
    main()
