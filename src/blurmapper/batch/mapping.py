"""The task of ``map``: a photo, read as far as needed, its blur map, and what comes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

import numpy as np

from blurmapper.amount_pictures import draw_amounts, encode_amounts
from blurmapper.amounts import BlurAmounts, identify_network, measure_amounts
from blurmapper.applications.degree import blur_degree, share_blurred
from blurmapper.batch.finding import Found
from blurmapper.batch.keep_masks import KeepMasks
from blurmapper.batch.tasks import Job, Outcome, PhotoTask, may_be_number
from blurmapper.decoding import Photo
from blurmapper.decoding.arrays import MIN_SIDE
from blurmapper.errors import MethodError
from blurmapper.images import (
    BlurMap,
    ImageArray,
    draw_overlay,
    encode_image,
    encode_map,
    read_photo,
)
from blurmapper.locations import Location, without_options
from blurmapper.mapper import BlurMapper
from blurmapper.methods import BlurMethod, naming
from blurmapper.refinement import enlarge_map
from blurmapper.sharpest import find_sharpest

LEAST_PIXELS = 1_000_000
"""Of a large JPEG that is read in part: with 700,000 maps were twice as far from the whole's."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Which files a photo gets: its map and how it is written, and what comes with it."""

    map_kind: Literal["8", "16", "npy"] = "8"
    overlay: bool = False
    kinds: bool = False
    masks: KeepMasks | None = None
    amount: bool = False

    def endings(self) -> dict[str, str]:
        """Return what each file's name ends with, by what it is."""
        suffix = ".npy" if self.map_kind == "npy" else ".png"
        endings = {"map": f".blur{suffix}"}
        if self.overlay:
            endings["overlay"] = ".overlay.jpg"
        if self.kinds:
            endings |= {"defocus": f".defocus{suffix}", "motion": f".motion{suffix}"}
        if self.masks:
            endings["mask"] = ".png"
        if self.amount:
            endings["amount"] = f".amount{suffix}"
        if self.amount and self.overlay:
            endings["amount_overlay"] = ".amount.jpg"
        return endings


@dataclass(frozen=True)
class MapTask(PhotoTask):
    """Write a photo's blur map; measure S, ``blur_degree``, and ``share_blurred``, in [0, 1]."""

    outputs: Outputs = field(default_factory=Outputs)

    name: ClassVar[str] = "maps"
    verb: ClassVar[str] = "mapped"
    measured: ClassVar[Mapping[str, float]] = {"blur_degree": 1, "share_blurred": 1}
    kinds: ClassVar[tuple[str, ...]] = (
        *("map", "overlay", "defocus", "motion"),
        *("mask", "amount", "amount_overlay"),
    )

    @property
    def noted(self) -> Mapping[str, Callable[[Any], bool]]:
        """Of the amount, where it is measured, what is sharpest and where."""
        names = ("sigma", "sharpest_row", "sharpest_column") if self.outputs.amount else ()
        return dict.fromkeys(names, may_be_number)

    def build(self) -> BlurMethod:
        """Return the method, once it has told the kinds of blur of anything where it will have to.

        Raises
        ------
        MethodError, WeightsError
            If it cannot.
        """
        method = super().build()
        if self.outputs.kinds:
            with naming(self.method):
                _map(method, np.zeros((MIN_SIDE, MIN_SIDE, 3), np.uint8), self.outputs)
        return method

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        """Map a photo.

        Raises
        ------
        ImageError
            If it cannot be read.
        MethodError
            If kinds are asked for of a method that is no network.
        """
        outputs = self.outputs
        read = read_for(method, photo, whole=outputs.overlay, name=name)
        size = read.height, read.width
        with ThreadPoolExecutor(1) as beside:
            # Fine blur is lost in a part: while it is mapped the photo is read again, and whole.
            is_part = outputs.amount and read.image.shape[:2] != size
            whole = beside.submit(self._measure_whole, photo, name) if is_part else None
            maps = _map(method, read.image, outputs)
            files = _encode_maps(read, maps, outputs, without_options(name))
        blur_map = maps["map"]
        if outputs.masks:
            files["mask"] = outputs.masks.encode(enlarge_map(blur_map, *size), read.orientation)
        values: dict[str, float | None] = {
            "height": read.height,
            "width": read.width,
            "blur_degree": blur_degree(blur_map),
            "share_blurred": share_blurred(blur_map),
        }
        if outputs.amount:
            amounts = whole.result() if whole else self._measure(read.image)
            files |= _encode_amounts(read, amounts, outputs, without_options(name))
            names = ("sigma", "sharpest_row", "sharpest_column")
            sharpest = find_sharpest(amounts, blur_map, size=size)
            values |= dict(zip(names, sharpest or [None] * 3, strict=True))
        return Outcome(values, files)

    def _measure(self, image: ImageArray) -> BlurAmounts:
        return measure_amounts(image, threads=self.options.threads)

    def _measure_whole(self, photo: BinaryIO, name: str) -> BlurAmounts:
        return self._measure(read_photo(photo, name=name).image)

    def choices(self) -> tuple[Any, ...]:
        """Return the options of the network, and the outputs."""
        chosen = self.options.refine, self.options.working_side, asdict(self.outputs)
        return (*chosen, identify_network()) if self.outputs.amount else chosen

    def endings(self, photo: Location) -> Mapping[str, str]:
        """Return the endings of map, overlay and the maps of kinds."""
        return self.outputs.endings()

    def files_of(self, job: Job, values: Mapping[str, Any]) -> dict[str, Location]:
        """Return where the files of a photo go; masks have a folder of their own."""
        files = super().files_of(job, values)
        if self.outputs.masks and job.target is not None:
            files["mask"] = self.outputs.masks.locate(job.target, job.key)
        return files

    def shared_name(self, key: str) -> str | None:
        """Return the mask that photos of one stem would share, without regard to capitals."""
        return self.outputs.masks.shared_name(key) if self.outputs.masks else None

    def check(self, found: Found) -> None:
        """Refuse photos that would share a mask."""
        if self.outputs.masks:
            self.outputs.masks.check(found)

    def describe(self, values: Mapping[str, Any]) -> str:
        """Return S and the share that is blurred."""
        line = f"S {values['blur_degree']:.3f}, {values['share_blurred']:.0%} blurred"
        if not self.outputs.amount:
            return line
        sigma = values["sigma"]
        return f"{line}, sigma {'unknown' if sigma is None else f'{sigma:.2f} px'}"


