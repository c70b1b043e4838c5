"""`blurmapper train`, `export` and `fit`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from blurmapper.commands._output import print_line
from blurmapper.commands._parameters import Argument, Option
from blurmapper.errors import needing


def train(
    config: Annotated[Path, Argument(metavar="CONFIG", help="A TOML file.")],
    resume: Annotated[bool, Option(help="Go on from the run's last checkpoint.")] = False,
    settings: Annotated[
        list[str] | None,
        Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated."),
    ] = None,
) -> None:
    """Train a network as a TOML file says (needs the extra blurmapper[train]).

    Example:

        blurmapper train configs/dbm-lite.toml --set iterations=500
    """
    with needing("train", "this command needs"):
        from blurmapper.training.running import train as run
    checkpoint = run(config, resume=resume, overrides=settings or [])
    if os.environ.get("RANK", "0") == "0":
        print_line(f"-> {checkpoint}; blurmapper export makes it a method", err=True)


def export(
    checkpoint: Annotated[
        Path, Argument(metavar="CHECKPOINT", help="From a training run; or an exported .onnx.")
    ],
    output: Annotated[
        Path, Option("--output", "-o", metavar="DIR", help="Where weights and card go.")
    ] = Path("weights"),
    photos: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Photos on which both must give the same map; the package's samples unless given.",
        ),
    ] = None,
    name: Annotated[
        str | None, Option(metavar="NAME", help="Of the weights; the run's folder's unless given.")
    ] = None,
    working_side: Annotated[
        int | None, Option(metavar="PIXELS", least=16, help="In place of the one trained with.")
    ] = None,
    bits: Annotated[
        Literal["8", "16"],
        Option(help="Of a weight in the file: 8 halve it, and move maps a little."),
    ] = "16",
) -> None:
    """Turn a checkpoint into an .onnx file and its card, once torch and ONNX agree on photos.

    Example:

        blurmapper export runs/dbm-lite/checkpoint.pt -o weights/
    """
    from blurmapper.datasets import SAMPLES

    with needing("train", "this command needs"):
        from blurmapper.training.export import export_checkpoint
    path = export_checkpoint(
        checkpoint,
        output,
        photos or SAMPLES,
        name=name,
        working_side=working_side,
        bits=8 if bits == "8" else 16,
    )
    print_line(path)


def fit(
    method: Annotated[str, Argument(metavar="METHOD", help="One that learns: liu08 or shi14.")],
    photos: Annotated[
        Path, Option(metavar="DIR", help="The training photos, as for training a network.")
    ],
    output: Annotated[
        Path | None,
        Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Where METHOD.json goes; the package's own place unless given.",
        ),
    ] = None,
    pairs: Annotated[int, Option(metavar="N", least=2, help="How many pairs to learn from.")] = 300,
    seed: Annotated[int, Option(metavar="N", least=0, help="Of the pairs that are drawn.")] = 0,
) -> None:
    """Fit a classical method on training pairs (needs blurmapper[baselines,train]).

    Example:

        blurmapper fit liu08 --photos ../shared/data/photos
    """
    with needing("baselines,train", "this command needs"):
        from blurmapper.training.fitting import fit_method
    print_line(fit_method(method, photos, output, pairs=pairs, seed=seed))
