"""Photos and folders in, one map file for each photo out."""

from blurmapper.batch.ledger import Failures, Ledger, describe_settings
from blurmapper.batch.photo import (
    THRESHOLD,
    Job,
    MappedPhoto,
    Outputs,
    PhotoFailure,
    PhotoFigures,
    enlarge_to,
    fail,
    map_photo,
    map_source,
    read_for,
)
from blurmapper.batch.pipeline import PixelBudget, count_workers, overlap, share_method
from blurmapper.batch.planning import plan_jobs
from blurmapper.batch.run import map_jobs
from blurmapper.batch.walking import Found, find_photos, list_photos

__all__ = [
    "THRESHOLD",
    "Failures",
    "Found",
    "Job",
    "Ledger",
    "MappedPhoto",
    "Outputs",
    "PhotoFailure",
    "PhotoFigures",
    "PixelBudget",
    "count_workers",
    "describe_settings",
    "enlarge_to",
    "fail",
    "find_photos",
    "list_photos",
    "map_jobs",
    "map_photo",
    "map_source",
    "overlap",
    "plan_jobs",
    "read_for",
    "share_method",
]
