"""The page finds the bursts that the ranking finds."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import pytest

from blurmapper.ranking.bursts import group_bursts
from blurmapper.ranking.frames import Frame
from blurmapper.ranking.records import Box, PhotoRecord, Verdict, find_tier

NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")

ASK = """
import { readFileSync } from "node:fs";
import { tilesOf } from "./tiles.mjs";
const asked = JSON.parse(readFileSync(0));
const tell = ({ path, burst, best }) => [path, burst, best];
const told = asked.map((photos) => tilesOf(photos).map(tell));
console.log(JSON.stringify(told));
"""


def tell_bursts(folder: Path, asked: list[list[PhotoRecord]]) -> list[Any]:
    """Return the burst of each photo of each ranking by the page."""
    script = files("blurmapper") / "web" / "pages" / "tiles.js"
    (folder / "tiles.mjs").write_bytes(script.read_bytes())
    (folder / "ask.mjs").write_text(ASK)
    photos = [[to_photo(*each) for each in enumerate(records)] for records in asked]
    assert NODE is not None
    told = subprocess.run(
        [NODE, str(folder / "ask.mjs")],
        input=json.dumps(photos),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[Any] = json.loads(told.stdout)
    return answers


def to_photo(rank: int, record: PhotoRecord) -> dict[str, Any]:
    assert record.frame is not None
    frame = record.frame
    figures = {
        "order": [find_tier(record.verdict.word), rank],
        "taken": frame.taken.isoformat(),
        "camera": frame.camera,
        "fingerprint": f"{frame.fingerprint:016x}",
        "detail": frame.detail,
        "sharpest": {"x": 0, "y": 0, "width": 1, "height": 1, "blur": 0},
    }
    return {"state": "done", "name": str(record.photo), "figures": figures}


def make_record(name: str, seconds: float, look: int, camera: str, detail: float) -> PhotoRecord:
    taken = datetime.fromisoformat("2026-11-22T17:46:03") + timedelta(seconds=seconds)
    frame = Frame(taken, camera, look, detail)
    return PhotoRecord(Path(name), 24, 32, 0.5, 0.5, Box(0, 0, 8, 6, 0.5), frame)


def make_ranking(seed: int) -> list[PhotoRecord]:
    """Return photos of three scenes, some of them files of one exposure, in order of their tier."""
    random = Random(seed)  # noqa: S311 - cases, no secrets
    scenes = [random.getrandbits(64) for _ in range(3)]
    names = sorted({f"{random.randint(1, 30)}.{random.choice(['jpg', 'nef'])}" for _ in range(40)})
    records = []
    for name in names:
        look = random.choice(scenes)
        for bit in random.sample(range(64), random.randint(0, 14)):
            look ^= 1 << bit
        seconds, camera = random.randint(0, 24) / 2, random.choice("ab")
        record = make_record(name, seconds, look, camera, random.choice([1.0, 2.0, 3.0]))
        word = random.choice(["sharp", "soft"])
        records.append(replace(record, verdict=Verdict(word, "")))  # type: ignore[arg-type]
    return sorted(records, key=lambda record: find_tier(record.verdict.word))


def test_the_page_finds_the_bursts_of_the_ranking(tmp_path: Path) -> None:
    asked = [make_ranking(seed) for seed in range(50)]
    told = tell_bursts(tmp_path, asked)
    for records, said in zip(asked, told, strict=True):
        bursts = group_bursts(records)
        of = [bursts.get(record.photo) for record in records]
        assert said == [
            [str(record.photo), each and each.number, bool(each and each.is_best)]
            for record, each in zip(records, of, strict=True)
        ]


@pytest.mark.parametrize("bits", [2, 64], ids=["alike", "of other looks"])
def test_thousands_of_one_time_are_one_burst_where_they_look_alike(
    bits: int, tmp_path: Path
) -> None:
    random = Random(0)  # noqa: S311 - cases, no secrets
    records = [make_record(f"{k}.jpg", 0, random.getrandbits(bits), "a", 1) for k in range(3000)]
    (told,) = tell_bursts(tmp_path, [records])
    assert (None in [burst for _, burst, _ in told]) == (bits == 64)
