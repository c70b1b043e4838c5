"""What holds of the project as a whole: its names, imports, documents and commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import PIL.Image
import pytest

import blurmapper
from blurmapper.cli import app

ROOT = Path(__file__).parents[1]
SAMPLES = Path(blurmapper.__file__).parent / "assets" / "samples"
PAGES = ("README.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md")
DOCUMENTS = [*(ROOT / page for page in PAGES), *sorted((ROOT / "docs").rglob("*.md"))]
HEAVY = {"av", "cv2", "matplotlib", "onnxruntime", "ray", "torch"}


def loaded_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh Python holds after running this code."""
    show = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True
    )
    return set(run.stdout.splitlines()[-1].split())


def test_the_public_names_are_these() -> None:
    assert blurmapper.__all__ == [
        "BlurAmounts",
        "BlurKinds",
        "BlurMapper",
        "BlurMapperError",
        "__version__",
        "blur_degree",
        "compare_amounts",
        "cut_out",
        "draw_overlay",
        "find_sharpest",
        "magnify_blur",
        "rank_photos",
        "read_image",
        "read_map",
        "refine_map",
        "segment_blur",
        "write_map",
    ]


@pytest.mark.parametrize("name", blurmapper.__all__)
def test_every_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(blurmapper, name) is not None
    assert name in dir(blurmapper)


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'BlurMaper'"):
        blurmapper.BlurMaper  # type: ignore[attr-defined]  # noqa: B018


def test_errors_can_be_caught_by_their_module_before_anything_is_used() -> None:
    assert "blurmapper" in loaded_after("import blurmapper; blurmapper.errors.ImageError")


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_after("import blurmapper") & (HEAVY | {"numpy", "PIL"})


def test_asking_the_command_line_for_help_loads_nothing_heavy() -> None:
    code = "import blurmapper.cli as c\ntry: c.app(['map', '--help'])\nexcept SystemExit: pass"
    assert not loaded_after(code) & HEAVY


def test_a_first_use_never_loads_torch() -> None:
    code = "from blurmapper import BlurMapper, draw_overlay, read_image, refine_map, write_map"
    assert "torch" not in loaded_after(code)


def test_the_version_is_the_installed_one() -> None:
    assert blurmapper.__version__ == version("blurmapper")


def test_the_lowest_versions_are_those_that_are_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = re.findall(
        r"^([\w-]+)==(\S+)", (ROOT / "constraints-minimum.txt").read_text(), re.MULTILINE
    )
    tried = dict(pins)
    extras = project["optional-dependencies"]
    asked = [
        requirement
        for extra in sorted(extras.keys() - {"table", "train"})  # tried by themselves
        for requirement in extras[extra]
        if re.split("[>[]", requirement)[0] in tried
    ]
    for requirement in project["dependencies"] + asked:
        name, _, bound = requirement.partition(",")[0].partition(">=")
        assert f"{tried[name]}.".startswith(f"{bound}."), requirement


def test_the_changelog_has_this_version() -> None:
    headings = re.findall(r"^## \[([^]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    if ".dev" in blurmapper.__version__:
        assert headings[0] == "Unreleased"
    else:
        assert next(h for h in headings if h != "Unreleased") == blurmapper.__version__


def commands_in(document: Path, program: str) -> set[str]:
    """Return the words that follow a program's name in a Markdown file's code, not its prose."""
    code = re.findall(r"```.*?```|`[^`]+`", document.read_text(), re.DOTALL)
    return set(
        re.findall(rf"^[`$ ]*(?:\S*/)?{program} ([a-z][a-z-]*)", "\n".join(code), re.MULTILINE)
    )


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_commands_are_found_in_code_and_not_in_prose(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "blurmapper is; `blurmapper map a`\n```\n$ blurmapper rank b\nv/bin/blurmapper train c\n```"
    )
    assert commands_in(page, "blurmapper") == {"map", "rank", "train"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    assert commands_in(document, "make") <= make_targets()


def test_every_target_that_ci_makes_exists() -> None:
    made = re.findall(r"^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert made
    assert set(made) <= make_targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(document: Path) -> None:
    commands = app.commands
    assert commands_in(document, "blurmapper") <= set(commands)


@pytest.mark.parametrize("name", app.commands)
def test_help_names_no_option_that_the_command_lacks(name: str) -> None:
    command = app.commands[name]
    options = {"--help"}.union(*(each.opts + each.secondary_opts for each in command.params))
    texts = [command.help, *(getattr(each, "help", None) for each in command.params)]
    named = re.findall(r"--[a-z][a-z-]*", "\n".join(filter(None, texts)))
    assert set(named) <= options


def test_every_extra_that_a_message_names_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sources = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    named = re.findall(r"blurmapper\[([a-z]+)\]", "\n".join(sources))
    asked = re.findall(r'needing\(\s*"([a-z,]+)"', "\n".join(sources))
    assert len(asked) > 10
    named += [extra for extras in asked for extra in extras.split(",")]
    assert set(named) <= set(project["optional-dependencies"])


def test_every_sample_photo_opens_and_is_credited() -> None:
    photos = sorted(SAMPLES.glob("*.jpg"))
    credits_page = (SAMPLES / "CREDITS.md").read_text()
    assert photos
    for photo in photos:
        with PIL.Image.open(photo) as picture:
            picture.load()
        assert f"`{photo.name}`" in credits_page


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_clean_leaves_checkpoints_alone(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in ("build", "runs/dbm", "src", "tests", "benchmarks"):
        (tmp_path / folder).mkdir(parents=True)
    checkpoint = tmp_path / "runs" / "dbm" / "checkpoint.pt"
    checkpoint.touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, check=True)
    assert checkpoint.exists()
    assert not (tmp_path / "build").exists()


def test_the_citation_is_the_papers() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    doi = re.search(r"doi: (\S+)", citation)
    assert doi is not None
    assert f"https://doi.org/{doi[1]}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f'"https://doi.org/{doi[1]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_pythons_of_the_classifiers_begin_with_the_lowest_that_is_taken() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    start = "Programming Language :: Python :: 3."
    minors = [int(c.removeprefix(start)) for c in project["classifiers"] if c.startswith(start)]
    assert project["requires-python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_the_image_installs_what_its_commands_need() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (extras,) = re.findall(r"/src\[([a-z,]+)\]", image)
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"photo", "web"} <= set(extras.split(",")) <= set(known)
    carried = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert all((ROOT / name).exists() for name in carried)
    assert {"pyproject.toml", "README.md", "LICENSE", "src"} <= set(carried)


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    files = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py")]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(lines) > 300
    assert {path: count for path, count in lines.items() if count > 300} == {}
