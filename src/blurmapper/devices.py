"""What may run a network: the processor, or an accelerator that a build of ONNX Runtime knows."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from blurmapper.errors import check_choice, check_number

Device = Literal["auto", "cpu", "cuda", "coreml", "directml", "openvino"]
"""``auto`` is CUDA or DirectML where ONNX Runtime has it, and the processor elsewhere."""

CPU = "CPUExecutionProvider"

DIRECTML = "DmlExecutionProvider"

_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": DIRECTML,
    "openvino": "OpenVINOExecutionProvider",
}
_PACKAGES = {
    "cuda": "onnxruntime-gpu",
    "coreml": "onnxruntime on a Mac",
    "directml": "onnxruntime-directml",
    "openvino": "openvino",
}
MOST_THREADS = 1024
"""More than this many bring nothing on any machine, and take minutes to be started."""

# ONNX Runtime for the Mac always has CoreML; nobody has tried these networks on it.
_UNASKED = ("cuda", "directml")


def choose_providers(device: Device, available: Collection[str]) -> list[str]:
    """Return ONNX Runtime's execution providers for a device, best first, the processor last.

    Where it has none for a device that was asked for, a line of the log ``blurmapper`` says so,
    and the processor is all that there is.

    Raises
    ------
    ConfigError
        If there is no such device.
    """
    check_choice("device", device, Device)
    names = _UNASKED if device == "auto" else (device,)
    found = [_PROVIDERS[name] for name in names if _PROVIDERS.get(name) in available]
    if device not in ("auto", "cpu") and not found:
        _report(f"device {device}: ONNX Runtime has no such part here", _PACKAGES[device])
    return [*found[:1], CPU]


def report_fallback(wanted: Sequence[str], used: Collection[str]) -> None:
    """Say in a line of the log if the best of the providers could not be started."""
    if wanted[0] not in used:
        name = next(name for name, provider in _PROVIDERS.items() if provider == wanted[0])
        _report(f"device {name}: cannot be started", "its driver and libraries")


def _report(what: str, missing: str) -> None:
    logging.getLogger("blurmapper").warning(
        "%s, so the processor runs the network; install %s", what, missing
    )


def check_threads(threads: int | None) -> None:
    """Raise `ConfigError` unless so many threads can be started; None is as many as cores."""
    if threads is not None:
        check_number("threads", threads, 1, MOST_THREADS)


def count_cores() -> int:
    """Return on how many cores this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Let the processes started inside keep the memory that they free.

    glibc gives arrays of a map's size back to the system and asks for them again with the next
    map, a page fault at a time: a third of the time of scoring.
    """
    wanted = {"MALLOC_MMAP_THRESHOLD_": 1 << 25, "MALLOC_TRIM_THRESHOLD_": 1 << 28}
    added = {name: str(size) for name, size in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
