"""What is given -> the photos: those named, and those in folders, here or at an address."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from blurmapper.addresses import Address
from blurmapper.batch.failures import PhotoFailure
from blurmapper.errors import BlurMapperError, ImageError
from blurmapper.images import PHOTO_SUFFIXES
from blurmapper.locations import Location, find_location, is_folder, open_file

MADE = frozenset(
    {".amount", ".blur", ".cutout", ".defocus", ".magnified", ".mask", ".motion", ".overlay"}
)
"""What stands before the suffix of the files that our commands write."""

MADE_OF = frozenset({".sharpest", ".subject", ".thumb", ".tint"})
"""The same of a report's pictures: common words, so only behind the whole name of a photo."""

REPORT = ".report"
"""What stands for the suffix of a photo, in the names of a report's pictures, where it has none."""

NO_PHOTOS = "no photos in this folder; give one that holds photos"
"""Why a folder fails that could be searched."""

MASKS, BESIDE = "masks", "maps.jsonl"
"""The folder of masks in a folder of outputs, which mirrors that of the photos and so has no names
of its own, and the manifest beside it."""

_GREY_PNG = b"IHDR", b"\x08\0"
_HIDDEN = (".", "@eaDir")  # the latter is where a Synology keeps thumbnails


@dataclass(slots=True)
class Found:
    """What was found among files and in folders.

    Attributes
    ----------
    photos : list of (str or Address, str)
        Where each photo is, and its path below the folder it was found in. Text, because that
        takes a tenth of the memory of paths.
    failures : list of PhotoFailure
        Folders that cannot be listed, or that hold no photo.
    folders : list of str
        The others, from `real_path`.
    left_out : int
        Files that are no photos, and folders that are only linked to.
    has_folders : bool
        Whether a folder was among what was given.
    passed_over : list of str
        Folders of outputs that were inside of others.
    """

    photos: list[tuple[str | Address, str]] = field(default_factory=list)
    failures: list[PhotoFailure] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    left_out: int = 0
    has_folders: bool = False
    passed_over: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.photos)

    def locations(self) -> list[Location]:
        """Return where the photos are, in order."""
        return [Path(photo) if isinstance(photo, str) else photo for photo, _ in self.photos]


def find_photos(sources: Iterable[str | Path], *, outputs: Iterable[Location | None] = ()) -> Found:
    """Find the photos among files and in folders and their subfolders, each once, in order.

    A file that is named is taken for a photo whatever it is called. In folders the suffix
    decides; hidden files and folders are passed over, and so is what an earlier run made.
    Links to folders are not followed, so that no walk goes in circles.

    Parameters
    ----------
    sources : iterable of str or Path
        Paths and addresses.
    outputs : iterable of Path, Address or None
        Folders that are passed over where they are inside of a source.
    """
    finding = _Finding(outputs)
    for source in sources:
        location: str | Location = source
        try:
            location = find_location(source)
            if isinstance(location, Address):
                finding.list_address(location)
            elif is_folder(location):
                finding.walk(location)
            else:
                finding.add(str(location), location.name, real_path(location))
        except BlurMapperError as error:
            finding.found.failures.append(PhotoFailure(location, error))
    return finding.found


def list_photos(source: Path) -> list[Path]:
    """Return a file as it is, or the photos in a folder and its subfolders, in order.

    Raises
    ------
    ImageError
        If a folder holds no photo, or one in it cannot be listed.
    """
    found = find_photos([source])
    if found.failures:
        raise found.failures[0].error
    return [Path(str(photo)) for photo in found.locations()]


def real_path(photo: str | Location) -> str:
    """Return a file's absolute path, links resolved except for the file's own; or its address."""
    if isinstance(photo, Address) or "://" in str(photo):
        return str(photo)
    folder, name = os.path.split(photo)
    if name in (".", ".."):
        return os.path.realpath(photo)
    return os.path.join(os.path.realpath(folder), name)


