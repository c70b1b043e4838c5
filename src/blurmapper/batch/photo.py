"""One photo in, its files out: the same on one machine and on many."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from blurmapper.decoding import Photo
from blurmapper.errors import BlurMapperError, ImageError, MethodError
from blurmapper.files import make_folder, replacing
from blurmapper.images import (
    BlurMap,
    ImageArray,
    draw_overlay,
    encode_image,
    encode_map,
    read_photo,
)
from blurmapper.mapper import BlurKinds, BlurMapper
from blurmapper.methods import BlurMethod
from blurmapper.refinement import MOST_PIXELS, enlarge_map

OVERLAY_ENDING = ".overlay.jpg"

THRESHOLD = 0.5
"""A pixel with at least this probability counts as blurred."""


@dataclass(frozen=True, slots=True)
class Job:
    """A photo, and the path of its outputs without their endings."""

    photo: Path
    target: Path


@dataclass(frozen=True, slots=True)
class Outputs:
    """Which files a photo gets: how its maps are written, an overlay, a map a kind of blur."""

    map_kind: Literal["8", "16", "npy"] = "8"
    overlay: bool = False
    kinds: bool = False

    def endings(self) -> dict[str, str]:
        """Return what each file's name ends with, by the field of `PhotoFigures` it is for."""
        suffix = ".npy" if self.map_kind == "npy" else ".png"
        endings = {"map": f".blur{suffix}"}
        if self.overlay:
            endings["overlay"] = OVERLAY_ENDING
        if self.kinds:
            endings |= {"defocus": f".defocus{suffix}", "motion": f".motion{suffix}"}
        return endings


@dataclass(frozen=True, slots=True)
class MappedPhoto:
    """What became of a photo, before it is written anywhere.

    Attributes
    ----------
    height, width : int
        The photo's size in pixels, after its EXIF turn.
    blur_degree : float
        S, the mean of the map, in [0, 1].
    share_blurred : float
        Share of the pixels with a probability of at least 0.5, in [0, 1].
    files : mapping of str to bytes
        Content of each file, by the ending of its name.
    """

    height: int
    width: int
    blur_degree: float
    share_blurred: float
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class PhotoFigures:
    """What came of a photo.

    Attributes
    ----------
    photo, map, overlay, defocus, motion : Path or None
        The photo's file, its map, its overlay, and the map's two parts by kind of blur.
    height, width : int
        The photo's size in pixels, after its EXIF turn.
    blur_degree : float
        S, the mean of the map, in [0, 1].
    share_blurred : float
        Share of the pixels with a probability of at least 0.5, in [0, 1].
    seconds : float
        Reading, mapping and writing together.
    mapped_before : bool
        Whether an earlier run mapped it, and nothing was to do.
    """

    photo: Path
    height: int
    width: int
    blur_degree: float
    share_blurred: float
    seconds: float
    map: Path
    overlay: Path | None = None
    defocus: Path | None = None
    motion: Path | None = None
    mapped_before: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class PhotoFailure:
    """A photo, or a folder of photos, that gave nothing, and why."""

    photo: Path
    error: BlurMapperError

    @property
    def reason(self) -> str:
        """The error without the name of the photo."""
        return str(self.error).removeprefix(f"{self.photo}: ")


def map_photo(job: Job, method: BlurMethod, outputs: Outputs) -> PhotoFigures | PhotoFailure:
    """Map one photo and write its files, each whole or not at all; never raise for a photo.

    Parameters
    ----------
    job : Job
        The photo's file, and where its files go; folders are made as needed.
    method : callable
        From `blurmapper.methods.get_method`; built once, it serves every photo.
    outputs : Outputs
        What is written. Like `job` and what is returned, it can be sent between processes.
    """
    start = time.perf_counter()
    try:
        mapped = map_source(job.photo, method, outputs)
        make_folder(job.target.parent)
        for ending, content in mapped.files.items():
            with replacing(with_ending(job.target, ending)) as stream:
                stream.write(content)
    except Exception as error:  # noqa: BLE001 - no photo may end a run of 50,000 others
        return fail(job.photo, error)
    return PhotoFigures(
        photo=job.photo,
        height=mapped.height,
        width=mapped.width,
        blur_degree=mapped.blur_degree,
        share_blurred=mapped.share_blurred,
        seconds=time.perf_counter() - start,
        **written_paths(job, outputs),
    )


