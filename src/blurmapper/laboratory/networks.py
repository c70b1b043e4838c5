"""Networks that an experiment trains: each trained once, whichever experiments ask for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurmapper.batch import Manifest, describe_file, find_unchanged, identify
from blurmapper.datasets import Sample
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.files import refuse_link, write_file
from blurmapper.images import read_image, write_map
from blurmapper.laboratory.experiments import Say, Training, list_steps, read_schedule
from blurmapper.laboratory.provenance import describe_machine, list_versions, to_json

if TYPE_CHECKING:
    from blurmapper.training.config import TrainingConfig

TRAINING_VERSION = 1
"""Raised when the same config and photos make another network, so that none of before is kept."""

UNDECIDED_VERSION = "2"
"""The same where masks may have undecided pixels, once taken for blurred where they shrank."""

NO_MATTER = (
    "photos",
    "listed",
    "dataset",
    "mixture",
    "initialise",
    "output",
    "threads",
    "workers",
    "score_every",
    "checkpoint_every",
    "tensorboard",
)
"""Fields of a config that do not change what a network learns, or paths, whose content does."""

RUN = "run.json"
LIST = "photos.txt"


@dataclass(frozen=True)
class TrainedNetwork:
    """A network that is trained, or will be when it is asked for its maps.

    Attributes
    ----------
    name : str
        The row's.
    config : TrainingConfig
    trained_on : tuple of str
        Names of the photos.
    """

    name: str
    config: TrainingConfig
    trained_on: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Holds the list of photos, the checkpoint, the log and maps by data set."""
        return self.config.output

    @property
    def checkpoint(self) -> Path:
        """Written by `train`."""
        from blurmapper.training.storage import CHECKPOINT

        return self.folder / CHECKPOINT

    def train(self, say: Say = lambda line: None) -> None:
        """Train it, or what is left of it to train; where another process does, wait for it."""
        from filelock import FileLock, Timeout

        from blurmapper.training.running import LOCK

        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / LOCK)
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            say(f"{self.name}: waits for another process that trains it")
            held = lock.acquire()
        with held:
            if not (self.folder / RUN).exists():
                self._train()

    def _train(self) -> None:
        from blurmapper.training.loop import TrainingRun
        from blurmapper.training.storage import strip_checkpoint

        write_file(self.folder / LIST, "".join(f"{name}\n" for name in self.trained_on))
        run = TrainingRun(self.config)
        if run.path.exists():
            with self._reading():
                # The folder's name is of what all of these hold.
                run.load(NO_MATTER)
        run.train()
        # What is said of a network is said of the weights that make its maps.
        run.network.load_state_dict(run.average)
        record = {
            "config": self.config.to_dict(),
            "trained_on": len(self.trained_on),
            "machine": describe_machine(),
            "versions": list_versions(),
            "fusion_weights": getattr(run.network, "weights", None),
            "seconds_a_step": _seconds_a_step(self.folder),
        }
        write_file(self.folder / RUN, to_json(record))
        strip_checkpoint(run.path)

    def read_record(self) -> dict[str, Any]:
        """Return config, machine, versions, times, and fusion weights where there are any.

        Raises
        ------
        ConfigError
            If it is damaged.
        """
        with self._reading():
            try:
                record: dict[str, Any] = json.loads((self.folder / RUN).read_text(encoding="utf-8"))
                record["fusion_weights"]
            except (KeyError, OSError, TypeError, ValueError):
                raise ConfigError(f"{self.folder / RUN}: damaged") from None
        return record

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Give the one mend that there is for what is damaged in a network's folder."""
        try:
            yield
        except ConfigError as error:
            fault = str(error).partition(";")[0]
            raise ConfigError(
                f"{fault}; remove the folder {self.folder}, and it is trained anew"
            ) from error

    def write_maps(self, samples: Sequence[Sample], folder: Path) -> Path:
        """Write the maps of photos that have none yet, 8-bit, white = blurred.

        A map is made anew if the photo's file or the checkpoint's is not what it was made with;
        ``FOLDER.jsonl`` beside the folder says what that was.

        Returns
        -------
        Path
            `folder`; a photo's map is ``NAME.png`` in it.

        Raises
        ------
        DatasetError
            If a mask has no photo.
        """
        from blurmapper.training.inference import NetworkMapper

        mapper = None
        with Manifest(folder.with_name(f"{folder.name}.jsonl"), ("made_of",)) as manifest:
            for sample in samples:
                if sample.photo is None:
                    raise DatasetError(f"{sample.truth}: has no photo to map; add the photos")
                path = folder / f"{sample.name}.png"
                made_of = [identify(sample.photo), identify(self.checkpoint)]
                kept = find_unchanged(manifest, sample.name, [sample.photo], made_of=made_of)
                if kept is not None and path.exists():
                    continue
                with self._reading():
                    mapper = mapper or NetworkMapper.from_checkpoint(self.checkpoint)
                inputs = [describe_file(sample.photo)]
                refuse_link(path, folder)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_map(mapper(read_image(sample.photo)), path)
                manifest.add(sample.name, {"made_of": made_of, "inputs": inputs})
        return folder


