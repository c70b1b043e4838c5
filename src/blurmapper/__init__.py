"""Turn a photo into a blur map: for every pixel the probability that it is blurred.

The public names are loaded when first used, so that importing the package costs next to
nothing: neither OpenCV nor ONNX Runtime is imported before a photo is.

Examples
--------
>>> import blurmapper
>>> sorted(blurmapper.__all__)[0]
'BlurAmounts'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blurmapper import errors as errors  # to be caught by `except blurmapper.errors.ImageError`

__version__ = "0.2.0.dev0"

__all__ = [
    "BlurAmounts",
    "BlurKinds",
    "BlurMapper",
    "BlurMapperError",
    "__version__",
    "blur_degree",
    "compare_amounts",
    "cut_out",
    "draw_overlay",
    "find_sharpest",
    "magnify_blur",
    "rank_photos",
    "read_image",
    "read_map",
    "refine_map",
    "segment_blur",
    "write_map",
]

if TYPE_CHECKING:
    from blurmapper.amounts import BlurAmounts
    from blurmapper.applications.degree import blur_degree
    from blurmapper.applications.magnification import magnify_blur
    from blurmapper.applications.segmentation import cut_out, segment_blur
    from blurmapper.errors import BlurMapperError
    from blurmapper.images import draw_overlay, read_image, read_map, write_map
    from blurmapper.kinds import BlurKinds
    from blurmapper.mapper import BlurMapper
    from blurmapper.ranking.ranked import rank_photos
    from blurmapper.refinement import refine_map
    from blurmapper.sharpest import compare_amounts, find_sharpest
else:
    # Hidden from type checkers: a module `__getattr__` would make them accept any name.
    _HOMES = {
        "BlurAmounts": "amounts",
        "BlurKinds": "kinds",
        "BlurMapper": "mapper",
        "BlurMapperError": "errors",
        "blur_degree": "applications.degree",
        "compare_amounts": "sharpest",
        "cut_out": "applications.segmentation",
        "draw_overlay": "images",
        "find_sharpest": "sharpest",
        "magnify_blur": "applications.magnification",
        "rank_photos": "ranking.ranked",
        "read_image": "images",
        "read_map": "images",
        "refine_map": "refinement",
        "segment_blur": "applications.segmentation",
        "write_map": "images",
    }

    def __getattr__(name: str) -> object:
        """Load a public name from its module on first use, and keep it here."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
