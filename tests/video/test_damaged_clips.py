"""Clips whose size changes, and clips that are damaged and go on."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.batch import Job
from blurmapper.decoding import boxes
from blurmapper.errors import VideoError
from blurmapper.images import read_image
from blurmapper.mapper import BlurMapper
from blurmapper.video import opening
from blurmapper.video.clips import Clip
from blurmapper.video.mapping import ClipOutputs, ClipResult, map_clip

from .making import SAMPLES, decode, encode_clip, pan, write_clip

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")

Image = npt.NDArray[np.uint8]


def mjpeg(images: list[Image]) -> list[bytes]:
    packets = []
    for image in images:
        context = av.CodecContext.create("mjpeg", "w")
        context.height, context.width = image.shape[:2]
        context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 25)
        picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuvj420p")
        packets += [bytes(packet) for packet in (*context.encode(picture), *context.encode())]
    return packets


def map_it(clip: Path, mapper: BlurMapper, folder: Path, **choices: int) -> ClipResult:
    return map_clip(Job(clip, folder / clip.stem), mapper, ClipOutputs(**choices))


@pytest.fixture
def images(sharp_photo: Image) -> list[Image]:
    """Frames of two sizes, all equally sharp."""
    return [sharp_photo] * 4 + [np.ascontiguousarray(sharp_photo[:48, :64])] * 4


@pytest.mark.parametrize("turned", [False, True])
def test_where_the_size_changes_s_is_that_of_each_frame_as_it_is(
    turned: bool, images: list[Image], tiny_mapper: BlurMapper, tmp_path: Path
) -> None:
    images = images[::-1] if turned else images
    height, width = images[0].shape[:2]
    clip = write_clip(tmp_path / "clip.mkv", mjpeg(images), height, width)
    result = map_it(clip, tiny_mapper, tmp_path / "out", sharpest=8, apart=0)
    expected = [tiny_mapper.map_coarse(image).mean() for image in images]
    found = [frame.blur_degree for frame in result.frames]
    assert found == pytest.approx(expected, abs=0.02)
    assert (result.height, result.width) == (height, width)
    assert result.overlay is not None
    with Clip(result.overlay) as overlay:
        shapes = [frame.image.shape for frame in overlay.read_frames()]
    assert shapes == [(height, width, 3)] * 8
    photos = {int(path.stem[-6:]): read_image(path).shape for path in result.photos}
    assert photos == {number: image.shape for number, image in enumerate(images)}


def test_a_frame_that_gets_too_small_is_left_out(
    images: list[Image], tiny_mapper: BlurMapper, tmp_path: Path
) -> None:
    images[5] = np.ascontiguousarray(images[5][:8])
    clip = write_clip(tmp_path / "clip.mkv", mjpeg(images), 96, 128)
    result = map_it(clip, tiny_mapper, tmp_path / "out")
    assert len(result.frames) == 7
    assert result.problem == "1 damaged frame is left out"


@pytest.mark.parametrize(
    ("told", "right"),
    [
        ([0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11], [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]),
        ([0, 4, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11], [0, 4, 5, 6, 7, 8, 9, 10, 11]),
        ([0, 1, 2, 3, 9, 4, 5, 7, 8, 10, 11, 12], [0, 1, 2, 3, 4, 5, 7, 8, 10, 11, 12]),
        ([0, 1, 2, 3, 2500, 5, 6, 7, 8, 9, 10, 11], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ([2500, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ],
)
def test_a_clock_that_is_wrong_moves_no_other_frame(
    told: list[int], right: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = encode_clip(tmp_path / "clip.mp4", pan([1] * 12))

    def be_wrong(self: Clip, _: Any, number: int) -> int:
        return told[number] * round(1 / (self.rate * self.time_base))

    monkeypatch.setattr(Clip, "_ticks", be_wrong)
    seconds = [frame.seconds for frame in decode(clip)]
    assert seconds == sorted(set(seconds))
    assert {round(each / 0.04, 6) for each in seconds} >= set(right)


@pytest.mark.parametrize("threads", [1, 9])
@pytest.mark.parametrize(("codec", "suffix"), [("png", "mov"), ("mpeg4", "avi")])
def test_a_damaged_frame_near_the_end_takes_no_other_along(
    codec: str, suffix: str, threads: int, tmp_path: Path
) -> None:
    clip = tmp_path / f"clip.{suffix}"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = 96, 128
        stream.pix_fmt = "rgb24" if codec == "png" else "yuv420p"
        packets = []
        for image in pan([1] * 20):
            packets += stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
        packets += stream.encode()
        whole = packets[17]
        packets[17] = av.Packet(bytes(whole.size))
        packets[17].stream, packets[17].time_base = stream, whole.time_base
        packets[17].pts, packets[17].dts = whole.pts, whole.dts
        for packet in packets:
            container.mux(packet)
    with Clip(clip) as opened:
        opened._stream.codec_context.thread_count = threads
        seconds = [round(25 * frame.seconds) for frame in opened.read_frames()]
        assert seconds == [number for number in range(20) if number != 17]
        assert opened.problem == "1 damaged frame is left out"


def test_damage_at_the_end_is_not_called_cut_short(
    sharp_photo: Image, tiny_mapper: BlurMapper, tmp_path: Path
) -> None:
    packets = mjpeg([sharp_photo] * 50)
    packets[30:] = [bytes(len(content)) for content in packets[30:]]
    clip = write_clip(tmp_path / "clip.mkv", packets, 96, 128)
    result = map_it(clip, tiny_mapper, tmp_path / "out")
    assert len(result.frames) == 30
    assert result.problem == "20 damaged frames are left out"


@pytest.mark.parametrize("suffix", ["ts", "mkv", "avi", "mpg"])
def test_frames_after_damage_are_mapped(
    suffix: str, sharp_photo: Image, tiny_mapper: BlurMapper, tmp_path: Path
) -> None:
    path = tmp_path / f"clip.{suffix}"
    codec = "mjpeg" if suffix == "avi" else "mpeg2video"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"g": "5"})
        stream.height, stream.width = sharp_photo.shape[:2]
        stream.pix_fmt = "yuvj420p" if suffix == "avi" else "yuv420p"
        for number in range(100):
            frame = av.VideoFrame.from_ndarray(np.roll(sharp_photo, number, 1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(content)
    result = map_it(path, tiny_mapper, tmp_path / "out")
    assert result.frames[-1].seconds > 3.5
    assert "cut short" not in (result.problem or "")


def test_frames_too_large_for_a_computer_are_refused_before_they_are_decoded(
    tmp_path: Path,
) -> None:
    gif = tmp_path / "clip.gif"
    canvas = struct.pack("<6sHHBBB", b"GIF89a", 16_000, 8000, 0x80, 0, 0) + bytes(6)
    dot = struct.pack("<BHHHHB", 0x2C, 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    gif.write_bytes(canvas + dot * 3 + b";")
    with pytest.raises(VideoError, match="16000 x 8000 pixels are more than 100 megapixels"):
        Clip(gif)


def test_frames_larger_than_the_clip_says_are_not_decoded(
    images: list[Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blurmapper.video.clips.LARGE_PIXELS", 64 * 48)
    path = write_clip(tmp_path / "clip.mkv", mjpeg(images[::-1]), 48, 64)
    with Clip(path) as clip:
        assert {frame.image.shape for frame in clip.read_frames()} == {(48, 64, 3)}
        assert clip.problem == "4 damaged frames are left out"


@pytest.mark.parametrize(
    ("box", "place", "options"),
    [(b"stsz", 8, {}), (b"trun", 4, {"movflags": "frag_keyframe+empty_moov"})],
)
def test_a_clip_that_lists_more_frames_than_any_has_is_refused(
    box: bytes, place: int, options: dict[str, str], images: list[Image], tmp_path: Path
) -> None:
    clip = encode_clip(tmp_path / "clip.mp4", images[:2], options=options)
    with Clip(clip) as whole:
        assert len(list(whole.read_frames())) == 2
    content = bytearray(clip.read_bytes())
    count = content.index(box) + 4 + place
    content[count : count + 4] = struct.pack(">I", 20_000_000)
    clip.write_bytes(content)
    with pytest.raises(VideoError, match="lists more frames than a clip has"):
        Clip(clip)


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


ENDLESS = box(b"stsz", struct.pack(">III", 0, 100, 20_000_000))


@pytest.mark.parametrize(
    "film",
    {
        "where they do not belong": box(b"trak", box(b"udta", ENDLESS)),
        "nor there": box(b"trak", box(b"edts", ENDLESS)),
        "packed": box(b"cmov", box(b"cmvd", bytes(4) + zlib.compress(box(b"moov", ENDLESS)))),
        "behind a title": box(b"trak", box(b"\xa9nam", b"") + ENDLESS),
        "behind many": box(b"free", b"") * 10_001 + ENDLESS,
    }.items(),
    ids=lambda item: item[0],
)
def test_frames_are_counted_wherever_ffmpeg_looks_for_them(
    film: tuple[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "clip.mov").write_bytes(box(b"moov", film[1]))
    with pytest.raises(VideoError, match="lists more frames than a clip has"):
        Clip(tmp_path / "clip.mov")


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_disk_that_cannot_be_read_on_is_said_in_one_line(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = encode_clip(tmp_path / "clip.y4m", pan([1] * 20), codec="wrapped_avframe")
    limit = share * path.stat().st_size

    class Failing(io.FileIO):
        def read(self, size: int = -1) -> bytes:  # type: ignore[override]
            if self.tell() + size > limit:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    monkeypatch.setattr(opening, "open_file", lambda path: Failing(path))
    where = r"beyond 0\.\d seconds " if share else ""
    with pytest.raises(VideoError, match=rf"cannot be read {where}\(Input/output error\); check"):
        decode(path)
    assert capfd.readouterr().err == ""


def test_films_within_films_without_end_are_none(tmp_path: Path) -> None:
    film = b""
    for _ in range(1200):
        film = box(b"moov", film)
    (tmp_path / "clip.mov").write_bytes(film)
    with pytest.raises(VideoError, match="no video"):
        Clip(tmp_path / "clip.mov")


def test_sound_without_packing_has_as_many_samples_as_it_likes(
    images: list[Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = encode_clip(tmp_path / "clip.mov", images[:2], sound="pcm_s16le")
    monkeypatch.setattr(boxes, "_MOST_SAMPLES", 10)
    with Clip(clip) as opened:
        assert len(list(opened.read_frames())) == 2


def test_folders_of_frames_that_cannot_be_listed_are_told_of(
    tmp_path: Path, tiny_mapper: BlurMapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("frames", "frames/shut"):
        (tmp_path / name).mkdir()
        shutil.copy(SAMPLES / "cat.jpg", tmp_path / name)
    listing = os.scandir

    def refuse(place: str) -> object:
        if str(place).rstrip("/").endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return listing(place)

    monkeypatch.setattr(os, "scandir", refuse)
    line = "this folder cannot be listed (Permission denied); check its rights"
    result = map_it(tmp_path / "frames", tiny_mapper, tmp_path / "out")
    assert len(result.frames) == 1 and str(result.problem).endswith(line)
    with pytest.raises(VideoError, match=re.escape(line)):
        map_it(tmp_path / "frames" / "shut", tiny_mapper, tmp_path / "out")
