"""Clips in; overlay videos, figures of frames and the sharpest frames out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.batch import Job
from blurmapper.errors import ImageError, VideoError
from blurmapper.images import OVERLAY_TINT, read_image
from blurmapper.mapper import BlurMapper

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")

from blurmapper.video import clips, overlays  # noqa: E402
from blurmapper.video.clips import Clip, Frame  # noqa: E402
from blurmapper.video.mapping import ClipOutputs, ClipResult, map_clip  # noqa: E402
from blurmapper.video.selection import FrameResult, choose_sharpest  # noqa: E402
from blurmapper.video.smoothing import MappedFrame, is_cut, reduce_colours, smooth_maps  # noqa: E402

Images = list[npt.NDArray[np.uint8]]
MakeClip = Callable[..., Path]

SAMPLES = Path(clips.__file__).parents[1] / "assets" / "samples"
TICK = Fraction(1, 600)


def encode_clip(path: Path, images: Images, **choices: Any) -> Path:
    """Write a clip: `ticks` (of 1/600 s, 25 frames a second unless given), `turn`, `sound`."""
    ticks = choices.get("ticks") or [24 * number for number in range(len(images))]
    with av.open(str(path), "w", options=choices.get("options", {})) as container:
        codec = choices.get("codec", "h264")
        options = {"crf": "4", "preset": "ultrafast"} if codec == "h264" else {}
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = images[0].shape[:2] if images else (48, 64)
        stream.pix_fmt = choices.get("pix_fmt", "yuv420p")
        stream.codec_context.time_base = TICK
        if "turn" in choices:
            stream.set_display_rotation(choices["turn"])
        sound = (
            container.add_stream("aac", rate=48_000, layout="mono") if "sound" in choices else None
        )
        container.start_encoding()
        for image, tick in zip(images, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = tick, TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            container.mux(sound.encode(tone(len(images) * 1920)))
            container.mux(sound.encode())
    return path


def tone(samples: int) -> Any:
    wave = np.sin(np.arange(samples, dtype=np.float32) * np.float32(0.06))
    frame = av.AudioFrame.from_ndarray(wave[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    return frame


def pan(blurs: list[int], height: int = 96, width: int = 128) -> Images:
    """Return frames of a pan over a sample photo, each smeared sideways by so many pixels."""
    photo = read_image(SAMPLES / "coffee.jpg")[100 : 100 + height]
    frames = (photo[:, 4 * place : 4 * place + width] for place in range(len(blurs)))
    return [
        np.ascontiguousarray(cv2.blur(frame, (blur, 1)) if blur > 1 else frame)
        for frame, blur in zip(frames, blurs, strict=True)
    ]


def decode(path: Path) -> list[Frame]:
    with Clip(path) as clip:
        return list(clip.read_frames())


@pytest.fixture
def map_it(tmp_path: Path, tiny_mapper: BlurMapper) -> Callable[..., ClipResult]:
    """Clip, choices -> what came of it, in the folder ``out``."""

    def call(clip: Path, **choices: Any) -> ClipResult:
        return map_clip(
            Job(clip, tmp_path / "out" / clip.stem), tiny_mapper, ClipOutputs(**choices)
        )

    return call


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of 10 frames with sound."""
    return encode_clip(tmp_path / "clip.mp4", pan([1] * 10), sound=True)


def test_frames_are_read_with_their_times(clip: Path) -> None:
    frames = decode(clip)
    assert [frame.number for frame in frames] == list(range(10))
    assert [frame.seconds for frame in frames] == pytest.approx([n / 25 for n in range(10)])
    assert np.abs(frames[3].image.astype(int) - pan([1] * 10)[3]).mean() < 4