def plan_network(
    name: str, values: Mapping[str, Any], trained_on: Sequence[Sample], data: Path, networks: Path
) -> TrainedNetwork:
    """Return the network of a row, its folder decided by all that it learns from.

    Parameters
    ----------
    name : str
    values : mapping
        Fields of `TrainingConfig`, those of the schedule and the row's own. `scratch`, beside
        them, is whether to start at random instead of from the schedule's weights.
    trained_on : sequence of Sample
    data : Path
        The data set that they are of.
    networks : Path
        Folder of all networks; nothing is written there before one is trained.

    Raises
    ------
    ConfigError
        If a value cannot be used, or there are no weights to start from.
    DatasetError
        If a photo has no file.
    """
    from blurmapper.training.config import TrainingConfig

    fields = dict(values)
    if fields.pop("scratch", False) or not fields.get("initialise"):
        fields["initialise"] = None
    elif not Path(fields["initialise"]).is_file():
        raise ConfigError(
            f"{fields['initialise']}: no such file; say where the pre-trained weights are with "
            "--set initialise=FILE, or start at random with --set initialise="
        )
    # A process forked from one in which torch and OpenCV have run threads hangs; and to read a
    # data set's photos takes a hundredth of a step.
    fields["workers"] = 0
    config = TrainingConfig.from_dict(
        {**fields, "photos": str(data), "output": ".", "listed": ""}, name
    )
    folder = networks / f"{config.architecture}-{_digest(config, trained_on)[:10]}"
    own = {"output": str(folder), "listed": str(folder / LIST)}
    config = TrainingConfig.from_dict({**config.to_dict(), **own}, name)
    return TrainedNetwork(name, config, tuple(sample.name for sample in trained_on))


def describe_networks(training: Training, networks: Sequence[TrainedNetwork]) -> list[str]:
    """Return lines on how networks were trained, and what those that fuse sides have learnt."""
    lines = [f"Networks trained on the schedule `{training.schedule}`{list_steps(training)}."]
    usual = {**read_schedule(training.schedule).values, **training.overrides}
    for network in networks:
        side = network.config.side
        if side != usual["side"]:
            lines.append(f"{network.name} is trained on photos of {side} x {side}.")
        weights = network.read_record()["fusion_weights"]
        if weights:
            learnt = ", ".join(f"{name} {value:.3f}" for name, value in weights.items())
            lines.append(f"Learnt fusion weights of {network.name}: {learnt} (all began at 0.2).")
    return lines


def _digest(config: TrainingConfig, trained_on: Sequence[Sample]) -> str:
    """Return a digest of all that a network learns from: settings, weights, photos and masks."""
    values = {k: v for k, v in config.to_dict().items() if k not in NO_MATTER}
    start = None if config.initialise is None else _content(config.initialise)
    digest = hashlib.sha256(json.dumps([TRAINING_VERSION, values, start], sort_keys=True).encode())
    for sample in trained_on:
        if sample.photo is None:
            raise DatasetError(f"{sample.truth}: has no photo to train on; add the photos")
        version = "" if sample.undecided is False else UNDECIDED_VERSION
        files = f"{_content(sample.photo)}{_content(sample.truth)}"
        digest.update(f"{sample.name}{files}{version}".encode())
    return digest.hexdigest()


def _content(path: Path) -> str:
    return _content_of(path, str(identify(path)))


@lru_cache(maxsize=4096)
def _content_of(path: Path, _: str) -> str:
    """Return the SHA-256 of a file, read once for as long as its size and time are the same."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _seconds_a_step(folder: Path) -> float | None:
    """Return the mean over the log; of a run that was cut short, over all of its parts."""
    from blurmapper.training.progress import LOG

    seconds = []
    for line in (folder / LOG).read_bytes().splitlines():
        # A full disk or a kill cuts lines short.
        with suppress(ValueError):
            seconds.append(float(json.loads(line).get("seconds", "nan")))
    return sum(seconds) / len(seconds) if seconds else None