def fail(photo: Path, error: Exception) -> PhotoFailure:
    """Return why a photo gave nothing, as one line and without the pixels it had got to."""
    if not isinstance(error, BlurMapperError):
        reason = " ".join(str(error).split()) or type(error).__name__
        error = ImageError(f"{photo}: cannot be mapped ({reason}); convert it or leave it out")
    link: BaseException | None = error
    while link is not None:
        # The frames that an error came through hold what was in them as long as it lives.
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return PhotoFailure(photo, error)


def map_source(
    source: Path | bytes, method: BlurMethod, outputs: Outputs, *, name: str | None = None
) -> MappedPhoto:
    """Map a photo's file, or its content, to figures and the content of its files.

    Parameters
    ----------
    source : Path or bytes
    method : callable
        From `blurmapper.methods.get_method`.
    outputs : Outputs
    name : str, optional
        What errors call the photo; its path unless given.

    Raises
    ------
    ImageError
        If the photo cannot be read.
    MethodError
        If kinds are asked for of a method that is no network.
    """
    photo, kinds, blur_map = _map(source, method, outputs, name)
    bits: Literal[8, 16] = 16 if outputs.map_kind == "16" else 8
    maps = {"map": blur_map, "defocus": kinds and kinds.defocus, "motion": kinds and kinds.motion}
    files: dict[str, bytes] = {}
    for field, ending in outputs.endings().items():
        part = maps.get(field)
        if part is None:
            overlay = draw_overlay(photo.image, blur_map)
            files[ending] = encode_image(overlay, f"{name or _path_of(source)}{ending}")
        else:
            files[ending] = encode_map(part, ending, bits=bits)
    return MappedPhoto(
        height=photo.height,
        width=photo.width,
        blur_degree=float(blur_map.mean(dtype="float64")),
        share_blurred=float((blur_map >= THRESHOLD).mean()),
        files=files,
    )


def read_for(
    method: BlurMethod, source: Path | bytes, *, whole: bool = False, name: str | None = None
) -> Photo:
    """Read a photo with as many pixels as a method can make use of, or whole.

    A network sees a small copy and edges are followed at four megapixels at most, so that a
    large JPEG need not be decoded in full. Other methods see every pixel.
    """
    if whole or not isinstance(method, BlurMapper):
        return read_photo(source, name=name)
    seen = method.preprocessing.working_side**2
    return read_photo(source, least_pixels=max(MOST_PIXELS // 4, 4 * seen), name=name)


def with_ending(target: Path, ending: str) -> Path:
    """Return the path of an output."""
    return target.with_name(target.name + ending)


def written_paths(job: Job, outputs: Outputs) -> dict[str, Any]:
    """Return the paths that a job writes, by the field of `PhotoFigures` they are for."""
    return {field: with_ending(job.target, ending) for field, ending in outputs.endings().items()}


def _path_of(source: Path | bytes) -> str:
    return "" if isinstance(source, bytes) else str(source)


def _map(
    source: Path | bytes, method: BlurMethod, outputs: Outputs, name: str | None
) -> tuple[Photo, BlurKinds | None, BlurMap]:
    photo = read_for(method, source, whole=outputs.overlay, name=name)
    size = photo.height, photo.width
    if not outputs.kinds:
        return photo, None, enlarge_to(method(photo.image), *size)
    kinds = _map_kinds(method, photo.image)
    whole = BlurKinds(enlarge_to(kinds.defocus, *size), enlarge_to(kinds.motion, *size))
    return photo, whole, (whole.defocus + whole.motion).clip(0, 1)


def enlarge_to(blur_map: BlurMap, height: int, width: int) -> BlurMap:
    """Return the map of a photo that was read with fewer pixels at the photo's own size."""
    return blur_map if blur_map.shape == (height, width) else enlarge_map(blur_map, height, width)


def _map_kinds(method: BlurMethod, image: ImageArray) -> BlurKinds:
    if not isinstance(method, BlurMapper):
        raise MethodError(
            "this method cannot tell motion from defocus; leave out --kinds or use dbm-lite"
        )
    return method.map_kinds(image)