@pytest.mark.parametrize(("turn", "quarters"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_a_clip_of_a_phone_that_was_turned_is_upright(
    turn: int, quarters: int, tmp_path: Path
) -> None:
    images = pan([1, 1])
    (first, _) = decode(encode_clip(tmp_path / "clip.mp4", images, turn=turn))
    upright = np.rot90(images[0], quarters)
    assert first.image.shape == upright.shape
    assert np.abs(first.image.astype(int) - upright).mean() < 4


def test_a_turned_clip_gives_an_overlay_that_is_seen_the_same_way(
    map_it: Callable[..., ClipResult], tmp_path: Path
) -> None:
    figures = map_it(encode_clip(tmp_path / "clip.mp4", pan([1] * 3), turn=-90), sharpest=1)
    assert (figures.height, figures.width) == (128, 96)
    assert figures.overlay is not None
    assert decode(figures.overlay)[0].image.shape == (128, 96, 3)
    assert read_image(figures.photos[0]).shape == (128, 96, 3)


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


def test_the_rate_and_the_sound_are_kept(map_it: Callable[..., ClipResult], clip: Path) -> None:
    overlay = map_it(clip).overlay
    with av.open(str(clip)) as before, av.open(str(overlay)) as after:
        assert after.streams.video[0].average_rate == before.streams.video[0].average_rate
        assert after.streams.video[0].codec_context.name == "h264"
        sounds = [
            [(bytes(packet), packet.pts) for packet in container.demux(audio=0) if packet.size]
            for container in (before, after)
        ]
        assert sounds[0] and sounds[0] == sounds[1]


def test_sound_that_mp4_cannot_hold_is_left_out(
    map_it: Callable[..., ClipResult], clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlays, "SOUND", frozenset())
    overlay = map_it(clip).overlay
    with av.open(str(overlay)) as container:
        assert not container.streams.audio


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


def rows(*degrees: float) -> list[FrameResult]:
    return [FrameResult(n, n / 25, degree, degree) for n, degree in enumerate(degrees)]


def test_the_sharpest_are_first_and_equal_ones_in_the_order_of_time() -> None:
    chosen = choose_sharpest(rows(0.5, 0.1, 0.3, 0.1), 3, apart=0)
    assert [frame.number for frame in chosen] == [1, 3, 2]


@pytest.mark.parametrize("number", [1, 2, 5, 10])
def test_as_many_as_were_asked_for_fit_in_unless_said_otherwise(number: int) -> None:
    frames = rows(*np.linspace(0, 1, 40))
    chosen = choose_sharpest(frames, number)
    assert len(chosen) == number
    gaps = np.diff(sorted(frame.number for frame in chosen))
    assert number == 1 or gaps.min() >= 39 / (2 * number)


def test_in_a_long_clip_a_second_is_enough() -> None:
    frames = rows(*np.linspace(0, 1, 25 * 60))
    assert [frame.seconds for frame in choose_sharpest(frames, 3)] == [0, 1, 2]


def test_fewer_are_chosen_where_no_more_are_so_far_apart() -> None:
    assert len(choose_sharpest(rows(*[0.5] * 50), 5, apart=1)) == 2


def mapped(values: list[float], colours: list[float], shots: list[int]) -> list[MappedFrame]:
    """Return frames of one colour and one value of the map each, of 4 x 6 pixels."""
    image = np.zeros((4, 6, 3), np.uint8)
    return [
        MappedFrame(
            Frame(number, number, number / 25, image),
            shot,
            np.full((4, 6), value, np.float32),
            np.full((4, 6, 3), colour, np.float32),
        )
        for number, (value, colour, shot) in enumerate(zip(values, colours, shots, strict=True))
    ]


def smoothed(frames: list[MappedFrame], reach: int) -> list[float]:
    results = list(smooth_maps(iter(frames), reach))
    assert [frame.frame.number for frame, _ in results] == list(range(len(frames)))
    return [float(blur_map[0, 0]) for _, blur_map in results]


def test_flicker_is_evened_out() -> None:
    values = [0.45, 0.55] * 8
    after = smoothed(mapped(values, [0.5] * 16, [0] * 16), 2)
    assert np.ptp(after[2:-2]) < 0.05
    assert np.mean(after) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("reach", [0, 1, 2, 5, 30])
def test_a_steady_map_stays_as_it_is(reach: int) -> None:
    after = smoothed(mapped([0.3] * 7, [0.5] * 7, [0] * 7), reach)
    assert after == pytest.approx([0.3] * 7)


def test_without_smoothing_maps_are_left_alone() -> None:
    values = [0.1, 0.9, 0.4]
    assert smoothed(mapped(values, [0.5] * 3, [0] * 3), 0) == pytest.approx(values)


def test_no_map_crosses_a_cut() -> None:
    values = [0.3] * 4 + [0.36] * 4
    after = smoothed(mapped(values, [0.5] * 8, [0] * 4 + [1] * 4), 2)
    assert after == pytest.approx(values)


def test_nothing_trails_behind_what_moves() -> None:
    values, colours = [0.3] * 4 + [0.36] * 4, [0.2] * 4 + [0.6] * 4
    after = smoothed(mapped(values, colours, [0] * 8), 2)
    assert after == pytest.approx(values, abs=1e-3)


def test_a_shaken_frame_stays_blurred_and_its_neighbours_sharp() -> None:
    values = [0.1, 0.1, 0.9, 0.1, 0.1]
    after = smoothed(mapped(values, [0.5] * 5, [0] * 5), 2)
    assert after == pytest.approx(values, abs=1e-3)


def test_smoothing_holds_few_frames_at_a_time() -> None:
    given = 0

    def give() -> Iterator[MappedFrame]:
        nonlocal given
        for frame in mapped([0.5] * 40, [0.5] * 40, [0] * 40):
            given += 1
            yield frame

    for done, _ in enumerate(smooth_maps(give(), 3), 1):
        assert given <= done + 4


def test_a_cut_is_told_from_a_pan() -> None:
    samples = [read_image(SAMPLES / f"{name}.jpg") for name in ("cat", "coffee", "rocket")]
    cat, coffee, rocket = (reduce_colours(photo, 96, 128) for photo in samples)
    assert is_cut(cat, coffee) and is_cut(coffee, rocket)
    step = samples[1].shape[1] // 50
    before, after = (
        reduce_colours(np.ascontiguousarray(part), 96, 128)
        for part in (samples[1][:, :-step], samples[1][:, step:])
    )
    assert not is_cut(before, after)


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
