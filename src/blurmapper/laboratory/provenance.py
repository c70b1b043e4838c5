"""What a result was made with, the machine and the versions, and how that is written as JSON."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from blurmapper.devices import count_cores

PACKAGES = (
    "blurmapper",
    "numba",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "pymatting",
    "scikit-image",
    "scipy",
    "torch",
)


def describe_machine() -> dict[str, str]:
    """Return the processor, the cores that this process may use, and the system."""
    return {
        "processor": _processor(),
        "cores": str(count_cores()),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "system": platform.platform(),
    }


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter, where installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def to_json(values: Mapping[str, Any]) -> str:
    """Return values as indented JSON that ends with its line; what is not finite is null."""
    return json.dumps(_without_nan(values), indent=1, allow_nan=False) + "\n"


def _processor() -> str:
    """Return the processor's own name; Python knows it on some systems only."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value
