"""What docs/stability.md promises is still there."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"
RECORD = json.loads((DOCS / "inventory.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def inventory() -> Any:
    spec = spec_from_file_location("inventory", DOCS / "inventory.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def now(inventory: Any) -> Any:
    pytest.importorskip("fastapi", reason="needs the extra blurmapper[web]")
    return inventory.take_inventory()


@pytest.mark.parametrize("part", RECORD)
def test_nothing_that_is_promised_has_gone(part: str, now: Any, inventory: Any) -> None:
    assert not inventory.missing_from(now[part], RECORD[part])


@pytest.mark.parametrize("part", RECORD)
def test_what_goes_is_named(part: str, inventory: Any) -> None:
    first = RECORD[part]
    name, entries = next((name, entries) for name, entries in first.items() if entries)
    less = {**first, name: entries[1:]}
    assert inventory.missing_from(less, first) == [f"{name} {entries[0]}"]
    without = {other: entries for other, entries in first.items() if other != name}
    assert inventory.missing_from(without, first) == [name]


def test_the_record_is_compared_and_written_by_name(
    inventory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "RECORD", tmp_path / "inventory.json")
    monkeypatch.setattr(inventory, "take_inventory", lambda: {"commands": {"map": ["--json"]}})
    monkeypatch.setattr(sys, "argv", ["inventory.py"])
    inventory.main()
    monkeypatch.setattr(sys, "argv", ["inventory.py", "--check"])
    inventory.main()
    monkeypatch.setattr(inventory, "take_inventory", lambda: {"commands": {"map": ["--jsn"]}})
    with pytest.raises(SystemExit, match=r"run python docs/inventory\.py"):
        inventory.main()
