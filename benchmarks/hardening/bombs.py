"""Files made to take memory or time: small, and much when they are opened."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from importlib.util import find_spec

import numpy as np
import PIL.Image

from benchmarks.hardening.containers import PNG
from benchmarks.hardening.seeds import encode

HUGE = (20_000, 20_000)
"""The (height, width) of 400 megapixels, the most that a photo may claim."""

HEAVY = (10_000, 10_000)
"""100 megapixels: a photo that must be mapped, in less than 2 GB."""


def png(
    size: tuple[int, int], bits: int, colour: int, *, before: bytes = b"", rows: int | None = None
) -> bytes:
    """Return a PNG file of one colour; with fewer `rows` than its size claims it is cut short."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    height = size[0] if rows is None else rows
    row = b"\0" + b"\x55" * ((size[1] * bits * channels + 7) // 8 if height else 0)
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height))
    header = struct.pack(">IIBBBBB", size[1], size[0], bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + before + chunk(b"IDAT", data + packer.flush())
    return PNG + body + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _packed_text(name: bytes, head: bytes) -> bytes:
    return chunk(name, head + zlib.compress(bytes(100_000_000), 9))


def _jpeg(size: tuple[int, int], mode: str = "RGB", **options: bool) -> bytes:
    return encode(PIL.Image.new(mode, size[::-1]), "JPEG", **options)


def _jpeg_of_claims(size: tuple[int, int]) -> bytes:
    small = bytearray(_jpeg((64, 64)))
    place = small.find(b"\xff\xc0") + 5
    small[place : place + 4] = struct.pack(">HH", *size)
    return bytes(small)


def _jpeg_of_scans() -> bytes:
    """Return a progressive JPEG that corrects the same coefficients 3,000 times."""
    file = _jpeg((2048, 2048), progressive=True)
    scan = file.rfind(b"\xff\xda")
    return file[:scan] + file[scan:-2] * 3000 + file[-2:]


def _gif(size: tuple[int, int], frame: tuple[int, int, int, int]) -> bytes:
    """Return a GIF file whose picture is only a part of its canvas: left, top, width, height."""
    head = b"GIF89a" + struct.pack("<HHBBB", size[1], size[0], 0x80, 0, 0) + bytes(6)
    return head + b"," + struct.pack("<HHHHB", *frame, 0) + b"\2\2L\1\0;"


def _bmp(width: int, height: int, *, compression: int = 0, colours: int = 0) -> bytes:
    bits = 8 if compression else 24
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, colours, 0)
    return struct.pack("<2sIHHI", b"BM", 2000, 0, 0, 1078) + info + bytes(1024) + b"\xff\1" * 400


def _tiff(size: tuple[int, int], mode: str, **changes: int) -> bytes:
    """Return a TIFF file of one colour, deflated; tags may be given other values by number."""
    file = bytearray(
        encode(PIL.Image.new(mode, size[::-1]), "TIFF", compression="tiff_adobe_deflate")
    )
    start = int.from_bytes(file[4:8], "little")
    for entry in range(start + 2, start + 2 + 12 * file[start], 12):
        tag = f"tag{int.from_bytes(file[entry : entry + 2], 'little')}"
        if tag in changes:
            file[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, changes[tag])
        elif tag == "tag258" and "loop" in changes:
            file[entry : entry + 12] = struct.pack("<HHII", 330, 4, 1, start)
    if "loop" in changes:
        end = start + 2 + 12 * file[start]
        file[end : end + 4] = struct.pack("<I", start)
    return bytes(file)


def _claims(content: bytes, box: bytes, place: int, *sizes: int) -> bytes:
    """Write sizes of 32 bits behind each box of that name."""
    out, at = bytearray(content), content.find(box)
    while at >= 0:
        out[at + place : at + place + 4 * len(sizes)] = struct.pack(f">{len(sizes)}I", *sizes)
        at = content.find(box, at + 4)
    return bytes(out)


def _solid(kind: str, size: tuple[int, int], **options: object) -> bytes:
    return encode(PIL.Image.new("RGB", size[::-1], (90, 120, 60)), kind, **options)


def _heic(size: tuple[int, int]) -> bytes:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(PIL.Image.new("RGB", size[::-1])).save(buffer, quality=20)
    return buffer.getvalue()


def _deep_tiff(size: tuple[int, int]) -> bytes:
    import cv2

    return cv2.imencode(".tif", np.zeros((*size, 3), np.uint16), (259, 8))[1].tobytes()


def _many(chunks: Iterable[bytes]) -> bytes:
    return b"".join(chunks)


