"""What a person decides about photos is kept, whatever else is open; asked of node."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")

STORE = """
const kept = new Map();
let isFull = false;
globalThis.localStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, text) => { if (isFull) throw new Error("full"); kept.set(name, text); },
};
import { Choice } from "./choice.mjs";
const photos = ["a", "b"].map((path) => ({ path }));
const flags = (choice) => photos.map((photo) => choice.of(photo).flag);
"""


def tell(folder: Path, script: str) -> Any:
    """Return what a script says of choices."""
    source = files("blurmapper") / "assets" / "choosing" / "choice.js"
    (folder / "choice.mjs").write_bytes(source.read_bytes())
    (folder / "ask.mjs").write_text(STORE + script)
    assert NODE is not None
    command = [NODE, str(folder / "ask.mjs")]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(told.stdout)


def test_two_tabs_keep_the_marks_of_both(tmp_path: Path) -> None:
    script = """
    const [one, other] = [new Choice(photos, "x"), new Choice(photos, "x")];
    one.set(photos[0], { flag: "pick" });
    other.set(photos[1], { flag: "reject" });
    one.set(photos[0], { rating: 3 });
    const all = [one, other, new Choice(photos, "x")].map(flags);
    other.set(photos[1], { flag: null });
    const saved = JSON.parse(one.asJson("")).photos.map((photo) => photo.flag);
    console.log(JSON.stringify([...all, saved]));
    """
    assert tell(tmp_path, script) == [["pick", "reject"]] * 3 + [["pick", None]]


def test_marks_that_cannot_be_kept_stay_while_the_page_is_open(tmp_path: Path) -> None:
    script = """
    const choice = new Choice(photos, "x");
    choice.set(photos[0], { flag: "pick" });
    isFull = true;
    choice.set(photos[0], { flag: "reject" });
    choice.set(photos[1], { flag: "pick" });
    console.log(JSON.stringify(flags(choice)));
    """
    assert tell(tmp_path, script) == ["reject", "pick"]


def test_other_pages_have_other_marks(tmp_path: Path) -> None:
    script = """
    new Choice(photos, "x").set(photos[0], { flag: "pick" });
    console.log(JSON.stringify(flags(new Choice(photos, "y"))));
    """
    assert tell(tmp_path, script) == [None, None]
