"""The options that several commands have, each declared once.

The help reads them too, so nothing slow is imported here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from blurmapper.commands._parameters import Argument, Option
from blurmapper.devices import MOST_THREADS

PHOTOS = Argument(
    metavar="PHOTO...",
    help="Photos, or folders that are searched for them: paths, or s3:// and the like.",
)
Photos = Annotated[list[str], PHOTOS]
Output = Annotated[
    str | None,
    Option(
        *("--output", "-o"),
        metavar="DIR",
        help="Where the files go: blurmaps.",
        note="What is done is not done again, unless it or the options have changed: after an "
        "interruption, the same command goes on. A manifest (.jsonl) in DIR keeps what is done. "
        "What cannot be read gets a line on standard error and in DIR/failures.csv, the rest goes "
        "on, and the exit status is 1. Ctrl-C ends it cleanly.",
    ),
]
Method = Annotated[
    str,
    Option(
        metavar="NAME",
        help="A name from blurmapper methods, an .onnx file or its folder, or "
        "package.module:function.",
    ),
]
Refine = Annotated[
    bool,
    Option("--refine/--no-refine", help="Let maps follow the photos' edges, or only enlarge them."),
]
Threads = Annotated[
    int | None,
    Option(metavar="N", least=1, most=MOST_THREADS, help="CPU threads of the network, a photo."),
]
Device = Annotated[
    Literal["auto", "cpu", "cuda", "coreml", "directml", "openvino"],
    Option(help="What runs the network, if ONNX Runtime has it; else the processor does."),
]
Jobs = Annotated[
    int | None,
    Option(metavar="N", least=1, most=MOST_THREADS, help="Photos worked on at a time; one a core."),
]
Quiet = Annotated[bool, Option("--quiet", "-q", help="Print nothing but errors.")]
Redo = Annotated[bool, Option(help="Also do what an earlier run has done.")]
Engine = Annotated[Literal["local", "ray"], Option(help="This machine, or many in a Ray cluster.")]
