"""Video files -> upright RGB frames with their times, one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from blurmapper.decoding.arrays import LARGE_PIXELS, MIN_SIDE
from blurmapper.errors import VideoError
from blurmapper.locations import Location
from blurmapper.video.opening import open_clip
from blurmapper.video.turning import is_on_side, to_matrix, turn_upright

if TYPE_CHECKING:
    import av
    from av.video.stream import VideoStream

EARLY_END = 0.5
"""Seconds by which the last frame may miss the length that a clip states for itself, as where the
sound is longer."""

EARLY_SHARE, SOUND_END = 0.25, 0.1
"""Which part of a short clip may be missing so; and the seconds that whole packets of sound may be
longer than any."""

MOST_JITTER = 3
"""Frames by which times may go back and be of one recording."""

LAST_TIME = frozenset({"asf", "matroska,webm", "nut"})
"""Formats that state for a length when they end, wherever they begin."""

_DURATION = re.compile(r"(\d+):(\d+):(\d+\.?\d*)")

MOST_FAILURES = 100
"""Places in a row at which a file may not be readable before what follows is given up."""


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


class Clip(AbstractContextManager["Clip"]):
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
        self._file, self._container = open_clip(path)
        self._stream = self._first_video()
        self._check_large(self._stream)
        # Others lose what follows a damaged frame near the end, by the number of threads.
        is_sure = self._stream.codec_context.name in ("h264", "hevc")
        self._stream.thread_type = "AUTO" if is_sure else "SLICE"
        # Frames may be larger than the clip says.
        self._stream.codec_context.options = {"max_pixels": str(LARGE_PIXELS)}
        assert self._stream.time_base is not None
        self.time_base = _exact(self._stream.time_base)
        self.rate = _exact(self._stream.average_rate or self._stream.guessed_rate or Fraction(25))
        self.problem: str | None = None
        self._start = Fraction(self._container.start_time or 0, 1_000_000)
        self._damaged, self._is_on_side = 0, False

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()
        self._file.close()

    @property
    def length(self) -> float | None:
        """The seconds that the clip states for itself, where it does."""
        if self._container.format.name == "avi" and self._stream.frames:
            # Of a file that is shorter than it says FFmpeg takes as much off the length.
            return float(self._stream.frames / self.rate)
        if self._stream.duration is not None:
            stated = self._stream.duration * self.time_base
        elif (tagged := _DURATION.fullmatch(self._stream.metadata.get("DURATION", ""))) is not None:
            # Of Matroska's pictures alone; its sound may be longer.
            hours, minutes, seconds = map(Fraction, tagged.groups())
            stated = 3600 * hours + 60 * minutes + seconds
        elif self._container.duration is not None:
            stated = Fraction(self._container.duration, 1_000_000)
        else:
            return None
        states_last = self._container.format.name in LAST_TIME and self._start < stated
        return float(stated - self._start if states_last else stated)

    @property
    def frame_count(self) -> int | None:
        """About how many frames there are; None where the file does not say."""
        return None if self.length is None else max(1, round(self.length * self.rate))

    @property
    def pixel_aspect(self) -> Fraction:
        """Width by height of a pixel of the frames, once one is read."""
        stored = _exact(self._stream.sample_aspect_ratio or Fraction(1))
        return 1 / stored if self._is_on_side else stored

    def read_frames(self, only: frozenset[int] | None = None) -> Iterator[Frame]:
        """Yield frame after frame; those that are damaged are left out.

        Parameters
        ----------
        only : frozenset of int, optional
            The numbers of the frames to give, where not all are wanted.

        Raises
        ------
        VideoError
            If no frame can be decoded, frames are under 16 pixels on a side, or the disk fails.
        """
        ticks, number, step = -1, -1, 1
        later = before = 0
        for number, (frame, told) in enumerate(self._decode_timed()):
            if told + before > ticks:
                # Also where the clock of a frame alone was wrong.
                later = before
            elif told + later < ticks - MOST_JITTER * step:
                # A clock that starts anew: another recording, which follows.
                before, later = later, ticks + step - told
            now = told + later
            step = now - ticks if number and now > ticks else step
            ticks = max(now, ticks + 1)
            matrix = to_matrix(frame)
            self._is_on_side = is_on_side(matrix)
            if only is None or number in only:
                image = turn_upright(frame, matrix)
                yield Frame(number, ticks, float(ticks * self.time_base), image)
        if number < 0:
            raise VideoError(f"{self.path}: no frame in it can be decoded; copy it again")
        shown = max(1 / self.rate, (frame.duration or 0) * self.time_base)
        end = float(ticks * self.time_base + shown)
        if (error := self._file.error) is not None:
            # Not kept as what a clip is: another day, or another mount, may read on.
            reason = f"cannot be read beyond {end:.1f} seconds ({error.strerror})"
            raise VideoError(f"{self.path}: {reason}; check the disk, or copy what can be read")
        self.problem = self._describe_damage(number + 1, end)

    def _describe_damage(self, whole: int, end: float) -> str | None:
        """Say what is wrong with the clip of which so many frames are whole, the last at `end`.

        It is cut short where time is missing at its end and the frames for it too: damage at the
        end loses time alone, and so do clocks that start anew.
        """
        problems = []
        length = self.length
        if length is not None:
            found = float((whole + self._damaged) / self.rate)
            spare = min(EARLY_END, max(SOUND_END, EARLY_SHARE * length))
            if max(found, end) < length - spare:
                problems.append(f"cut short after {end:.1f} of {length:.1f} seconds")
        if self._damaged:
            frames = "damaged frame is" if self._damaged == 1 else "damaged frames are"
            problems.append(f"{self._damaged} {frames} left out")
        return "; ".join(problems) or None

    def _first_video(self) -> VideoStream:
        from av.stream import Disposition

        for stream in self._container.streams.video:
            # The cover of a song is a video of one frame; photos in AVIF and HEIC last no time.
            is_photo = stream.frames == 1 and stream.duration is None
            if not is_photo and not stream.disposition & Disposition.attached_pic:
                return stream
        self.close()
        raise VideoError(f"{self.path}: no video in this file; give a clip")

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Decode on past damaged packets and frames too small to map, which are counted."""
        import av

        self._damaged, failures, seen = 0, 0, False
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError):
                # The iterator is done for, but what follows in the file can be read by another.
                failures += 1
                if failures > MOST_FAILURES:
                    return
                packets = self._container.demux(self._stream)
                continue
            failures = 0
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self._damaged += 1
                continue
            for frame in frames:
                if frame.is_corrupt or (seen and _is_small(frame)):
                    self._damaged += 1
                    continue
                self._check_size(frame)
                seen = True
                yield frame

    def _decode_timed(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """Yield frames with their ticks, one behind: a time alone may be far ahead of the next."""
        held: tuple[av.VideoFrame, int] | None = None
        before, step = None, max(1, round(1 / (self.rate * self.time_base)))
        for number, frame in enumerate(self._decode()):
            now = self._ticks(frame, number)
            if held is not None:
                frame_held, ticks = held
                earlier = now - step if before is None else before
                if earlier < now < ticks - MOST_JITTER * step:
                    ticks = min(earlier + step, now - 1)
                step = step if before is None else max(1, ticks - before)
                before = ticks
                yield frame_held, ticks
            held = frame, now
        if held is not None:
            yield held

    def _ticks(self, frame: av.VideoFrame, number: int) -> int:
        if frame.pts is None:
            return round(number / self.rate / self.time_base)
        return frame.pts - round(self._start / self.time_base)

    def _check_size(self, frame: av.VideoFrame) -> None:
        if _is_small(frame):
            raise VideoError(
                f"{self.path}: frames of {frame.width} x {frame.height} pixels are too small; "
                f"a clip needs at least {MIN_SIDE} on each side"
            )

    def _check_large(self, stream: VideoStream) -> None:
        if stream.width * stream.height > LARGE_PIXELS:
            self.close()
            raise VideoError(
                f"{self.path}: frames of {stream.width} x {stream.height} pixels are more than "
                f"{LARGE_PIXELS // 1_000_000} megapixels; reduce them first"
            )


def _exact(ratio: Fraction | Any) -> Fraction:
    """Return a ratio as Python's own: of PyAV 19's the product of two is rounded."""
    return Fraction(ratio.numerator, ratio.denominator)


def _is_small(frame: av.VideoFrame) -> bool:
    return min(frame.height, frame.width) < MIN_SIDE
