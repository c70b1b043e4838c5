"""Which frames of a clip are blurred: by the width of their blur, and by S.

    python -m benchmarks.frames FOLDER

Each photo of the folder becomes a clip of 1920 x 1080: a pan, with noise, in H.264, of which every
sixth frame is blurred in one of the ways below. The table tells of how many pairs of a blurred
frame and one of the five around it the sharper is known, and how many of the blurred frames and of
the others ``--drop-blurry`` drops.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import av
import cv2
import numpy as np

from benchmarks.measuring import Photo, table
from blurmapper.applications.light import (
    Kernel,
    decode_light,
    disc_kernel,
    encode_light,
    gaussian_kernel,
)
from blurmapper.batch import Job, list_photos
from blurmapper.images import read_image
from blurmapper.mapper import BlurMapper
from blurmapper.training.compositing import apply_kernel, motion_kernel
from blurmapper.video.mapping import ClipOutputs, map_clip
from blurmapper.video.selection import By, FrameResult, drop_blurry, find_best

HEIGHT, WIDTH = 1080, 1920
EVERY = 6
PAN = 3
WAYS: dict[str, Callable[[], Kernel]] = {
    "Gaussian of 1 px": lambda: gaussian_kernel(1),
    "Gaussian of 2 px": lambda: gaussian_kernel(2),
    "Gaussian of 4 px": lambda: gaussian_kernel(4),
    "disc of radius 8 px": lambda: disc_kernel(8),
    "disc of radius 16 px": lambda: disc_kernel(16),
    "moved by 10 px": lambda: motion_kernel(10, 0.4, 0),
    "moved by 30 px": lambda: motion_kernel(30, -0.4, 0),
}

Counts = dict[tuple[str, By], list[tuple[int, int]]]


def make_frames(photo: Photo) -> Iterator[Photo]:
    """Yield the frames of a pan, the third of each six blurred."""
    length = EVERY * len(WAYS)
    size = WIDTH + PAN * length, round((WIDTH + PAN * length) * photo.shape[0] / photo.shape[1])
    scene = cv2.resize(photo, (size[0], max(HEIGHT, size[1])), interpolation=cv2.INTER_AREA)
    top, rng, kernels = (
        (scene.shape[0] - HEIGHT) // 2,
        np.random.default_rng(0),
        list(WAYS.values()),
    )
    for number in range(length):
        frame = scene[top : top + HEIGHT, PAN * number : PAN * number + WIDTH]
        if number % EVERY == EVERY // 2:
            light = apply_kernel(decode_light(frame), kernels[number // EVERY]())
            frame = encode_light(light, np.dtype(np.uint8))
        noise = rng.normal(0, 2, frame.shape)
        yield np.rint(frame + noise).clip(0, 255).astype(np.uint8)


def write_clip(path: Path, frames: Iterator[Photo]) -> Path:
    """Write frames as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=25, options={"crf": "20", "preset": "veryfast"})
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def count(frames: list[FrameResult]) -> Counts:
    """Return for each way, and all, pairs told rightly, blurred frames and others dropped."""
    counts: Counts = {}
    for by in get_args(By):
        kept = {frame.number for frame in drop_blurry(frames, by=by)}
        sharp_dropped, sharp = 0, 0
        for place, way in enumerate(WAYS):
            group = frames[EVERY * place : EVERY * (place + 1)]
            blurred = group.pop(EVERY // 2)
            right = sum(find_best([each, blurred], by) is each for each in group)
            counts[way, by] = [(right, len(group)), (int(blurred.number not in kept), 1)]
            sharp_dropped += sum(each.number not in kept for each in group)
            sharp += len(group)
        counts["none", by] = [(0, 0), (sharp_dropped, sharp)]
    return counts


def main() -> None:
    """Make clips, map them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder, mapper, sums = (
        parser.parse_args().folder,
        BlurMapper(),
        dict[tuple[str, By], list[int]](),
    )
    for photo in list_photos(folder):
        with tempfile.TemporaryDirectory() as temporary:
            clip = write_clip(Path(temporary) / "clip.mp4", make_frames(read_image(photo)))
            job = Job(clip, Path(temporary) / "out" / "clip")
            frames = map_clip(job, mapper, ClipOutputs(overlay=False)).frames
        for key, pairs in count(frames).items():
            flat = [number for pair in pairs for number in pair]
            sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 4), flat, strict=True)]
            print(photo.name, *key, *flat, flush=True)
    rows = [
        [way, *(_share(*sums[way, by][part : part + 2]) for part in (0, 2) for by in get_args(By))]
        for way in (*WAYS, "none")
    ]
    headings = ["blurred", "pairs right by focus", "by S", "dropped by focus", "by S"]
    print(table(headings, rows))


def _share(count: int, of: int) -> str:
    return f"{count} of {of}" if of else ""


if __name__ == "__main__":
    main()
