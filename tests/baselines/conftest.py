"""The classical methods need an extra; without it their tests skip."""

from __future__ import annotations

from importlib.util import find_spec

if not all(find_spec(name) for name in ("pymatting", "scipy", "skimage")):
    collect_ignore_glob = ["*"]  # they need the extra blurmapper[baselines]
