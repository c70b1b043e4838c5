"""Servers that lie to the hub's client: nothing is written but in the cache, and one line comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blurmapper.errors import WeightsError
from blurmapper.hub import fetch_weights
from blurmapper.mapper import BlurMapper

COMMIT = "0123456789abcdef0123456789abcdef01234567"

Answers = dict[str, tuple[int, dict[str, str]]]
"""File -> status and headers in place of the right ones."""


@pytest.fixture
def serve(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Answers], str]]:
    """Start a hub of one repository on loopback that answers as told, and return its address."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs blurmapper[hub]")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    # The client tries again for 23 seconds where it cannot connect.
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    saved = BlurMapper(tiny_weights, threads=1).save_pretrained(tmp_path / "saved")
    answers: Answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.wfile.write(self.answer())

        def answer(self) -> bytes:
            name = self.path.rpartition("/")[2]
            content = (saved / name).read_bytes()
            status, headers = answers.get(name, (200, {}))
            self.send_response(status)
            right = {"X-Repo-Commit": COMMIT, "ETag": f'"{len(content)}"'}
            for header, value in {**right, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(header, value)
            self.end_headers()
            return content

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def start(lies: Answers) -> str:
            answers.update(lies)
            return f"http://127.0.0.1:{server.server_port}"

        yield start
        server.shutdown()
        thread.join()


def files_outside(tmp_path: Path) -> set[str]:
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    return {name for name in found if name.partition("/")[0] not in ("cache", "saved")}


def assert_refused(endpoint: str, tmp_path: Path, line: str) -> None:
    before = files_outside(tmp_path)
    with pytest.raises(WeightsError, match=line) as raised:
        fetch_weights("somebody/tiny", endpoint=endpoint)
    assert "\n" not in str(raised.value)
    assert files_outside(tmp_path) == before


@pytest.mark.parametrize("file", ["config.json", "tiny.onnx"])
@pytest.mark.parametrize("header", ["ETag", "X-Linked-ETag"])
@pytest.mark.parametrize(
    "name", ["../../../evil", "{folder}/evil", "..", ".", "a/b", "..\\..\\evil", "~", "a" * 300]
)
def test_an_etag_that_leads_out_of_the_cache_is_refused(
    serve: Callable[[Answers], str], tmp_path: Path, file: str, header: str, name: str
) -> None:
    etag = f'"{name.format(folder=tmp_path)}"'
    endpoint = serve({file: (200, {header: etag})})
    assert_refused(endpoint, tmp_path, "somebody/tiny: the hub's answer has the etag .* is none")


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("name", ["../../../../evil", "{folder}/evil", "..", ""])
def test_a_commit_that_leads_out_of_the_cache_is_refused(
    serve: Callable[[Answers], str], tmp_path: Path, status: int, name: str
) -> None:
    commit = name.format(folder=tmp_path)
    headers = {"X-Repo-Commit": commit, "X-Error-Code": "EntryNotFound" if status == 404 else ""}
    endpoint = serve({"config.json": (status, headers)})
    assert_refused(endpoint, tmp_path, "somebody/tiny: the hub's answer has the commit .* is none")


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:9/config.json",
        "http://nowhere.invalid/config.json",
        "file:///etc/passwd",
        "ftp://127.0.0.1/config.json",
        "http://[/config.json",
        "http://127.0.0.1:99999/",
    ],
)
def test_a_redirect_to_nowhere_is_one_line(
    serve: Callable[[Answers], str], tmp_path: Path, place: str
) -> None:
    endpoint = serve({"config.json": (302, {"Location": place, "Content-Length": "0"})})
    assert_refused(endpoint, tmp_path, "somebody/tiny: config.json")


@pytest.mark.parametrize(
    ("status", "code", "line"),
    [
        (
            401,
            "RepoNotFound",
            "no such repository, or a private one; .*",
        ),
        (401, "", "asks for a login: run hf auth login"),
        (403, "", "asks for a login: run hf auth login"),
        (404, "", "config.json is not in the cache, and the hub answered 404; try again later"),
        (500, "", "config.json is not in the cache, and the hub answered 500; try again later"),
    ],
)
def test_a_refusal_of_the_hubs_is_named_with_its_mend(
    serve: Callable[[Answers], str], tmp_path: Path, status: int, code: str, line: str
) -> None:
    headers = {"Content-Length": "0", **({"X-Error-Code": code} if code else {})}
    endpoint = serve({"config.json": (status, headers)})
    assert_refused(endpoint, tmp_path, f"^somebody/tiny: {line}$")


def test_the_client_is_left_as_it_was(serve: Callable[[Answers], str]) -> None:
    from huggingface_hub import file_download

    before = file_download.get_hf_file_metadata
    folder = fetch_weights("somebody/tiny", endpoint=serve({}))
    assert BlurMapper(folder).card.name == "tiny"
    assert file_download.get_hf_file_metadata is before


def test_nobody_is_asked_but_the_hub_that_is_named(
    serve: Callable[[Answers], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    asked: list[str] = []
    ask = "huggingface_hub.utils._headers.detect_agent"
    monkeypatch.setattr(ask, lambda: asked.append("huggingface.co"), raising=False)
    is_mute, endpoint = constants.HF_HUB_DISABLE_TELEMETRY, serve({})
    fetch_weights("somebody/tiny", endpoint=endpoint)
    fetch_weights("somebody/tiny", endpoint=endpoint, offline=True)
    assert not asked
    assert is_mute == constants.HF_HUB_DISABLE_TELEMETRY
