"""Marks as darktable, Exiv2 and ExifTool read them, where they are installed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import PIL.Image
import pytest

from blurmapper.ranking.marks import to_mark
from blurmapper.ranking.sidecars import write_marks

WORDS = (["4"], ["reject"], ["pick", "green"], ["1", "purple"])


def mark(folder: Path, words: list[str]) -> Path:
    """Write a photo and its mark; return the sidecar."""
    PIL.Image.new("RGB", (64, 48), (90, 120, 60)).save(folder / "a.jpg")
    (sidecar,) = write_marks([(folder / "a.jpg", to_mark(words))])
    assert isinstance(sidecar, Path)
    return sidecar


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS, ids="+".join)
def test_darktable_imports_marks(words: list[str], tmp_path: Path) -> None:
    if shutil.which("darktable-cli") is None:
        pytest.skip("needs darktable-cli: apt-get install darktable")
    sidecar = mark(tmp_path, words)
    library = tmp_path / "library.db"
    folders = ("--configdir", tmp_path / "config", "--cachedir", tmp_path / "cache")
    command = ["darktable-cli", tmp_path / "a.jpg", sidecar, tmp_path / "out.jpg", "--core"]
    subprocess.run(
        [*command, "--library", library, *folders],
        check=True,
        capture_output=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    tables = sqlite3.connect(library)
    ((flags,),) = tables.execute("SELECT flags FROM images")
    colours = [colour for (colour,) in tables.execute("SELECT color FROM color_labels")]
    tables.close()
    # The lowest three bits are the stars, the fourth says that a photo is rejected.
    stars = [flags & 7] if words[0].isdigit() else []
    assert stars == [int(word) for word in words if word.isdigit()]
    assert bool(flags & 8) == ("reject" in words)
    names = ("red", "yellow", "green", "blue", "purple")
    assert [names[colour] for colour in colours] == [word for word in words if word in names]


def test_exiv2_and_exiftool_read_marks(tmp_path: Path) -> None:
    if shutil.which("exiv2") is None or shutil.which("exiftool") is None:
        pytest.skip("needs exiv2 and exiftool: apt-get install exiv2 libimage-exiftool-perl")
    sidecar = mark(tmp_path, ["reject", "blue"])
    command = ["exiftool", "-json", "-n", "-XMP:all", sidecar]
    (said,) = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert (said["Rating"], said["Label"], said["Pick"]) == (-1, "Blue", -1)
    assert (said["PickLabel"], said["ColorLabel"], said["Colorlabels"]) == (1, 5, 3)
    listed = subprocess.run(
        ["exiv2", "-PXkv", "print", sidecar], check=True, capture_output=True, text=True
    ).stdout
    assert dict(line.split(maxsplit=1) for line in listed.splitlines()) == {
        "Xmp.xmp.Rating": "-1",
        "Xmp.xmp.Label": "Blue",
        "Xmp.xmpDM.pick": "-1",
        "Xmp.xmpDM.good": "false",
        "Xmp.digiKam.PickLabel": "1",
        "Xmp.digiKam.ColorLabel": "5",
        "Xmp.darktable.colorlabels": "3",
    }
