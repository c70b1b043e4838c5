"""Rows of a table: the scores of each method on all photos and on parts of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blurmapper.datasets import Sample
from blurmapper.evaluation.bootstrap import Interval, bootstrap_differences, bootstrap_intervals
from blurmapper.evaluation.boundary import BoundaryCounts, score_boundary
from blurmapper.evaluation.counts import LEVELS, THRESHOLDS, ImageCounts, stack_counts
from blurmapper.evaluation.records import Record, Records
from blurmapper.evaluation.scores import (
    absolute_error,
    average_precision,
    calibration_error,
    decided_photos,
    f_score,
    ratio,
    score_paper,
    score_pooled,
)

ALL_BLURRED = "all-blurred"
"""The method that calls every pixel blurred, the first row of every table."""

ALL_PHOTOS = "all"
SIZES = {"under 1/3 blurred": 1 / 3, "1/3 to 2/3 blurred": 2 / 3, "over 2/3 blurred": math.inf}


@dataclass(frozen=True)
class Row:
    """The scores of one method on a set of photos.

    Attributes
    ----------
    method, protocol, subset : str
        The subset is ``all`` for the photos of the whole table.
    images : int
        Photos scored.
    scores : dict of str to Interval
        The protocol's scores with their 95 % bootstrap intervals over photos.
    threshold : float or None
        Where ODS is reached; None in the protocol `dbd`.
    average_precision, calibration_error : float
        Of all pixels taken together, whatever the protocol; the former NaN where none is blurred.
    boundary_f : float or None
        Of edges within 2 pixels; None where no mask has an edge.
    seconds : float or None
        Median time of a photo; None for finished maps.
    """

    method: str
    protocol: str
    subset: str
    images: int
    scores: dict[str, Interval]
    threshold: float | None
    average_precision: float
    calibration_error: float
    boundary_f: float | None
    seconds: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON-ready values; what the protocol or photos lack is None."""
        values: dict[str, Any] = {}
        for field, value in vars(self).items():
            if field != "scores":
                values[field] = value
                continue
            for name in ("ods", "ois", "ap", *value):
                values[name] = value[name].value if name in value else None
            values["intervals"] = {
                name: [None if math.isnan(end) else end for end in (score.low, score.high)]
                for name, score in value.items()
            }
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}


def make_rows(
    results: Mapping[str, Records],
    samples: Sequence[Sample],
    protocol: str,
    *,
    subsets: bool = False,
) -> list[Row]:
    """Return a row for each method, that of everything being blurred first.

    Parameters
    ----------
    results : mapping of str to Records
        Method -> records of the samples, in their order.
    samples : sequence of Sample
    protocol : {"paper", "pooled", "dbd"}
    subsets : bool
        Whether the rows of each subset follow those of all photos.
    """
    results = with_all_blurred(results)
    parts = {ALL_PHOTOS: [sample.name for sample in samples]}
    if subsets:
        parts |= subset_names(samples, next(iter(results.values())))
    return [
        _make_row(method, protocol, subset, records.select(names))
        for subset, names in parts.items()
        for method, records in results.items()
    ]


def with_all_blurred(results: Mapping[str, Records]) -> dict[str, Records]:
    """Return the results with those of everything being blurred at their head."""
    masks = next(iter(results.values()))
    everything = Records(_all_blurred(record) for record in masks)
    others = {name: records for name, records in results.items() if name != ALL_BLURRED}
    return {ALL_BLURRED: everything, **others}


