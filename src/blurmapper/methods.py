"""Every way to map blur, behind one table of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

import numpy as np

from blurmapper.errors import MethodError, MissingExtraError
from blurmapper.images import BlurMap, ImageArray

BlurMethod = Callable[[ImageArray], BlurMap]
"""RGB image (H, W, 3) -> blur map, float32 (H, W) in [0, 1], 1 = blurred."""


@dataclass(frozen=True)
class MethodOptions:
    """What can be chosen of a method that is a network; `BlurMapper` explains each."""

    refine: bool = True
    working_side: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Method:
    """A row of the table.

    Attributes
    ----------
    name : str
        The paper's label in lower case.
    kind : {"network", "baseline", "constant"}
        A network has weights of the same name; a baseline is a classical method; a constant
        gives the scores that no look at the photo gives.
    summary : str
        One line for people who choose.
    build : callable
        Options -> the method itself.
    """

    name: str
    kind: Literal["network", "baseline", "constant"]
    summary: str
    build: Callable[[MethodOptions], BlurMethod]


def get_method(name: str, options: MethodOptions | None = None) -> BlurMethod:
    """Return the method of a name, ready to map.

    Parameters
    ----------
    name : str
        A name in `METHODS`, or a path to an .onnx file that has its card beside it.
    options : MethodOptions, optional
        For networks; other methods have nothing to choose.

    Raises
    ------
    MethodError
        If no method has that name; the line lists those that there are.
    WeightsError
        If the weights of a network are missing or altered.

    Examples
    --------
    >>> import numpy as np
    >>> get_method("all-blurred")(np.zeros((16, 16, 3), np.uint8)).mean()
    np.float32(1.0)
    """
    options = options or MethodOptions()
    if name.endswith(".onnx"):
        return _build_network(name, options)
    if name not in METHODS:
        raise MethodError(f"no method named {name!r}; choose from: {', '.join(METHODS)}")
    return METHODS[name].build(options)


def _network(name: str, summary: str) -> Method:
    return Method(name, "network", summary, lambda options: _build_network(name, options))


def _build_network(weights: str, options: MethodOptions) -> BlurMethod:
    from blurmapper.mapper import BlurMapper

    return BlurMapper(
        weights, refine=options.refine, working_side=options.working_side, threads=options.threads
    )


def _baseline(name: str, summary: str) -> Method:
    return Method(name, "baseline", summary, lambda options: _import_baseline(name))


def _import_baseline(name: str) -> BlurMethod:
    try:
        module = import_module(f"blurmapper.baselines.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "blurmapper":
            raise
        raise MissingExtraError(
            f"{error.name} is not installed; {name} needs pip install 'blurmapper[baselines]'"
        ) from error
    method: BlurMethod = getattr(module, f"map_{name}")
    return method


def _map_all_blurred(image: ImageArray) -> BlurMap:
    return np.ones(image.shape[:2], np.float32)


_ROWS = (
    _network("dbm-lite", "small and fast network, the default"),
    _network("dbm", "the paper's network, configuration V: VGG16 and a 1x1 convolution"),
    _baseline("liu08", "naive Bayes on spectra, gradients and saturation of patches"),
    _baseline("chakrabarti10", "likelihood of a motion's box filter against none"),
    _baseline("zhuo11", "width of edges, filled in by matting"),
    _baseline("su11", "share of a patch's largest singular values"),
    _baseline("shi14", "naive Bayes on four local features at three scales"),
    _baseline("chen16", "width of edges, spread over superpixels"),
    _baseline("tang16", "log averaged spectrum residual, region by region"),
    _baseline("yi16", "local binary patterns, matting and a graph of three scales"),
    _baseline("hifst", "sorted high-frequency coefficients at four scales"),
    Method(
        "all-blurred",
        "constant",
        "calls every pixel blurred: the score to beat",
        lambda options: _map_all_blurred,
    ),
)

METHODS = {row.name: row for row in _ROWS}
"""Name -> method, in the order of tables."""
