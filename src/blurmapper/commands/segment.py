"""`blurmapper segment`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blurmapper.commands._output import default_output, needing_extra
from blurmapper.commands._photos import Task, place_file, work_through, write_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from blurmapper.batch import Job
    from blurmapper.images import BlurMap, ImageArray


def segment(
    photos: Annotated[
        list[Path],
        typer.Argument(metavar="PHOTO...", help="Photos, or folders that are searched for them."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where the files go: blurmaps."),
    ] = None,
    cutout: Annotated[
        bool,
        typer.Option("--cutout", help="Write the sharp subject on transparency, not its mask."),
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="A name from blurmapper methods, or an .onnx file of your own."
        ),
    ] = "dbm-lite",
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="CPU threads; all cores unless given.")
    ] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="Also do what an earlier run has done.")
    ] = False,
) -> None:
    """Separate the sharp subject of each photo from what is blurred.

    NAME.jpg gives DIR/NAME.jpg.mask.png, white where the subject is, or with --cutout
    DIR/NAME.jpg.cutout.png, the subject on transparency with a soft edge and none of the
    background's colour (needs the extra blurmapper[baselines]). Photos of 16 bits give cutouts of
    16 bits. Each photo gets a line with the share of it that is subject.

    Photos that are done are not done again, unless they or the options have changed: after an
    interruption, the same command goes on. DIR/segment.jsonl keeps what is done. Ctrl-C finishes
    the photo that has begun.

    Examples:

        blurmapper segment photo.jpg
        blurmapper segment portraits/ --cutout -o cutouts/
    """
    from blurmapper.batch import digest_settings
    from blurmapper.methods import MethodOptions, get_method

    if cutout:
        with needing_extra("baselines"):
            import_module("pymatting")
    mapping = get_method(method, MethodOptions(threads=threads))
    work = _write_cutout if cutout else _write_mask
    settings = digest_settings(method, mapping, cutout)
    work_through(
        photos, output or default_output(photos), Task("segment", mapping, work, settings, redo)
    )


def _write_mask(image: ImageArray, blur_map: BlurMap, job: Job) -> tuple[str, Path]:
    from blurmapper.applications import segment_blur
    from blurmapper.images import write_map

    mask = segment_blur(image, blur_map)
    path = place_file(job, ".mask.png")
    write_map(mask.astype("float32"), path)
    return f"{mask.mean():.0%} subject", path


def _write_cutout(image: ImageArray, blur_map: BlurMap, job: Job) -> tuple[str, Path]:
    from blurmapper.applications import cut_out

    rgba = cut_out(image, blur_map)
    path = place_file(job, ".cutout.png")
    write_whole(_encode_png(rgba), path)
    opaque = 1.0 if rgba.dtype.kind == "f" else float(2 ** (8 * rgba.itemsize) - 1)
    return f"{rgba[..., 3].mean(dtype='float64') / opaque:.0%} subject", path


def _encode_png(rgba: npt.NDArray[Any]) -> bytes:
    """Return the PNG of RGBA; floats get 16 bits."""
    import cv2
    import numpy as np

    if rgba.dtype.kind == "f":
        rgba = np.rint(rgba * 65535).astype(np.uint16)
    return cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))[1].tobytes()
