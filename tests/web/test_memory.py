"""What requests hold in memory: counted, bounded, and let go of at once."""

from __future__ import annotations

import asyncio
import gc
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

from blurmapper.web import Limits  # noqa: E402
from blurmapper.web.limits import Memory, Upload  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Gate, Post, Serve

WaitUntil = Callable[[Callable[[], bool]], None]

LARGE = 4_000_000


@pytest.fixture
def traced() -> Iterator[Callable[[], int]]:
    """How many bytes Python holds more than before, where nothing is collected by chance."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield lambda: tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    gc.enable()


def health(client: Any) -> Any:
    return client.get("/healthz").json()


def test_an_upload_is_counted_until_it_is_freed() -> None:
    memory = Memory(10)
    upload = Upload(memory)
    assert upload.add(b"12345") and upload.add(b"678")
    assert (memory.held, upload.content) == (8, b"12345678")
    upload.free()
    upload.free()
    assert (memory.held, upload.size) == (0, 0)


def test_what_has_no_room_is_not_taken() -> None:
    memory = Memory(10)
    assert Upload(memory).add(bytes(6))
    other = Upload(memory)
    assert not other.add(bytes(5))
    assert (memory.held, other.size) == (6, 0)


def test_answers_leave_half_of_the_room_before_the_next_is_made() -> None:
    async def see() -> list[bool]:
        memory = Memory(10)
        with memory.answering(3), memory.answering(3):
            waiting = asyncio.ensure_future(memory.wait_for_readers())
            await asyncio.sleep(0)
            held_up = waiting.done()
        await waiting
        return [held_up, memory.full]

    assert asyncio.run(see()) == [False, False]


def test_what_a_gone_client_sent_is_freed_while_another_is_served(
    serve: Serve, gate: Gate, photo: bytes, post: Post, wait_until: WaitUntil, traced: Any
) -> None:
    body = bytes(LARGE)
    with serve(gate) as client, ThreadPoolExecutor(1) as pool:
        gate.opened.clear()
        held = pool.submit(client.post, "/v1/degree", content=photo)
        wait_until(lambda: health(client)["working"] == 1)
        for _ in range(5):
            with post(client, body):
                wait_until(lambda: health(client)["waiting"] == 1)
            wait_until(lambda: health(client)["waiting"] == 0)
        assert health(client)["held_bytes"] == len(photo)
        assert traced() < 2 * LARGE
        gate.opened.set()
        assert held.result().status_code == 200


def test_who_asks_for_more_and_hangs_up_is_seen_to_be_gone(
    serve: Serve, gate: Gate, photo: bytes, post: Post, wait_until: WaitUntil
) -> None:
    more = b"GET / HTTP/1.1\r\n"
    with serve(gate) as client, ThreadPoolExecutor(1) as pool:
        gate.opened.clear()
        held = pool.submit(client.post, "/v1/degree", content=photo)
        wait_until(lambda: health(client)["working"] == 1)
        with post(client, photo + more, length=len(photo)) as gone:
            wait_until(lambda: health(client)["waiting"] == 1)
            gone.sendall(more)
        wait_until(lambda: health(client)["waiting"] == 0)
        assert health(client)["held_bytes"] == len(photo)
        gate.opened.set()
        assert held.result().status_code == 200


def test_who_asks_for_too_much_at_once_is_cut_off(
    serve: Serve, gate: Gate, photo: bytes, post: Post
) -> None:
    with serve(gate) as client:
        gate.opened.clear()
        # More than the system holds: it may be cut off before it has sent all.
        with (
            pytest.raises(ConnectionError),
            post(client, photo + bytes(100_000_000), length=len(photo)) as greedy,
        ):
            greedy.recv(1)
        gate.opened.set()


def test_what_was_refused_is_freed(serve: Serve, gate: Gate, traced: Any) -> None:
    with serve(gate) as client:
        body = bytes(LARGE)
        for _ in range(5):
            assert client.post("/v1/degree", content=body).status_code == 422
        assert traced() < 2 * LARGE


def test_an_answer_is_counted_until_its_client_has_read_it(
    serve: Serve, gate: Gate, large_photo: bytes, post: Post, wait_until: WaitUntil
) -> None:
    with serve(gate) as client:
        with post(client, large_photo, "/v1/map?format=npy") as unread:
            wait_until(lambda: health(client)["held_bytes"] > 20_000_000)
            assert health(client)["working"] == 0
            # Read fast from now on: with the small buffer it comes in thousands of pieces.
            unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
            while unread.recv(1_000_000):
                if health(client)["held_bytes"] == 0:
                    break
        assert health(client)["held_bytes"] == 0


def test_no_map_is_made_while_nobody_reads_those_there_are(
    serve: Serve, gate: Gate, large_photo: bytes, post: Post, wait_until: WaitUntil
) -> None:
    limits = Limits(upload_bytes=1_000_000, waiting=3, patience=60)
    with serve(gate, limits) as client:
        before = gate.mapped
        with post(client, large_photo, "/v1/map?format=npy"):
            wait_until(lambda: health(client)["held_bytes"] > 20_000_000)
            with post(client, large_photo, "/v1/map?format=npy"):
                refused = client.post("/v1/degree", content=large_photo)
                assert gate.mapped == before + 1
        wait_until(lambda: health(client)["held_bytes"] == 0)
        assert client.post("/v1/degree", content=large_photo).status_code == 200
    assert refused.status_code == 503
    assert refused.json()["error"].startswith("other photos take all the memory there is")


def test_an_upload_for_which_there_is_no_room_is_sent_away(
    serve: Serve, gate: Gate, post: Post, wait_until: WaitUntil
) -> None:
    with serve(gate, Limits(upload_bytes=100_000, waiting=0)) as client:
        with post(client, bytes(60_000), length=90_000):
            wait_until(lambda: health(client)["held_bytes"] == 60_000)
            answer = client.post("/v1/degree", content=bytes(60_000))
        wait_until(lambda: health(client)["held_bytes"] == 0)
        assert client.post("/v1/degree", content=bytes(60_000)).status_code == 422
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
