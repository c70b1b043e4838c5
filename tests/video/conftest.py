"""A clip, and what maps one."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from blurmapper.batch import Job
from blurmapper.mapper import BlurMapper
from blurmapper.video.mapping import ClipOutputs, ClipResult, map_clip

if not find_spec("av"):
    collect_ignore_glob = ["*"]  # they need the extra blurmapper[video]


@pytest.fixture
def map_it(tmp_path: Path, tiny_mapper: BlurMapper) -> Callable[..., ClipResult]:
    """Clip, choices -> what came of it, in the folder ``out``."""

    def call(clip: Path, **choices: Any) -> ClipResult:
        return map_clip(
            Job(clip, tmp_path / "out" / clip.stem), tiny_mapper, ClipOutputs(**choices)
        )

    return call


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of 10 frames with sound."""
    # Without the extra its module is skipped, which these fixtures must not be.
    from .making import encode_clip, pan

    return encode_clip(tmp_path / "clip.mp4", pan([1] * 10), sound="aac")