BOMBS: dict[str, Callable[[], bytes]] = {
    "png-claims": lambda: png((2**31 - 1, 2**31 - 1), 8, 2, rows=0),
    "png-claims-the-most": lambda: png(HUGE, 16, 6, rows=1),
    "png-huge": lambda: png(HUGE, 8, 0),
    "png-huge-one-bit": lambda: png(HUGE, 1, 0),
    "png-long": lambda: png((16, 2_000_000), 8, 2),
    "png-high": lambda: png((2_000_000, 16), 8, 2),
    "png-long-deep": lambda: png((16, 2_000_000), 16, 2),
    "png-text": lambda: png((64, 64), 8, 2, before=_packed_text(b"zTXt", b"text\0\0")),
    "png-profile": lambda: png((64, 64), 8, 2, before=_packed_text(b"iCCP", b"ICC\0\0")),
    "png-profile-deep": lambda: png((64, 64), 16, 2, before=_packed_text(b"iCCP", b"ICC\0\0")),
    "png-exif": lambda: png((64, 64), 8, 2, before=chunk(b"eXIf", b"MM\0*" + b"\xff" * 90_000)),
    "png-chunks": lambda: png(
        (64, 64), 8, 2, before=_many(chunk(b"tEXt", b"a%d\0b" % i) for i in range(20_000))
    ),
    "jpeg-claims": lambda: _jpeg_of_claims((65_500, 6_100)),
    "jpeg-claims-heavy": lambda: _jpeg_of_claims(HEAVY),
    "jpeg-huge": lambda: _jpeg(HUGE, "L", optimize=True),
    "jpeg-scans": _jpeg_of_scans,
    "jpeg-segments": lambda: b"\xff\xd8" + b"\xff\xe1\0\x08Exif\0\0" * 50_000 + _jpeg((64, 64))[2:],
    "gif-claims": lambda: _gif((6_100, 65_500), (0, 0, 1, 1)),
    "gif-outside": lambda: _gif((64, 64), (65_000, 65_000, 500, 500)),
    "bmp-claims": lambda: _bmp(20_000, 20_000),
    "bmp-runs": lambda: _bmp(20_000, 20_000, compression=1),
    "bmp-runs-heavy": lambda: _bmp(10_000, 10_000, compression=1),
    "bmp-upside-down": lambda: _bmp(20_000, -(2**31), colours=2**31),
    "tiff-huge": lambda: _tiff(HUGE, "L"),
    "tiff-loop": lambda: _tiff((64, 64), "RGB", loop=1),
    "tiff-samples": lambda: _tiff((64, 64), "RGB", tag277=65_535),
    "tiff-rows": lambda: _tiff((64, 64), "RGB", tag278=2**32 - 1, tag257=5_000_000),
    "tiff-bytes": lambda: _tiff((64, 64), "RGB", tag279=2**32 - 1),
    "webp-huge": lambda: _solid("WEBP", (16_383, 16_383), lossless=True, method=0),
    "avif-claims": lambda: _claims(_solid("AVIF", (64, 64)), b"ispe", 8, 20_000, 20_000),
    "jp2-claims": lambda: _claims(_solid("JPEG2000", (64, 64)), b"\xff\x51", 6, 20_000, 20_000),
    "jp2-tiles": lambda: _claims(
        _solid("JPEG2000", (4096, 4096)), b"\xff\x51", 6, 4096, 4096, 0, 0, 1, 1
    ),
    "ppm-claims": lambda: b"P6 20000 20000 255\n" + bytes(1000),
    "ppm-digits": lambda: b"P5 " + b"9" * 100_000 + b" 16 255\n" + bytes(1000),
    "ppm-plain": lambda: b"P3 1000 1000 255\n" + b"1 " * 3_000_000,
    "ppm-white": lambda: b"P6 64 64 0\n" + bytes(64 * 64 * 3),
}
"""What claims more than it holds, or more than anyone needs."""

LARGE: dict[str, Callable[[], bytes]] = {
    "jpeg-100-megapixels": lambda: _jpeg(HEAVY),
    "jpeg-100-megapixels-cmyk": lambda: _jpeg(HEAVY, "CMYK"),
    "png-100-megapixels": lambda: png(HEAVY, 8, 2),
    "png-100-megapixels-alpha": lambda: png(HEAVY, 8, 6),
    "png-100-megapixels-deep": lambda: png(HEAVY, 16, 2),
    "png-100-megapixels-deep-alpha": lambda: png(HEAVY, 16, 6),
    "tiff-100-megapixels": lambda: _tiff(HEAVY, "RGB"),
    "tiff-100-megapixels-deep": lambda: _deep_tiff(HEAVY),
    "tiff-64-megapixels-float": lambda: _tiff((8_000, 8_000), "F"),
    "webp-100-megapixels": lambda: _solid("WEBP", HEAVY, lossless=True, method=0),
    "gif-100-megapixels": lambda: _gif(HEAVY, (0, 0, 1, 1)),
    "jp2-64-megapixels": lambda: _solid("JPEG2000", (8_000, 8_000)),
    "avif-64-megapixels": lambda: _solid("AVIF", (8_000, 8_000), speed=10),
}
"""What is as large as it says, and must be mapped: as much of each format as 2 GB allow."""

if find_spec("pillow_heif"):
    BOMBS["heic-claims"] = lambda: _claims(_heic((64, 64)), b"ispe", 8, 20_000, 20_000)
    LARGE["heic-64-megapixels"] = lambda: _heic((8_000, 8_000))
