"""Every way to map blur, behind one table of names."""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

import numpy as np

from blurmapper.compiled import import_compiled
from blurmapper.decoding.arrays import ROUNDING, as_plain
from blurmapper.devices import Device
from blurmapper.errors import BlurMapperError, MethodError, WeightsError, needing, one_line
from blurmapper.images import BlurMap, ImageArray
from blurmapper.locations import is_file

BlurMethod = Callable[[ImageArray], BlurMap]
"""RGB image (H, W, 3) -> blur map, float32 (H, W) in [0, 1], 1 = blurred."""


@dataclass(frozen=True)
class MethodOptions:
    """What can be chosen of a method that is a network; `BlurMapper` explains each."""

    refine: bool = True
    working_side: int | None = None
    threads: int | None = None
    device: Device = "auto"


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


def get_method(name: str | Path, options: MethodOptions | None = None) -> BlurMethod:
    """Return the method of a name, ready to map.

    Parameters
    ----------
    name : str or Path
        A name in `METHODS`; a path to an .onnx file that has its card beside it, or to the folder
        of both that `BlurMapper.save_pretrained` wrote; or ``package.module:function``, a function
        or an object of one's own that takes and gives what a `BlurMethod` does; modules are looked
        for in the current folder last.
    options : MethodOptions, optional
        For networks; other methods have nothing to choose.

    Raises
    ------
    MethodError
        If no method has that name; the line lists those that there are. Or if a function of
        one's own cannot be imported, or, when it is called, gives no blur map.
    WeightsError
        If the weights of a network are missing or altered.

    Examples
    --------
    >>> import numpy as np
    >>> get_method("all-blurred")(np.zeros((16, 16, 3), np.uint8)).mean().item()
    1.0
    """
    name, options = str(name), options or MethodOptions()
    if is_weights(name):
        return _build_network(name, options)
    if is_function(name):
        return _checked(name, _import_function(name))
    if name not in METHODS:
        raise MethodError(f"no method named {name!r}; choose from: {', '.join(METHODS)}")
    return METHODS[name].build(options)


def is_weights(name: str) -> bool:
    """Tell whether a method's name is the path of weights: an .onnx file, or its folder."""
    from blurmapper.weights import CARD

    if name in METHODS or not name:
        return False
    return name.lower().endswith(".onnx") or is_file(f"{name}/{CARD}")


def is_function(name: str) -> bool:
    """Tell whether a method's name is that of a function, ``package.module:function``."""
    return ":" in name and not is_weights(name)


def identify_method(name: str) -> str:
    """Return what must not change for the maps of a method to stay the same.

    That is the package's version, and a network's weights and what they are fed, by its card; for
    other methods their name and what they have learnt. Of a function or an object of one's own it
    is the SHA-256 of the files of the module that is named and of the code that is called; what
    these load, such as weights, is not looked at.
    """
    from blurmapper import __version__
    from blurmapper.baselines import FITTED
    from blurmapper.weights import find_card

    if is_weights(name) or (name in METHODS and METHODS[name].kind == "network"):
        return f"{find_card(name)[0].identity} {__version__}"
    if is_function(name):
        digest = hashlib.sha256()
        for file in _find_code(name):
            digest.update(file.read_bytes())
        return f"{name} {__version__} {digest.hexdigest()}"
    fitted = FITTED / f"{name}.json"
    learnt = f" {hashlib.sha256(fitted.read_bytes()).hexdigest()}" if fitted.is_file() else ""
    return f"{name} {__version__}{learnt}"


def _find_code(name: str) -> list[Path]:
    """Return the files that a function or an object of one's own is made of, without doubles."""
    found: Callable[..., object] = _import_function(name)
    while isinstance(found, functools.partial):
        found = found.func
    found = inspect.unwrap(found)
    is_code = inspect.isroutine(found) or inspect.isclass(found)
    files = [getattr(sys.modules[name.partition(":")[0]], "__file__", None)]
    # What is built into Python, or was made by no module, has no file.
    with suppress(OSError, TypeError):
        files.append(inspect.getfile(found if is_code else type(found)))
    paths = dict.fromkeys(Path(file) for file in files if file)
    return [path for path in paths if path.is_file()]


def _import_function(name: str) -> BlurMethod:
    module, _, function = name.partition(":")
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109 - as Python itself writes it there
        # Last, so that no file of a stranger's folder stands for a package that is installed.
        sys.path.append(here)
    try:
        found = getattr(import_module(module), function)
    except (Exception, SystemExit) as error:
        # Code of others raises anything.
        mend = "write package.module:function, and run where Python finds the package"
        if file := getattr(sys.modules.get(module), "__file__", None):
            mend = f"that is {file}: correct the name, or give your module another"
        raise MethodError(f"{name}: cannot be imported ({one_line(error)}); {mend}") from error
    if not callable(found):
        raise MethodError(f"{name}: is no function; name one that takes an image and gives a map")
    method: BlurMethod = found
    return method


def _checked(name: str, function: BlurMethod) -> BlurMethod:
    """Return a function that refuses what is no blur map of its image."""

    def map_checked(image: ImageArray) -> BlurMap:
        try:
            blur_map = np.asarray(as_plain(function(image), name))
        except BlurMapperError:
            raise
        except (Exception, SystemExit) as error:
            raise MethodError(
                f"{name}: fails for a photo {image.shape[:2]} ({one_line(error)}); a function "
                "takes an image and gives a blur map"
            ) from error
        kind = blur_map.dtype.kind
        low, high = -ROUNDING, 1 + ROUNDING
        inside = kind in "fiub" and bool(((blur_map >= low) & (blur_map <= high)).all())
        if blur_map.shape != image.shape[:2] or not inside:
            numbers = kind in "fiub" and blur_map.size > 0
            span = f" from {blur_map.min():.7g} to {blur_map.max():.7g}" if numbers else ""
            raise MethodError(
                f"{name}: gave {blur_map.dtype} {blur_map.shape}{span} for a photo "
                f"{image.shape[:2]}; a blur map has the photo's height and width and values from "
                "0 to 1, 1 = blurred"
            )
        return np.asarray(blur_map, np.float32).clip(0, 1)

    return map_checked


@contextmanager
def naming(photo: object) -> Iterator[None]:
    """Name the photo of which a method gave no blur map."""
    try:
        yield
    except (MethodError, WeightsError) as error:
        raise type(error)(f"{photo}: {error}") from error


def _network(name: str, summary: str) -> Method:
    return Method(name, "network", summary, lambda options: _build_network(name, options))


def _build_network(weights: str, options: MethodOptions) -> BlurMethod:
    from blurmapper.mapper import BlurMapper

    return BlurMapper(
        weights,
        refine=options.refine,
        working_side=options.working_side,
        threads=options.threads,
        device=options.device,
    )


def _baseline(name: str, summary: str) -> Method:
    return Method(name, "baseline", summary, lambda options: _import_baseline(name))


def _import_baseline(name: str) -> BlurMethod:
    with needing("baselines", f"{name} needs"):
        module = import_compiled(f"blurmapper.baselines.{name}")
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
    _baseline("su11", "share of a patch's largest singular value"),
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
