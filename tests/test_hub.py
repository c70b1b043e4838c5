"""Weights from a Hugging Face repository: the real client against a server on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.errors import ConfigError, MissingExtraError, WeightsError, install_command
from blurmapper.hub import fetch_weights
from blurmapper.mapper import BlurMapper
from blurmapper.weights import RUNS_CODE

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "somebody/tiny"

needs_hub = pytest.mark.skipif(not find_spec("huggingface_hub"), reason="needs blurmapper[hub]")


@dataclass
class Hub:
    """A server that speaks as much of the hub's protocol as one file at a time takes."""

    endpoint: str
    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def saved(tiny_weights: Path, tmp_path: Path) -> Path:
    return BlurMapper(tiny_weights, threads=1).save_pretrained(tmp_path / "saved")


@pytest.fixture
def hub(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """`REPOSITORY` on loopback, holding what `save_pretrained` wrote, and an empty cache."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs blurmapper[hub]")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.wfile.write(self.answer())

        def answer(self) -> bytes:
            stub.asked.append(f"{self.command} {self.path}")
            repository, _, rest = self.path[1:].partition("/resolve/")
            revision, _, name = rest.partition("/")
            wrong = {
                "RepoNotFound": repository != REPOSITORY,
                "RevisionNotFound": revision not in ("main", COMMIT),
                "EntryNotFound": name not in stub.files,
            }
            code = next((code for code, is_so in wrong.items() if is_so), None)
            content = b"" if code else stub.files[name]
            self.send_response(404 if code else 200)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            return content

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        files = {path.name: path.read_bytes() for path in saved.iterdir()}
        stub = Hub(f"http://127.0.0.1:{server.server_port}", files)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield stub
        server.shutdown()
        thread.join()


def test_a_repository_maps_as_the_weights_that_were_saved(
    hub: Hub, tiny_mapper: BlurMapper, half_blurred_photo: npt.NDArray[np.uint8]
) -> None:
    mapper = BlurMapper.from_pretrained(REPOSITORY, endpoint=hub.endpoint)
    np.testing.assert_allclose(
        mapper(half_blurred_photo), tiny_mapper(half_blurred_photo), atol=1e-6
    )
    assert mapper.card == tiny_mapper.card


def test_only_card_and_weights_are_downloaded(hub: Hub) -> None:
    fetch_weights(REPOSITORY, endpoint=hub.endpoint)
    got = {request.rpartition("/")[2] for request in hub.asked}
    assert got == {"config.json", "tiny.onnx"}
    assert "README.md" in hub.files


def test_what_is_in_the_cache_is_not_downloaded_again(hub: Hub) -> None:
    first = fetch_weights(REPOSITORY, endpoint=hub.endpoint)
    hub.asked.clear()
    assert fetch_weights(REPOSITORY, endpoint=hub.endpoint) == first
    assert not [request for request in hub.asked if request.startswith("GET")]


def test_offline_reads_the_cache_and_asks_nobody(hub: Hub) -> None:
    first = fetch_weights(REPOSITORY, endpoint=hub.endpoint)
    hub.asked.clear()
    assert fetch_weights(REPOSITORY, endpoint=hub.endpoint, offline=True) == first
    assert not hub.asked


def test_offline_without_a_cache_says_so(hub: Hub) -> None:
    with pytest.raises(WeightsError, match=r"somebody/tiny: config\.json is not in the cache"):
        fetch_weights(REPOSITORY, endpoint=hub.endpoint, offline=True)
    assert not hub.asked


def test_a_commit_is_asked_for_by_its_name(hub: Hub) -> None:
    fetch_weights(REPOSITORY, endpoint=hub.endpoint, revision=COMMIT)
    assert all(COMMIT in request for request in hub.asked)


def test_altered_weights_are_refused_and_named(hub: Hub) -> None:
    hub.files["tiny.onnx"] = hub.files["tiny.onnx"][:-1] + b"?"
    with pytest.raises(WeightsError, match=r"somebody/tiny: .*tiny\.onnx: SHA-256 is") as raised:
        fetch_weights(REPOSITORY, endpoint=hub.endpoint)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("file", ["../tiny.onnx", "/else/tiny.onnx", "..\\tiny.onnx"])
def test_a_card_that_points_elsewhere_is_refused(hub: Hub, file: str) -> None:
    hub.files["config.json"] = json.dumps(
        {**json.loads(hub.files["config.json"]), "file": file}
    ).encode()
    with pytest.raises(WeightsError, match="lie elsewhere; give a bare name"):
        fetch_weights(REPOSITORY, endpoint=hub.endpoint)


@pytest.mark.parametrize("suffix", RUNS_CODE)
def test_a_card_of_a_file_that_can_run_code_is_refused_before_it_is_downloaded(
    hub: Hub, suffix: str
) -> None:
    hub.files["config.json"] = json.dumps(
        {**json.loads(hub.files["config.json"]), "file": f"tiny{suffix}"}
    ).encode()
    hub.files[f"tiny{suffix}"] = b"cos\nsystem\n(S'exit'\ntR."
    with pytest.raises(WeightsError, match="can run code when loaded"):
        fetch_weights(REPOSITORY, endpoint=hub.endpoint)
    assert not [request for request in hub.asked if suffix in request]


@pytest.mark.parametrize(
    ("repository", "revision", "line"),
    [
        ("somebody/else", None, "no such repository"),
        (REPOSITORY, "v9", "has no revision 'v9'"),
        ("some body/tiny", None, "cannot be downloaded"),
    ],
)
def test_a_repository_that_cannot_be_had_is_named_in_one_line(
    hub: Hub, repository: str, revision: str | None, line: str
) -> None:
    with pytest.raises(WeightsError, match=f"{repository}: .*{line}") as raised:
        fetch_weights(repository, endpoint=hub.endpoint, revision=revision)
    assert "\n" not in str(raised.value)


def test_a_repository_of_something_else_is_named(hub: Hub) -> None:
    del hub.files["config.json"]
    with pytest.raises(WeightsError, match=r"somebody/tiny: has no config\.json"):
        fetch_weights(REPOSITORY, endpoint=hub.endpoint)


@pytest.mark.usefixtures("hub")
def test_a_hub_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # The client tries five times, and waits 23 seconds between them in all.
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(WeightsError, match="not in the cache, and the hub was not asked or not"):
        fetch_weights(REPOSITORY, endpoint="http://127.0.0.1:9")


@needs_hub
def test_the_environment_names_the_hub(hub: Hub, tmp_path: Path) -> None:
    script = f"from blurmapper.hub import fetch_weights; print(fetch_weights({REPOSITORY!r}))"
    environment = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().startswith(str(tmp_path / "home"))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("hub"))):
        fetch_weights(REPOSITORY)


def test_bundled_names_files_and_folders_need_no_hub(
    saved: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for source in (saved, str(saved), tiny_weights, str(tiny_weights)):
        assert BlurMapper.from_pretrained(source).card.name == "tiny"
    assert BlurMapper.from_pretrained("dbm-lite").card.name == "dbm-lite"


@pytest.mark.parametrize("source", ["dbn", "a/b/c", Path("none"), "none.onnx", "x" * 300])
def test_what_is_nowhere_is_named(source: str | Path) -> None:
    with pytest.raises(WeightsError, match=f"^{source}: no such weights"):
        fetch_weights(source)


@pytest.mark.parametrize("content", [b"<html>sign in</html>", b"", b"{}"])
def test_a_card_that_is_none_is_named_by_its_repository(hub: Hub, content: bytes) -> None:
    hub.files["config.json"] = content
    with pytest.raises(WeightsError, match=r"^somebody/tiny: its config\.json is of no use: not"):
        fetch_weights(REPOSITORY, endpoint=hub.endpoint)


@pytest.mark.parametrize("suffix", [*RUNS_CODE, ".PT"])
def test_a_file_that_can_run_code_is_refused_in_one_line(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tiny{suffix}"
    path.write_bytes(b"cos\nsystem\n(S'exit'\ntR.")
    with pytest.raises(WeightsError, match="can run code when loaded; give weights as") as raised:
        BlurMapper.from_pretrained(path)
    assert "\n" not in str(raised.value)


def test_a_saved_folder_tells_what_the_weights_are(saved: Path) -> None:
    assert {path.name for path in saved.iterdir()} == {"config.json", "README.md", "tiny.onnx"}
    page = (saved / "README.md").read_text()
    assert page.startswith("---\nlicense: apache-2.0\n")
    assert "| none (1) | paper | 1.000 | 1.000 | 1.000 |" in page


def test_a_folder_that_cannot_be_written_is_named(tiny_mapper: BlurMapper, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="file: cannot be written"):
        tiny_mapper.save_pretrained(tmp_path / "file")


def test_a_folder_with_a_null_byte_is_a_line(tiny_mapper: BlurMapper, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot be written \(.*embedded null (byte|character)"):
        tiny_mapper.save_pretrained(tmp_path / "a\0b")


@pytest.mark.parametrize("place", ["s3://bucket/folder", ""])
def test_what_is_no_folder_here_is_not_saved_to(
    place: str, tiny_mapper: BlurMapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"has to be on this machine|a path is empty"):
        tiny_mapper.save_pretrained(place)
    assert not list(tmp_path.iterdir())


def test_saving_into_its_own_folder_is_refused(saved: Path) -> None:
    before = (saved / "tiny.onnx").read_bytes()
    with pytest.raises(WeightsError, match="cannot be written"):
        BlurMapper(saved).save_pretrained(saved)
    assert (saved / "tiny.onnx").read_bytes() == before


@pytest.mark.parametrize("name", ["README.md", "config.json", "tiny.onnx"])
def test_saving_replaces_no_file_of_yours(
    name: str, tiny_mapper: BlurMapper, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(WeightsError, match="is not of blurmapper's making"):
        tiny_mapper.save_pretrained(tmp_path)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(name, "mine")]


def test_saving_again_is_allowed(tiny_mapper: BlurMapper, saved: Path) -> None:
    assert tiny_mapper.save_pretrained(saved) == saved


def test_altered_weights_in_a_folder_are_refused(saved: Path) -> None:
    shutil.copyfile(saved / "config.json", saved / "tiny.onnx")
    with pytest.raises(WeightsError, match=r"tiny\.onnx: SHA-256 is"):
        BlurMapper.from_pretrained(saved)
