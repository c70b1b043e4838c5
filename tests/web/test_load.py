"""Two hundred uploads at once, half of them broken: each is answered, and the server stays up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

from blurmapper.web import Limits  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Serve

pytestmark = pytest.mark.slow

UPLOADS = 200


@pytest.fixture
def uploads(photo: bytes) -> list[tuple[bytes, int]]:
    """Files and the status that each must get: a good one, then one of five broken ones."""
    broken = [
        (b"", 422),
        (b"no photo at all", 422),
        (photo[: len(photo) // 2], 422),
        (photo[:40], 422),
        (bytes(300_000), 413),
    ]
    return [(photo, 200) if n % 2 == 0 else broken[n // 2 % 5] for n in range(UPLOADS)]


def post_all(address: Any, uploads: list[tuple[bytes, int]], send: Callable[..., Any]) -> list[Any]:
    """Send all uploads at the same moment, each over a connection of its own."""
    together = threading.Barrier(len(uploads))
    options = {
        "base_url": address,
        "headers": {"Connection": "close"},
        "limits": httpx.Limits(max_connections=len(uploads)),
        "timeout": 60,
        "trust_env": False,
    }
    with httpx.Client(**options) as client, ThreadPoolExecutor(len(uploads)) as pool:

        def post(content: bytes) -> Any:
            together.wait(60)
            return send(client, content)

        return list(pool.map(post, [content for content, _ in uploads]))


def post_once(client: Any, content: bytes) -> Any:
    return client.post("/v1/map", content=content)


def test_each_is_answered_where_all_may_wait(
    serve: Serve, method: Any, uploads: list[tuple[bytes, int]]
) -> None:
    with serve(
        method, Limits(upload_bytes=200_000, waiting=UPLOADS, connections=2 * UPLOADS)
    ) as client:
        expected = client.post("/v1/map", content=uploads[0][0]).content
        answers = post_all(client.base_url, uploads, post_once)
        assert client.get("/healthz").json()["working"] == 0
    assert [answer.status_code for answer in answers] == [status for _, status in uploads]
    assert all(answer.content == expected for answer in answers if answer.status_code == 200)
    assert all(answer.json()["error"] for answer in answers if answer.status_code != 200)


def test_who_is_sent_away_by_a_short_queue_gets_a_turn_later(
    serve: Serve, method: Any, uploads: list[tuple[bytes, int]]
) -> None:
    sent_away = []

    def post_until_taken(client: Any, content: bytes) -> Any:
        while (answer := post_once(client, content)).status_code == 503:
            sent_away.append(answer.headers["retry-after"])
            time.sleep(0.5)
        return answer

    with serve(method, Limits(upload_bytes=200_000, waiting=32, connections=2 * UPLOADS)) as client:
        answers = post_all(client.base_url, uploads, post_until_taken)
        assert client.get("/healthz").json()["waiting"] == 0
    assert sent_away
    assert [answer.status_code for answer in answers] == [status for _, status in uploads]
