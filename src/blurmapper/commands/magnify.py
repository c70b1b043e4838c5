"""`blurmapper magnify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blurmapper.commands._output import default_output
from blurmapper.commands._photos import Task, place_file, work_through

if TYPE_CHECKING:
    from blurmapper.batch import Job
    from blurmapper.images import BlurMap, ImageArray

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")


def magnify(
    photos: Annotated[
        list[Path],
        typer.Argument(metavar="PHOTO...", help="Photos, or folders that are searched for them."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where the files go: blurmaps."),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(metavar="X", min=0, max=8, help="How much blur is added; 0 is none, 8 most."),
    ] = 1.0,
    shape: Annotated[
        Literal["disc", "gaussian", "polygon"], typer.Option(help="What a point of light becomes.")
    ] = "disc",
    naive: Annotated[
        bool, typer.Option("--naive", help="The paper's way, to compare: one Gaussian for all.")
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="A name from blurmapper methods, or an .onnx file of your own."
        ),
    ] = "dbm-lite",
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="CPU threads of the map; all cores unless given."),
    ] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="Also do what an earlier run has done.")
    ] = False,
) -> None:
    """Blur further what is blurred in each photo, as a faster lens would have.

    What is sharp stays as it is. NAME.jpg gives DIR/NAME.jpg.magnified.jpg; NAME.png and other
    formats give DIR/NAME.png.magnified.png. Both have 8 bits. At strength 1 a point becomes a
    disc with a radius of a 64th of the photo's side.

    Photos that are done are not done again, unless they or the options have changed: after an
    interruption, the same command goes on. DIR/magnify.jsonl keeps what is done. Ctrl-C finishes
    the photo that has begun.

    Examples:

        blurmapper magnify portrait.jpg
        blurmapper magnify evening.jpg --strength 2.5 --shape polygon
    """
    from blurmapper.batch import digest_settings
    from blurmapper.methods import MethodOptions, get_method

    def write(image: ImageArray, blur_map: BlurMap, job: Job) -> tuple[str, Path]:
        from blurmapper.applications import magnify_blur
        from blurmapper.images import write_image

        way: Literal["naive", "lens"] = "naive" if naive else "lens"
        magnified = magnify_blur(image, blur_map, strength=strength, shape=shape, method=way)
        is_jpeg = job.photo.suffix.lower() in JPEG_SUFFIXES
        path = place_file(job, ".magnified.jpg" if is_jpeg else ".magnified.png")
        write_image(magnified, path)
        return f"strength {strength:g}", path

    mapping = get_method(method, MethodOptions(threads=threads))
    settings = digest_settings(method, mapping, strength, shape, naive)
    work_through(
        photos, output or default_output(photos), Task("magnify", mapping, write, settings, redo)
    )
