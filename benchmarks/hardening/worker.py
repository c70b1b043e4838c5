"""A process that maps broken files, one for each line that it is sent, and says what came of it.

It is started by `python -m benchmarks.hardening`, which outlives whatever happens here.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import PIL.Image

from blurmapper.batch import Job, MapTask, Outputs, PhotoFailure, Result, do_job
from blurmapper.commands._output import quiet_codecs
from blurmapper.methods import BlurMethod, MethodOptions, get_method

PATIENCE = 10.0
"""Seconds of a processor that a file may take, or up to one more: the kernel counts whole ones.

Six times that where there are 100 megapixels to map, and nothing is broken.
"""

MOST_MEMORY = 2_000_000_000

FENCE = 6_000_000_000
"""Bytes of addresses that a worker may have: what gets there would not end by itself."""


def map_file(photo: Path, number: int, method: BlurMethod) -> dict[str, object]:
    """Map a file as `blurmapper map` does, and return the outcome, the cost and the reason."""
    outputs = Outputs("16" if number % 4 == 1 else "8", number % 3 == 0, number % 5 == 0)
    job = Job(photo, photo.parent / "maps" / photo.name)
    _forget_peak()
    patience = 6 * PATIENCE if photo.suffix == ".large" else PATIENCE
    last = math.ceil(time.process_time() + patience)
    resource.setrlimit(resource.RLIMIT_CPU, (last, resource.RLIM_INFINITY))
    start, processor = time.perf_counter(), time.process_time()
    result = do_job(job, MapTask("dbm-lite", outputs=outputs), method)
    cost = {
        "seconds": round(time.perf_counter() - start, 3),
        "processor": round(time.process_time() - processor, 3),
        "megabytes": _peak() // 1_000_000,
    }
    outcome, reason = _judge(result, photo)
    if outcome != "wrong" and _peak() > MOST_MEMORY:
        outcome = "memory"
    return {"outcome": outcome, "reason": reason, **cost}


def _judge(result: Result | PhotoFailure, photo: Path) -> tuple[str, str]:
    if isinstance(result, PhotoFailure):
        reason = str(result.error)
        is_clear = reason.startswith(str(photo)) and "; " in reason and reason.isprintable()
        if any(word in reason for word in ("MemoryError", "bad_alloc", "Insufficient memory")):
            return "memory", reason
        return "refused" if is_clear and len(reason) < 400 else "unclear", reason
    fault = _find_fault(result)
    return ("wrong", fault) if fault else ("mapped", "")


def _find_fault(result: Result) -> str:
    """Return what is wrong with what was written, or nothing."""
    size = result.values["height"], result.values["width"]
    degree, share = result.values["blur_degree"], result.values["share_blurred"]
    if not (0 <= degree <= 1 and 0 <= share <= 1):
        return f"S {degree}, {share} blurred"
    PIL.Image.MAX_IMAGE_PIXELS = None
    for path in (Path(str(file)) for file in result.files.values()):
        with PIL.Image.open(path) as picture:
            picture.verify()
            if picture.size != size[::-1]:
                return f"{path.name} is {picture.size}, the photo {size[::-1]}"
        path.unlink()
    return ""


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Return the most bytes that were resident since the peak was forgotten."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    """Map the files whose path and number come in, until none do."""
    resource.setrlimit(resource.RLIMIT_AS, (FENCE, FENCE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # As the command line does.
    warnings.filterwarnings("ignore", module="PIL")
    method = get_method("dbm-lite", MethodOptions(threads=1))
    method(np.zeros((64, 64, 3), np.uint8))
    print("ready", flush=True)
    with quiet_codecs():
        for line in sys.stdin:
            number, _, path = line.rstrip("\n").partition(" ")
            print(json.dumps(map_file(Path(path), int(number), method)), flush=True)


if __name__ == "__main__":
    main()
