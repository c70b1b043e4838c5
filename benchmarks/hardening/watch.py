"""Worker processes seen from outside: what they answer, how long they take, how they die."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

WALL = 300.0
"""Seconds that a file may take in all, on a machine that does other things as well."""


class Watched:
    """A worker in a folder of its own, started anew when it dies; a context manager.

    Parameters
    ----------
    folder : Path
        Where its files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._noise = (folder / "stderr").open("w+b")
        self._worker = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._worker.kill()
        self._worker.wait()
        self._noise.close()

    def map(self, photo: Path, number: int) -> dict[str, object]:
        """Have a file mapped and return what came of it, whatever came of the worker."""
        assert self._worker.stdin is not None
        self._noise.seek(0, os.SEEK_END)
        before = self._noise.tell()
        self._worker.stdin.write(f"{number} {photo}\n")
        self._worker.stdin.flush()
        line = self._answer()
        if not line:
            result: dict[str, object] = {"outcome": self._bury(), "reason": ""}
        else:
            result = json.loads(line)
        self._noise.seek(before)
        said = self._noise.read().decode("utf-8", "replace").strip()
        if said:
            result["noise"] = said[:2000]
            if result["outcome"] in ("mapped", "refused"):
                result["outcome"] = "noise"
        return result

    def _start(self) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.hardening.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        assert worker.stdout is not None
        if worker.stdout.readline() != "ready\n":
            raise RuntimeError(f"the worker did not start; see {self.folder / 'stderr'}")
        return worker

    def _answer(self) -> str:
        """Return the worker's line, or none if it died or was given up."""
        assert self._worker.stdout is not None
        if select.select([self._worker.stdout], [], [], WALL)[0]:
            return self._worker.stdout.readline()
        return ""

    def _bury(self) -> str:
        """Return how the worker ended, and start another."""
        try:
            code = self._worker.wait(1)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()
            outcome = "hang"
        else:
            outcome = f"crash ({signal.Signals(-code).name if code < 0 else code})"
            # Whose processor time was up.
            outcome = "hang" if code == -signal.SIGXCPU else outcome
        self._worker = self._start()
        return outcome
