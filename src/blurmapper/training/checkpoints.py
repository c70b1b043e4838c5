"""Checkpoints: what a run needs to go on, and what an export or another run starts from."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from blurmapper.errors import ConfigError
from blurmapper.files import replacing

CHECKPOINT = "checkpoint.pt"


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; only tensors and plain values are accepted, nothing that runs code."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such checkpoint; train one first") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise ConfigError(f"{path}: not a checkpoint of ours ({type(error).__name__})") from None
    return dict(state)


def strip_checkpoint(path: Path) -> None:
    """Leave in a finished run's checkpoint what its maps need: a quarter of it.

    The run cannot go on from it, but another can start from it, and it can be exported.
    """
    state = read_checkpoint(path)
    needed = {key: state[key] for key in ("config", "step", "average", "versions", "saved")}
    write_checkpoint(needed, path)


def write_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all.

    Raises
    ------
    ImageError
        If it cannot be written; one that was there is still there.
    """
    with replacing(path) as stream:
        torch.save(state, stream)
