"""Whole clips of odd kinds, in which nothing is wrong."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from blurmapper.video.clips import Clip

from .making import decode, encode_clip, pan, tone

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")


@pytest.mark.parametrize("start", [b"", b"\0\0\0\1\x09\xf0"], ids=["bare", "delimiter"])
def test_bare_streams_are_clips(start: bytes, tmp_path: Path) -> None:
    with av.open(str(encode_clip(tmp_path / "clip.h264", pan([1] * 5)))) as container:
        assert container.format.name == "h264"
    bare = tmp_path / "bare.h264"
    content = (tmp_path / "clip.h264").read_bytes()
    # An encoder may begin with three bytes, in which nobody would look for a box's length.
    bare.write_bytes(start + b"\0\0\0\1" + content.lstrip(b"\0")[1:])
    assert len(decode(bare)) == 5


@pytest.mark.parametrize("suffix", ["mkv", "webm", "mp4"])
def test_a_last_frame_that_is_held_is_no_end_that_is_missing(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"slides.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("vp9" if suffix == "webm" else "h264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        packets = []
        for number, image in enumerate(pan([1] * 3)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = 5000 * number, Fraction(1, 1000)
            packets += stream.encode(frame)
        for packet in [*packets, *stream.encode()]:
            packet.duration = int(5 / packet.time_base)
            container.mux(packet)
    with Clip(path) as clip:
        assert [frame.seconds for frame in clip.read_frames()] == pytest.approx([0, 5, 10])
        assert clip.length == pytest.approx(15, abs=0.1)
        assert clip.problem is None


def test_sound_that_is_longer_is_no_end_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        sound = container.add_stream("flac", rate=48_000, layout="mono")
        for image in pan([1] * 50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
        wave = tone(5 * 48_000)
        container.mux(sound.encode(av.AudioResampler("s16", "mono", 48_000).resample(wave)[0]))
        container.mux(sound.encode())
    with Clip(path) as clip:
        assert len(list(clip.read_frames())) == 50
        assert clip.length == pytest.approx(2, abs=0.1)
        assert clip.problem is None
