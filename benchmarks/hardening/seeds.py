"""Small photos in every format that is read, from which the broken ones are made."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ImageCms

from blurmapper.weights import BUNDLED

SAMPLES = BUNDLED.parent / "samples"
SIZE = (120, 160)

UNKNOWN = 0xFFFFFFFF


def make_seeds() -> dict[str, bytes]:
    """Return a file of each kind by the kind's name, which begins with its format."""
    seeds = {name: make() for name, make in {**_pillow_kinds(), **_other_kinds()}.items()}
    if find_spec("pillow_heif"):
        seeds |= {"heic": _heic(_photo("cat"), 60), "heic-alpha": _heic(_alpha(), 60)}
    if find_spec("rawpy"):
        seeds["dng"] = dng(*SIZE)
    return seeds


def encode(picture: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    """Return a Pillow image as the content of a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def dng(height: int, width: int) -> bytes:
    """Return the least RAW photo that is one: a mosaic of 16 bits, uncompressed."""
    mosaic = np.asarray(_photo("rocket").convert("L").resize((width, height)), "<u2") << 8
    short, long, byte, ratio = 3, 4, 1, 5
    nine = [value for i in range(9) for value in (int(i % 4 == 0), 1)]
    tags: list[tuple[int, int, list[int]]] = [
        (254, long, [0]),
        (256, long, [width]),
        (257, long, [height]),
        (258, short, [16]),
        (259, short, [1]),
        (262, short, [32803]),
        (271, 2, [*b"maker", 0]),
        (272, 2, [*b"model", 0]),
        (273, long, [UNKNOWN]),
        (277, short, [1]),
        (278, long, [height]),
        (279, long, [mosaic.nbytes]),
        (33421, short, [2, 2]),
        (33422, byte, [0, 1, 1, 2]),
        (50706, byte, [1, 4, 0, 0]),
        (50708, 2, [*b"maker model", 0]),
        (50721, 10, nine),
        (50728, ratio, [1, 1, 1, 1, 1, 1]),
    ]
    return _tiff(tags, mosaic.tobytes())


def _tiff(tags: list[tuple[int, int, list[int]]], pixels: bytes) -> bytes:
    """Return a TIFF file of one strip, whose offset is filled into tag 273."""
    codes = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 10: "i"}
    start = 8 + 2 + 12 * len(tags) + 4
    entries, extra = b"", b""
    for tag, kind, values in tags:
        count = len(values) // 2 if kind in (5, 10) else len(values)
        packed = struct.pack(f"<{len(values)}{codes[kind]}", *values)
        if len(packed) > 4:
            offset = start + len(extra)
            extra += packed + bytes(len(packed) % 2)
            packed = struct.pack("<I", offset)
        entries += struct.pack("<HHI", tag, kind, count) + packed.ljust(4, b"\0")
    strip = struct.pack("<I", start + len(extra))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    return head.replace(struct.pack("<I", UNKNOWN), strip) + extra + pixels


@cache
def _photo(sample: str, height: int = SIZE[0], width: int = SIZE[1]) -> PIL.Image.Image:
    with PIL.Image.open(SAMPLES / f"{sample}.jpg") as photo:
        return photo.convert("RGB").resize((width, height), PIL.Image.Resampling.LANCZOS)


def _alpha() -> PIL.Image.Image:
    photo = _photo("coffee").copy()
    photo.putalpha(PIL.Image.linear_gradient("L").resize(photo.size))
    return photo


def _deep(channels: int) -> npt.NDArray[np.uint16]:
    """Return a photo of 16 bits a sample, as OpenCV orders its channels."""
    rgba = np.asarray(_alpha(), np.uint16)[..., [2, 1, 0, 3]]
    return np.ascontiguousarray((rgba * 257)[..., :channels])


def _turned() -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    exif.get_ifd(0x8769)[0x829A] = (1, 250)
    return exif.tobytes()


def _profile() -> bytes:
    """Return a profile other than sRGB's."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()


def _heic(picture: PIL.Image.Image, quality: int) -> bytes:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=quality, exif=_turned())
    return buffer.getvalue()


def _opencv(suffix: str, pixels: npt.NDArray[Any], *options: int) -> bytes:
    return cv2.imencode(suffix, pixels, options)[1].tobytes()