def subset_names(samples: Sequence[Sample], records: Records) -> dict[str, list[str]]:
    """Return the photos of each kind of blur, of each set, and of each size of blurred region.

    Photos undecided all over are in none. A subset that holds no photo, or all of them, is left
    out. One that is called as another of other photos, or ``all``, gets what it is behind its name:
    ``motion (kind)``.
    """
    parts: dict[str, dict[str, list[str]]] = {"set": {}, "kind": {}, "size": {s: [] for s in SIZES}}
    scored = {record.name for record in records if record.counts.pixels}
    samples = [sample for sample in samples if sample.name in scored]
    for sample in samples:
        parts["set"].setdefault(sample.name.rpartition("/")[0], []).append(sample.name)
        parts["kind"].setdefault(sample.kind, []).append(sample.name)
    for record in records.select(sample.name for sample in samples):
        share = record.counts.positives / record.counts.pixels
        size = next(s for s, limit in SIZES.items() if share <= limit)
        parts["size"][size].append(record.name)
    subsets: dict[str, list[str]] = {}
    for what, of_part in parts.items():
        for label, names in of_part.items():
            if label and 0 < len(names) < len(samples):
                name = label
                while name == ALL_PHOTOS or subsets.get(name, names) != names:
                    name += f" ({what})"
                subsets[name] = names
    return subsets


def differences(
    results: Mapping[str, Records], protocol: str, reference: str
) -> dict[str, dict[str, Interval]]:
    """Return for each other method by how much its scores exceed the reference's, paired."""
    return {
        method: bootstrap_differences(records.counts, results[reference].counts, protocol)
        for method, records in results.items()
        if method not in (reference, ALL_BLURRED)
    }


def _make_row(method: str, protocol: str, subset: str, records: Records) -> Row:
    counts = records.counts
    times = [record.seconds for record in records if record.seconds is not None]
    scored = {"paper": score_paper, "pooled": score_pooled}.get(protocol)
    return Row(
        method,
        protocol,
        subset,
        decided_photos(stack_counts(counts)),
        bootstrap_intervals(counts, protocol),
        scored(counts).ods_threshold if scored else None,
        average_precision(counts),
        calibration_error(counts),
        score_boundary(record.boundary for record in records),
        statistics.median(times) if times else None,
    )


def _all_blurred(record: Record) -> Record:
    """Return the record of the photo with a map of ones, known without reading a file."""
    pixels, positives = record.counts.pixels, record.counts.positives
    counts = ImageCounts(
        true_positives=np.full(LEVELS, positives),
        detections=np.full(LEVELS, pixels),
        true_positives_half=positives,
        detections_half=pixels,
        positives=positives,
        pixels=pixels,
        probability=float(pixels),
        positive_probability=float(positives),
    )
    nothing = np.zeros(LEVELS, np.int64)
    boundary = BoundaryCounts(nothing, nothing, nothing, record.boundary.true)
    return Record(record.name, counts, boundary)


def photo_scores(records: Records) -> dict[str, dict[str, float | None]]:
    """Return the scores of each photo by itself, by its name.

    ``f`` is F at the threshold that is best for all photos together, ``best_f`` at the photo's own
    ``best_threshold``, all in the protocol `paper` and None where nothing is blurred; ``mae`` is
    the mean absolute error, ``blurred`` the share of the decided pixels that the truth calls so,
    both None where none is decided.
    """
    table = stack_counts(records.counts)
    f = f_score(table.true_positives, table.detections, table.positives[:, None])
    error = absolute_error(table)
    blurred = ratio(table.positives, table.pixels, empty=np.nan)
    has_f = table.positives > 0
    together = int(np.nan_to_num(f)[has_f].mean(0).argmax()) if has_f.any() else 0
    rows: dict[str, dict[str, float | None]] = {}
    for number, record in enumerate(records):
        best = int(np.nan_to_num(f[number]).argmax())
        scores = (f[number, together], f[number, best], THRESHOLDS[best])
        known = dict(zip(("f", "best_f", "best_threshold"), scores, strict=True))
        rows[record.name] = {
            **{name: float(value) if has_f[number] else None for name, value in known.items()},
            "mae": float(error[number]) if table.pixels[number] else None,
            "blurred": float(blurred[number]) if table.pixels[number] else None,
        }
    return rows
