"""The server as a whole: its addresses, its health, its place behind a proxy."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

import blurmapper  # noqa: E402
from blurmapper.errors import ConfigError  # noqa: E402
from blurmapper.web import Limits, create_app  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Gate, Serve

WaitUntil = Callable[[Callable[[], bool]], None]

PAGES = Path(blurmapper.__file__).parent / "web" / "pages"
GETS = ["/", "/docs", "/healthz", "/openapi.json", "/samples/cat.jpg", "/pages/page.js"]


@pytest.mark.parametrize("path", GETS)
def test_a_head_is_that_of_its_page(client: Any, path: str) -> None:
    page, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "content-security-policy"):
        assert head.headers[name] == page.headers[name]


@pytest.mark.parametrize(("verb", "path"), [("GET", "/v1/map"), ("HEAD", "/v1/map"), ("POST", "/")])
def test_a_wrong_verb_is_told_the_right_one(client: Any, verb: str, path: str) -> None:
    answer = client.request(verb, path)
    assert answer.status_code == 405
    if verb != "HEAD":
        right = answer.headers["allow"]
        assert answer.json()["error"].startswith(f"{verb} is not for this address, {right} is")


def test_a_wrong_address_is_told_where_to_look(client: Any) -> None:
    answer = client.post("/v1/blur", content=b"photo")
    assert answer.status_code == 404
    assert "/docs" in answer.json()["error"]


def test_health_takes_no_parameter_that_it_does_not_know(client: Any) -> None:
    assert client.get("/healthz?verbose=1").status_code == 400


def test_a_full_server_says_so(
    serve: Serve, gate: Gate, photo: bytes, wait_until: WaitUntil
) -> None:
    with serve(gate, Limits(waiting=0)) as client, ThreadPoolExecutor(1) as pool:
        gate.opened.clear()
        held = pool.submit(client.post, "/v1/degree", content=photo)
        wait_until(lambda: client.get("/healthz").json()["working"] == 1)
        full = client.get("/healthz")
        gate.opened.set()
        held.result()
        empty = client.get("/healthz")
    assert (full.status_code, full.json()["status"]) == (503, "full")
    assert (empty.status_code, empty.json()["status"]) == (200, "ok")


def test_a_server_whose_work_does_not_end_says_so(serve: Serve, gate: Gate, photo: bytes) -> None:
    with serve(gate, Limits(seconds=1)) as client:
        gate.opened.clear()
        assert client.post("/v1/degree", content=photo).status_code == 504
        stuck = client.get("/healthz")
        gate.opened.set()
        assert client.post("/v1/degree", content=photo).status_code == 200
        well = client.get("/healthz")
    assert (stuck.status_code, stuck.json()["status"]) == (503, "stuck")
    assert well.json()["status"] == "ok"


def test_a_server_that_stops_says_so_and_takes_nothing_more(
    serve: Serve, gate: Gate, photo: bytes
) -> None:
    with serve(gate) as client:
        client.queue.stop()
        stopping = client.get("/healthz")
        answer = client.post("/v1/degree", content=photo)
    assert (stopping.status_code, stopping.json()["status"]) == (503, "stopping")
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("the server is stopping")


@pytest.mark.parametrize("prefix", ["/tools/blur", ""], ids=["kept by the proxy", "taken off"])
def test_a_path_of_a_proxy_is_in_front_of_everything(
    serve: Serve, gate: Gate, photo: bytes, prefix: str
) -> None:
    with serve(gate, root_path="/tools/blur/") as client:
        for path in GETS:
            assert client.get(prefix + path).status_code == 200
        assert client.post(f"{prefix}/v1/degree", content=photo).status_code == 200
        description = client.get(f"{prefix}/openapi.json").json()
    assert description["servers"] == [{"url": "/tools/blur"}]


def test_a_page_whose_path_lacks_its_end_is_sent_on(serve: Serve, gate: Gate) -> None:
    with serve(gate, root_path="/blur") as client:
        answer = client.get("/blur")
    assert answer.status_code in (307, 308)
    assert answer.headers["location"].endswith("/blur/")


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.[hj][ts]*")), ids=lambda page: page.name)
def test_pages_look_beside_themselves_and_not_at_the_top(page: Path) -> None:
    assert not re.search(r"""["'`]/(?!/)\w""", page.read_text())


@pytest.mark.parametrize("path", ["blur", "https://a.example/b", "/a b", "/a?b", "//a", "/ä"])
def test_what_is_no_path_is_told(gate: Gate, path: str) -> None:
    with pytest.raises(ConfigError, match="--root-path takes one such as /blur"):
        create_app(gate, root_path=path)
