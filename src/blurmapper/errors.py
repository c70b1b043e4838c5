"""What goes wrong: one root, and a kind for each way.

Every message is one line that names the file or thing and the mend; the command line
prints it after ``error:`` and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, get_args


class BlurMapperError(Exception):
    """Root of every error that blurmapper raises on purpose."""

    def __str__(self) -> str:
        # Names of files may have ends of lines in them, and so have arrays.
        return super().__str__().replace("\r", "\\r").replace("\n", "\\n")


class ImageError(BlurMapperError):
    """A photo or a map cannot be read, or a result cannot be written."""


class VideoError(BlurMapperError):
    """A clip cannot be read or written."""


class WeightsError(BlurMapperError):
    """A weights file or its card is missing, altered or of another kind."""


class KindsError(WeightsError):
    """A network does not tell motion from defocus."""


class MethodError(BlurMapperError):
    """No method has that name."""


class DatasetError(BlurMapperError):
    """A data-set folder is not laid out as it should be."""


class ConfigError(BlurMapperError):
    """An option or a configuration value cannot be used."""


class MissingExtraError(BlurMapperError):
    """An optional part is not installed; the message gives the command that installs it."""


def check_choice(
    what: str, name: object, choices: Any, error: type[BlurMapperError] = ConfigError
) -> None:
    """Raise an error unless a name is one of some, or of a ``Literal``'s; types bind no caller."""
    known = get_args(choices) or choices
    if not isinstance(name, str) or name not in known:
        raise error(f"no {what} named {name!r}; choose from: {', '.join(known)}")


def check_number(what: str, number: Any, least: float, most: float = math.inf) -> None:
    """Raise `ConfigError` unless a number is finite, within its bounds, and whole if `least` is."""
    is_number = isinstance(number, Real)
    is_inside = is_number and least <= number <= most and number != math.inf
    if is_inside and (isinstance(number, Integral) or not isinstance(least, int)):
        return
    bounds = f"{least} or more" if most == math.inf else f"{least} to {most}"
    shown = number if is_number else " ".join(repr(number).split())
    raise ConfigError(f"{what} is {shown}; use {'whole numbers, ' if is_inside else ''}{bounds}")


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Turn a missing package into the line that says what to install.

    Parameters
    ----------
    extra : str
        What of blurmapper's extras brings the package along.
    what : str
        Who needs it, with the verb, as ``"figures need"``.

    Raises
    ------
    MissingExtraError
        If a package is missing that is not our own.
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "blurmapper").partition(".")[0] == "blurmapper":
            raise
        raise MissingExtraError(
            f"{what} {install_command(extra)} ({error.name} is not installed)"
        ) from error


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this installation, from where it came from.

    That is an index, a clone, a file or an address, as PEP 610 has installers write it down.
    """
    import json
    import shlex
    from importlib.metadata import PackageNotFoundError, distribution
    from pathlib import Path
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    clone = Path(__file__).parents[2]
    try:
        origin = json.loads(distribution("blurmapper").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        # Run as it lies there.
        is_clone = (clone / "pyproject.toml").is_file()
        origin = {"url": clone.as_uri(), "dir_info": {"editable": True}} if is_clone else {}
    url = str(origin.get("url", ""))
    if url.startswith("file:"):
        flag = "-e " if origin.get("dir_info", {}).get("editable") else ""
        return f"pip install {flag}{shlex.quote(f'{url2pathname(urlsplit(url).path)}[{extra}]')}"
    kind = origin.get("vcs_info", {}).get("vcs")
    source = f" @ {kind}+{url}" if kind else f" @ {url}" if url else ""
    return f"pip install {shlex.quote(f'blurmapper[{extra}]{source}')}"


def one_line(error: BaseException) -> str:
    """Return what an error of a library says in one line, or else its kind."""
    text = " ".join(str(error).split())
    return text if text and text.isprintable() else type(error).__name__


def count_of(number: int, noun: str) -> str:
    """Return how many there are of a thing, as a line says it."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
