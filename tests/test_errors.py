"""What to type where a package is missing, and words that mean nothing."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blurmapper import (
    BlurMapper,
    blur_degree,
    magnify_blur,
    rank_photos,
    read_image,
    refine_map,
    segment_blur,
)
from blurmapper.amounts import measure_amounts
from blurmapper.errors import (
    ConfigError,
    ImageError,
    MissingExtraError,
    install_command,
    needing,
    one_line,
)

PHOTO = np.zeros((32, 32, 3), np.uint8)
SHARP = np.zeros((32, 32), np.float32)


class Installed:
    """A distribution with what an installer wrote down of where it is from."""

    def __init__(self, origin: dict[str, Any] | None) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self._origin is None else json.dumps(self._origin)


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'blurmapper[web]'"),
        (
            {"url": "file:///home/me/my%20code/blurmapper", "dir_info": {"editable": True}},
            "pip install -e '/home/me/my code/blurmapper[web]'",
        ),
        ({"url": "file:///srv/clone", "dir_info": {}}, "pip install '/srv/clone[web]'"),
        (
            {"url": "file:///srv/blurmapper-0.2.0-py3-none-any.whl", "archive_info": {}},
            "pip install '/srv/blurmapper-0.2.0-py3-none-any.whl[web]'",
        ),
        (
            {"url": "https://example.org/b.git", "vcs_info": {"vcs": "git"}},
            "pip install 'blurmapper[web] @ git+https://example.org/b.git'",
        ),
        (
            {"url": "https://example.org/b.whl", "archive_info": {}},
            "pip install 'blurmapper[web] @ https://example.org/b.whl'",
        ),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of Windows look otherwise")
def test_the_command_adds_an_extra_to_what_was_installed(
    origin: dict[str, Any] | None, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Installed(origin))
    assert install_command("web") == command


def test_what_runs_from_a_clone_uninstalled_is_installed_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    clone = Path(__file__).parents[1]
    assert install_command("web") == f"pip install -e {shlex.quote(f'{clone}[web]')}"


def test_a_package_of_ours_that_is_missing_is_no_extra() -> None:
    with pytest.raises(ImportError), needing("web", "this needs"):
        import blurmapper.nothing  # type: ignore[import-not-found]  # noqa: F401


def test_the_missing_package_is_named_behind_the_command() -> None:
    program = (
        "import sys; sys.modules['uvicorn'] = None; from blurmapper.cli import main; "
        "sys.argv = ['blurmapper', 'serve']; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    line = f"error: this command needs {install_command('web')} (uvicorn is not installed)\n"
    assert run.stderr == line


def test_an_extra_that_is_missing_is_an_error_of_ours() -> None:
    missing = pytest.raises(MissingExtraError, match="figures need pip install")
    with missing, needing("report", "figures need"):
        import not_a_package_of_anyone  # type: ignore[import-not-found]  # noqa: F401


@pytest.mark.parametrize(
    ("said", "line"),
    [("two\nlines", "two lines"), ("", "ValueError"), ("\x1b[31mred", "ValueError")],
)
def test_what_a_library_says_is_one_line_of_text(said: str, line: str) -> None:
    assert one_line(ValueError(said)) == line


@pytest.mark.parametrize(
    ("use", "what", "first"),
    [
        (lambda word: magnify_blur(PHOTO, SHARP, shape=word), "shape", "disc"),
        (lambda word: magnify_blur(PHOTO, SHARP, method=word), "method", "lens"),
        (lambda word: refine_map(PHOTO, SHARP, guide=word), "guide", "luma"),
        (lambda word: blur_degree(SHARP, weighting=word), "weighting", "centre"),
        (lambda word: rank_photos("nowhere.jpg", by=word), "measure", "focus"),
        (lambda word: rank_photos("nowhere.jpg", weighting=word), "weighting", "centre"),
        (lambda word: BlurMapper(backend=word, device="openvino"), "backend", "onnxruntime"),
        (lambda word: BlurMapper(backend="openvino", device=word), "device", "auto"),
    ],
)
def test_a_word_that_is_no_choice_is_refused_at_once(
    use: Callable[[Any], object], what: str, first: str
) -> None:
    with pytest.raises(ConfigError, match=f"^no {what} named 'Naive'; choose from: {first}, "):
        use("Naive")


def test_an_array_is_no_word_and_refused_in_one_line() -> None:
    word: Any = np.ones((2, 2))
    with pytest.raises(ConfigError, match=r"^no shape named array\(.*; choose from: disc") as no:
        magnify_blur(PHOTO, SHARP, shape=word)
    assert "\n" not in str(no.value)


BAD_NUMBERS: list[tuple[Callable[[Any], object], Any, str]] = [
    (lambda it: BlurMapper().map_many([], batch=it), 2.5, "batch is 2.5; use whole numbers, 1 or"),
    (lambda it: BlurMapper().map_many([], batch=it), "x", "batch is 'x'; use 1 or more"),
    (lambda it: BlurMapper(threads=it), 1.5, "threads is 1.5; use whole numbers, 1 to 1024"),
    (lambda it: BlurMapper(threads=it), "2", "threads is '2'; use 1 to 1024"),
    (lambda it: BlurMapper(working_side=it), "400", "working side is '400'; use 16 or more"),
    (lambda it: segment_blur(PHOTO, SHARP, working_side=it), [16], r"working side is \[16\]; use"),
    (lambda it: refine_map(PHOTO, SHARP, radius=it), 1.5, "radius is 1.5; use whole numbers, 0"),
    (lambda it: refine_map(PHOTO, SHARP, epsilon=it), None, "epsilon is None; use 1e-06 to 1.0"),
    (lambda it: magnify_blur(PHOTO, SHARP, strength=it), "1", "strength is '1'; use 0 to 8"),
    (lambda it: magnify_blur(PHOTO, SHARP, strength=it), np.ones((2, 2)), r"strength is array"),
    (lambda it: magnify_blur(PHOTO, SHARP, strength=it), np.float64(9), r"strength is 9.0; use 0"),
    (lambda it: measure_amounts(PHOTO, threads=it), -1, "threads is -1; use 1 to 1024"),
]


@pytest.mark.parametrize(("use", "number", "line"), BAD_NUMBERS)
def test_what_is_no_number_of_the_kind_is_refused_in_one_line(
    use: Callable[[Any], object], number: Any, line: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{line}") as refused:
        use(number)
    assert "\n" not in str(refused.value)


def test_a_name_with_an_end_of_line_leaves_one_line(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as refused:
        read_image(tmp_path / "new\nline\r.jpg")
    assert str(refused.value).endswith("new\\nline\\r.jpg: no such file; check the path")
    (row,) = rank_photos(tmp_path / "new\nline\r.jpg")
    assert row["error"] == str(refused.value)
    assert row["photo"] == str(tmp_path / "new\nline\r.jpg")


def test_numbers_of_numpy_are_numbers() -> None:
    radius: Any = np.int64(4)
    epsilon: Any = np.float32(1e-3)
    refined = refine_map(PHOTO, SHARP, radius=radius, epsilon=epsilon)
    np.testing.assert_array_equal(refined, SHARP)
