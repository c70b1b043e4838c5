"""How a network is trained: one typed, frozen record, read from TOML, kept in checkpoints."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

from blurmapper.devices import MOST_THREADS
from blurmapper.errors import ConfigError, check_number
from blurmapper.locations import find_path

CHANGEABLE = (
    "output",
    "initialise",
    "iterations",
    "working_side",
    "precision",
    "threads",
    "workers",
    "score_every",
    "checkpoint_every",
    "tensorboard",
)
"""Fields that a resumed run may have otherwise: how long, how fast and how exactly it computes, and
what it would start from if it had not begun."""


class Bounds(NamedTuple):
    """The least and the most that a number of a config may be, beside its type."""

    least: float
    most: float = math.inf


Factor = Annotated[float, Bounds(0.0, 1e6)]
Share = Annotated[float, Bounds(0.0, 1.0)]
Count = Annotated[int, Bounds(1)]


class _Checked:
    """A record whose values are checked and converted however it is made."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            try:
                value = _convert(name, hints[name], getattr(self, name))
            except (OverflowError, ValueError) as error:
                raise ConfigError(str(error)) from None
            for bounds in getattr(hint, "__metadata__", ()):
                check_number(name, value, *bounds)
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Mixture(_Checked):
    """Shares of the kinds of pairs; they need not add up to one.

    Attributes
    ----------
    traced, bokeh, sharp, blurred : float
        Real photos: with hand-drawn truth, with a sharp subject before an out-of-focus
        background, sharp all over (clear skies among them), and blurred all over.
    made : float
        Made from photos that are sharp all over.
    labelled : float
        Photos of `TrainingConfig.dataset`, where there is one.
    """

    traced: Factor = 0.30
    bokeh: Factor = 0.25
    sharp: Factor = 0.08
    blurred: Factor = 0.03
    made: Factor = 0.34
    labelled: Factor = 0.5


