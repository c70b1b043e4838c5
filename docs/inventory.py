"""Write down what stays, or compare it: python docs/inventory.py [--check].

The record is inventory.json beside it; stability.md says what is promised of it.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import blurmapper

RECORD = Path(__file__).with_suffix(".json")
SAMPLE = Path(blurmapper.__file__).parent / "assets" / "samples" / "cat.jpg"


def take_inventory() -> dict[str, Any]:
    """Return what there is now, sorted, as JSON has it."""
    keys, files = _run_commands()
    return {
        "python": _python(),
        "commands": _commands(),
        "json_keys": keys,
        "files_of_cat.jpg": files,
        "http": _http(),
        "card_fields": _card_fields(),
    }


def missing_from(now: Any, recorded: Any, where: str = "") -> list[str]:
    """Return what is recorded and is no more."""
    if isinstance(recorded, dict):
        gone = [f"{where}{name}" for name in recorded if name not in now]
        for name in recorded.keys() & now.keys():
            gone += missing_from(now[name], recorded[name], f"{where}{name} ")
        return sorted(gone)
    return [f"{where}{one}" for one in recorded if one not in now]


def _python() -> dict[str, list[str]]:
    """Return the parameters of each public name, and of the methods of public classes."""
    found = {}
    for name in sorted(blurmapper.__all__):
        value = getattr(blurmapper, name)
        found[name] = _parameters(value)
        if isinstance(value, type):
            for method in sorted(m for m in vars(value) if not m.startswith("_")):
                found[f"{name}.{method}"] = _parameters(getattr(value, method))
    return found


def _parameters(value: Any) -> list[str]:
    try:
        return [name for name in inspect.signature(value).parameters if name != "self"]
    except (TypeError, ValueError):
        return []


def _commands() -> dict[str, list[str]]:
    from blurmapper.cli import app

    commands: dict[str, Any] = app.commands
    return {
        name: sorted(
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("-")
        )
        for name, command in sorted(commands.items())
    }


def _run_commands() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the keys of the objects that commands print, and the files that they write."""
    with tempfile.TemporaryDirectory() as room:
        folders = {name: str(Path(room, name)) for name in ("map", "segment", "magnify")}
        photo = str(SAMPLE)
        all_maps = ("--overlay", "--kinds", "--json", "--threads", "1")
        keys = {
            "map": sorted(_call("map", photo, *all_maps, "-o", folders["map"])),
            "rank": sorted(_call("rank", photo, "--json", "-")),
        }
        for name in ("segment", "magnify"):
            _call(name, photo, "-q", "-o", folders[name])
        files = {
            name: sorted(path.name for path in Path(folder).iterdir())
            for name, folder in folders.items()
        }
    return keys, files


def _call(*words: str) -> dict[str, Any]:
    """Run a command; return the object that it prints."""
    from blurmapper.cli import app

    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(printed):
        app(list(words), standalone_mode=False)
    found: dict[str, Any] = json.loads(printed.buffer.getvalue() or b"{}")  # type: ignore[attr-defined]
    return found


def _http() -> dict[str, list[str]]:
    from blurmapper.methods import get_method
    from blurmapper.web import create_app

    paths = create_app(get_method("all-blurred")).openapi()["paths"]
    return {
        f"{verb.upper()} {path}": sorted(p["name"] for p in operation.get("parameters", ()))
        for path, operations in sorted(paths.items())
        for verb, operation in sorted(operations.items())
    }


def _card_fields() -> dict[str, list[str]]:
    from blurmapper.graphs import CARD_FIELDS, PREPROCESSING_FIELDS, SCORE_FIELDS

    return {
        "card": sorted(CARD_FIELDS),
        "preprocessing": sorted(PREPROCESSING_FIELDS),
        "scores": sorted(SCORE_FIELDS),
    }


def main() -> None:
    """Write the record, or exit with 1 where it is not what there is."""
    now = take_inventory()
    if "--check" not in sys.argv:
        RECORD.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    elif now != json.loads(RECORD.read_text(encoding="utf-8")):
        sys.exit("docs/inventory.json is not what there is; run python docs/inventory.py")


if __name__ == "__main__":
    main()
