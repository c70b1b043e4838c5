"""Pillow images of every colour model and profile -> sRGB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding.arrays import row_strips


def to_srgb_array(photo: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    """Return a loaded Pillow image as sRGB of 8 bits (H, W, 3): over white, by its profile."""
    return _to_array(_to_srgb(_over_white(photo)))


def is_srgb(profile: bytes) -> bool:
    """Say whether an embedded colour profile changes nothing: it is sRGB's, or broken."""
    return _read_profile(profile) is None


def deep_to_srgb(deep: npt.NDArray[np.uint16], profile: bytes) -> npt.NDArray[np.uint8]:
    """Return RGB or RGBA of 16 bits and another profile as sRGB (H, W, 3) of 8 bits.

    Little CMS is reached through Pillow, which has no colour of 16 bits.
    """
    out = np.empty(deep.shape, np.uint8)
    for rows in row_strips(*deep.shape[:2]):
        out[rows] = np.rint(deep[rows] / np.float32(257))
    photo = PIL.Image.fromarray(out)
    photo.info["icc_profile"] = profile
    return to_srgb_array(photo)


def _read_profile(content: bytes) -> Any:
    """Return an embedded colour profile that is another than sRGB's, or None."""
    from PIL import ImageCms

    # A broken profile is ignored, as viewers do: the photo itself is fine.
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        return None if "sRGB" in ImageCms.getProfileDescription(profile) else profile
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def _to_srgb(photo: PIL.Image.Image) -> PIL.Image.Image:
    from PIL import ImageCms

    profile = None
    if photo.mode == "LAB":
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    elif photo.info.get("icc_profile") and photo.mode in ("RGB", "L", "CMYK", "P"):
        profile = _read_profile(photo.info["icc_profile"])
    if profile is not None:
        space = profile.profile.xcolor_space.strip()
        fitting = photo.convert("RGB") if space == "RGB" else photo
        # A profile that is meant for another colour model is as good as a broken one.
        try:
            converted = ImageCms.profileToProfile(
                fitting, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return photo if photo.mode == "RGB" else photo.convert("RGB")


def _over_white(photo: PIL.Image.Image) -> PIL.Image.Image:
    """Composite alpha, of whatever kind, over white: what a page or a viewer shows."""
    if not photo.has_transparency_data:
        return photo
    straight = photo.convert("LA") if photo.mode == "La" else photo
    white = PIL.Image.new("RGBA", photo.size, "white")
    white.alpha_composite(straight.convert("RGBA"))
    flat = white.convert("RGB")
    flat.info = photo.info
    return flat


def _to_array(photo: PIL.Image.Image) -> npt.NDArray[np.uint8]:
    """Copy the pixels strip by strip: at once, Pillow holds the photo three times."""
    out = np.empty((photo.height, photo.width, 3), np.uint8)
    for rows in row_strips(photo.height, photo.width):
        out[rows] = np.asarray(photo.crop((0, rows.start, photo.width, rows.stop)))
    return out
