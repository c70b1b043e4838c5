"""A folder of photos, and the command that ranks them."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from click.testing import CliRunner, Result

from blurmapper.commands._parameters import to_command
from blurmapper.commands.rank import rank
from blurmapper.errors import BlurMapperError

Command = Callable[..., None]
Run = Callable[..., Result]
FilesBelow = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def shoot(tmp_path: Path, sharp_photo: npt.NDArray[np.uint8]) -> Path:
    """A folder of three photos, the sharper the later in the alphabet, in two folders."""
    folder = tmp_path / "shoot"
    (folder / "sub").mkdir(parents=True)
    for name, sigma in (("a.png", 4), ("sub/b [1].png", 1), ("sub/c.png", 0)):
        soft = cv2.GaussianBlur(sharp_photo, (0, 0), sigma) if sigma else sharp_photo
        PIL.Image.fromarray(soft).save(folder / name)
    return folder


@pytest.fixture
def run_with(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Command], Run]:
    """Command -> what calls it with the tests' network; an error of ours is raised as it is."""
    monkeypatch.setenv("COLUMNS", "80")

    def make(command: Command) -> Run:
        app = to_command(command.__name__, command)

        def call(*arguments: str | Path, status: int = 0) -> Result:
            options = ["--method", str(tiny_weights), "--threads", "1"]
            result = CliRunner().invoke(app, [*map(str, arguments), *options])
            if isinstance(result.exception, BlurMapperError):
                raise result.exception
            assert result.exit_code == status, result.output
            return result

        return call

    return make


@pytest.fixture
def photo(tmp_path: Path, half_blurred_photo: npt.NDArray[np.uint8]) -> Path:
    """A photo file, of which the right half is blurred."""
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(half_blurred_photo).save(path)
    return path


@pytest.fixture
def run_here(
    tiny_weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Command], Run]:
    """Command -> what calls it with the tests' network, in an empty folder, however it ends."""
    monkeypatch.chdir(tmp_path)

    def make(command: Command) -> Run:
        app = to_command(command.__name__, command)

        def call(*arguments: str | Path) -> Result:
            options = ["--method", str(tiny_weights), "--threads", "1"]
            return CliRunner().invoke(app, [*options, *map(str, arguments)])

        return call

    return make


@pytest.fixture
def run_rank(run_with: Callable[[Command], Run]) -> Run:
    """Call the command that ranks photos."""
    return run_with(rank)


@pytest.fixture
def files_below() -> FilesBelow:
    """Folder -> the content of every file in it, by its path."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }

    return read


@pytest.fixture
def press_ctrl_c() -> Callable[[], None]:
    """Do from a thread of the command what Ctrl-C does, without a signal.

    One that came when nobody listens would end the process of all tests. That the signal itself is
    heard is tested on commands in processes of their own.
    """

    def press() -> None:
        handler = signal.getsignal(signal.SIGINT)
        assert callable(handler)
        # Only the main thread may go back to the handler before, which the command does at its end.
        with contextlib.suppress(ValueError):
            handler(signal.SIGINT, None)

    return press