def _pillow_kinds() -> dict[str, Callable[[], bytes]]:
    cat, cup, rocket = _photo("cat"), _photo("coffee"), _photo("rocket")
    grey, few, cmyk = cat.convert("L"), cup.quantize(64), rocket.convert("CMYK")
    frames = {"save_all": True, "append_images": [cup, rocket]}
    exif = {"exif": _turned()}
    kinds: dict[str, tuple[PIL.Image.Image, str, dict[str, Any]]] = {
        "jpeg": (cat, "JPEG", {}),
        "jpeg-progressive": (cup, "JPEG", {"progressive": True, "subsampling": 0}),
        "jpeg-restarts": (rocket, "JPEG", {"restart_marker_rows": 1}),
        "jpeg-grey": (grey, "JPEG", {}),
        "jpeg-cmyk": (cmyk, "JPEG", {}),
        "jpeg-exif": (cat, "JPEG", {**exif, "icc_profile": _profile()}),
        "jpeg-mpo": (cat, "MPO", frames),
        "png": (rocket, "PNG", {}),
        "png-alpha": (_alpha(), "PNG", {**exif, "icc_profile": _profile()}),
        "png-palette": (few, "PNG", {"transparency": 3}),
        "png-one-bit": (grey.convert("1"), "PNG", {}),
        "png-animated": (cup, "PNG", frames),
        "tiff": (cat, "TIFF", exif),
        "tiff-lzw": (_alpha(), "TIFF", {"compression": "tiff_lzw"}),
        "tiff-jpeg": (cup, "TIFF", {"compression": "jpeg"}),
        "tiff-cmyk": (cmyk, "TIFF", {"compression": "packbits"}),
        "tiff-float": (PIL.Image.fromarray(np.asarray(grey, np.float32) / 255), "TIFF", {}),
        "tiff-fax": (grey.convert("1"), "TIFF", {"compression": "group4"}),
        "tiff-lab": (_lab(), "TIFF", {}),
        "tiff-big": (rocket, "TIFF", {"big_tiff": True, "compression": "tiff_adobe_deflate"}),
        "webp": (cat, "WEBP", exif),
        "webp-lossless": (_alpha(), "WEBP", {"lossless": True}),
        "webp-animated": (cup, "WEBP", frames),
        "avif": (cup, "AVIF", exif),
        "avif-alpha": (_alpha(), "AVIF", {}),
        "gif": (few, "GIF", {"transparency": 3}),
        "gif-animated": (cat, "GIF", frames),
        "bmp": (rocket, "BMP", {}),
        "bmp-palette": (few, "BMP", {}),
        "ppm": (cat, "PPM", {}),
        "jp2": (cup, "JPEG2000", {"irreversible": True, "quality_layers": [20]}),
        "jp2-tiles": (rocket, "JPEG2000", {"tile_size": (64, 64), "num_resolutions": 3}),
    }
    return {
        name: lambda value=value: encode(value[0], value[1], **value[2])  # type: ignore[misc]
        for name, value in kinds.items()
    }


def _lab() -> PIL.Image.Image:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    photo = ImageCms.profileToProfile(_photo("rocket"), *profiles, outputMode="LAB")
    assert photo is not None
    return photo


def _other_kinds() -> dict[str, Callable[[], bytes]]:
    deflate = (cv2.IMWRITE_TIFF_COMPRESSION, 8)
    return {
        "png-deep": lambda: _opencv(".png", _deep(3)),
        "png-deep-alpha": lambda: _opencv(".png", _deep(4)),
        "png-deep-grey": lambda: _opencv(".png", _deep(1)),
        "tiff-deep": lambda: _opencv(".tif", _deep(3), *deflate),
        "tiff-deep-alpha": lambda: _opencv(".tif", _deep(4), *deflate),
        "ppm-deep": lambda: _opencv(".pgm", _deep(1)),
        "ppm-plain": lambda: _opencv(".ppm", np.asarray(_photo("cat")), cv2.IMWRITE_PXM_BINARY, 0),
        "bmp-runs": _bmp_of_runs,
    }


def _bmp_of_runs() -> bytes:
    """Return a BMP file of run lengths, which Pillow reads and cannot write."""
    rows = np.asarray(_photo("coffee").convert("L"))[::-1]
    body = b"".join(
        b"".join(bytes((2, value)) for value in row[::2].tolist()) + b"\0\0" for row in rows
    )
    body += b"\0\1"
    palette = b"".join(bytes((i, i, i, 0)) for i in range(256))
    height, width = rows.shape
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    start = 14 + len(info) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + info + palette + body
