"""Methods on a data set: maps, counts and times on disk, so that a run can be gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from blurmapper.batch import Manifest, describe_file, find_unchanged, identify
from blurmapper.datasets import Polarity, Sample, read_truth
from blurmapper.devices import keeping_freed_memory
from blurmapper.errors import DatasetError, ImageError
from blurmapper.evaluation.boundary import boundary_counts
from blurmapper.evaluation.counts import image_counts, stretch_map
from blurmapper.evaluation.maps import find_maps, read_any_map, resize_map
from blurmapper.evaluation.records import Record, Records
from blurmapper.files import refuse_link
from blurmapper.images import read_image, write_map
from blurmapper.methods import BlurMethod, MethodOptions, get_method, identify_method, naming

MapReader = Callable[[str, Sample], npt.NDArray[Any]]
"""Method and photo -> its map, white or 1 = blurred."""

COUNTS_VERSIONS = (3, 4)
"""Of masks that decide all, and of others: raised when counts of the same map change, so that none
of before are mixed in."""

CHUNK = 4

DEFAULT_OPTIONS = MethodOptions()


@dataclass(frozen=True)
class Entry:
    """A row of the table to be: a method to run, or a folder of finished maps.

    Attributes
    ----------
    name : str
        What the tables call it.
    method : str
        As `blurmapper.methods.get_method` takes it; "" where the maps are finished.
    options : MethodOptions
        How to run the method.
    maps : Path or None
        The folder of finished maps; None where they must be computed.
    white : {"blurred", "sharp"}
        What white means in the finished maps.
    resize : bool
        Whether a finished map of another size than its mask's is resized, or refused.
    stretch : bool
        Whether each map's own range is stretched to [0, 1] before it is scored.
    """

    name: str
    method: str = ""
    options: MethodOptions = DEFAULT_OPTIONS
    maps: Path | None = None
    white: Polarity = "blurred"
    resize: bool = False
    stretch: bool = False


@dataclass(frozen=True)
class _Job:
    entry: Entry
    sample: Sample
    map_file: Path
    key: str
    seconds: float | None = None
    """What the method took for a map that is kept, and only counted anew."""

    @property
    def inputs(self) -> list[Path]:
        """The files that a record depends on."""
        source = self.map_file if self.entry.maps is not None else self.sample.photo
        return [path for path in (self.sample.truth, source) if path is not None]


def run_benchmark(
    entry: Entry,
    samples: Sequence[Sample],
    output: str | Path,
    *,
    processes: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> Records:
    """Score the maps of one method on every photo, computing what is not on disk yet.

    Parameters
    ----------
    entry : Entry
    samples : sequence of Sample
        From `blurmapper.datasets`.
    output : str or Path
        ``output/NAME/counts.jsonl`` gets the counts and times, ``output/NAME/maps/`` the maps
        that are computed, as 16-bit PNG files. What is there already is kept as long as the
        map or photo, the weights, the mask and the options have not changed.
    processes : int
        With more than one, a script must be guarded by ``if __name__ == "__main__"``.
    advance : callable
        Called after each photo, for a progress bar.

    Returns
    -------
    Records
        In the order of the samples.

    Raises
    ------
    DatasetError
        If a photo, mask or map is missing or their sizes differ; what was scored before stays.
    ImageError
        If a photo or map cannot be read.
    """
    folder = Path(output, entry.name)
    jobs = _plan(entry, samples, folder)
    # Older lines do not tell what they were made of.
    names = Record.__dataclass_fields__.keys() - {"inputs", "made"}
    with Manifest(folder / "counts.jsonl", names) as manifest:
        done, todo = {}, []
        for job in jobs:
            record = _find(manifest, job)
            if record is not None and record.key == job.key:
                done[record.name] = record
                advance()
            else:
                todo.append(replace(job, seconds=None if record is None else record.seconds))
        for record in _score_all(todo, min(processes, len(todo))):
            manifest.add(record.name, record.to_dict())
            done[record.name] = record
            advance()
    return Records(done[sample.name] for sample in samples)


def _plan(entry: Entry, samples: Sequence[Sample], folder: Path) -> list[_Job]:
    names = [sample.name for sample in samples]
    if entry.maps is not None:
        files = find_maps(entry.maps, names)
        made_by = f"{entry.white} {entry.resize}"
    else:
        files = {sample.name: _computed_file(folder, sample) for sample in samples}
        made_by = f"{identify_method(entry.method)} {entry.options}"
        for sample in samples:
            if sample.photo is None:
                raise DatasetError(
                    f"{sample.truth}: has no photo to map; add the photos or give --maps"
                )
    jobs = [
        _Job(entry, sample, files[sample.name], f"{made_by} {entry.stretch}") for sample in samples
    ]
    return [replace(job, key=_complete_key(job)) for job in jobs]


def _computed_file(folder: Path, sample: Sample) -> Path:
    return folder / "maps" / f"{sample.name}.png"


def _complete_key(job: _Job) -> str:
    """Return a job's key with how its mask is counted, and size and time of what it depends on."""
    stats = [path.stat() for path in job.inputs]
    version = COUNTS_VERSIONS[job.sample.undecided is not False]
    rules = f"{version} {job.key} {job.sample.white} {job.sample.undecided}"
    return " ".join([rules, *(f"{stat.st_size}:{stat.st_mtime_ns}" for stat in stats)])


