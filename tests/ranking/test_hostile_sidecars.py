"""Sidecars and packets of XMP that were made to take hours or all memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from blurmapper.errors import ImageError
from blurmapper.ranking.marks import RATING, Mark
from blurmapper.ranking.packets import RDF, read_properties, write_properties
from blurmapper.ranking.sidecars import Naming, write_marks

XMP = RATING.namespace


def packet_of(inside: str, declared: str = "", rdf: str = "rdf") -> bytes:
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="{RDF}" xmlns:{rdf}="{RDF}" '
        f'xmlns:xmp="{XMP}"{declared}>{inside}</r:RDF></x:xmpmeta>'
    ).encode()


def many_declared() -> bytes:
    declared = "".join(f' xmlns:n{number}="u:{number}"' for number in range(100_000))
    return packet_of('<rdf:Description xmp:Rating="3"/>' * 100_000, declared)


def in_many_pieces() -> bytes:
    pieces = "<b/> " * 2_000_000
    return packet_of(f"<rdf:Description><xmp:Rating>3{pieces}</xmp:Rating></rdf:Description>")


def with_a_long_prefix() -> bytes:
    prefix = "r" * 5_000_000
    return packet_of(f'<{prefix}:Description xmp:Rating="3"/>', rdf=prefix)


@pytest.mark.parametrize("make", [with_a_long_prefix, many_declared, in_many_pieces])
def test_a_packet_takes_no_longer_than_its_length(make: Callable[[], bytes]) -> None:
    assert read_properties(make(), [RATING]) == {RATING: "3"}


def test_what_is_no_attribute_of_the_description_is_not_taken_for_one() -> None:
    text = '<rdf:Description><a>xmp:Rating="9"</a></rdf:Description><rdf:Description'
    changed = write_properties(packet_of(f'{text} xmp:Rating="1"/>'), {RATING: "4"})
    assert changed == packet_of(f'{text} xmp:Rating="4"/>')


def test_a_prefix_stands_for_what_it_was_declared_for_last() -> None:
    inside = '<rdf:Description xmlns:xmp="u:other" xmlns:b="{}" xmp:Rating="9" b:Rating="{}"/>'
    changed = write_properties(packet_of(inside.format(XMP, 1)), {RATING: "4"})
    assert changed == packet_of(inside.format(XMP, 4))


@pytest.mark.parametrize("naming", ["full", "stem"])
def test_a_sidecar_of_a_terabyte_is_left_as_it_is(naming: Naming, tmp_path: Path) -> None:
    sidecar = tmp_path / ("a.jpg.xmp" if naming == "full" else "a.xmp")
    sidecar.touch()
    os.truncate(sidecar, 1 << 40)
    (said,) = write_marks([(tmp_path / "a.jpg", Mark(1))])
    assert sidecar.stat().st_size == 1 << 40
    if naming == "full":
        assert isinstance(said, ImageError)
        assert str(said) == f"{sidecar}: cannot be read (over 16 MB); check it"
    else:
        # The one of the other naming says nothing.
        assert said == tmp_path / "a.jpg.xmp"
