"""Overlay frames -> a video file with the times and the sound of its clip."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from blurmapper.errors import VideoError
from blurmapper.files import replacing
from blurmapper.locations import Location
from blurmapper.video.clips import Clip, Frame
from blurmapper.video.opening import open_clip

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

H264_OPTIONS = {"crf": "20", "preset": "veryfast"}
"""Of x264; other encoders of H.264 pass over what they do not know."""

MPEG4_TIME_BASE = Fraction(1, 60_000)
"""Where H.264 is missing, MPEG-4 takes its place, which counts at most 65,535 ticks a second."""

SOUND = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
"""Codecs of sound that an MP4 file can hold."""


@contextmanager
def writing_overlay(path: Location, clip: Clip) -> Iterator[OverlayWriter]:
    """Give a writer whose file appears at `path` only once it is complete.

    Raises
    ------
    ImageError
        If the file cannot be written; nothing is left of it.
    VideoError
        If FFmpeg cannot encode the overlay, or not in MP4.
    """
    import av

    with replacing(path) as stream:
        try:
            with (
                av.open(stream, "w", format="mp4") as container,
                closing(OverlayWriter(container, clip)) as writer,
            ):
                yield writer
                writer.finish()
        except av.FFmpegError as error:
            # Those of the disk are for what writes the file.
            if isinstance(error, OSError):
                raise
            raise VideoError(
                f"{clip.path}: FFmpeg cannot write its overlay ({error.strerror}); use --no-overlay"
            ) from error


class OverlayWriter:
    """Encode the overlays of a clip's frames, in H.264 where that is there.

    Frames keep their times. Sound is copied as it is where MP4 can hold it, and else left out.
    H.264 wants even sizes, so an odd one gets a copy of its last row or column.

    Parameters
    ----------
    container : OutputContainer
        An empty MP4 file.
    clip : Clip
        Where the frames come from.
    """

    def __init__(self, container: OutputContainer, clip: Clip) -> None:
        self._container = container
        self._clip = clip
        self._video: VideoStream | None = None
        self._sound: _Sound | None = None

    def write(self, frame: Frame, overlay: npt.NDArray[np.uint8]) -> None:
        """Encode one overlay, uint8 RGB (H, W, 3), to be shown when its frame is."""
        import av
        from av.video.reformatter import ColorRange, Colorspace

        odd = [side % 2 for side in overlay.shape[:2]]
        even = np.pad(overlay, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
        if self._video is None:
            self._video = self._add_video(*even.shape[:2])
            self._sound = _Sound(self._clip.path, self._container)
        assert self._sound is not None
        picture = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        picture.pts, picture.time_base = frame.ticks, self._clip.time_base
        self._sound.copy_until(frame.seconds)
        self._container.mux(self._video.encode(picture))

    def finish(self) -> None:
        """Write what the encoder still holds, and the rest of the sound."""
        if self._video is not None and self._sound is not None:
            self._container.mux(self._video.encode())
            self._sound.copy_until(float("inf"))
            self._sound.check()

    def close(self) -> None:
        """Let go of the clip's sound."""
        if self._sound is not None:
            self._sound.close()

    def _add_video(self, height: int, width: int) -> VideoStream:
        from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

        codec = _encoder()
        options = H264_OPTIONS if codec == "h264" else {}
        stream = self._container.add_stream(codec, rate=self._clip.rate, options=options)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        context = stream.codec_context
        context.time_base = self._clip.time_base if codec == "h264" else MPEG4_TIME_BASE
        context.sample_aspect_ratio = self._clip.pixel_aspect
        context.color_range = ColorRange.MPEG
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        return stream


class _Sound:
    """The sound of a clip, copied packet by packet as the frames are written."""

    def __init__(self, clip: Location, container: OutputContainer) -> None:
        self._clip, self._container = clip, container
        self._file, self._source = open_clip(clip)
        self._start = Fraction(self._source.start_time or 0, 1_000_000)
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._next: Packet[AudioStream] | None = None
        streams = self._source.streams.audio
        if streams and _can_hold(streams[0]):
            target = container.add_stream_from_template(streams[0])
            self._packets = self._read_packets(streams[0], target)
            self._next = next(self._packets, None)

    def copy_until(self, seconds: float) -> None:
        """Copy what is heard before a time of the clip."""
        while self._next is not None and _seconds(self._next) < seconds:
            self._container.mux(self._next)
            self._next = next(self._packets, None)

    def check(self) -> None:
        """Raise `VideoError` if the disk failed, for which sound alone would be missing."""
        if self._file.error is not None:
            reason = f"its sound cannot be read ({self._file.error.strerror})"
            raise VideoError(f"{self._clip}: {reason}; check the disk")

    def close(self) -> None:
        """Close the clip."""
        self._source.close()
        self._file.close()

    def _read_packets(
        self, source: AudioStream, target: AudioStream
    ) -> Iterator[Packet[AudioStream]]:
        import av

        last = None
        # A clip that is cut short may end in the middle of a packet.
        with suppress(av.FFmpegError):
            for packet in self._source.demux(source):
                if packet.dts is None or packet.pts is None:
                    continue
                # No file can hold a clock that goes back, as that of two recordings in one does.
                if last is not None and packet.dts <= last:
                    continue
                last = packet.dts
                start = round(self._start / packet.time_base)
                packet.dts -= start
                packet.pts -= start
                packet.stream = target
                yield packet


def _can_hold(sound: AudioStream) -> bool:
    """Say whether MP4 holds a sound as it is: beside its codec its rate counts, and more."""
    import av

    # What there is no decoder for has no context.
    codec = getattr(sound.codec_context, "codec", None)
    if codec is None or codec.canonical_name not in SOUND:
        return False
    with suppress(av.FFmpegError), av.open(io.BytesIO(), "w", format="mp4") as trial:
        trial.add_stream_from_template(sound)
        trial.start_encoding()
        return True
    return False


def _seconds(packet: Packet[AudioStream]) -> float:
    assert packet.dts is not None
    return float(packet.dts * packet.time_base)


def _encoder() -> Literal["h264", "mpeg4"]:
    """Return H.264 where this build of FFmpeg has an encoder for it, and else MPEG-4."""
    from av.codec.codec import Codec, UnknownCodecError

    try:
        Codec("h264", "w")
    except UnknownCodecError:
        return "mpeg4"
    return "h264"
