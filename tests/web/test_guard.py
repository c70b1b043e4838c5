"""The guard: only this server's own page, under its own name, and sealed answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

from blurmapper.errors import ConfigError  # noqa: E402
from blurmapper.web.guard import check_host, check_origin  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Gate, Serve


@pytest.fixture(scope="module")
def proxied(serve: Serve) -> Iterator[Any]:
    """A client of a server that a proxy shows as photos.example."""

    def map_nothing(image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        return np.ones(image.shape[:2], np.float32)

    with serve(map_nothing, hosts=["photos.example"]) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["localhost", "localhost.", "localhost:8000", "127.0.0.1", "[::1]:80", "10.0.0.7"]
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
    with serve(gate, hosts=["Photos.example."]) as client:
        for name in ("photos.example", "photos.example.:8000"):
            assert client.get("/", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "http://[", "", "*"],
)
def test_another_sites_page_is_refused(client: Any, photo: bytes, origin: str) -> None:
    answer = client.post("/v1/map", content=photo, headers={"Origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["https://photos.example", "https://PHOTOS.example:8443"])
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "photos.example"])
def test_its_page_is_served_through_a_proxy(
    proxied: Any, photo: bytes, host: str, origin: str
) -> None:
    headers = {"Host": host, "Origin": origin, "X-Forwarded-Proto": "https"}
    assert proxied.post("/v1/degree", content=photo, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://photos.example.evil.example", "ftp://photos.example"],
)
def test_a_proxy_lets_no_other_site_in(proxied: Any, photo: bytes, origin: str) -> None:
    headers = {"Host": "photos.example", "Origin": origin}
    answer = proxied.post("/v1/degree", content=photo, headers=headers)
    assert answer.status_code == 403
    assert "--allow-origin" in answer.json()["error"]


def test_one_origin_of_two_does_not_do(client: Any, photo: bytes) -> None:
    own = str(client.base_url).rstrip("/")
    headers = [("Origin", own), ("Origin", "https://evil.example")]
    assert client.post("/v1/degree", content=photo, headers=headers).status_code == 403


def test_another_sites_scripts_may_be_let_in(serve: Serve, gate: Gate, photo: bytes) -> None:
    with serve(gate, origins=["https://Blog.example/"]) as client:
        headers = {"Origin": "https://blog.example"}
        asked = client.options(
            "/v1/map", headers=headers | {"Access-Control-Request-Method": "POST"}
        )
        answer = client.post("/v1/map", content=photo, headers=headers)
        refused = client.post("/v1/map", headers={"Origin": "https://blog.example:1"})
    assert (asked.status_code, answer.status_code, refused.status_code) == (200, 200, 403)
    for seen in (asked, answer):
        assert seen.headers["access-control-allow-origin"] == "https://blog.example"
    assert "Blur-Figures" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in refused.headers


def test_all_sites_may_be_let_in(serve: Serve, gate: Gate, photo: bytes) -> None:
    with serve(gate, origins=["*"]) as client:
        answer = client.post("/v1/map", content=photo, headers={"Origin": "https://any.example"})
        rebound = client.get("/", headers={"Host": "evil.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert rebound.status_code == 421


@pytest.mark.parametrize(("origins", "allowed"), [(["https://a.example"], 1), (["*"], 1), ([], 0)])
def test_a_site_that_is_let_in_may_reach_into_this_network(
    serve: Serve, gate: Gate, origins: list[str], allowed: int
) -> None:
    headers = {
        "Origin": "https://a.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Private-Network": "true",
    }
    with serve(gate, origins=origins) as client:
        answer = client.options("/v1/map", headers=headers)
        other = client.options("/v1/map", headers=headers | {"Origin": "http://localhost"})
    seen = answer.headers.get("access-control-allow-private-network")
    assert (answer.status_code, seen) == ((200, "true") if allowed else (403, None))
    if "*" not in origins:
        assert "access-control-allow-private-network" not in other.headers


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("Photos.Example", "photos.example"),
        ("[::1]", "::1"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_host_is_compared_as_browsers_write_it(given: str, seen: str) -> None:
    assert check_host(given) == seen


@pytest.mark.parametrize(
    "name", ["", "*", "https://photos.example", "photos.example:80", "a/b", "-"]
)
def test_what_is_no_host_is_told(name: str) -> None:
    with pytest.raises(ConfigError, match="--allow-host takes one such as"):
        check_host(name)


@pytest.mark.parametrize("origin", ["", "photos.example", "https://", "https://a/b", "https://a b"])
def test_what_is_no_origin_is_told(origin: str) -> None:
    with pytest.raises(ConfigError, match="--allow-origin takes one such as"):
        check_origin(origin)


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
