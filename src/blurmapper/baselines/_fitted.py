"""Numbers that a method learnt from photos, kept in the package with their origin."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from blurmapper.errors import WeightsError

FITTED = Path(__file__).parents[1] / "assets" / "fitted"
"""The folder of the fitted numbers that come with the package."""


@lru_cache(maxsize=8)
def read_fitted(name: str) -> dict[str, Any]:
    """Return the fitted values of a method, not to be changed: its file is read once.

    Parameters
    ----------
    name : str
        The method's key, such as ``"liu08"``. ``NAME.json`` holds ``method``, ``values`` and
        ``origin``: the command, photos, seed and date that the values come from.

    Raises
    ------
    WeightsError
        If there is no such file, or it holds no values of that method.
    """
    return read_values(FITTED / f"{name}.json", name)


def read_values(path: Path, name: str) -> dict[str, Any]:
    """Return the values in a file that `blurmapper.training.fitting` wrote; see `read_fitted`."""
    mend = f"fit them with blurmapper fit {name} --photos DIR, or reinstall"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(
            f"{path}: fitted numbers cannot be read ({error.strerror}); {mend}"
        ) from error
    except ValueError as error:
        raise WeightsError(f"{path}: not fitted numbers (no JSON); {mend}") from error
    if not isinstance(record, dict) or record.get("method") != name or "values" not in record:
        raise WeightsError(f"{path}: not the fitted numbers of {name}; {mend}")
    values: dict[str, Any] = record["values"]
    return values
