"""Clips made frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.images import read_image
from blurmapper.video import clips
from blurmapper.video.clips import Clip, Frame

av = pytest.importorskip("av", reason="videos need the extra blurmapper[video]")

Images = list[npt.NDArray[np.uint8]]

MakeClip = Callable[..., Path]

SAMPLES = Path(clips.__file__).parents[1] / "assets" / "samples"

TICK = Fraction(1, 600)


def encode_clip(path: Path, images: Images, **choices: Any) -> Path:
    """Write a clip: `ticks` (of a `tick`, 1/600 s; 25 frames a second unless given), `aspect` of
    its pixels, `turn`, `mirrored` thereafter, codec of its `sound`, `sound_rate`.
    """
    tick = choices.get("tick", TICK)
    ticks = choices.get("ticks") or [24 * number for number in range(len(images))]
    with av.open(str(path), "w", options=choices.get("options", {})) as container:
        codec = choices.get("codec", "h264")
        options = {"crf": "4", "preset": "ultrafast"} if codec == "h264" else {}
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = images[0].shape[:2] if images else (48, 64)
        stream.pix_fmt = choices.get("pix_fmt", "yuv420p")
        stream.codec_context.time_base = tick
        stream.codec_context.sample_aspect_ratio = choices.get("aspect", 1)
        if "turn" in choices:
            stream.set_display_rotation(choices["turn"], hflip=choices.get("mirrored", False))
        sound = None
        if "sound" in choices:
            rate = choices.get("sound_rate", 48_000)
            sound = container.add_stream(choices["sound"], rate=rate, layout="mono")
        container.start_encoding()
        for image, pts in zip(images, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = pts, tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            container.mux(sound.encode(tone(len(images) * 1920)))
            container.mux(sound.encode())
    return path


def write_clip(path: Path, packets: list[bytes], height: int, width: int) -> Path:
    """Write JPEG pictures of any size as a clip of 25 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuvj420p"
        for number, content in enumerate(packets):
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            container.mux(packet)
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
