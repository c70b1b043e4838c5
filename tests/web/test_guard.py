"""The guard: only this server's own page, under its own name, and sealed answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

if TYPE_CHECKING:
    from tests.web.conftest import Gate, Serve


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:80", "10.0.0.7"]
)
def test_its_own_names_and_all_addresses_are_taken(client: Any, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "["]
)
def test_a_name_pointed_at_it_is_refused(client: Any, host: str) -> None:
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "--allow-host" in answer.json()["error"]


def test_a_name_can_be_added(serve: Serve, gate: Gate) -> None:
    with serve(gate, hosts=["Photos.example"]) as client:
        assert client.get("/", headers={"Host": "photos.example"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_sites_page_is_refused(client: Any, photo: bytes, origin: str) -> None:
    answer = client.post("/v1/map", content=photo, headers={"Origin": origin})
    assert answer.status_code == 403


def test_its_own_page_is_served(client: Any, photo: bytes) -> None:
    origin = str(client.base_url).rstrip("/")
    answer = client.post("/v1/degree", content=photo, headers={"Origin": origin})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/nothing", "/pages/page.css"])
def test_every_answer_is_sealed(client: Any, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
