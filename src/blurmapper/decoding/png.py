"""PNG files: the chunks that say how a picture looks, and the picture."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import PIL.Image

from blurmapper.decoding import boxes
from blurmapper.decoding.colour import read_gamma, read_signal
from blurmapper.decoding.conversions import Conversion
from blurmapper.errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MOST_PROFILE_BYTES = 16_000_000
"""Of a colour profile, unpacked; those of presses have two million. A larger one is broken."""

MOST_CHUNKS = 2_000_000

MOST_SIDE = 1_000_000
"""Of a picture that libpng reads."""

_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND")
_TEXT = b"iTXt"
_XMP = b"XML:com.adobe.xmp\0"
_COLOUR = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf", b"IHDR", b"PLTE", b"tRNS")
_MOST_COLOUR_BYTES = 4 * MOST_PROFILE_BYTES


class PngFile(NamedTuple):
    """What a PNG file holds of a picture.

    Attributes
    ----------
    picture : bytes
        The file without all else.
    chunks : dict
        Content of the chunks on colour and on how the camera was held, by name; of texts XMP.
    """

    picture: bytes
    chunks: dict[bytes, bytes]


def read_chunks(stream: BinaryIO) -> PngFile:
    """Return what a PNG file holds of a picture; texts, animations and the rest are passed over.

    That keeps Pillow from unpacking them, and from calling a file damaged for the size of a text.
    """
    picture, most = io.BytesIO(SIGNATURE), _MOST_COLOUR_BYTES
    picture.seek(0, io.SEEK_END)
    chunks: dict[bytes, bytes] = {}
    stream.seek(len(SIGNATURE))
    for _ in range(MOST_CHUNKS):
        head = stream.read(8)
        if len(head) < 8:
            break
        length, name = struct.unpack(">I4s", head)
        if not _is_wanted(stream, name, length):
            stream.seek(length + 4, io.SEEK_CUR)
            continue
        if picture.tell() + length > most:
            raise ValueError("more data than pixels")
        content = stream.read(length + 4)
        if name == b"IHDR":
            most += 2 * _count_bytes(content)
        if name == b"tRNS" and not _names_colours(length, chunks):
            continue
        if name in _PICTURE:
            picture.write(head)
            picture.write(content)
        if name in (*_COLOUR, _TEXT):
            chunks.setdefault(name, content[:length])
        if name == b"IEND":
            break
    stream.seek(0)
    return PngFile(picture.getvalue(), chunks)


def read_xmp(file: PngFile) -> bytes:
    """Return the packet of XMP, or nothing where there is none or one that is beyond measure."""
    text = file.chunks.get(_TEXT, b"")[len(_XMP) :]
    # Whether and how it is packed, its language, its translated keyword, and the packet.
    packet = text[2:].split(b"\0", 2)[-1]
    return _unpack(packet) if text[:1] == b"\1" else packet


def read_colours(file: PngFile, name: str) -> tuple[bytes | None, Conversion | None]:
    """Return a PNG file's ICC profile or what else turns it into sRGB, by PNG's third edition.

    Raises
    ------
    ImageError
        If the picture is of high dynamic range.
    """
    signal = file.chunks.get(b"cICP", b"")
    if len(signal) == 4:
        return None, signal_to_srgb(signal[0], signal[1], name)
    # It stands behind its name and how it is packed.
    profile = _unpack(file.chunks.get(b"iCCP", b"").partition(b"\0")[2][1:])
    if profile:
        return profile, None
    gamma, chromaticities = file.chunks.get(b"gAMA", b""), file.chunks.get(b"cHRM", b"")
    if b"sRGB" in file.chunks or not (len(gamma) == 4 or len(chromaticities) == 32):
        return None, None
    return None, read_gamma(
        int.from_bytes(gamma) / 100_000 if len(gamma) == 4 else None,
        tuple(value / 100_000 for value in struct.unpack(">8I", chromaticities))
        if len(chromaticities) == 32
        else None,
    )


def find_conversion(photo: PIL.Image.Image, name: str) -> Conversion | None:
    """Return what turns a Pillow image into sRGB instead of a profile, as its file is read.

    Pillow keeps a PNG file's gamma and primaries; of a signal the file tells until it is loaded.
    """
    info, signal = photo.info, None
    if getattr(photo, "tile", None) and (stream := getattr(photo, "fp", None)) is not None:
        place = stream.tell()
        # Whatever is wrong with it, loading it will say.
        with suppress(Exception):
            stream.seek(0)
            if photo.format == "PNG":
                chunk = read_chunks(stream).chunks.get(b"cICP", b"")
                signal = (chunk[0], chunk[1]) if len(chunk) == 4 else None
            elif not info.get("icc_profile"):
                signal = boxes.read_colours(stream, stream.read(12)).signal
        stream.seek(place)
    if nclx := None if info.get("icc_profile") else info.get("nclx_profile"):
        # What opens HEIC for Pillow says it so.
        signal = nclx["color_primaries"], nclx["transfer_characteristics"]
    if signal:
        # Where nothing is to be done, a profile beside it is none.
        return signal_to_srgb(*signal, name) or (lambda rows: rows)
    if info.get("icc_profile") or "srgb" in info:
        return None
    return read_gamma(info.get("gamma"), tuple(info.get("chromaticity") or ()) or None)


def signal_to_srgb(primaries: int, transfer: int, name: str) -> Conversion | None:
    """Return what turns a signal of these numbers into sRGB, or refuse it in one line."""
    try:
        return read_signal(primaries, transfer)
    except ValueError as error:
        raise ImageError(
            f"{name}: a photo of high dynamic range ({error}); save it as an ordinary one, in sRGB"
        ) from None


def read_samples(file: PngFile) -> npt.NDArray[Any]:
    """Return a picture of 8 or 16 bits (H, W, 1 to 4): grey or RGB, alpha behind it.

    libpng refuses what ends before its last row, of which Pillow makes black.
    """
    import imagecodecs

    header = file.chunks[b"IHDR"]
    width, height, bits, colour = struct.unpack_from(">IIBB", header)
    if header[10:12] != b"\0\0" or header[12] > 1:
        # libpng would say so on the process's standard error, and then decode it.
        raise ValueError("unknown way of packing")
    # The decoder adds alpha for a colour that is transparent.
    clear = colour in (0, 2, 3) and bool(file.chunks.get(b"tRNS"))
    channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[colour] + clear
    pixels = np.zeros((height, width, channels), np.uint16 if bits == 16 else np.uint8)
    try:
        imagecodecs.png_decode(file.picture, out=pixels)
    except (imagecodecs.PngError, UnicodeDecodeError) as error:
        # What it says then is read from memory that libpng has let go of.
        raise ValueError("libpng cannot decode it") from error
    return pixels


def _is_wanted(stream: BinaryIO, name: bytes, length: int) -> bool:
    """Say whether a chunk, whose content comes next, tells of the picture or is its XMP."""
    if name == _TEXT:
        start = stream.read(min(length, len(_XMP)))
        stream.seek(-len(start), io.SEEK_CUR)
        return start == _XMP and length <= MOST_PROFILE_BYTES
    return name in _PICTURE or (name in _COLOUR and length <= _MOST_COLOUR_BYTES)


def _count_bytes(header: bytes) -> int:
    """Return how many bytes a picture has unpacked; packed, none has twice as many."""
    width, height, bits, colour = struct.unpack_from(">IIBB", header)
    channels = {2: 3, 4: 2, 6: 4}.get(colour, 1)
    return int(height * (1 + (width * channels * bits + 7) // 8))


def _names_colours(length: int, chunks: dict[bytes, bytes]) -> bool:
    """Say whether a tRNS chunk is as long as it should be; libpng ignores others."""
    colour = chunks.get(b"IHDR", b"")[9:10]
    if colour in (b"\0", b"\2"):
        return length == (2 if colour == b"\0" else 6)
    return 0 < length <= len(chunks.get(b"PLTE", b"")) // 3


def _unpack(packed: bytes) -> bytes:
    """Return what was packed; nothing where it is damaged or more than any profile."""
    unpacker = zlib.decompressobj()
    with suppress(zlib.error):
        content = unpacker.decompress(packed, MOST_PROFILE_BYTES)
        return b"" if unpacker.unconsumed_tail else content
    return b""
