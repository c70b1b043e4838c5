"""The queue: a few at a time, a few in waiting, and the next is told to come again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
pytest.importorskip("httpx", reason="httpx asks the server")

from blurmapper import BlurMapper  # noqa: E402
from blurmapper.errors import WeightsError  # noqa: E402
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


def test_several_photos_are_worked_on_at_once(
    serve: Serve, photo: bytes, tiny_weights: Path
) -> None:
    together = threading.Barrier(3, timeout=60)

    class Meeting(BlurMapper):
        def __call__(self, image: Any) -> Any:
            if image.shape[0] > 16:
                together.wait()
            return np.ones(image.shape[:2], np.float32)

    method = Meeting(tiny_weights, threads=1)
    with serve(method, Limits(jobs=3)) as client, ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/degree", content=photo), range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3


def test_what_is_no_network_works_on_a_photo_at_a_time(serve: Serve, photo: bytes) -> None:
    inside, alone = threading.Lock(), []

    def work(image: Any) -> Any:
        alone.append(inside.acquire(blocking=False))
        time.sleep(0.02)
        inside.release()
        return np.ones(image.shape[:2], np.float32)

    with serve(work, Limits(jobs=3)) as client, ThreadPoolExecutor(3) as pool:
        # Those that wait for another have not begun, and no time runs for them.
        assert client.get("/healthz").json()["limits"]["jobs"] == 1
        answers = list(pool.map(lambda _: client.post("/v1/degree", content=photo), range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert alone == [True] * 7


@pytest.mark.parametrize("kind", [OSError, WeightsError])
def test_a_failure_of_ours_shows_nothing_of_the_machine(
    kind: type[Exception], serve: Serve, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def fail(image: Any) -> Any:
        calls.append(image)
        if len(calls) > 1:
            raise kind("/home/someone/secret")
        return np.ones(image.shape[:2], np.float32)

    with serve(fail) as client:
        answer = client.post("/v1/map", content=photo)
        assert client.get("/healthz").status_code == 200
    assert answer.status_code == 500
    assert "/" not in answer.json()["error"]
    assert "secret" in caplog.text
