"""Photos and folders in, one map file for each photo out."""

from blurmapper.batch.journal import Journal
from blurmapper.batch.ledger import (
    Failures,
    Ledger,
    describe_settings,
    digest_settings,
    holds_something,
    identify,
)
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
from blurmapper.batch.run import map_jobs, refuse_full_disk
from blurmapper.batch.walking import Found, find_photos, list_photos, real_path

__all__ = [
    "THRESHOLD",
    "Failures",
    "Found",
    "Job",
    "Journal",
    "Ledger",
    "MappedPhoto",
    "Outputs",
    "PhotoFailure",
    "PhotoFigures",
    "PixelBudget",
    "count_workers",
    "describe_settings",
    "digest_settings",
    "enlarge_to",
    "fail",
    "find_photos",
    "holds_something",
    "identify",
    "list_photos",
    "map_jobs",
    "map_photo",
    "map_source",
    "overlap",
    "plan_jobs",
    "read_for",
    "real_path",
    "refuse_full_disk",
    "share_method",
]
