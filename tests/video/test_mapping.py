"""Clips in; overlay videos, figures of frames and the sharpest frames out."""

from __future__ import annotations

import csv
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.batch import Job
from blurmapper.errors import ImageError, VideoError
from blurmapper.images import OVERLAY_TINT, read_image
from blurmapper.locations import Location
from blurmapper.mapper import BlurMapper
from blurmapper.video import overlays
from blurmapper.video.mapping import ClipOutputs, ClipResult, map_clip

from .making import decode, encode_clip, pan

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")


def test_a_turned_clip_gives_an_overlay_that_is_seen_the_same_way(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    figures = map_it(encode_clip(tmp_path / "clip.mp4", pan([1] * 3), turn=-90), sharpest=1)
    assert (figures.height, figures.width) == (128, 96)
    assert figures.overlay is not None
    assert decode(figures.overlay)[0].image.shape == (128, 96, 3)
    assert read_image(figures.photos[0]).shape == (128, 96, 3)


def test_pixels_that_are_not_square_are_turned_with_their_clip(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    clip = encode_clip(tmp_path / "clip.mp4", pan([1] * 3), turn=-90, aspect=Fraction(4, 3))
    with av.open(str(map_it(clip).overlay)) as overlay:
        assert overlay.streams.video[0].sample_aspect_ratio == Fraction(3, 4)


def test_uneven_times_are_kept(map_it: Callable[..., ClipResult], tmp_path: Path) -> None:
    ticks = [0, 24, 30, 120, 121, 300]
    figures = map_it(encode_clip(tmp_path / "clip.mp4", pan([1] * 6), ticks=ticks))
    seconds = [tick / 600 for tick in ticks]
    assert [frame.seconds for frame in figures.frames] == pytest.approx(seconds)
    assert figures.overlay is not None
    assert [frame.seconds for frame in decode(figures.overlay)] == pytest.approx(seconds)


def test_a_stream_that_starts_late_starts_at_zero(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    images = pan([1] * 6)
    late = encode_clip(tmp_path / "late.ts", images, ticks=[900 + 24 * n for n in range(6)])
    figures = map_it(late)
    assert figures.overlay is not None
    for frames in (figures.frames, decode(figures.overlay)):
        assert [frame.seconds for frame in frames] == pytest.approx([n / 25 for n in range(6)])


@pytest.mark.parametrize("codec", ["aac", "ac3", "alac", "eac3", "flac", "libmp3lame", "libopus"])
def test_the_rate_and_the_sound_are_kept(
    codec: str, map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    clip = encode_clip(tmp_path / "clip.mp4", pan([1] * 10), sound=codec)
    overlay = map_it(clip).overlay
    with av.open(str(clip)) as before, av.open(str(overlay)) as after:
        assert after.streams.video[0].average_rate == before.streams.video[0].average_rate
        assert after.streams.video[0].codec_context.name == "h264"
    assert read_sound(clip) and read_sound(clip) == read_sound(overlay)


def read_sound(path: Location | None) -> list[tuple[bytes, int]]:
    with av.open(str(path)) as clip:
        return [(bytes(packet), packet.pts) for packet in clip.demux(audio=0) if packet.size]


@pytest.mark.parametrize(
    ("name", "codec", "sound", "rate"),
    [
        ("clip.mov", "mpeg4", "pcm_s16le", 48_000),
        ("low.avi", "mpeg4", "libmp3lame", 11_025),
        ("silent.ts", "h264", "aac", 48_000),
        ("unknown.mov", "mpeg4", "alac", 48_000),
    ],
)
def test_sound_that_mp4_cannot_hold_is_left_out(
    name: str,
    codec: str,
    sound: str,
    rate: int,
    map_it: Callable[..., ClipResult],
    tmp_path: Path,
) -> None:
    images = pan([1] * 10)
    clip = encode_clip(tmp_path / name, images, codec=codec, sound=sound, sound_rate=rate)
    content = clip.read_bytes()
    if name == "silent.ts":
        # What its table announces never comes.
        packets = (content[at : at + 188] for at in range(0, len(content), 188))
        content = b"".join(each for each in packets if each[1] & 31 != 1 or each[2] != 1)
    clip.write_bytes(content.replace(b"alac", b"xlac"))
    figures = map_it(clip)
    assert len(figures.frames) == 10
    with av.open(str(figures.overlay)) as container:
        assert not container.streams.audio


def test_sound_of_two_recordings_in_one_ends_where_its_clock_goes_back(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    clip = encode_clip(tmp_path / "clip.ts", pan([1] * 10), sound="aac")
    once = map_it(clip)
    clip = clip.rename(tmp_path / "joined.ts")
    clip.write_bytes(clip.read_bytes() * 2)
    twice = map_it(clip)
    seconds = [frame.seconds for frame in twice.frames]
    assert np.diff(seconds) == pytest.approx([0.04] * 19, abs=1e-3)
    assert read_sound(once.overlay) and read_sound(twice.overlay) == read_sound(once.overlay)


@pytest.mark.parametrize("name", ["wide.mkv", "paused.nut"])
def test_an_overlay_that_ffmpeg_cannot_write_is_named_and_leaves_nothing(
    name: str, map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    choices: dict[str, Any] = {"codec": "ffv1", "pix_fmt": "bgr0"}
    if name == "wide.mkv":
        clip = encode_clip(tmp_path / name, [np.zeros((16, 16_400, 3), np.uint8)], **choices)
    else:
        times = {"tick": Fraction(1, 10**9), "ticks": [0, 5 * 10**9, 9 * 10**9]}
        clip = encode_clip(tmp_path / name, pan([1] * 3), **times, **choices)
    with pytest.raises(VideoError, match=rf"{name}: FFmpeg cannot write .*; use --no-overlay$"):
        map_it(clip, by="s")
    assert not list((tmp_path / "out").iterdir())
    assert map_it(clip, by="s", overlay=False).problem is None


@pytest.mark.parametrize(("height", "width"), [(95, 127), (96, 127), (95, 128)])
def test_odd_sizes_get_one_row_or_column_more(
    height: int, width: int, map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    images = pan([1] * 3, height, width)
    figures = map_it(encode_clip(tmp_path / "odd.mkv", images, codec="ffv1", pix_fmt="bgr0"))
    assert (figures.height, figures.width) == (height, width)
    assert figures.overlay is not None
    assert decode(figures.overlay)[0].image.shape == (96, 128, 3)


def test_where_h264_is_missing_mpeg4_takes_its_place(
    map_it: Callable[..., ClipResult], clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlays, "_encoder", lambda: "mpeg4")
    overlay = map_it(clip).overlay
    with av.open(str(overlay)) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    assert overlay is not None
    assert [frame.seconds for frame in decode(overlay)] == pytest.approx(
        [n / 25 for n in range(10)]
    )


def test_what_is_blurred_is_violet_and_what_is_sharp_is_left(
    map_it: Callable[..., ClipResult], tmp_path: Path, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    figures = map_it(encode_clip(tmp_path / "half.mp4", [half_blurred_photo] * 4))
    assert figures.overlay is not None
    overlay = decode(figures.overlay)[1].image
    # Of colours only the mean can be told: the photo's change faster than H.264's.
    sharp, tinted = overlay[:, :40].mean((0, 1)), overlay[:, 90:].mean((0, 1))
    np.testing.assert_allclose(sharp, half_blurred_photo[:, :40].mean((0, 1)), atol=3)
    grey = half_blurred_photo[:, 90:].mean((0, 1)) @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(tinted, (grey + np.array(OVERLAY_TINT)) / 2, atol=12)


def test_the_table_has_a_row_a_frame(map_it: Callable[..., ClipResult], clip: Path) -> None:
    figures = map_it(clip)
    with figures.table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["frame"]) for row in rows] == list(range(10))
    assert [float(row["seconds"]) for row in rows] == pytest.approx([n / 25 for n in range(10)])
    assert [float(row["blur_degree"]) for row in rows] == pytest.approx(
        [frame.blur_degree for frame in figures.frames], abs=1e-4
    )
    assert all(0 <= float(row["share_blurred"]) <= 1 for row in rows)


def test_s_is_of_the_frame_itself_however_the_overlay_is_smoothed(
    map_it: Callable[..., ClipResult], tmp_path: Path, tiny_mapper: BlurMapper
) -> None:
    clip = encode_clip(tmp_path / "clip.mp4", pan([1, 9, 1, 9, 1]))
    alone = [float(tiny_mapper.map_coarse(frame.image).mean()) for frame in decode(clip)]
    for smoothing in (0, 2):
        frames = map_it(clip, smoothing=smoothing).frames
        assert [frame.blur_degree for frame in frames] == pytest.approx(alone)


def test_the_frames_that_were_not_smeared_are_chosen(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    blurs = [9] * 30
    for sharp in (4, 5, 17, 25):
        blurs[sharp] = 1
    clip = encode_clip(tmp_path / "clip.mp4", pan(blurs))
    photos = map_it(clip, sharpest=3, apart=0.2, overlay=False).photos
    chosen = {int(photo.stem.partition(".frame-")[2]) for photo in photos}
    assert chosen in ({4, 17, 25}, {5, 17, 25})
    number = min(chosen)
    (photo,) = (photo for photo in photos if f"{number:06}" in photo.name)
    seen = read_image(photo).astype(int)
    assert np.abs(seen - pan(blurs)[number]).mean() < 6


def test_no_table_of_yours_is_overwritten(
    map_it: Callable[..., ClipResult], clip: Path, tmp_path: Path
) -> None:
    table = tmp_path / "out" / "clip.frames.csv"
    table.parent.mkdir()
    table.write_text("my,notes\n")
    with pytest.raises(ImageError, match="is not of blurmapper's making"):
        map_it(clip)
    assert [(each.name, each.read_text()) for each in table.parent.iterdir()] == [
        (table.name, "my,notes\n")
    ]


def test_any_method_will_do(tmp_path: Path, clip: Path) -> None:
    method = lambda image: np.full(image.shape[:2], 0.25, np.float32)  # noqa: E731
    figures = map_clip(Job(clip, tmp_path / "clip"), method, ClipOutputs())
    assert figures.blur_degree == pytest.approx(0.25)


def test_an_interruption_leaves_nothing_behind(clip: Path, tmp_path: Path) -> None:
    def stop(done: int, _: int | None) -> None:
        if done == 5:
            raise KeyboardInterrupt

    method = lambda image: np.zeros(image.shape[:2], np.float32)  # noqa: E731
    with pytest.raises(KeyboardInterrupt):
        map_clip(Job(clip, tmp_path / "out" / "clip"), method, ClipOutputs(), stop)
    assert not list((tmp_path / "out").iterdir())


def test_the_clip_itself_is_never_written(map_it: Callable[..., ClipResult], clip: Path) -> None:
    before = clip.read_bytes()
    map_it(clip, sharpest=2)
    assert clip.read_bytes() == before
    assert {path.name for path in clip.parent.iterdir()} == {"clip.mp4", "out"}


def test_progress_is_told_of_every_frame(clip: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    method = lambda image: np.zeros(image.shape[:2], np.float32)  # noqa: E731
    map_clip(
        Job(clip, tmp_path / "clip"), method, ClipOutputs(), lambda *told_of: told.append(told_of)
    )
    assert told == [(done, 10) for done in range(1, 11)]
