"""Commands made of functions, called as from a shell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from click.testing import CliRunner

from blurmapper.cli import build_app
from blurmapper.commands._parameters import Argument, Option, to_command
from blurmapper.errors import ConfigError

SEEN: dict[str, Any] = {}


def toy(  # noqa: PLR0913, PLR0917 - one of each kind
    photos: Annotated[list[str], Argument(metavar="PHOTO...", help="Which photos.")],
    size: Annotated[int | None, Option(metavar="N", least=1, most=9, help="How large.")] = None,
    share: Annotated[float, Option("--share", "-s", least=0.5, help="How much.", panel="More")] = 1,
    kind: Annotated[Literal["disc", "square"], Option(help="Which shape.")] = "disc",
    sides: Annotated[list[Literal["left", "right"]] | None, Option("--side", help="Sides.")] = None,
    refine: Annotated[bool, Option("--refine/--no-refine", help="Whether.")] = True,
    loud: Annotated[bool, Option("--loud", help="Shout.")] = False,
    pair: Annotated[tuple[str, int] | None, Option(metavar="A N", help="Two things.")] = None,
    where_to: Annotated[
        Path | None, Option(metavar="DIR", help="A folder.", note="Of each with a folder.")
    ] = None,
) -> None:
    """Do a thing with all photos that are given, whichever they are, and then not another thing.

    A line that goes on
    in the next.

    Examples:

        toy a.jpg
        toy b.jpg
    """
    SEEN.update(locals())


def call(*arguments: str) -> tuple[int, str]:
    SEEN.clear()
    result = CliRunner().invoke(to_command("toy", toy), arguments)
    return result.exit_code, result.output


def test_what_is_left_out_is_the_functions_own_default() -> None:
    assert call("a.jpg")[0] == 0
    assert SEEN == {
        "photos": ["a.jpg"],
        "size": None,
        "share": 1.0,
        "kind": "disc",
        "sides": None,
        "refine": True,
        "loud": False,
        "pair": None,
        "where_to": None,
    }


def test_values_arrive_as_the_annotations_say_wherever_they_stand() -> None:
    words = "--size 9 a.jpg -s .5 --kind square --side left --side right b.jpg --no-refine --loud"
    assert call(*words.split(), "--pair", "sharpest", "20", "--where-to", "here")[0] == 0
    assert SEEN == {
        "photos": ["a.jpg", "b.jpg"],
        "size": 9,
        "share": 0.5,
        "kind": "square",
        "sides": ["left", "right"],
        "refine": False,
        "loud": True,
        "pair": ("sharpest", 20),
        "where_to": Path("here"),
    }


@pytest.mark.parametrize(
    "words",
    [
        "",
        "a --size 0",
        "a --size 10",
        "a --size x",
        "a --share .4",
        "a --share nan",
        "a --share inf",
        "a --kind round",
        "a --side up",
        "a --pair sharpest",
        "a --loud=1",
        "a --siz 3",
        "a --nothing",
    ],
)
def test_what_does_not_fit_is_a_usage_error(words: str) -> None:
    status, said = call(*words.split())
    assert (status, SEEN) == (2, {})
    assert "Error: " in said


def test_a_path_may_be_written_as_an_address_of_this_machine() -> None:
    assert call("a.jpg", "--where-to", "file:///a/b%20c")[0] == 0
    assert SEEN["where_to"] == Path("/a/b c")


def test_no_command_takes_another_address_for_a_folder() -> None:
    paths = [
        (parameter, click.Context(command))
        for command in build_app().commands.values()
        for parameter in command.params
        if isinstance(parameter.type, click.Path)
    ]
    assert len(paths) > 20
    for parameter, context in paths:
        with pytest.raises(ConfigError, match=r"^s3://bucket/x: "):
            parameter.type_cast_value(context, "s3://bucket/x")


def test_help_tells_arguments_defaults_bounds_and_panels() -> None:
    status, said = call("--help")
    assert status == 0
    options, _, more = said.partition("\nMore:\n")
    assert "Which photos." in options.partition("\nArguments:\n")[2]
    assert "[default: disc]" in options
    assert "[1<=x<=9]" in options
    assert "--loud    " in options
    assert "-s, --share" in more


def test_help_fills_paragraphs_and_keeps_examples() -> None:
    _, said = call("--help")
    assert "A line that goes on in the next." in said
    assert "      toy a.jpg\n      toy b.jpg\n" in said


def test_help_says_above_the_examples_what_all_commands_of_an_option_share() -> None:
    assert "in the next.\n\n  Of each with a folder.\n\n  Examples:\n" in call("--help")[1]


def test_a_summary_is_not_cut_short() -> None:
    summary = to_command("toy", toy).get_short_help_str(40)
    assert summary.endswith("and then not another thing.")
