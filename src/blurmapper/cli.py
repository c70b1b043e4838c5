"""The command line: what each command is called, and how errors leave it."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blurmapper import __version__
from blurmapper.commands._output import STOPPED, open_streams, print_error
from blurmapper.commands._parameters import to_command
from blurmapper.errors import BlurMapperError, ConfigError

COMMANDS = {
    "map": ("mapping", "map_photos"),
    "methods": ("mapping", "methods"),
    "rank": ("rank", "rank"),
    "check": ("rank", "check"),
    "segment": ("mapping", "segment"),
    "magnify": ("mapping", "magnify"),
    "serve": ("serve", "serve"),
    "video": ("video", "video"),
    "evaluate": ("evaluate", "evaluate"),
    "reproduce": ("reproduce", "reproduce"),
    "open-benchmark": ("reproduce", "open_benchmark"),
    "train": ("training", "train"),
    "export": ("training", "export"),
    "fit": ("training", "fit"),
}
"""Name -> module in `blurmapper.commands` and function, in the order of the help."""

_EMPTY = re.compile(r"(--[a-z-]+=)?")


class Commands(click.Group):
    """All commands; none takes an empty argument, which a path would take for this folder."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Return their names in the order of the help."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises
        ------
        ConfigError
            If one is empty.
        """
        if any(map(_EMPTY.fullmatch, args)):
            raise ConfigError('an argument is empty (""); is a variable not set?')
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Call the command; Ctrl-C ends it as it ends a program of the shell.

        Raises
        ------
        ConfigError
            If a path cannot be what it is given for, as one too long or in a locked folder, or
            the folder that it is called in is not there any more.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(STOPPED) from None
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not _is_folder_there():
                line = "the current folder was removed; go to another by cd"
            elif error.filename:
                line = f"{error.filename}: cannot be used ({error.strerror}); check the path"
            else:
                raise
            raise ConfigError(line) from error


def _is_folder_there() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def main() -> None:
    """Run the command line; an error of ours becomes one line and exit status 1."""
    open_streams()
    # Pillow warns of odd metadata in photos that it reads well.
    warnings.filterwarnings("ignore", module="PIL")
    # The other commands' options would take a fifth of the time that a photo takes.
    called = [name for name in sys.argv[1:2] if name in COMMANDS]
    try:
        build_app(called or COMMANDS)()
    except BlurMapperError as error:
        print_error(error)
        sys.exit(1)


def build_app(names: Iterable[str] = COMMANDS) -> Commands:
    """Return the command line of some of `COMMANDS`, imported only now."""
    app = Commands(
        "blurmapper",
        help="Turn photos into blur maps: for every pixel the probability that it is blurred.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    click.version_option(__version__, message="blurmapper %(version)s")(app)
    for name in names:
        module, function = COMMANDS[name]
        called = getattr(import_module(f"blurmapper.commands.{module}"), function)
        app.add_command(to_command(name, called))
    return app


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Build ``app``, the command line of all commands, when it is first asked for."""
        if name != "app":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = app = build_app()
        return app


if __name__ == "__main__":
    main()