class _Finding:
    """What has been found so far; paths are text, for a hundred thousand of them."""

    def __init__(self, outputs: Iterable[Location | None]) -> None:
        self.found = Found()
        self._seen: set[str] = set()
        self._outputs = [output for output in outputs if output is not None]
        self._excluded = {
            os.path.realpath(each) for each in self._outputs if isinstance(each, Path)
        }

    def add(self, photo: str | Address, below: str, real: str) -> None:
        if real not in self._seen:
            self._seen.add(real)
            self.found.photos.append((photo, below))

    def list_address(self, source: Address) -> None:
        files = source.list_files()
        if [file.below for file in files] == [source.below]:
            self.add(files[0], source.name, str(source))
            return
        self.found.has_folders = True
        excluded = []
        for address in self._outputs:
            if isinstance(address, Address):
                # What is not inside of the source stays as it is, and is no path below it.
                output, above = (str(replace(each, options="")) for each in (address, source))
                below = output.removeprefix(above if above.endswith("/") else f"{above}/")
                excluded.append(f"{below}/")
        photos = [file for file in files if _is_wanted(file, tuple(excluded))]
        self.found.left_out += len(files) - len(photos)
        for file in files:
            if file.name == BESIDE:
                photos = _leave_masks_out(photos, (file.parent / MASKS).below)
        for photo in photos:
            self.add(photo, photo.below, str(photo))
        if not photos:
            raise ImageError(f"{source}: {NO_PHOTOS}")
        self.found.folders.append(str(source))

    def walk(self, source: Path) -> None:
        self.found.has_folders = True
        real_source = os.path.realpath(source)
        failures, has_photos = len(self.found.failures), False
        folders = [""]
        while folders:
            below = folders.pop()
            photos, inner = self._list(source, below)
            has_photos = has_photos or bool(photos)
            for name in photos:
                inside = os.path.join(below, name)
                photo, real = (os.path.join(each, inside) for each in (source, real_source))
                self.add(photo, inside, real)
            for name in reversed(inner):
                path = os.path.join(below, name)
                if os.path.join(real_source, path) not in self._excluded:
                    folders.append(path)
                else:
                    self.found.passed_over.append(os.path.join(source, path))
        if not has_photos and len(self.found.failures) == failures:
            raise ImageError(f"{source}: {NO_PHOTOS}")
        if has_photos:
            self.found.folders.append(real_path(source))

    def _list(self, source: Path, below: str) -> tuple[list[str], list[str]]:
        """Return the names of photos and of folders in a folder, in order."""
        photos, folders = [], []
        folder = os.path.join(source, below)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith(_HIDDEN):
                        continue
                    if _is_folder(entry):
                        folders.append(entry.name)
                    elif _is_photo_name(entry.name) and _may_be_read(entry):
                        photos.append(entry.name)
                    else:
                        self.found.left_out += 1
            if MASKS in folders and _holds_masks(folder):
                folders.remove(MASKS)
            if below:
                self.found.folders.append(real_path(folder))
        except OSError as error:
            line = f"{folder}: this folder cannot be listed ({error.strerror}); check its rights"
            self.found.failures.append(PhotoFailure(Path(folder), ImageError(line)))
        return sorted(photos), sorted(folders)


def _is_wanted(file: Address, excluded: tuple[str, ...]) -> bool:
    hidden = any(part.startswith(_HIDDEN) for part in PurePosixPath(file.below).parts)
    is_output = file.below.startswith(excluded)
    return _is_photo_name(file.name) and not hidden and not is_output


def _is_photo_name(name: str) -> bool:
    path = PurePosixPath(name)
    stem = PurePosixPath(path.stem)
    of_photo = PurePosixPath(stem.stem).suffix.lower() in (*PHOTO_SUFFIXES, REPORT)
    is_made = stem.suffix in MADE or (of_photo and stem.suffix in MADE_OF)
    return path.suffix.lower() in PHOTO_SUFFIXES and not is_made


def _holds_masks(folder: str) -> bool:
    """Say whether a folder is one of outputs, and all photos in its folder of masks grey PNGs."""
    if not Path(folder, BESIDE).is_file():
        return False
    for above, inner, names in os.walk(Path(folder, MASKS)):
        # Systems and killed runs leave files there that are no photos in any folder.
        inner[:] = [name for name in inner if not name.startswith(_HIDDEN)]
        photos = [name for name in names if _is_photo_name(name) and not name.startswith(_HIDDEN)]
        if not all(name.endswith(".png") for name in photos):
            return False
        if photos and not _is_grey(Path(above, photos[0])):
            return False
    return True


def _leave_masks_out(photos: list[Address], folder: str) -> list[Address]:
    """Return the photos at an address without those in a folder of masks, if it is one."""
    inside = [photo for photo in photos if photo.below.startswith(f"{folder}/")]
    firsts = {photo.parent: photo for photo in reversed(inside)}.values()
    if not all(photo.name.endswith(".png") for photo in inside) or not all(map(_is_grey, firsts)):
        return photos
    return [photo for photo in photos if not photo.below.startswith(f"{folder}/")]


def _is_grey(png: Location) -> bool:
    try:
        with open_file(png) as stream:
            head = stream.read(26)
    except (BlurMapperError, OSError):
        return False
    return (head[12:16], head[24:]) == _GREY_PNG


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _may_be_read(entry: os.DirEntry[str]) -> bool:
    """Say whether it is a file; a link that cannot be followed is said to be so when it is read."""
    try:
        if not entry.is_symlink():
            return entry.is_file(follow_symlinks=False)
        return stat.S_ISREG(os.stat(entry.path).st_mode)  # noqa: PTH116
    except OSError:
        return True
