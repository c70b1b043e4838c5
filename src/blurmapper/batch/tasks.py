"""What is done with a photo: one task a command, one photo at a time, on whichever machine."""

from __future__ import annotations

import hashlib
import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from blurmapper.batch.claims import Claims
from blurmapper.batch.failures import PhotoFailure, fail
from blurmapper.batch.manifest import identify
from blurmapper.files import write_file
from blurmapper.locations import Location, open_file, with_ending
from blurmapper.methods import BlurMethod, MethodOptions, get_method, identify_method, naming

if TYPE_CHECKING:
    from blurmapper.batch.finding import Found

MOST = 1e15
"""No number in a manifest is larger."""

_MOST_DIGESTED, _STEP = 2_000_000_000, 1 << 20

Room = Callable[[BinaryIO], AbstractContextManager[None]]
"""Open photo -> a context in which it may fill memory."""


@dataclass(frozen=True, slots=True)
class Job:
    """A photo, where its outputs go, and what is done of it already.

    Attributes
    ----------
    photo : Path or Address
    target : Path, Address or None
        The location of its outputs without their endings, where it has any.
    key : str
        What its line in the manifest is found by: the target below the folder of all outputs.
    identity : list of int or None
        From `identify`, asked for before the photo is read.
    inode : list of int or None
        What else tells the file from others, asked for with it.
    done : Result or None
        What an earlier run made of it, if that still holds.
    claims : Claims or None
        What its files may take the place of; any file of their kind where nothing says so.
    """

    photo: Location
    target: Location | None = None
    key: str = ""
    identity: list[int] | None = None
    inode: list[int] | None = None
    done: Result | None = None
    claims: Claims | None = None

    def write(self, files: Mapping[Location, bytes]) -> None:
        """Write files of the photo, each whole or not at all.

        Raises
        ------
        ImageError
            If one cannot be written, or another's is where it would go.
        """
        if self.claims is not None:
            self.claims.write(files)
            return
        for file, content in files.items():
            write_file(file, content)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task made of a photo, before it is written anywhere.

    Attributes
    ----------
    values : mapping of str to value
        The photo's ``height`` and ``width`` after its EXIF turn, and what the task measured;
        ``problem`` is how one is damaged of which something came all the same.
    files : mapping of str to bytes
        Content of each file, by what it is: ``map``, ``overlay`` and so on.
    """

    values: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a photo.

    Attributes
    ----------
    photo : Path or Address
    values : mapping of str to value
        As in `Outcome`.
    files : mapping of str to Path or Address
        Where each file is, by what it is.
    seconds : float
        Reading, working and writing together.
    done_before : bool
        Whether an earlier run did it, and nothing was to do.
    content : str or None
        From `digest_content`, of a photo on this machine.
    """

    photo: Location
    values: Mapping[str, Any]
    files: Mapping[str, Location]
    seconds: float
    done_before: bool = False
    content: str | None = None

    @property
    def reason(self) -> str | None:
        """What is wrong with the photo all the same, as of a `PhotoFailure`."""
        problem = self.values.get("problem")
        return None if problem is None else f"{problem}; copy it again"


