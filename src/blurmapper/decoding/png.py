"""PNG files: the chunks that say how a picture looks, and pictures of 16 bits a sample."""

from __future__ import annotations

import io
import struct
import zlib
from bisect import bisect_right
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from blurmapper.decoding.conversions import Conversion
from blurmapper.decoding.profiles import read_gamma, read_signal
from blurmapper.errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MOST_PROFILE_BYTES = 16_000_000
"""Of a colour profile, unpacked; those of presses have two million. A larger one is broken."""

MOST_CHUNKS = 2_000_000

_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND")
_COLOUR = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf", b"IHDR", b"tRNS")
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)),
    (0, 1, 1, 2),
)
_AT_A_TIME = 1 << 20
_MOST_COLOUR_BYTES = 4 * MOST_PROFILE_BYTES


class PngFile(NamedTuple):
    """What is in a PNG file, and where.

    Attributes
    ----------
    spans : list of (int, int)
        Start and end of what a decoder needs, check sums with it.
    chunks : dict
        Content of the chunks on colour and on how the camera was held, by name.
    """

    spans: list[tuple[int, int]]
    chunks: dict[bytes, bytes]

    @property
    def is_deep(self) -> bool:
        """Whether samples have 16 bits."""
        return self.chunks.get(b"IHDR", b"")[8:9] == b"\x10"


class Spans(io.RawIOBase):
    """A file that is some runs of bytes of another, end to end."""

    def __init__(self, stream: BinaryIO, spans: list[tuple[int, int]]) -> None:
        super().__init__()
        self._stream = stream
        self._spans = spans
        self._starts = [0]
        for start, end in spans:
            self._starts.append(self._starts[-1] + end - start)
        self._place = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next byte is read from."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._starts[-1]}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the run goes that is being read."""
        view = memoryview(buffer).cast("B")
        index = bisect_right(self._starts, self._place) - 1
        if index >= len(self._spans) or not view:
            return 0
        start, end = self._spans[index]
        place = start + self._place - self._starts[index]
        self._stream.seek(place)
        content = self._stream.read(min(len(view), end - place))
        view[: len(content)] = content
        self._place += len(content)
        return len(content)


def find_chunks(stream: BinaryIO) -> PngFile:
    """Return what a PNG file holds of a picture; texts, animations and the rest are passed over.

    That keeps Pillow from unpacking them, and from calling a file damaged for the size of a text.
    """
    spans, chunks = [(0, len(SIGNATURE))], {}
    size = stream.seek(0, io.SEEK_END)
    place, seen = len(SIGNATURE), 0
    while place + 8 <= size and seen < MOST_CHUNKS:
        stream.seek(place)
        length, name = struct.unpack(">I4s", stream.read(8))
        end = min(place + 12 + length, size)
        if name in _PICTURE:
            if spans[-1][1] == place:
                spans[-1] = spans[-1][0], end
            else:
                spans.append((place, end))
        if name in _COLOUR and name not in chunks and length <= _MOST_COLOUR_BYTES:
            chunks[name] = stream.read(length)
        if name == b"IEND":
            break
        place, seen = end, seen + 1
    stream.seek(0)
    return PngFile(spans, chunks)


def without_texts(stream: BinaryIO, file: PngFile | None = None) -> BinaryIO:
    """Return a PNG file as one that holds a picture and nothing else."""
    spans = (file or find_chunks(stream)).spans
    return io.BufferedReader(Spans(stream, spans), 1 << 16)


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
    profile = _unpack_profile(file.chunks.get(b"iCCP", b""))
    if profile is not None:
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


def signal_to_srgb(primaries: int, transfer: int, name: str) -> Conversion | None:
    """Return what turns a signal of these numbers into sRGB, or refuse it in one line."""
    try:
        return read_signal(primaries, transfer)
    except ValueError as error:
        raise ImageError(
            f"{name}: a photo of high dynamic range ({error}); save it as an ordinary one, in sRGB"
        ) from None


def read_deep(stream: BinaryIO, file: PngFile) -> npt.NDArray[np.uint16]:
    """Return a picture of 16 bits as it is stored, (H, W, 1 to 4), grey or RGB, alpha behind it."""
    import imagecodecs

    header = file.chunks[b"IHDR"]
    width, height, _, colour = struct.unpack_from(">IIBB", header)
    if header[10:12] != b"\0\0" or header[12] > 1:
        # libpng would say so on the process's standard error, and then decode it.
        raise ValueError("unknown way of packing")
    clear = file.chunks.get(b"tRNS", b"") if colour in (0, 2) else b""
    # The decoder would need all texts in memory, and adds alpha for a colour that is transparent.
    content = without_texts(stream, file).read()
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour] + bool(clear)
    pixels = np.zeros((height, width, channels), np.uint16)
    imagecodecs.png_decode(content, out=pixels)
    return pixels


def check_rows(stream: BinaryIO, file: PngFile, image: npt.NDArray[Any], name: str) -> None:
    """Refuse a picture that ends before its last row, of which Pillow makes black.

    What is packed is unpacked a second time to count it, but only where black may be such rows.
    """
    last = image[-1]
    header = file.chunks[b"IHDR"]
    if header[12] == 0 and (last != last[0]).any():
        return
    if _count_unpacked(stream, file) < _bytes_of(header):
        raise ImageError(
            f"{name}: damaged or cut short (it ends before the photo does); copy or download it"
            " again"
        )


def _bytes_of(header: bytes) -> int:
    """Return how many bytes the rows of a picture have, with the one that each begins with."""
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header[:13])
    bits *= {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -((left - width) // across), -((top - height) // down)
        total += max(rows, 0) * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    return total


def _count_unpacked(stream: BinaryIO, file: PngFile) -> int:
    view = without_texts(stream, file)
    view.seek(len(SIGNATURE))
    unpacker, total = zlib.decompressobj(), 0
    # Pillow has been through it: what is broken otherwise it has refused.
    with suppress(zlib.error):
        while len(head := view.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name != b"IDAT":
                view.seek(length + 4, io.SEEK_CUR)
                continue
            packed = view.read(length)
            while packed:
                total += len(unpacker.decompress(packed, _AT_A_TIME))
                packed = unpacker.unconsumed_tail
            view.seek(4, io.SEEK_CUR)
    return total


def mend_transparency(file: PngFile, info: dict[Any, Any]) -> None:
    """Say in Pillow's terms which grey of few bits is transparent: it takes it for one of 8."""
    header, clear = file.chunks.get(b"IHDR", b""), file.chunks.get(b"tRNS", b"")
    with suppress(IndexError):
        bits, colour = header[8], header[9]
        if colour == 0 and bits in (2, 4) and len(clear) >= 2:
            info["transparency"] = int.from_bytes(clear[:2]) * (255 // (2**bits - 1))


def _unpack_profile(chunk: bytes) -> bytes | None:
    packed = chunk.partition(b"\0")[2][1:]
    unpacker = zlib.decompressobj()
    with suppress(zlib.error):
        profile = unpacker.decompress(packed, MOST_PROFILE_BYTES)
        return profile if profile and not unpacker.unconsumed_tail else None
    return None
