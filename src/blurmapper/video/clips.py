"""Video files -> upright RGB frames with their times, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from blurmapper.decoding import MIN_SIDE
from blurmapper.errors import ImageError, MissingExtraError, VideoError
from blurmapper.locations import Location, open_file

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

# FFmpeg can also open playlists, which name other files and hosts, and text as pictures.
FORMATS = (
    *("mov", "mp4", "m4v", "3gp", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo"),
    *("flv", "asf", "ogg", "mxf", "dv", "gif", "h264", "hevc", "ivf", "nut", "yuv4mpegpipe"),
)

EARLY_END = 0.5
"""Seconds by which the last frame may miss the length that a clip states for itself."""


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A frame of a clip, as it is seen.

    Attributes
    ----------
    number : int
        Counted from 0.
    ticks : int
        When it is shown, in time bases of the clip after its start.
    seconds : float
        The same in seconds.
    image : ndarray
        uint8 RGB (H, W, 3), turned upright.
    """

    number: int
    ticks: int
    seconds: float
    image: npt.NDArray[np.uint8]


class Clip:
    """A video file that is open for reading; a context manager.

    Parameters
    ----------
    path : Path or Address
        A file of any of the usual formats; its first video stream is read.

    Attributes
    ----------
    rate : Fraction
        Frames a second, on average.
    time_base : Fraction
        Seconds of a tick.
    problem : str or None
        Once all frames are read: how the clip is damaged or cut short.

    Raises
    ------
    VideoError
        If there is no such file, or it is a folder, empty, no video, or damaged so that it
        cannot be opened.
    MissingExtraError
        If ``blurmapper[video]`` is not installed.
    """

    def __init__(self, path: Location) -> None:
        self.path = path
        self._file = open_clip(path)
        self._container = open_container(self._file, path)
        self._stream = self._first_video()
        self._stream.thread_type = "AUTO"
        assert self._stream.time_base is not None
        self.time_base = self._stream.time_base
        self.rate = self._stream.average_rate or self._stream.guessed_rate or Fraction(25)
        self.problem: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()
        self._file.close()

    @property
    def length(self) -> float | None:
        """The seconds that the clip states for itself, where it does."""
        if self._stream.duration is not None:
            return float(self._stream.duration * self.time_base)
        return None if self._container.duration is None else self._container.duration / 1e6

    @property
    def frame_count(self) -> int | None:
        """About how many frames there are; None where the file does not say."""
        return None if self.length is None else max(1, round(self.length * self.rate))

    @property
    def pixel_aspect(self) -> Fraction:
        """Width by height of a stored pixel."""
        return self._stream.sample_aspect_ratio or Fraction(1)

    def read_frames(self, only: frozenset[int] | None = None) -> Iterator[Frame]:
        """Yield frame after frame; those that are damaged are left out.

        Parameters
        ----------
        only : frozenset of int, optional
            The numbers of the frames to give, where not all are wanted.

        Raises
        ------
        VideoError
            If no frame can be decoded, or frames are under 16 pixels on a side.
        """
        last: Frame | None = None
        size: tuple[int, int] | None = None
        ticks, number = -1, -1
        for number, frame in enumerate(self._decode()):
            ticks = max(self._ticks(frame, number), ticks + 1)
            if only is not None and number not in only:
                continue
            size = size or self._check_size(frame)
            last = Frame(number, ticks, float(ticks * self.time_base), _upright(frame, size))
            yield last
        if number < 0:
            raise VideoError(f"{self.path}: no frame in it can be decoded; copy it again")
        end = float((ticks + 1 / (self.rate * self.time_base)) * self.time_base)
        if self.length is not None and end < self.length - EARLY_END:
            self.problem = f"cut short after {end:.1f} of {self.length:.1f} seconds"

    def _first_video(self) -> VideoStream:
        from av.stream import Disposition

        for stream in self._container.streams.video:
            # The cover of a song is a video of one frame.
            if not stream.disposition & Disposition.attached_pic:
                return stream
        self.close()
        raise VideoError(f"{self.path}: no video in this file; give a clip")

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Decode on past damaged packets, which are counted."""
        import av

        damaged = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                frames = next(packets).decode()
            except StopIteration:
                break
            except av.FFmpegError:
                damaged += 1
                continue
            whole = [frame for frame in frames if not frame.is_corrupt]
            damaged += len(frames) - len(whole)
            yield from whole
        if damaged:
            self.problem = f"{damaged} damaged frames are left out"

    def _ticks(self, frame: av.VideoFrame, number: int) -> int:
        if frame.pts is None:
            return round(number / self.rate / self.time_base)
        start = Fraction(self._container.start_time or 0, 1_000_000)
        return frame.pts - round(start / self.time_base)

    def _check_size(self, frame: av.VideoFrame) -> tuple[int, int]:
        if min(frame.height, frame.width) < MIN_SIDE:
            raise VideoError(
                f"{self.path}: frames of {frame.width} x {frame.height} pixels are too small; "
                f"a clip needs at least {MIN_SIDE} on each side"
            )
        return frame.height, frame.width


def open_container(file: BinaryIO, path: Location) -> InputContainer:
    """Open a video file, and never another that it names; where that fails it is closed.

    Raises
    ------
    VideoError, MissingExtraError
        As `Clip` does.
    """
    import av

    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "none"}
    try:
        with _one_line_errors(path):
            return av.open(file, "r", options=options)
    except VideoError:
        file.close()
        raise


def open_clip(path: Location) -> BinaryIO:
    """Open a clip's file to read; what is empty or no file is refused.

    Raises
    ------
    VideoError, MissingExtraError
        As `Clip` does.
    """
    try:
        import av  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{error.name} is not installed; videos need pip install 'blurmapper[video]'"
        ) from error
    if isinstance(path, Path) and path.is_dir():
        raise VideoError(f"{path}: is a folder; give the clips inside it")
    try:
        file = open_file(path)
    except ImageError as error:
        raise VideoError(str(error).replace("a photo's file", "a clip")) from error
    if not file.read(1):
        file.close()
        raise VideoError(f"{path}: the file is empty (0 bytes); copy or download it again")
    file.seek(0)
    return file


@contextmanager
def _one_line_errors(path: Location) -> Iterator[None]:
    import av

    try:
        yield
    except (av.ArgumentError, av.EOFError, av.InvalidDataError) as error:
        raise VideoError(
            f"{path}: no video that can be read, or cut short; copy it again or convert it to MP4"
        ) from error
    except av.FFmpegError as error:
        raise VideoError(
            f"{path}: cannot be opened ({error.strerror}); check the file and its rights"
        ) from error


def _upright(frame: av.VideoFrame, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return the frame's pixels as they are seen; all frames get the first one's size."""
    height, width = size
    pixels: npt.NDArray[Any] = frame.to_ndarray(format="rgb24", width=width, height=height)
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))
