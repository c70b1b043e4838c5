"""Addresses: what is read from them, what they are shown as, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from blurmapper.addresses import Address
from blurmapper.files import write_file
from blurmapper.locations import find_location, open_file

fsspec = pytest.importorskip("fsspec", reason="needs the extra blurmapper[remote]")
pytest.importorskip("pyarrow", reason="needs the extra blurmapper[remote]")


@pytest.fixture
def memory() -> Iterator[Any]:
    """A file system that is no disk, under ``memory://``."""
    filesystem = fsspec.filesystem("memory")
    yield filesystem
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]


def address(text: str) -> Address:
    found = find_location(text)
    assert isinstance(found, Address)
    return found


def test_a_file_is_written_and_read_as_it_is_whatever_its_ending(memory: Any) -> None:
    place = address("memory://t/r.csv.gz")
    write_file(place, b"a,b\n")
    assert memory.cat("/t/r.csv.gz") == b"a,b\n"
    with open_file(place) as stream:
        assert stream.read() == b"a,b\n"
