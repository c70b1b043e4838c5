"""A training run as a config file says, alone or as one of several processes."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path

from blurmapper.errors import ConfigError
from blurmapper.files import refuse_link
from blurmapper.training.amount_run import AmountRun
from blurmapper.training.config import read_config
from blurmapper.training.loop import TrainingRun
from blurmapper.training.networks import AMOUNT

LOCK = "training.lock"
"""Held in a run's folder by whoever trains there."""


def train(config_path: Path, *, resume: bool = False, overrides: list[str] | None = None) -> Path:
    """Train a network as a config file says.

    Parameters
    ----------
    config_path : Path
        TOML with the fields of `TrainingConfig`.
    resume : bool
        Go on from the checkpoint in the config's output folder, to the same result as if the run
        had not been interrupted. Without it an existing checkpoint is an error, not overwritten.
    overrides : list of str
        ``key=value`` in place of the file's values.

    Returns
    -------
    Path
        The checkpoint.

    Notes
    -----
    Under ``torchrun`` every process trains on its own pairs (DistributedDataParallel) and the
    first writes. A GPU is used when there is one.
    """
    config = read_config(config_path, overrides or [])
    with _process_group() as (rank, processes):
        kind = AmountRun if config.architecture == AMOUNT else TrainingRun
        run = kind(config, rank, processes)
        with contextlib.nullcontext() if rank else _alone_in(config.output):
            if run.path.exists():
                if not resume:
                    line = "exists; give --resume to go on, or another output"
                    raise ConfigError(f"{run.path}: {line}")
                run.load()
            run.train()
        return run.path


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep a run's folder to this process, or say that another trains there."""
    from filelock import FileLock, Timeout

    refuse_link(folder / LOCK, folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(folder / LOCK).acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"{folder}: another process trains there; wait for it, or give another output"
        ) from None
    with held:
        yield


@contextlib.contextmanager
def _process_group() -> Iterator[tuple[int, int]]:
    """Yield (rank, processes), joined to the others when `torchrun` started this process.

    Afterwards no thread of the group is left. One that lived on would let go of its last work
    while Python ends, and abort the process (https://github.com/pytorch/pytorch/issues/190489).
    The group's threads end with the last reference to it, so nothing may keep one.
    """
    if "RANK" not in os.environ:
        yield 0, 1
        return
    # Loaded later, as DistributedDataParallel does, it would keep the group as a default value.
    import torch.distributed.nn.functional

    backend = "nccl" if torch.cuda.is_available() else "gloo"
    torch.distributed.init_process_group(backend)
    try:
        yield torch.distributed.get_rank(), torch.distributed.get_world_size()
    finally:
        # DistributedDataParallel keeps it too, and lies in a cycle.
        gc.collect()
        torch.distributed.destroy_process_group()
