"""The tasks of ``segment`` and ``magnify``: what blur maps are for, written as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import numpy as np

from blurmapper.amounts import identify_network, measure_amounts
from blurmapper.batch.tasks import Outcome, PhotoTask
from blurmapper.encoding import encode_grey
from blurmapper.images import encode_cutout, encode_image, read_photo
from blurmapper.locations import Location, suffix_of, without_options
from blurmapper.methods import BlurMethod
from blurmapper.preprocessing import WHITE

if TYPE_CHECKING:
    from blurmapper.applications.light import Shape

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")


@dataclass(frozen=True)
class SegmentTask(PhotoTask):
    """Write the sharp subject's mask, or its cutout; measure its ``share``, in [0, 1]."""

    cutout: bool = False

    name: ClassVar[str] = "segment"
    measured: ClassVar[Mapping[str, float]] = {"share": 1}
    kinds: ClassVar[tuple[str, ...]] = ("mask", "cutout")
    alone: ClassVar[bool] = True

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        """Find the subject of a photo."""
        from blurmapper.applications import cut_out, segment_blur

        image = read_photo(photo, name=name).image
        values = {"height": image.shape[0], "width": image.shape[1]}
        if self.cutout:
            rgba = cut_out(image, method(image))
            del image
            share = rgba[..., 3].mean(dtype=np.float64) / WHITE[rgba.dtype]
            return Outcome({**values, "share": float(share)}, {"cutout": encode_cutout(rgba)})
        mask = segment_blur(image, method(image))
        content = encode_grey(mask * np.uint8(255))
        return Outcome({**values, "share": float(mask.mean())}, {"mask": content})

    def choices(self) -> tuple[Any, ...]:
        """Return whether it is cut out."""
        return (self.cutout,)

    def endings(self, photo: Location) -> Mapping[str, str]:
        """Return the ending of the mask or the cutout."""
        return {"cutout": ".cutout.png"} if self.cutout else {"mask": ".mask.png"}

    def describe(self, values: Mapping[str, Any]) -> str:
        """Return the share that is subject."""
        return f"{values['share']:.0%} subject"


@dataclass(frozen=True)
class MagnifyTask(PhotoTask):
    """Write the photo with what is blurred in it blurred further."""

    strength: float = 1.0
    shape: Shape = "disc"
    naive: bool = False
    measured_width: bool = False

    name: ClassVar[str] = "magnify"
    kinds: ClassVar[tuple[str, ...]] = ("magnified",)
    alone: ClassVar[bool] = True

    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        """Blur a photo further."""
        from blurmapper.applications import magnify_blur

        image, threads = read_photo(photo, name=name).image, self.options.threads
        magnified = magnify_blur(
            image,
            method(image),
            strength=self.strength,
            shape=self.shape,
            method="naive" if self.naive else "lens",
            amounts=measure_amounts(image, threads=threads) if self.measured_width else None,
        )
        content = encode_image(magnified, f"{without_options(name)}{_magnified_ending(name)}")
        return Outcome({"height": image.shape[0], "width": image.shape[1]}, {"magnified": content})

    def choices(self) -> tuple[Any, ...]:
        """Return how blur is magnified."""
        chosen = self.strength, self.shape, self.naive
        return (*chosen, "widths", identify_network()) if self.measured_width else chosen

    def endings(self, photo: Location) -> Mapping[str, str]:
        """Return the ending, of a JPEG file for one and else of a PNG file."""
        return {"magnified": _magnified_ending(str(photo))}

    def describe(self, values: Mapping[str, Any]) -> str:
        """Return the strength."""
        return f"strength {self.strength:g}"


def _magnified_ending(name: str) -> str:
    is_jpeg = suffix_of(name) in JPEG_SUFFIXES
    return ".magnified.jpg" if is_jpeg else ".magnified.png"
