"""The nine classical methods that the paper compares with: one file, one paper, one function."""

from pathlib import Path

FITTED = Path(__file__).parents[1] / "assets" / "fitted"
"""The folder of the numbers that some of them have learnt, ``NAME.json``."""
