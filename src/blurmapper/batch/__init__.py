"""Many photos: each found, planned, worked on here or on a cluster, and written down."""

from blurmapper.batch.applying import MagnifyTask, SegmentTask
from blurmapper.batch.failures import Failures, PhotoFailure
from blurmapper.batch.finding import REPORT, Found, find_photos, list_photos, real_path
from blurmapper.batch.keep_masks import KeepMasks
from blurmapper.batch.manifest import Manifest, identify
from blurmapper.batch.mapping import MapTask, Outputs, read_for
from blurmapper.batch.planning import DoneBefore, plan_jobs
from blurmapper.batch.run import How, run_task
from blurmapper.batch.sameness import describe_file, find_unchanged
from blurmapper.batch.tasks import (
    MOST,
    Job,
    Outcome,
    PhotoTask,
    Result,
    Task,
    do_job,
    is_number,
    may_be_number,
)
from blurmapper.batch.threads import PixelBudget, count_workers, overlap, run_in_threads
