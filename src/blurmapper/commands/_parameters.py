"""Commands from functions: a parameter's annotation says what it is on the command line.

Click does the work. Its own decorators would say each name, type and default twice.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from blurmapper.locations import find_path


class Argument:
    """What stands on the command line without a name."""

    def __init__(self, *, metavar: str, help: str) -> None:  # noqa: A002 - Click's word
        self.metavar, self.help, self.panel = metavar, help, "Arguments"


class Option:
    """What stands there after a name, of those given or else the parameter's own.

    Parameters
    ----------
    *names : str
        With ``/`` between them where the second says no.
    help, metavar : str
        As in the help.
    least, most : float, optional
        Bounds of a number.
    panel : str
        The section of the help.
    default : str, optional
        What the help says of a default that is no value.
    note : str
        What the help of each command that has it says, above the examples.
    """

    def __init__(
        self,
        *names: str,
        help: str,  # noqa: A002 - Click's word
        metavar: str | None = None,
        least: float | None = None,
        most: float | None = None,
        panel: str = "Options",
        default: str | None = None,
        note: str = "",
    ) -> None:
        self.names, self.help, self.metavar, self.panel = names, help, metavar, panel
        self.least, self.most, self.default, self.note = least, most, default, note


class Command(click.Command):
    """A command that shows arguments in its help, and options by panel."""

    panels: dict[str, str]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section a panel."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                panel = self.panels.get(parameter.name or "", "Options")
                sections.setdefault(panel, []).append(record)
        for panel, records in sections.items():
            with formatter.section(panel):
                formatter.write_dl(records)


class _Argument(click.Argument):
    summary = ""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:  # noqa: ARG002 - Click calls it
        """Return what the help says, which Click leaves to the text above."""
        return self.metavar or "", self.summary


class _LocalPath(click.Path):
    """A path on this machine, as one or as ``file://``; other addresses are refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        return super().convert(find_path(value), param, ctx)


def to_command(name: str, function: Callable[..., None]) -> Command:
    """Return the command that calls a function, its docstring for help."""
    text = inspect.getdoc(function) or ""
    summary = " ".join(text.partition("\n\n")[0].split())
    command = Command(name, callback=function, short_help=summary)
    command.panels = {}
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        type_, declared = get_args(hints[parameter.name])
        command.panels[parameter.name] = declared.panel
        command.params.append(_to_parameter(parameter, type_, declared))
        if isinstance(declared, Option) and declared.note:
            text = text.replace("\n\nExamples:", f"\n\n{declared.note}\n\nExamples:")
    # Indented paragraphs are marked as not to be filled, which Click does by \b.
    command.help = re.sub(r"\n\n(?= )", "\n\n\b\n", text)
    return command


def _to_parameter(
    parameter: inspect.Parameter, type_: Any, declared: Argument | Option
) -> click.Parameter:
    is_required = parameter.default is parameter.empty
    attributes: dict[str, Any] = {"metavar": declared.metavar} | (
        {"required": True} if is_required else {"default": parameter.default}
    )
    if NoneType in get_args(type_):
        (type_,) = (kind for kind in get_args(type_) if kind is not NoneType)
    is_many = get_origin(type_) is list
    if is_many:
        (type_,) = get_args(type_)
        attributes["callback"] = lambda _, __, values: list(values) or parameter.default
    if type_ is float:
        attributes["callback"] = _refuse_infinite
    attributes["type"] = _to_type(type_, declared)
    if isinstance(declared, Argument):
        argument = _Argument([parameter.name], nargs=-1 if is_many else 1, **attributes)
        argument.summary = declared.help
        return argument
    names = [parameter.name, *declared.names]
    if not declared.names:
        names.append(f"--{parameter.name.replace('_', '-')}")
    attributes |= {"help": declared.help, "multiple": is_many}
    is_shown = parameter.default != "" and (type_ is not bool or "/" in names[1])
    attributes["show_default"] = declared.default or is_shown
    if type_ is bool:
        attributes["is_flag"] = True
        del attributes["type"]
    return click.Option(names, **attributes)


def _to_type(type_: Any, declared: Argument | Option) -> Any:
    """Return what Click reads a value of a type with."""
    if get_origin(type_) is Literal:
        return click.Choice(get_args(type_))
    if get_origin(type_) is tuple:
        return get_args(type_)
    if type_ is Path:
        return _LocalPath(path_type=Path)
    if isinstance(declared, Option) and (declared.least, declared.most) != (None, None):
        kind: Any = {int: click.IntRange, float: click.FloatRange}[type_]
        return kind(declared.least, declared.most)
    return type_


def _refuse_infinite(_: click.Context, __: click.Parameter, number: float | None) -> float | None:
    """Refuse what is no number, which lies between any bounds, and infinity."""
    if number is not None and not math.isfinite(number):
        raise click.BadParameter(f"{number} is not a number that can be meant.")
    return number