def _encode_maps(
    photo: Photo, maps: Mapping[str, BlurMap], outputs: Outputs, name: str
) -> dict[str, bytes]:
    """Return the content of the files that show the maps, by what they are."""
    size = photo.height, photo.width
    bits: Literal[8, 16] = 16 if outputs.map_kind == "16" else 8
    endings, files = outputs.endings(), dict[str, bytes]()
    for kind, blur_map in maps.items():
        files[kind] = encode_map(blur_map, endings[kind], bits=bits, size=size)
    if outputs.overlay:
        overlay = draw_overlay(photo.image, maps["map"])
        files["overlay"] = encode_image(overlay, f"{name}{endings['overlay']}")
    return files


def _encode_amounts(
    photo: Photo, amounts: BlurAmounts, outputs: Outputs, name: str
) -> dict[str, bytes]:
    endings = outputs.endings()
    files = {"amount": encode_amounts(amounts, endings["amount"])}
    if outputs.overlay:
        picture = draw_amounts(photo.image, amounts)
        files["amount_overlay"] = encode_image(picture, f"{name}{endings['amount_overlay']}")
    return files


def read_for(
    method: BlurMethod,
    source: Path | bytes | BinaryIO,
    *,
    whole: bool = False,
    name: str | None = None,
) -> Photo:
    """Read a photo with as many pixels as a method can make use of, or whole.

    A network sees a small copy and edges are followed at two megapixels at most, so that a
    large JPEG need not be decoded in full. Other methods see every pixel.
    """
    if whole or not isinstance(method, BlurMapper):
        return read_photo(source, name=name)
    seen = method.preprocessing.working_side**2
    return read_photo(source, least_pixels=max(LEAST_PIXELS, 4 * seen), name=name)


def _map(method: BlurMethod, image: ImageArray, outputs: Outputs) -> dict[str, BlurMap]:
    """Return the maps by what they are, as large as the photo was read."""
    if not outputs.kinds:
        return {"map": method(image)}
    if not isinstance(method, BlurMapper):
        raise MethodError(
            "this method cannot tell motion from defocus; leave out --kinds or use dbm-lite"
        )
    defocus, motion = method.map_kinds(image)
    return {"map": (defocus + motion).clip(0, 1), "defocus": defocus, "motion": motion}