@dataclass(frozen=True)
class TrainingConfig(_Checked):
    """All that decides what a training run does; paths are relative to the current directory.

    Attributes
    ----------
    architecture : str
        A key of `blurmapper.training.networks.ARCHITECTURES`.
    photos, output : Path
        The training photos; the folder that gets checkpoints and the log.
    listed : Path or None
        A text file that names photos of a data set, a line each. Where there is no `dataset`,
        `photos` is that data set, its photos with their masks are the pairs, and nothing is made
        or held out.
    dataset : Path or None
        The data set of the `listed` photos, to mix them with the pairs that `photos` gives.
    geometric, photometric : bool
        Whether a data set's photos are mirrored and cut, and worn as cameras and web sites wear
        them. Other pairs always are.
    initialise : Path or None
        Weights to start from: a file, or the name of bundled ones; None is random.
    side, batch, iterations : int
        Pixels along a pair's side, pairs a step and process, steps.
    working_side : int
        The exported network sees at most ``working_side ** 2`` pixels of a photo, as do the
        scores on photos held out; best where it makes things about as large as in the pairs.
    loss : {"cross-entropy", "balanced", "fidelity", "overlap"}
        Of blur, as `blurmapper.training.losses` has them.
    rate : float
        The learning rate; biases learn ``bias_factor`` times as fast, a pre-trained encoder of
        ours ``encoder_factor`` times.
    decay : {"polynomial", "cosine"}
        ``rate * (1 - step / iterations) ** power``, or half a cosine.
    warmup : int
        Steps over which the rate rises from zero.
    average : float
        Decay of the running average of the weights that is scored and exported; 0 exports the
        weights themselves.
    precision : {"auto", "bf16", "fp32"}
        Of the forward pass; the weights are float32 always. Auto is bf16 where the device
        multiplies it in hardware made for it; other processors gain nothing by it, or lose.
    threads, workers : int
        Threads of torch (0: its own choice); processes that make pairs.
    score_every, checkpoint_every : int
        In steps.
    tensorboard : bool
        Also write event files; needs the package tensorboard.
    """

    architecture: str
    photos: Path
    output: Path
    initialise: Path | None = None
    listed: Path | None = None
    dataset: Path | None = None
    geometric: bool = False
    photometric: bool = False
    seed: Annotated[int, Bounds(0, 2**64 - 1)] = 0
    side: Annotated[int, Bounds(16, 8192)] = 320
    batch: Annotated[int, Bounds(1, 65_536)] = 8
    iterations: Annotated[int, Bounds(1, 10_000_000)] = 4000
    working_side: Annotated[int, Bounds(16, 100_000)] = 384
    loss: Literal["cross-entropy", "balanced", "fidelity", "overlap"] = "cross-entropy"
    optimiser: Literal["sgd", "adamw"] = "adamw"
    rate: Factor = 6e-4
    decay: Literal["polynomial", "cosine"] = "cosine"
    power: Factor = 0.9
    warmup: Annotated[int, Bounds(0)] = 0
    momentum: Share = 0.9
    weight_decay: Factor = 0.01
    bias_factor: Factor = 1.0
    encoder_factor: Factor = 1.0
    average: Share = 0.0
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    threads: Annotated[int, Bounds(0, MOST_THREADS)] = 0
    workers: Annotated[int, Bounds(0, MOST_THREADS)] = 1
    score_every: Count = 500
    checkpoint_every: Count = 100
    tensorboard: bool = False
    mixture: Mixture = field(default_factory=Mixture)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset is not None and self.listed is None:
            raise ConfigError("name the photos of `dataset` to train on with `listed`")

    @property
    def has_library(self) -> bool:
        """Whether `photos` is a library to make pairs of, some of whose photos are held out."""
        return self.listed is None or self.dataset is not None

    def check_resumes(
        self, begun: TrainingConfig, checkpoint: Path, step: int, alike: Collection[str] = ()
    ) -> None:
        """Check that a run goes on to learn what it began to, as the card of its weights will say.

        Data may have been moved, but only files that hold the same be called otherwise. Of the
        fields `alike` the caller knows that they lead to the same.

        Raises
        ------
        ConfigError
            If another field has changed that is not in `CHANGEABLE`, or the run is beyond its last
            step.
        """
        for name in (item.name for item in fields(self)):
            before, now = getattr(begun, name), getattr(self, name)
            if name in (*CHANGEABLE, *alike) or _lead_to_same(before, now):
                continue
            raise ConfigError(
                f"{checkpoint}: begun with {name}={before}; give another output, and "
                f"initialise={checkpoint}"
            )
        if step > self.iterations:
            raise ConfigError(
                f"{checkpoint}: of {step} steps, more than iterations={self.iterations}; give "
                "more, or export it as it is"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as TOML- and JSON-ready values."""
        answer = asdict(self)
        for name in ("photos", "output", "initialise", "listed", "dataset"):
            answer[name] = None if answer[name] is None else str(answer[name])
        return answer

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], origin: str = "config") -> TrainingConfig:
        """Check and convert values; `ConfigError` names the field at fault."""
        values = dict(values)
        mixture = _build(Mixture, values.pop("mixture", {}), f"{origin}: mixture")
        config: TrainingConfig = _build(cls, {**values, "mixture": mixture}, origin)
        return config


def _lead_to_same(before: Any, now: Any) -> bool:
    if not isinstance(before, Path) or not isinstance(now, Path):
        return bool(before == now)
    with suppress(OSError):
        # What was edited at its place cannot be known.
        return before.read_bytes() == now.read_bytes()
    return before.resolve().name == now.resolve().name


def read_config(path: Path, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Read a TOML file, some of its values replaced by ``key=value`` in TOML's own writing.

    A value that is not TOML is taken as a string, so that paths need no quotes; ``mixture.made=1``
    reaches into the mixture.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        raise ConfigError(f"{path}: no such config; see the folder configs") from None
    except (RecursionError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from None
    for override in overrides:
        key, value = parse_override(override)
        target = values
        *tables, name = key.split(".")
        for table in tables:
            target = target.setdefault(table, {})
            if not isinstance(target, dict):
                raise ConfigError(f"{override!r}: {table} is no table of fields")
        target[name] = value
    return TrainingConfig.from_dict(values, str(path))


def parse_override(override: str) -> tuple[str, Any]:
    """Split ``key=value`` and read the value; what is not TOML is taken as a string.

    Raises
    ------
    ConfigError
        If there is no equals sign.
    """
    key, equals, written = override.partition("=")
    if not equals:
        raise ConfigError(f"{override!r}: write overrides as key=value")
    try:
        return key.strip(), tomllib.loads(f"value = {written}")["value"]
    except (RecursionError, tomllib.TOMLDecodeError):
        return key.strip(), written.strip()


def _build(kind: type[Any], values: Mapping[str, Any], origin: str) -> Any:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{origin}: {values!r} is no table of fields")
    known = {item.name: item for item in fields(kind)}
    for name in values:
        if name not in known:
            raise ConfigError(f"{origin}: no field {name!r}; choose among {', '.join(known)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{origin}: {str(error).partition(') ')[2] or error}") from None
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}") from None


def _convert(name: str, hint: Any, value: Any) -> Any:
    """Return the value as its field's type wants it, or raise ValueError."""
    choices = get_args(hint)
    if hint is Path or Path in choices:
        if (value is None or value == "") and type(None) in choices:
            return None
        if not isinstance(value, str | Path):
            raise ValueError(f"{name}: {value!r} is not a path")
        return find_path(value)
    if choices and value not in choices:
        raise ValueError(f"{name}: {value!r} is none of {', '.join(map(repr, choices))}")
    kind = {int: Integral, float: Real}.get(hint, hint)  # NumPy's too
    if isinstance(hint, type) and (not isinstance(value, kind) or type(value) is bool is not hint):
        raise ValueError(f"{name}: {value!r} is not of type {hint.__name__}")
    return hint(value) if hint in (int, float) else value
