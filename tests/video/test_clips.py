"""Clips read frame by frame, damaged ones and what is none."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pytest
from PIL import ExifTags

from blurmapper.errors import VideoError
from blurmapper.video.clips import Clip
from blurmapper.video.mapping import ClipResult
from blurmapper.video.turning import is_on_side, to_matrix

from .making import SAMPLES, decode, encode_clip, pan, tone, write_clip

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")


def test_frames_are_read_with_their_times(clip: Path) -> None:
    frames = decode(clip)
    assert [frame.number for frame in frames] == list(range(10))
    assert [frame.seconds for frame in frames] == pytest.approx([n / 25 for n in range(10)])
    assert np.abs(frames[3].image.astype(int) - pan([1] * 10)[3]).mean() < 4


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("turn", "quarters"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_a_clip_of_a_phone_that_was_turned_or_mirrored_is_read_as_it_is_seen(
    turn: int, quarters: int, mirrored: bool, tmp_path: Path
) -> None:
    images = pan([1, 1])
    clip = encode_clip(tmp_path / "clip.mp4", images, turn=turn, mirrored=mirrored)
    upright = np.rot90(images[0], quarters)
    seen = np.fliplr(upright) if mirrored else upright
    (first, _) = decode(clip)
    assert first.image.shape == seen.shape
    assert np.abs(first.image.astype(int) - seen).mean() < 4


def test_a_matrix_of_the_least_integer_turns_nothing_on_its_side() -> None:
    matrix = np.array([-(2**31), 0, 0, 0, 65536, 0, 0, 0, 1 << 30], np.int32)
    frame: Any = SimpleNamespace(side_data={"DISPLAYMATRIX": matrix.tobytes()})
    assert not is_on_side(to_matrix(frame))


def test_frames_of_which_exif_says_how_they_are_turned_are_upright(tmp_path: Path) -> None:
    image, exif, stream = PIL.Image.fromarray(pan([1])[0]), PIL.Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation] = 6
    image.save(stream, "JPEG", quality=95, exif=exif)
    (frame,) = decode(write_clip(tmp_path / "clip.avi", [stream.getvalue()], 96, 128))
    upright = np.asarray(image.rotate(-90, expand=True), int)
    assert frame.image.shape == upright.shape
    assert np.abs(frame.image - upright).mean() < 6


@pytest.mark.parametrize(
    ("height", "width", "space", "is_tagged"),
    [
        (720, 64, "ITU709", False),
        (64, 1280, "ITU709", False),
        (576, 720, "ITU601", False),
        (720, 64, "ITU601", True),
        (64, 64, "ITU709", True),
    ],
)
def test_colours_are_those_that_players_show(
    height: int, width: int, space: str, is_tagged: bool, tmp_path: Path
) -> None:
    from av.video.reformatter import Colorspace

    colours = (220, 30, 30), (30, 200, 40)
    image = np.repeat(np.uint8([colours]), width // 2, axis=1).repeat(height, axis=0)
    with av.open(str(tmp_path / "clip.mp4"), "w") as container:
        stream = container.add_stream("h264", rate=25, options={"crf": "4", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        if is_tagged:
            stream.codec_context.colorspace = Colorspace[space]
        picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace[space]
        )
        container.mux(stream.encode(picture))
        container.mux(stream.encode())
    (frame,) = decode(tmp_path / "clip.mp4")
    for column, colour in zip((width // 4, 3 * width // 4), colours, strict=True):
        np.testing.assert_allclose(frame.image[height // 2, column], colour, atol=4)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("none.mp4", None, "no such file"),
        ("empty.mp4", b"", "the file is empty"),
        ("text.mp4", b"no video\n" * 400, "no video that can be read"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nother.ts\n", "no video that can be read"),
        ("list.txt", b"ffconcat version 1.0\nfile clip.mp4\n", "no video that can be read"),
    ],
)
def test_what_is_no_clip_is_named_in_one_line(
    name: str, content: bytes | None, line: str, map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=line) as caught:
        map_it(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_photo_is_no_clip(map_it: Callable[..., ClipResult]) -> None:
    with pytest.raises(VideoError, match=r"cat\.jpg: no video that can be read"):
        map_it(SAMPLES / "cat.jpg")


@pytest.mark.parametrize("name", ["photo.avif", "photo.heic"])
def test_a_photo_that_ffmpeg_reads_is_no_clip(
    name: str, map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    photo = PIL.Image.fromarray(pan([1])[0])
    if name.endswith("avif"):
        photo.save(tmp_path / name)
    else:
        pytest.importorskip("pillow_heif").from_pillow(photo).save(tmp_path / name)
    with pytest.raises(VideoError, match=f"{name}: no video in this file"):
        map_it(tmp_path / name)


def test_an_animated_avif_is_a_clip_of_all_its_frames(tmp_path: Path) -> None:
    first, *others = map(PIL.Image.fromarray, pan([1] * 4))
    first.save(tmp_path / "clip.avif", save_all=True, append_images=others, duration=40)
    assert [frame.seconds for frame in decode(tmp_path / "clip.avif")] == [0, 0.04, 0.08, 0.12]


def test_a_folder_without_frames_is_no_clip(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    with pytest.raises(VideoError, match="no frames in this folder"):
        map_it(tmp_path)


def test_a_song_is_no_clip(map_it: Callable[..., ClipResult], tmp_path: Path) -> None:
    song = tmp_path / "song.mp4"
    with av.open(str(song), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        container.mux(stream.encode(tone(48_000)))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match="no video in this file"):
        map_it(song)


def test_a_clip_without_frames_is_named(map_it: Callable[..., ClipResult], tmp_path: Path) -> None:
    clip = encode_clip(tmp_path / "void.avi", [], codec="mjpeg", pix_fmt="yuvj420p")
    with pytest.raises(VideoError, match="no frame in it can be decoded"):
        map_it(clip)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_tiny_clip_is_named(map_it: Callable[..., ClipResult], tmp_path: Path) -> None:
    images = [np.zeros((8, 64, 3), np.uint8)]
    clip = encode_clip(tmp_path / "tiny.mkv", images, codec="ffv1", pix_fmt="bgr0")
    with pytest.raises(VideoError, match="64 x 8 pixels are too small"):
        map_it(clip)


def test_of_a_clip_cut_short_what_there_is_is_mapped(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    images = pan([1] * 50)
    clip = encode_clip(tmp_path / "clip.mp4", images, options={"movflags": "+faststart"})
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) // 2])
    figures = map_it(clip)
    assert 5 < len(figures.frames) < 40
    assert figures.problem is not None and "cut short after" in figures.problem
    assert figures.overlay is not None
    assert len(decode(figures.overlay)) == len(figures.frames)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "frames"),
    [
        ("clip.avi", "mjpeg", "yuvj420p", 100),
        ("clip.avi", "ffv1", "bgr0", 20),
        ("clip.mkv", "ffv1", "bgr0", 20),
    ],
)
def test_half_of_a_clip_is_called_cut_short(
    name: str, codec: str, pix_fmt: str, frames: int, tmp_path: Path
) -> None:
    clip = encode_clip(tmp_path / name, pan([1] * frames), codec=codec, pix_fmt=pix_fmt)
    content = clip.read_bytes()
    for part in (content, content[: len(content) // 2]):
        clip.write_bytes(part)
        with Clip(clip) as opened:
            read = len(list(opened.read_frames()))
            problem = str(opened.problem)
        assert (read == frames) == (part is content)
        assert ("cut short after" in problem) == (part is not content)
        assert part is content or f"of {frames / 25:.1f} seconds" in problem


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("late.mkv", "ffv1", "bgr0"),
        ("late.webm", "libvpx", "yuv420p"),
        ("late.wmv", "wmv2", "yuv420p"),
        ("late.nut", "ffv1", "bgr0"),
        ("late.mov", "mpeg4", "yuv420p"),
        ("late.flv", "flv", "yuv420p"),
    ],
)
@pytest.mark.parametrize("start", [0, 1200])
def test_a_whole_clip_that_starts_late_is_not_called_cut_short(
    name: str, codec: str, pix_fmt: str, start: int, tmp_path: Path
) -> None:
    ticks = [start + 24 * number for number in range(25)]
    clip = encode_clip(tmp_path / name, pan([1] * 25), codec=codec, pix_fmt=pix_fmt, ticks=ticks)
    with Clip(clip) as opened:
        assert len(list(opened.read_frames())) == 25
        assert opened.problem is None
        assert opened.length == pytest.approx(1, abs=0.05)


def test_half_of_a_clip_that_starts_late_is_called_cut_short(tmp_path: Path) -> None:
    ticks = [1200 + 24 * number for number in range(25)]
    choices = {"codec": "ffv1", "pix_fmt": "bgr0", "ticks": ticks}
    clip = encode_clip(tmp_path / "late.mkv", pan([1] * 25), **choices)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with Clip(clip) as opened:
        frames = list(opened.read_frames())
        assert opened.problem == f"cut short after {len(frames) / 25:.1f} of 1.0 seconds"


@pytest.mark.parametrize("name", ["clip.mkv", "clip.avi"])
@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_the_last_packet_of_sound_makes_no_clip_cut_short(
    name: str, frames: int, tmp_path: Path
) -> None:
    clip = encode_clip(tmp_path / name, pan([1] * frames), codec="mpeg4", sound="aac")
    with Clip(clip) as opened:
        assert len(list(opened.read_frames())) == frames
        assert opened.problem is None


def test_a_cut_that_leads_before_the_start_of_the_file_is_no_fault_of_ours(tmp_path: Path) -> None:
    clip = encode_clip(tmp_path / "clip.nut", pan([1] * 20), codec="mpeg4")
    content = clip.read_bytes()
    for size in range(400, len(content), len(content) // 20):
        clip.write_bytes(content[:size])
        with suppress(VideoError):
            decode(clip)


def test_a_clip_cut_before_its_index_is_named(
    map_it: Callable[..., ClipResult], clip: Path
) -> None:
    clip.write_bytes(clip.read_bytes()[:5000])
    with pytest.raises(VideoError, match="cut short"):
        map_it(clip)


def test_damaged_frames_are_left_out_and_told_of(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    clip = encode_clip(tmp_path / "clip.avi", pan([1] * 20), codec="mjpeg", pix_fmt="yuvj420p")
    content = bytearray(clip.read_bytes())
    start = content.index(b"\xff\xd8", len(content) // 2)
    content[start : start + 600] = bytes(600)
    clip.write_bytes(content)
    figures = map_it(clip)
    assert len(figures.frames) == 19
    assert figures.problem == "1 damaged frame is left out"


def test_a_whole_clip_has_no_problem(map_it: Callable[..., ClipResult], clip: Path) -> None:
    assert map_it(clip).problem is None
