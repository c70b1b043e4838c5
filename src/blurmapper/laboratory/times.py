"""Experiments of kind ``times``: seconds a photo, method by method."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import cv2

from blurmapper.batch import Manifest
from blurmapper.datasets import SAMPLES, find_pictures
from blurmapper.errors import ConfigError, count_of
from blurmapper.evaluation.selection import choose_methods
from blurmapper.evaluation.tables import UNKNOWN, Table
from blurmapper.images import ImageArray, read_image
from blurmapper.laboratory.experiments import Experiment, Say
from blurmapper.laboratory.provenance import describe_machine, list_versions
from blurmapper.laboratory.results import Results
from blurmapper.methods import get_method, identify_method


@dataclass(frozen=True)
class Times:
    """Seconds that a method took.

    Attributes
    ----------
    key : str
        Says what was timed where: the same key need not be timed again.
    seconds, computing : sequence of float
        A photo each: by the clock, and of all cores' work. Where other programs want the same
        cores the clock counts their time too, and the work tells more.
    machine, versions : dict of str to str
        On what and with what.
    """

    key: str
    seconds: Sequence[float]
    computing: Sequence[float]
    machine: dict[str, str]
    versions: dict[str, str]


def run_times(experiment: Experiment, data: Path | None, output: Path, say: Say) -> Results:
    """Time every method on the same photos, or crops of the package's samples.

    ``output/METHOD/seconds.jsonl`` gets the times; what is there already, of this machine and the
    same photos, method and weights, is not measured again.

    Notes
    -----
    Each method maps the first photo once before it is timed, so that the time to compile, to
    load and to fill caches is left out. Each photo is mapped `repeats` times and its fastest
    time counts; the mean and the standard deviation are over photos, as in the paper.
    """
    count, side = experiment.photos, experiment.side
    photos = crop_samples(count, side) if data is None else read_photos(data, count, side)
    times: dict[str, Times] = {}
    for entry in choose_methods(experiment.methods, refine=True):
        measured = _resume(entry.method, photos, experiment.repeats, output / entry.name)
        times[entry.name] = measured
        say(f"{entry.name}: {statistics.fmean(measured.seconds):.3f} s a photo")
    note = (
        f"Mean and standard deviation over {count} photos of {side} x {side}, of each the least "
        f"of {experiment.repeats} times, after a first photo that does not count (it compiles). "
        "Seconds by the clock, and of computing on all cores together, which other programs "
        "on the machine lengthen less. "
        f"Ours: {_name_machines(times)}.\n"
        f"The paper's column: {experiment.source}. "
        "The ratio is therefore of programs and machines together."
    )
    values = {method: asdict(measured) for method, measured in times.items()}
    return Results([_table(experiment, times)], note, {"times": values})


def crop_samples(count: int, side: int) -> list[ImageArray]:
    """Return crops (side, side, 3) of the package's sample photos that are large enough.

    Those of one photo lie on its diagonal, from corner to corner, and overlap.

    Raises
    ------
    ConfigError
        If no sample is so large.
    """
    samples = [read_image(path) for path in sorted(SAMPLES.glob("*.jpg"))]
    samples = [sample for sample in samples if min(sample.shape[:2]) >= side]
    if not samples:
        raise ConfigError(f"no sample photo has {side} pixels a side; give a folder of larger ones")
    crops: list[ImageArray] = []
    for number in range(count):
        sample = samples[number % len(samples)]
        steps = max(1, (count - 1) // len(samples))
        share = number // len(samples) / steps
        top, left = (round(share * (length - side)) for length in sample.shape[:2])
        crops.append(sample[top : top + side, left : left + side].copy())
    return crops


def read_photos(folder: Path, count: int, side: int) -> list[ImageArray]:
    """Return the middle squares of a folder's first photos, resized to (side, side, 3).

    Raises
    ------
    ConfigError
        If it holds fewer.
    """
    paths = list(find_pictures(folder).values())[:count]
    if len(paths) < count:
        held = count_of(len(paths), "photo")
        raise ConfigError(f"{folder}: holds {held}; add some or give --photos")
    return [_middle(read_image(path), side) for path in paths]


def _middle(image: ImageArray, side: int) -> ImageArray:
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    square = image[top : top + short, left : left + short]
    rule = cv2.INTER_AREA if short > side else cv2.INTER_LINEAR
    resized: ImageArray = cv2.resize(square, (side, side), interpolation=rule)
    return resized


def _resume(method: str, photos: Sequence[ImageArray], repeats: int, folder: Path) -> Times:
    """Return the times of a method, measured unless they are on disk."""
    machine, names = describe_machine(), [field.name for field in fields(Times)]
    key = _key(method, photos, repeats, machine)
    with Manifest(folder / "seconds.jsonl", names) as manifest:
        line = manifest.find(method)
        if line is not None and line["key"] == key:
            return Times(**{name: line[name] for name in names})
        times = Times(key, *time_method(method, photos, repeats), machine, list_versions())
        manifest.add(method, asdict(times))
    return times


def time_method(
    method: str, photos: Sequence[ImageArray], repeats: int
) -> tuple[list[float], list[float]]:
    """Return the seconds, and the seconds of computing, that a method needs for each photo.

    Of each the least of several times counts.
    """
    map_blur = get_method(method)
    map_blur(photos[0])
    seconds, computing = [], []
    for photo in photos:
        clocks = []
        for _ in range(repeats):
            start, start_computing = time.perf_counter(), time.process_time()
            map_blur(photo)
            clocks.append((time.perf_counter() - start, time.process_time() - start_computing))
        seconds.append(min(clock[0] for clock in clocks))
        computing.append(min(clock[1] for clock in clocks))
    return seconds, computing


def _key(method: str, photos: Sequence[ImageArray], repeats: int, machine: dict[str, Any]) -> str:
    """Return what must be the same for times to stand."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(f"{photo.shape} {photo.dtype}".encode() + photo.tobytes())
    of = f"{method} {identify_method(method)} {digest.hexdigest()}"
    return f"{of} {repeats} {machine} {list_versions()}"


def _table(experiment: Experiment, times: dict[str, Times]) -> Table:
    rows = []
    for method, measured in times.items():
        mean = statistics.fmean(measured.seconds)
        theirs, ratio = UNKNOWN, UNKNOWN
        if method in experiment.paper:
            paper = experiment.paper[method]
            theirs = f"{paper['mean']:.1f} ± {paper['deviation']:.1f}"
            ratio = f"{paper['mean'] / mean:.1f}"
        rows.append((method, _spread(measured.seconds), _spread(measured.computing), theirs, ratio))
    headings = ("method", "ours, s", "ours, s of computing", "paper's, s", "paper's / ours")
    return Table(experiment.title, headings, tuple(rows))


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.3f} ± {statistics.pstdev(values):.3f}"


def _name_machines(times: dict[str, Times]) -> str:
    machines = (measured.machine for measured in times.values())
    names = (f"{m['processor']}, {m['cores']} cores, {m['threads']} threads" for m in machines)
    return "; ".join(dict.fromkeys(names))
