"""Paths and addresses, local or remote -> files to list, read and write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from blurmapper.errors import BlurMapperError, ConfigError, ImageError
from blurmapper.files import make_folder, replacing

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

OBJECT_STORES = frozenset({"s3", "gcs", "abfs"})
"""Kinds of file systems that have no folders, where none need be made."""


class Listed(NamedTuple):
    """A file of a place: its path below it, and when it was last changed, if that is known."""

    path: PurePosixPath
    modified: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder, and the file system that it is in; can be sent to other machines.

    Attributes
    ----------
    address : str
        As it was given: a path, or ``s3://bucket/folder`` and the like.
    filesystem : pyarrow.fs.FileSystem
    root : str
        Its path in that file system.
    """

    address: str
    filesystem: FileSystem
    root: str

    @property
    def is_local(self) -> bool:
        """Whether it is in a file system of the machine, which other machines may share."""
        return str(self.filesystem.type_name) == "local"

    def list_files(self) -> list[Listed]:
        """Return the files in this folder and those below, in order; a file gives itself.

        Raises
        ------
        ImageError
            If there is no such file or folder.
        """
        from pyarrow.fs import FileSelector, FileType

        with _one_line_errors(self.address, "listed"):
            (itself,) = self.filesystem.get_file_info([self.root])
            if itself.type == FileType.NotFound:
                raise ImageError(f"{self.address}: no such file or folder; check the path")
            if itself.type == FileType.File:
                return [Listed(PurePosixPath(), itself.mtime_ns)]
            found = self.filesystem.get_file_info(FileSelector(self.root, recursive=True))
        return sorted(
            Listed(PurePosixPath(info.path).relative_to(PurePosixPath(self.root)), info.mtime_ns)
            for info in found
            if info.type == FileType.File
        )

    def join(self, path: PurePosixPath) -> Place:
        """Return the place of a path below this one."""
        if path == PurePosixPath():
            return self
        parts = (self.address.rstrip("/"), self.root.rstrip("/"))
        address, root = (f"{part}/{path}" for part in parts)
        return Place(address, self.filesystem, root)

    def read_bytes(self) -> bytes:
        """Return the content of this file.

        Raises
        ------
        ImageError
            If it cannot be read.
        """
        with (
            _one_line_errors(self.address, "read"),
            self.filesystem.open_input_stream(self.root) as stream,
        ):
            return bytes(stream.read())

    def write_bytes(self, content: bytes) -> None:
        """Write this file, where the file system lets that be done, in one step.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        if self.is_local:
            make_folder(Path(self.root).parent)
            with replacing(Path(self.root)) as local:
                local.write(content)
            return
        with _one_line_errors(self.address, "written"):
            if self.filesystem.type_name not in OBJECT_STORES:
                self.filesystem.create_dir(str(PurePosixPath(self.root).parent), recursive=True)
            # An object appears when its stream is closed; an error before that leaves none.
            with self.filesystem.open_output_stream(self.root) as remote:
                remote.write(content)


def find_place(address: str) -> Place:
    """Return the place of a path, or of an address that PyArrow or fsspec knows.

    Parameters
    ----------
    address : str
        ``photos/``, ``file:///photos``, ``s3://bucket/photos``, ``gs://`` and so on. What PyArrow
        does not know is left to fsspec.

    Raises
    ------
    ConfigError
        If neither knows such an address, or a package for it is missing.
    """
    from pyarrow import ArrowInvalid
    from pyarrow.fs import FileSystem, LocalFileSystem, PyFileSystem

    if "://" not in address:
        return Place(address, LocalFileSystem(), str(Path(address).absolute()))
    try:
        filesystem, root = FileSystem.from_uri(address)
    except ArrowInvalid:
        filesystem, root = _find_by_fsspec(address)
        filesystem = PyFileSystem(filesystem)
    except OSError as error:
        raise ConfigError(f"{address}: cannot be reached ({_reason(error)})") from error
    return Place(address, filesystem, root)


def _find_by_fsspec(address: str) -> tuple[object, str]:
    import fsspec
    from pyarrow.fs import FSSpecHandler

    try:
        filesystem, root = fsspec.core.url_to_fs(address)
    except (ImportError, OSError, ValueError) as error:
        raise ConfigError(
            f"{address}: no file system for such an address ({_reason(error)})"
        ) from error
    return FSSpecHandler(filesystem), root


@contextmanager
def _one_line_errors(address: str, done: str) -> Iterator[None]:
    try:
        yield
    except BlurMapperError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{address}: no such file; check the path") from error
    except OSError as error:
        raise ImageError(
            f"{address}: cannot be {done} ({_reason(error)}); check the address and its rights"
        ) from error


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
