"""`blurmapper reproduce`."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from blurmapper.cli import app
from blurmapper.errors import ConfigError


def test_a_table_is_printed_and_written(tiny_weights: Path, tmp_path: Path) -> None:
    options = ["--method", str(tiny_weights), "--photos", "1", "-o", str(tmp_path)]
    result = CliRunner().invoke(app, ["reproduce", "table6", *options])
    assert result.exit_code == 0, result.output
    assert "| tiny |" in result.output
    assert "| tiny |" in (tmp_path / "table6.md").read_text()


def test_an_unknown_table_is_an_error_of_ours() -> None:
    result = CliRunner().invoke(app, ["reproduce", "table66"])
    assert isinstance(result.exception, ConfigError)
