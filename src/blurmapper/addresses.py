"""Photos and outputs at addresses such as s3://bucket/photos.

PyArrow reaches S3, Google Cloud, Azure and HDFS from one package, keeps to one interface for all,
and hands every other address on to fsspec; that leaves less to write here than fsspec alone, which
needs a package of its own for each store.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote, unquote

from blurmapper.errors import BlurMapperError, ConfigError, ImageError, needing, one_line

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, FileSystem

ARROW = frozenset({"abfs", "abfss", "gcs", "gs", "hdfs", "s3", "viewfs"})
"""Schemes that PyArrow reads itself: ``%20`` is a space, and options are not part of the place."""

OBJECT_STORES = frozenset({"s3", "gcs", "abfs"})
"""Kinds of file systems that have no folders, where none need be made."""

CHUNK = 1 << 20

HELD = 1 << 26
"""Bytes of a file at an address that are held in memory; of a longer one, on the disk."""

REMEDIES = {
    "HTTP status 411": "this server takes no checksums at the end of a file; "
    "set AWS_REQUEST_CHECKSUM_CALCULATION=WHEN_REQUIRED",
    "ACCESS_DENIED": "check the keys, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and rights",
    "SIGNATURE_DOES_NOT_MATCH": "check the keys, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "INVALID_ACCESS_KEY_ID": "check the keys, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "NETWORK_CONNECTION": "check the network, and AWS_ENDPOINT_URL if the store is not Amazon's",
    "NO_SUCH_BUCKET": "make the bucket first",
    "'utf-8' codec": "give files there names in UTF-8",
}
"""Part of what a store answers -> what to do about it."""

# Secrets of Amazon's have slashes; what stands there for GitHub is a repository.
_KEYS = re.compile(r"(?<=\bs3)://[^/@:]*:[^@]*@|(?<!github)://[^/@]*:[^/@]*@")
_CHAIN = re.compile(r"::(?=[^/]*://)")


@dataclass(frozen=True, slots=True)
class Address:
    """A file or folder that is reached by an address; has what is used of a Path's interface.

    It can be sent to other machines.

    Attributes
    ----------
    source : str
        An address without its options: ``s3://bucket/folder``.
    below : str
        The path below it.
    identity : list of int or None
        Bytes and time of change in nanoseconds, where a listing has said them.
    options : str
        What stood after the ``?``.
    """

    source: str
    below: str = ""
    identity: list[int] | None = field(default=None, compare=False)
    options: str = ""

    def __str__(self) -> str:
        # What is inside of an archive stands before the archive: zip://a.jpg::file:///z.zip.
        head, *archive = _CHAIN.split(self.source, maxsplit=1)
        shown = _KEYS.sub("://", "::".join((_join(head, self.below), *archive)))
        if not self.options or self.source.partition("://")[0] in ARROW:
            return shown
        # A server may be asked for other photos so, but keys may stand there too.
        digest = hashlib.sha256(self.options.encode("utf-8", "surrogateescape")).hexdigest()
        return f"{shown}?{digest[:8]}"

    def __truediv__(self, below: str) -> Address:
        return replace(self, below=_join(self.below, below), identity=None)

    @property
    def parent(self) -> Address:
        """The folder that this is in."""
        above = str(PurePosixPath(self.below).parent)
        return replace(self, below="" if above == "." else above, identity=None)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.below or _CHAIN.split(self.source, maxsplit=1)[0]).name

    @property
    def suffix(self) -> str:
        """What its name ends with, from the last dot on."""
        return PurePosixPath(self.name).suffix

    def list_files(self) -> list[Address]:
        """Return the files in this folder and those below, in order; a file gives itself.

        Raises
        ------
        ImageError
            If there is no such file or folder, or the store cannot be asked.
        """
        with self._one_line_errors("listed"):
            filesystem, path = self._open()
            from pyarrow.fs import FileSelector, FileType

            (itself,) = filesystem.get_file_info([path])
            if itself.type == FileType.NotFound:
                raise ImageError(f"{self}: no such file or folder; check the address")
            if itself.type == FileType.File:
                return [replace(self, identity=_identity_of(itself, filesystem))]
            listed = filesystem.get_file_info(FileSelector(path, recursive=True))
            found = [info for info in listed if info.type == FileType.File]
            if filesystem.type_name == "s3":
                # Some servers list times that end in 0 so that PyArrow reads none.
                untimed = [info.path for info in found if not info.mtime_ns]
                asked = {info.path: info for info in filesystem.get_file_info(untimed)}
                found = [asked.get(info.path, info) for info in found]
            # Only when it is asked for does PyArrow decode a name.
            files = [
                replace(
                    self,
                    below=_join(self.below, info.path.removeprefix(path).strip("/")),
                    identity=_identity_of(info, filesystem),
                )
                for info in found
            ]
        return sorted(files, key=lambda file: file.below)

    def identify(self) -> list[int] | None:
        """Return the bytes and time of change of this file, or None if there is none."""
        with self._one_line_errors("looked up"):
            filesystem, path = self._open()
            from pyarrow.fs import FileType

            (info,) = filesystem.get_file_info([path])
        return _identity_of(info, filesystem) if info.type == FileType.File else None

    def read_into(self, stream: BinaryIO) -> None:
        """Copy the content of this file to a stream.

        Raises
        ------
        ImageError
            If it cannot be read.
        """
        with self._one_line_errors("read"):
            filesystem, path = self._open()
            # Neither packed nor unpacked for what the name ends with, as no path is.
            with filesystem.open_input_stream(path, compression=None) as remote:
                while chunk := remote.read(CHUNK):
                    stream.write(chunk)

    def write_from(self, stream: BinaryIO) -> None:
        """Write this file from a stream; an object appears whole or not at all.

        Raises
        ------
        ImageError
            If it cannot be written.
        """
        with self._one_line_errors("written"):
            filesystem, path = self._open()
            folder = path.rpartition("/")[0]
            if folder and filesystem.type_name not in OBJECT_STORES:
                filesystem.create_dir(folder, recursive=True)

            def write() -> None:
                with filesystem.open_output_stream(path, compression=None) as remote:
                    while chunk := stream.read(CHUNK):
                        remote.write(chunk)

            # An object appears when its stream is closed, whole or not: so Ctrl-C waits for that,
            # once.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(write).result()

    def _open(self) -> tuple[FileSystem, str]:
        filesystem, root = _open_filesystem(self.source, self.options)
        return filesystem, _join(root, self.below)

    @contextmanager
    def _one_line_errors(self, done: str) -> Iterator[None]:
        try:
            with needing("remote", f"{self}: addresses need"):
                yield
        except BlurMapperError:
            raise
        except FileNotFoundError as error:
            raise ImageError(f"{self}: no such file; check the address") from error
        except Exception as error:
            # fsspec's file systems raise whatever their packages do.
            reason = one_line(error)
            mend = next((REMEDIES[part] for part in REMEDIES if part in reason), None)
            raise ImageError(
                f"{self}: cannot be {done} ({reason}); {mend or 'check the address and its rights'}"
            ) from error


def find_address(text: str) -> Address:
    """Return what an address leads to; `locations.find_location` knows those that are paths."""
    plain, _, options = text.partition("?")
    scheme, _, place = plain.partition("://")
    if scheme.lower() in ARROW:
        host, slash, path = place.partition("/")
        place = host + slash + unquote(_resolve(path), errors="surrogateescape")
    return Address(f"{scheme.lower()}://{place}", options=options)


@lru_cache(maxsize=64)
def _open_filesystem(source: str, options: str) -> tuple[FileSystem, str]:
    from pyarrow import fs

    scheme, _, place = source.partition("://")
    if scheme not in ARROW:
        # PyArrow says of it, where it is missing, that the address is none.
        import fsspec  # noqa: F401
    address = f"{source}?{options}" if options else source
    try:
        if scheme in ARROW:
            # Keys are quoted already.
            host, slash, path = place.partition("/")
            address = f"{scheme}://{quote(host, safe=':@%')}{slash}{quote(path)}"
            address += f"?{options}" if options else ""
            found: tuple[FileSystem, str] = fs.FileSystem.from_uri(address)
        else:
            found = fs.FileSystem.from_uri(f"fsspec+{address}")
    except (OSError, ImportError, ValueError) as error:
        shown = str(Address(source))
        is_known = isinstance(error, OSError)
        problem = "cannot be reached" if is_known else "no file system for such an address"
        reason = one_line(error).replace(address, shown)
        raise ConfigError(f"{shown}: {problem} ({reason})") from error
    return found


def _identity_of(info: FileInfo, filesystem: FileSystem) -> list[int]:
    time = info.mtime_ns or 0
    if filesystem.type_name == "s3":
        # Asked for one object a server says seconds, in listings many say less.
        time -= time % 1_000_000_000
    return [info.size or 0, time]


def _resolve(path: str) -> str:
    """Return a path without ``.`` and ``..``, which are keys as any other to a store."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts[-1:] = []
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _join(above: str, below: str) -> str:
    # The slashes of a root stay: without them / were the folder that a server begins in.
    head = re.sub(r"(?<=[^:/])/+$", "", above)
    if not head or not below:
        return head or below
    return f"{head}{'' if head.endswith('/') else '/'}{below}"