@dataclass(frozen=True)
class Task(ABC):
    """What is done with every photo or clip; it can be sent to other machines.

    Attributes
    ----------
    method : str
        Name of what maps the photos, or a path to an .onnx file or its folder.
    options : MethodOptions
    """

    method: str
    options: MethodOptions = field(default_factory=MethodOptions)

    name: ClassVar[str]
    """``NAME.jsonl`` in the output folder keeps what is done."""

    measured: ClassVar[Mapping[str, float]] = {}
    """The numbers in `Outcome.values` beside height and width, which the manifest keeps, and what
    each is at most; none is below 0."""

    kinds: ClassVar[tuple[str, ...]] = ()
    """What files there can be of a photo."""

    verb: ClassVar[str] = "done"
    """What has happened to a photo of which that is said."""

    noun: ClassVar[str] = "photo"
    """What it is done with."""

    alone: ClassVar[bool] = False
    """Whether `do` has threads of its own, so that one machine does one photo at a time."""

    @property
    def noted(self) -> Mapping[str, Callable[[Any], bool]]:
        """What else of `Outcome.values` it keeps, and what says whether a value can be right."""
        return {}

    def choices(self) -> tuple[Any, ...]:
        """Return all options that decide what is written, JSON-ready, but for the method."""
        return ()

    def endings(self, photo: Location) -> Mapping[str, str]:
        """Return what the names of a photo's files end with, by what the files are."""
        return {}

    def identify(self, photo: Location) -> list[int] | None:
        """Return what changes when the content does, or None if there is none."""
        return identify(photo)

    def files_of(self, job: Job, values: Mapping[str, Any]) -> dict[str, Location]:
        """Return where the files of a photo of these `Outcome.values` go, by what they are."""
        if job.target is None:
            return {}
        return {kind: with_ending(job.target, end) for kind, end in self.endings(job.photo).items()}

    def shared_name(self, key: str) -> str | None:
        """Return what a file of a photo is called that another photo could come to as well.

        None where all are called after the key, which is the photo's alone.
        """
        return None

    def digest_settings(self) -> str:
        """Return a digest of all that decides what is written for a photo.

        That is the version, the method with its weights and options, and the outputs; not how
        many threads work on it.
        """
        chosen = json.dumps([identify_method(self.method), *self.choices()])
        return hashlib.sha256(chosen.encode()).hexdigest()[:16]

    def build(self) -> BlurMethod:
        """Return the method, ready to map."""
        return get_method(self.method, self.options)

    @abstractmethod
    def do(self, job: Job, method: BlurMethod, room: Room) -> Result:
        """Do it with one, and write its files, each whole or not at all.

        Raises
        ------
        BlurMapperError
            If it cannot be done.
        """

    def check(self, found: Found) -> None:  # noqa: B027 - most take all
        """Refuse photos that the task cannot be done with together, and to begin without its needs.

        Raises
        ------
        ConfigError, MissingExtraError
        """

    def describe(self, values: Mapping[str, Any]) -> str:
        """Return what the line about a photo says of what was measured."""
        return ""


class PhotoTask(Task):
    """What is done with a photo: a command has a class of its own, whose `work` is what differs."""

    def do(self, job: Job, method: BlurMethod, room: Room) -> Result:
        """Read a photo, work on it and write its files, each whole or not at all."""
        start = time.perf_counter()
        with open_file(job.photo) as photo, room(photo):
            outcome = self.work(method, photo, str(job.photo))
            # What is no photo may be of any length, and was refused by its first bytes.
            digest = None if job.inode is None else digest_content(photo)
            files = self.files_of(job, outcome.values)
            job.write({files[kind]: content for kind, content in outcome.files.items()})
        return Result(job.photo, outcome.values, files, time.perf_counter() - start, content=digest)

    @abstractmethod
    def work(self, method: BlurMethod, photo: BinaryIO, name: str) -> Outcome:
        """Return what is made of a photo; `name` stands for it in errors.

        Raises
        ------
        BlurMapperError
            If nothing can be.
        """


def is_number(value: Any, most: float = MOST) -> bool:
    """Say whether a value from a manifest is a number from 0 to `most`, but for rounding."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and 0 <= value <= most * (1 + 1e-6)


def may_be_number(value: Any) -> bool:
    """Say whether it is a number or None, for what cannot always be measured."""
    return value is None or is_number(value)


def do_job(
    job: Job, task: Task, method: BlurMethod, room: Room = lambda photo: nullcontext()
) -> Result | PhotoFailure:
    """Do a task with a photo; it never raises for one.

    Parameters
    ----------
    job : Job
        Folders are made as needed.
    task : Task
    method : callable
        From `Task.build`; built once, it serves every photo.
    room : callable, optional
        Waits until there is room in memory for an open photo.
    """
    try:
        with naming(job.photo):
            if job.claims is not None:
                job.claims.check(task.files_of(job, {}).values())
            return task.do(job, method, room)
    except Exception as error:  # noqa: BLE001 - no photo may end a run of 50,000 others
        return fail(job.photo, error)


def digest_content(photo: BinaryIO) -> str:
    """Return a digest of an open file, which is then at its start.

    It is of no more bytes than the file says that it has, since those of ``/proc`` have none and
    no end, nor of more than its first 2 GB: whoever asks compares sizes too.
    """
    digest, left = hashlib.sha256(), min(os.fstat(photo.fileno()).st_size, _MOST_DIGESTED)
    photo.seek(0)
    while piece := photo.read(min(left, _STEP)):
        digest.update(piece)
        left -= len(piece)
    photo.seek(0)
    return digest.hexdigest()[:32]