def _find(manifest: Manifest, job: _Job) -> Record | None:
    """Return the record of a photo, if it still holds; of a method's map also with older counts."""
    line = manifest.find(job.sample.name)
    if line is None or not job.map_file.exists():
        return None
    with suppress(AttributeError, ImageError, KeyError, OverflowError, TypeError, ValueError):
        record = Record.from_dict(line)
        if record.made and not _is_same(record.made, job.map_file):
            return None
        rules, wanted = (key.partition(" ")[2] for key in (record.key, job.key))
        if rules != wanted or (record.key != job.key and job.entry.maps is not None):
            return None
        # Methods take hours, and photos of one size and time are rare; .npy of both are not.
        if "inputs" in line or job.entry.maps is None:
            kept = find_unchanged(manifest, job.sample.name, job.inputs)
            return None if kept is None else Record.from_dict(kept)
    return None


def _is_same(made: Mapping[str, Any], map_file: Path) -> bool:
    """Say whether a map is the one that was counted, and not of a later run that was stopped."""
    is_kept = made["file"] == identify(map_file)
    return is_kept or bool(made["content"] == describe_file(map_file)["content"])


def _score_all(jobs: Sequence[_Job], processes: int) -> Iterator[Record]:
    if processes <= 1:
        yield from map(_score, jobs)
        return
    # Not forked: a runtime's threads do not survive a fork.
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start_process) as pool:
        try:
            with keeping_freed_memory():
                records = pool.map(_score, jobs, chunksize=CHUNK)
            yield from records
        except BrokenProcessPool as error:
            raise DatasetError(
                "a scoring process was killed, as where memory is short; what is done is kept: run "
                "again with fewer --processes"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _start_process() -> None:
    import cv2

    cv2.setNumThreads(1)


def _score(job: _Job) -> Record:
    inputs = [*map(describe_file, job.inputs)]
    ground_truth, valid = read_truth(job.sample)
    if job.entry.maps is not None:
        blur_map, seconds = read_any_map(job.map_file, job.entry.white), None
        if job.entry.resize:
            blur_map = resize_map(blur_map, *ground_truth.shape)
    else:
        blur_map, seconds = _compute_map(job)
    if blur_map.shape != ground_truth.shape:
        made_from = job.map_file if job.entry.maps is not None else job.sample.photo
        raise DatasetError(
            f"{made_from}: is {_size(blur_map)} but its mask {job.sample.truth} is "
            f"{_size(ground_truth)} (height x width); give one of the same size"
        )
    try:
        blur_map = stretch_map(blur_map) if job.entry.stretch else blur_map
        counts = image_counts(blur_map, ground_truth, valid)
    except ValueError as error:
        raise DatasetError(f"{job.map_file}: {error}") from error
    boundary = boundary_counts(blur_map, ground_truth, valid)
    made = {} if job.entry.maps is not None else describe_file(job.map_file)
    return Record(job.sample.name, counts, boundary, seconds, job.key, inputs, made)


def _compute_map(job: _Job) -> tuple[npt.NDArray[Any], float]:
    """Map a photo and keep the map, unless it is kept; what is scored is what is kept."""
    if job.seconds is not None:
        with suppress(ImageError):
            return read_any_map(job.map_file), job.seconds
    assert job.sample.photo is not None
    image = read_image(job.sample.photo)
    method = _method(job.entry.method, job.entry.options)
    start = time.perf_counter()
    with naming(job.sample.photo):
        blur_map = method(image)
    seconds = time.perf_counter() - start
    refuse_link(job.map_file, job.map_file.parents[len(Path(job.sample.name).parts)])
    job.map_file.parent.mkdir(parents=True, exist_ok=True)
    write_map(blur_map, job.map_file, bits=16)
    return np.rint(blur_map * np.float32(65535)).astype(np.uint16), seconds


@lru_cache(maxsize=1)
def _method(name: str, options: MethodOptions) -> BlurMethod:
    return get_method(name, options)


def _size(array: npt.NDArray[Any]) -> str:
    return " x ".join(map(str, array.shape))


def read_entry_map(entry: Entry, sample: Sample, output: str | Path) -> npt.NDArray[Any]:
    """Read the map of a photo that `run_benchmark` has scored, as it was scored.

    Returns
    -------
    ndarray of uint8, uint16 or float, shape (H, W)
        White, or 1, = blurred; of the mask's size.
    """
    if entry.maps is None:
        blur_map = read_any_map(_computed_file(Path(output, entry.name), sample))
    else:
        blur_map = read_any_map(find_maps(entry.maps, [sample.name])[sample.name], entry.white)
    if entry.resize:
        blur_map = resize_map(blur_map, *read_truth(sample)[0].shape)
    return stretch_map(blur_map) if entry.stretch else blur_map


def map_reader(entries: Iterable[Entry], output: str | Path) -> MapReader:
    """Return what reads the map of a method and a photo that `run_benchmark` has scored."""
    by_name = {entry.name: entry for entry in entries}
    return lambda method, sample: read_entry_map(by_name[method], sample, output)
