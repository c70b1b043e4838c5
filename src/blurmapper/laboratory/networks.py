"""Networks that an experiment trains: each trained once, whichever experiments ask for it."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurmapper.datasets import Sample
from blurmapper.errors import ConfigError, DatasetError
from blurmapper.files import write_file
from blurmapper.images import read_image, write_map
from blurmapper.laboratory.experiments import Training
from blurmapper.laboratory.machine import describe_machine, list_versions
from blurmapper.laboratory.results import to_json

if TYPE_CHECKING:
    from blurmapper.training.config import TrainingConfig

SCHEDULES = Path(__file__).parents[1] / "assets" / "schedules"

NO_MATTER = ("output", "listed", "threads", "workers", "score_every", "checkpoint_every")
"""Fields of a config that do not change what a network learns; whom it learns from is apart."""

RUN = "run.json"


@dataclass(frozen=True)
class Schedule:
    """How long and on what size networks are trained.

    Attributes
    ----------
    name, summary : str
        The latter, what is to be known of it beside its values, is printed on every table.
    values : mapping
        Fields of `blurmapper.training.config.TrainingConfig`.
    """

    name: str
    summary: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class TrainedNetwork:
    """A network that is trained, or will be when it is asked for its maps.

    Attributes
    ----------
    name : str
        The row's.
    config : TrainingConfig
    """

    name: str
    config: TrainingConfig

    @property
    def folder(self) -> Path:
        """Holds the list of photos, the checkpoint, the log and maps by data set."""
        return self.config.output

    @property
    def checkpoint(self) -> Path:
        """Written by `train`."""
        from blurmapper.training.checkpoints import CHECKPOINT

        return self.folder / CHECKPOINT

    def train(self) -> None:
        """Train it, or what is left of it to train."""
        from blurmapper.training.checkpoints import strip_checkpoint
        from blurmapper.training.loop import TrainingRun

        if (self.folder / RUN).exists():
            return
        run = TrainingRun(self.config)
        if run.path.exists():
            run.load()
        run.train()
        strip_checkpoint(run.path)
        record = {
            "config": self.config.to_dict(),
            "machine": describe_machine(),
            "versions": list_versions(),
            "fusion_weights": getattr(run.network, "weights", None),
            "seconds_a_step": _seconds_a_step(self.folder),
        }
        write_file(self.folder / RUN, to_json(record))

    def read_record(self) -> dict[str, Any]:
        """Return config, machine, versions, times, and fusion weights where there are any."""
        record: dict[str, Any] = json.loads((self.folder / RUN).read_text(encoding="utf-8"))
        return record

    def write_maps(
        self, samples: Sequence[Sample], folder: Path, advance: Callable[[], None] = lambda: None
    ) -> Path:
        """Write the maps of photos that have none yet, 8-bit, white = blurred.

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
        for sample in samples:
            path = folder / f"{sample.name}.png"
            if not path.exists():
                if sample.photo is None:
                    raise DatasetError(f"{sample.truth}: has no photo to map; add the photos")
                mapper = mapper or NetworkMapper.from_checkpoint(self.checkpoint)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_map(mapper(read_image(sample.photo)), path)
            advance()
        return folder


def schedule_names() -> list[str]:
    """Return the names that `read_schedule` knows, in order."""
    return sorted(path.stem for path in SCHEDULES.glob("*.toml"))


def read_schedule(name: str) -> Schedule:
    """Read a schedule of the package.

    Raises
    ------
    ConfigError
        If none has that name; the line lists those that there are.
    """
    if name not in schedule_names():
        known = ", ".join(schedule_names())
        raise ConfigError(f"no schedule named {name!r}; choose from: {known}")
    values = tomllib.loads((SCHEDULES / f"{name}.toml").read_text(encoding="utf-8"))
    return Schedule(name, values.pop("summary"), values)


def plan_network(
    name: str,
    values: Mapping[str, Any],
    trained_on: Sequence[Sample],
    data: Path,
    networks: Path,
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
        Folder of all networks. Gets a folder with the list of photos.
    """
    from blurmapper.training.config import TrainingConfig

    fields = dict(values)
    if fields.pop("scratch", False) or not fields.get("initialise"):
        fields["initialise"] = None
    # A process forked from one in which torch and OpenCV have run threads hangs; and to read a
    # data set's photos takes a hundredth of a step.
    fields["workers"] = 0
    listed = "".join(f"{sample.name}\n" for sample in trained_on)
    config = TrainingConfig.from_dict(
        {**fields, "photos": str(data), "output": "", "listed": ""}, name
    )
    learnt_from = {k: v for k, v in config.to_dict().items() if k not in NO_MATTER}
    digest = hashlib.sha256(f"{json.dumps(learnt_from, sort_keys=True)}{listed}".encode())
    folder = networks / f"{config.architecture}-{digest.hexdigest()[:10]}"
    write_file(folder / "photos.txt", listed)
    own = {"output": str(folder), "listed": str(folder / "photos.txt")}
    return TrainedNetwork(name, TrainingConfig.from_dict({**config.to_dict(), **own}, name))


def describe_networks(training: Training, networks: Sequence[TrainedNetwork]) -> list[str]:
    """Return lines on how networks were trained, and what those that fuse sides have learnt."""
    lines = [f"Networks trained on the schedule `{training.schedule}`{_list_steps(training)}."]
    for network in networks:
        weights = network.read_record()["fusion_weights"]
        if weights:
            learnt = ", ".join(f"{name} {value:.3f}" for name, value in weights.items())
            lines.append(f"Learnt fusion weights of {network.name}: {learnt} (all began at 0.2).")
    return lines


def _list_steps(training: Training) -> str:
    """Return how long and on what size, and which settings are not the schedule's."""
    schedule = read_schedule(training.schedule)
    values = {**schedule.values, **training.overrides}
    changed = "".join(f", {key} = {value}" for key, value in training.overrides.items())
    return (
        f"{changed}: {values['iterations']:,} steps of {values['batch']} photos at "
        f"{values['side']} x {values['side']}, {schedule.summary}"
    )


def _seconds_a_step(folder: Path) -> float | None:
    """Return the mean over the log; of a run that was cut short, over all of its parts."""
    from blurmapper.training.progress import LOG

    lines = (folder / LOG).read_text(encoding="utf-8").splitlines()
    seconds = [float(json.loads(line).get("seconds", "nan")) for line in lines]
    return sum(seconds) / len(seconds) if seconds else None
