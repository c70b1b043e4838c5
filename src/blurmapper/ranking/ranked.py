"""The ranking as one function, for programs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from blurmapper.applications.degree import Weighting
from blurmapper.batch import How, find_photos, run_task
from blurmapper.devices import MOST_THREADS
from blurmapper.errors import check_choice, check_number
from blurmapper.locations import AnyPath, as_path, find_path
from blurmapper.methods import MethodOptions
from blurmapper.ranking.boxes import read_boxes
from blurmapper.ranking.measuring import MeasureTask, find_cache, to_record
from blurmapper.ranking.records import Measure
from blurmapper.ranking.tables import make_ranking, rows


def rank_photos(  # noqa: PLR0913 - all but the photos are by name
    photos: AnyPath | Iterable[AnyPath],
    *,
    by: Measure = "focus",
    weighting: Weighting | None = None,
    group_bursts: bool = False,
    boxes: AnyPath | None = None,
    faces: bool = False,
    af_point: bool = False,
    method: str | Path = "dbm-lite",
    jobs: int | None = None,
) -> list[dict[str, Any]]:
    """Rank photos and folders of photos, as ``blurmapper rank`` does: a row each.

    What an earlier run measured of a photo that has not changed since is not measured again.

    Parameters
    ----------
    photos : str, path or iterable of them
        Photos, or folders that are searched for them: paths or addresses.
    by : {"focus", "s", "region"}
        What is compared: how wide the blur is, in the photo's pixels, where it is meant to be
        sharp, after the verdict; S; or the mean blur of the sharpest region.
    weighting : {"centre", "saliency"}, optional
        What counts more in S.
    group_bursts : bool
        Find the frames of bursts, and the best of each.
    boxes : str or path, optional
        Boxes that get verdicts of their own, as ``--boxes`` takes them: COCO JSON, CSV, or a folder
        of YOLO's files. Rows then have a list of dict under ``boxes``.
    faces : bool
        Find faces, by the extra ``faces``, and judge each like a box.
    af_point : bool
        Judge the place that the camera focused on too, as exiftool reads it.
    method : str or Path
        A name from ``blurmapper methods``, or the path of an .onnx file or of its folder.
    jobs : int, optional
        Photos that are worked on at a time; one a core unless given.

    Returns
    -------
    list of dict
        The sharpest first, with the keys that the columns of ``--csv`` have
        (`blurmapper.ranking.tables.COLUMNS`). Last come photos and folders that could not be
        read: they have ``photo`` and ``error``, and None for all else.

    Raises
    ------
    BlurMapperError
        If `by`, `weighting`, `boxes`, `jobs` or the method cannot be used, an extra is missing, or
        what is given is no path; never for a photo.

    Examples
    --------
    >>> from blurmapper import rank_photos
    >>> rank_photos("nowhere.jpg")[0]["error"]
    'nowhere.jpg: no such file; check the path'
    """
    check_choice("measure", by, Measure)
    if weighting is not None:
        check_choice("weighting", weighting, Weighting)
    if jobs is not None:
        check_number("jobs", jobs, 1, MOST_THREADS)
    several = isinstance(photos, Iterable) and not isinstance(photos, str | bytes | os.PathLike)
    given: Any = photos if several else [photos]
    found = find_photos(map(as_path, given))
    judged = None if boxes is None else read_boxes(find_path(boxes))
    if judged:
        # Raises where no box fits any photo.
        judged.find_strays([str(photo) for photo, _ in found.photos])
    task = MeasureTask(str(method), MethodOptions(), judged, faces, af_point)
    results = run_task(task, found, find_cache(), How(workers=jobs))
    records = (to_record(each, weighting) for each in results)
    return rows(make_ranking(records, by=by, group=group_bursts))
