"""What a person sees of a training run: a bar at a terminal, lines in a log, curves on request."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from blurmapper.errors import ConfigError, MissingExtraError
from blurmapper.training.config import TrainingConfig

LOG = "log.jsonl"
LOG_EVERY = 20


class Progress:
    """Follow a run: ``with Progress(config, first_step) as progress``.

    Every `LOG_EVERY` steps a JSON line with step, loss (their mean), rate and seconds a step goes
    to ``log.jsonl`` in the run's folder, and to standard output when that is no terminal.
    """

    def __init__(self, config: TrainingConfig, step: int, *, quiet: bool = False) -> None:
        self.config, self.step, self.quiet = config, step, quiet
        self._losses: list[float] = []
        self._since = time.perf_counter()
        self._terminal = sys.stderr.isatty() and not quiet
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self._terminal,
        )
        self._task = self._bar.add_task("training", total=config.iterations, completed=step)
        self._events = _open_events(config) if config.tensorboard and not quiet else None

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away, also after an error."""
        self._bar.stop()
        if self._events is not None:
            self._events.close()

    def advance(self, loss: float, rate: float) -> None:
        """Count a step."""
        self.step += 1
        self._losses.append(loss)
        self._bar.update(self._task, advance=1, description=f"loss {loss:.3f}, rate {rate:.1e}")
        if self.step % LOG_EVERY == 0 or self.step == self.config.iterations:
            now = time.perf_counter()
            seconds = (now - self._since) / len(self._losses)
            mean = sum(self._losses) / len(self._losses)
            self._losses.clear()
            self._since = now
            values = {"loss": mean, "rate": rate, "seconds": seconds}
            self._write({"step": self.step, **values})

    def report(self, step: int, scores: dict[str, float]) -> None:
        """Write down scores; the time they took is not the steps'."""
        self._write({"step": step, **scores})
        self._since = time.perf_counter()

    def _write(self, values: dict[str, Any]) -> None:
        if self.quiet:
            return
        short = {k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in values.items()}
        line = json.dumps(short)
        path = self.config.output / LOG
        try:
            with path.open("ab+") as file:
                # A line that a full disk or a kill has cut short keeps to itself.
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    file.write(b"" if file.read() == b"\n" else b"\n")
                file.write(f"{line}\n".encode())
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be written ({error.strerror}); check the disk, then --resume"
            ) from error
        if not self._terminal:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        if self._events is not None:
            step = values["step"]
            for name, value in values.items():
                if name != "step":
                    self._events.add_scalar(name, value, step)


def _open_events(config: TrainingConfig) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtraError(
            "tensorboard = true needs the package: pip install tensorboard"
        ) from None
    return SummaryWriter(str(config.output))
