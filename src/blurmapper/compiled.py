"""Packages whose functions numba compiles, imported also where it can keep nothing."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

from blurmapper.errors import ConfigError


def import_compiled(name: str) -> ModuleType:
    """Import a module of compiled functions.

    numba keeps what it compiled beside the source or in the user's cache, and where it can write
    to neither the import fails: in a container without a home, in a package that another user
    installed. It then gets a folder of this process, which is deleted at its end.

    Raises
    ------
    ModuleNotFoundError
        If the module, or one that it needs, is not installed.
    ConfigError
        If there is no folder at all that can be written.
    """
    _keep_off_tbb()
    before = set(sys.modules)
    try:
        return import_module(name)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    import numba

    try:
        # Of this user alone: what lies in it is loaded as code.
        folder = tempfile.mkdtemp(prefix="blurmapper-numba-")
    except OSError as error:
        raise ConfigError(
            f"{name}: no folder for compiled code can be written; set NUMBA_CACHE_DIR to one"
        ) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    setattr(numba.config, "CACHE_DIR", folder)  # noqa: B010 - its types do not know it
    # What was half imported would be found half made.
    for half in [new for new in sys.modules.keys() - before if new.startswith("pymatting")]:
        del sys.modules[half]
    return import_module(name)


def _keep_off_tbb() -> None:
    """Have numba take OpenMP before the TBB that OpenVINO loads: its end may wait for ever."""
    with suppress(ModuleNotFoundError):
        numba: Any = import_module("numba")
        if "NUMBA_THREADING_LAYER_PRIORITY" not in os.environ:
            numba.config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]
