"""The queue: a few at a time, a few in waiting, and the next is told to come again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
pytest.importorskip("httpx", reason="httpx asks the server")

from blurmapper.web import Limits  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Gate, Post, Serve

WaitUntil = Callable[[Callable[[], bool]], None]


def at_hand(client: Any) -> tuple[int, int]:
    """Return how many photos are worked on, and how many wait for that."""
    health = client.get("/healthz").json()
    return health["working"], health["waiting"]


def test_a_full_queue_sends_away_and_takes_again(
    serve: Serve, gate: Gate, photo: bytes, wait_until: WaitUntil
) -> None:
    with serve(gate, Limits(jobs=1, waiting=2)) as client, ThreadPoolExecutor(3) as pool:
        gate.opened.clear()
        held = [pool.submit(client.post, "/v1/degree", content=photo) for _ in range(3)]
        # Two in waiting alone may be the first two, of which neither has begun yet.
        wait_until(lambda: at_hand(client) == (1, 2))
        refused = client.post("/v1/degree", content=photo)
        gate.opened.set()
        assert [answer.result().status_code for answer in held] == [200] * 3
        assert client.post("/v1/degree", content=photo).status_code == 200
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["error"] == "the queue is full; try again in 2 s"


def test_the_server_answers_while_a_photo_is_mapped(
    serve: Serve, gate: Gate, photo: bytes, wait_until: WaitUntil
) -> None:
    with serve(gate, Limits(waiting=0)) as client, ThreadPoolExecutor(1) as pool:
        gate.opened.clear()
        held = pool.submit(client.post, "/v1/degree", content=photo)
        wait_until(lambda: at_hand(client) == (1, 0))
        assert client.post("/v1/degree", content=photo).status_code == 503
        assert client.get("/").status_code == 200
        assert not held.done()
        gate.opened.set()
        assert held.result().status_code == 200


def test_a_photo_that_takes_too_long_is_told_so(serve: Serve, gate: Gate, photo: bytes) -> None:
    with serve(gate, Limits(seconds=1)) as client:
        gate.opened.clear()
        slow = client.post("/v1/degree", content=photo)
        late = client.post("/v1/degree", content=photo)
        gate.opened.set()
        assert client.post("/v1/degree", content=photo).status_code == 200
    assert (slow.status_code, late.status_code) == (504, 503)
    assert slow.json()["error"] == "the photo takes more than 1 s; reduce it first"
    assert late.headers["retry-after"] == "2"


def test_nobody_maps_for_a_client_that_has_left(
    serve: Serve, gate: Gate, photo: bytes, post: Post, wait_until: WaitUntil
) -> None:
    with serve(gate) as client, ThreadPoolExecutor(1) as pool:
        before = gate.mapped
        gate.opened.clear()
        held = pool.submit(client.post, "/v1/degree", content=photo)
        wait_until(lambda: at_hand(client) == (1, 0))
        with post(client, photo):
            wait_until(lambda: at_hand(client) == (1, 1))
        wait_until(lambda: at_hand(client) == (1, 0))
        gate.opened.set()
        assert held.result().status_code == 200
        assert client.post("/v1/degree", content=photo).status_code == 200
        assert gate.mapped == before + 2


def test_several_photos_are_worked_on_at_once(serve: Serve, photo: bytes) -> None:
    together = threading.Barrier(3, timeout=60)

    def meet(image: Any) -> Any:
        if image.shape[0] > 16:
            together.wait()
        return np.ones(image.shape[:2], np.float32)

    with serve(meet, Limits(jobs=3)) as client, ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/degree", content=photo), range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
