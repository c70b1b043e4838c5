"""Keep doctests out of modules whose extra is not installed."""

from __future__ import annotations

from importlib.util import find_spec

NEEDS = {
    "src/blurmapper/applications/_matting*": ["pymatting"],
    "src/blurmapper/baselines*": ["numba", "pymatting", "scipy", "skimage"],
    "src/blurmapper/distributed*": ["ray"],
    "src/blurmapper/laboratory/open_benchmark*": ["torch"],
    "src/blurmapper/training*": ["onnx", "safetensors", "torch"],
    "src/blurmapper/video*": ["av"],
    "src/blurmapper/web*": ["fastapi", "uvicorn"],
}

collect_ignore_glob = [
    place for place, modules in NEEDS.items() if not all(find_spec(name) for name in modules)
]
