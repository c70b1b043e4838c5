"""Clients that do not keep up, do not stop, or send what is not HTTP: none of them lasts."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

from blurmapper.web import Limits  # noqa: E402
from blurmapper.web.connections import Door  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Gate, Post, Serve

WaitUntil = Callable[[Callable[[], bool]], None]

# Only for clients that do something at once or not at all: idle ones are cut off as well.
HASTY = Limits(upload_bytes=100_000, patience=1, pace=1e9)
PATIENT = Limits(upload_bytes=100_000, patience=60)
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"POST /v1/degree HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def connect(client: Any) -> Iterator[socket.socket]:
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=60) as raw:
        yield raw


def read_all(raw: socket.socket) -> bytes:
    """Return what comes until the server ends the connection, in whatever way it does."""
    received = b""
    try:
        while piece := raw.recv(100_000):
            received += piece
    except ConnectionError:
        pass
    return received


def read_until(raw: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        piece = raw.recv(1000)
        assert piece, received
        received += piece
    return received


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: loc"])
def test_half_a_head_is_not_waited_for(serve: Serve, gate: Gate, sent: bytes) -> None:
    with serve(gate, HASTY) as client, connect(client) as raw:
        raw.sendall(sent)
        assert read_all(raw) == b""


def test_a_second_head_is_not_waited_for_either(serve: Serve, gate: Gate) -> None:
    with serve(gate, HASTY) as client, connect(client) as raw:
        raw.sendall(GET + b"GET / HTTP/1.1\r\n")
        assert read_all(raw).count(b"HTTP/1.1 200 OK") == 1


def test_a_body_that_comes_too_slowly_is_given_up(serve: Serve, gate: Gate, post: Post) -> None:
    with serve(gate, HASTY) as client, post(client, b"half", length=1000) as raw:
        answer = read_all(raw)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive fast enough" in answer


def test_an_answer_that_nobody_reads_is_given_up(
    serve: Serve, gate: Gate, large_photo: bytes, post: Post, wait_until: WaitUntil
) -> None:
    with serve(gate, HASTY) as client:
        memory, given_up = client.queue.memory, []
        answering = memory.answering

        # Who looks now and then may never see it held, which is for a second.
        @contextmanager
        def note(size: int) -> Iterator[None]:
            with answering(size):
                yield
            given_up.append(size)

        memory.answering = note
        with post(client, large_photo, "/v1/map?format=npy") as raw:
            wait_until(lambda: bool(given_up))
            assert given_up[0] > 20_000_000 and memory.held == 0
            assert len(read_all(raw)) < 24_000_000


def test_slow_bodies_keep_nobody_out(
    serve: Serve, gate: Gate, photo: bytes, post: Post, wait_until: WaitUntil
) -> None:
    with serve(gate, Limits(waiting=0, patience=60)) as client, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(post(client, b"slow", length=1000))
        wait_until(lambda: client.get("/healthz").json()["arriving"] == 5)
        assert client.post("/v1/degree", content=photo).status_code == 200


def test_no_more_of_a_body_is_read_after_its_refusal(serve: Serve, gate: Gate) -> None:
    with serve(gate, PATIENT) as client, connect(client) as raw:
        raw.sendall(CHUNKED)
        chunks = (b"2710\r\n" + bytes(10_000) + b"\r\n" for _ in range(10_000))
        with pytest.raises(ConnectionError):
            raw.sendall(b"".join(chunks))


@pytest.mark.parametrize("path", ["/nothing", "/healthz", "/v1/map?format=bmp", "/v1/map"])
def test_an_answer_to_half_a_request_is_the_last(serve: Serve, gate: Gate, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
    with serve(gate, PATIENT) as client, connect(client) as raw:
        raw.sendall(head.encode() + b"half")
        answer = read_all(raw)
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"connection: close" in answer
    assert b'{"error":' in answer


def test_who_asks_first_is_told_before_sending_too_much(serve: Serve, gate: Gate) -> None:
    head = b"POST /v1/map HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    with serve(gate, PATIENT) as client, connect(client) as raw:
        raw.sendall(head + b"Content-Length: 200000\r\n\r\n")
        assert read_all(raw).startswith(b"HTTP/1.1 413 ")


def test_who_asks_first_is_told_to_go_on(serve: Serve, gate: Gate, photo: bytes) -> None:
    head = b"POST /v1/map HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    with serve(gate, PATIENT) as client, connect(client) as raw:
        raw.sendall(head + b"Content-Length: %d\r\n\r\n" % len(photo))
        assert read_until(raw, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        raw.sendall(photo)
        assert read_until(raw, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_requests_sent_all_at_once_are_answered_in_order(
    serve: Serve, gate: Gate, photo: bytes
) -> None:
    head = b"POST /v1/degree HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with serve(gate, PATIENT) as client, connect(client) as raw:
        raw.sendall(2 * (head % len(photo) + photo) + last)
        answers = read_all(raw)
    assert [answers.count(b"HTTP/1.1 " + status) for status in (b"200", b"404")] == [2, 1]
    assert answers.index(b"HTTP/1.1 404") > answers.rindex(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        CHUNKED + b"no size\r\n",
        CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: 1\r\nContent-Length: 2"),
        CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: -1"),
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /" + bytes(100_000),
    ],
    ids=["TLS", "no chunk", "two lengths", "negative length", "two hosts", "endless"],
)
def test_what_is_not_http_is_refused_quietly(
    serve: Serve, gate: Gate, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(gate, PATIENT) as client:
        with connect(client) as raw:
            # It may be refused, and its connection ended, before all of it is sent.
            with suppress(ConnectionError):
                raw.sendall(sent)
            assert read_all(raw).startswith(b"HTTP/1.1 400 ")
        assert client.get("/healthz").status_code == 200
    assert "Traceback" not in caplog.text


def test_what_a_proxy_may_take_for_two_requests_is_refused(serve: Serve, gate: Gate) -> None:
    head = b"POST /v1/degree HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    with serve(gate, PATIENT) as client, connect(client) as raw:
        raw.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET)
        answers = read_all(raw)
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (b"http://localhost/healthz", b"localhost", 200),
        (b"HTTP://127.0.0.1:80/healthz", b"localhost", 200),
        (b"http://localhost", b"localhost", 200),
        (b"http://evil.example/healthz", b"localhost", 421),
        (b"http://localhost/healthz", b"evil.example", 421),
        (b"http://localhost@evil.example/healthz", b"localhost", 421),
    ],
)
def test_a_request_may_name_the_host_as_proxies_are_asked(
    serve: Serve, gate: Gate, target: bytes, host: bytes, status: int
) -> None:
    with serve(gate, PATIENT) as client, connect(client) as raw:
        raw.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (target, host))
        assert read_all(raw).startswith(b"HTTP/1.1 %d " % status)


def test_nonsense_amidst_an_answer_ends_it_quietly(
    serve: Serve, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(gate, PATIENT) as client:
        with connect(client) as raw:
            # Of a longer body no more would be read, nor the nonsense behind it.
            raw.sendall(CHUNKED.replace(b"/v1/degree", b"/nothing"))
            read_until(raw, b"404")
            # Half a second later the answer is over.
            with suppress(ConnectionError):
                raw.sendall(b"nonsense\r\n" * 10)
            read_all(raw)
        assert client.get("/healthz").status_code == 200
    assert "Traceback" not in caplog.text


def test_the_oldest_that_asks_nothing_makes_room(serve: Serve, gate: Gate) -> None:
    with serve(gate, Limits(connections=2, patience=60)) as client, ExitStack() as stack:
        silent = [stack.enter_context(connect(client)) for _ in range(2)]
        assert client.get("/healthz").status_code == 200
        assert read_all(silent[0]) == b""
        silent[1].sendall(GET)
        assert read_until(silent[1], b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_where_all_ask_the_newest_is_sent_away(serve: Serve, gate: Gate) -> None:
    with serve(gate, Limits(connections=2, patience=60)) as client, ExitStack() as stack:
        for _ in range(2):
            asking = stack.enter_context(connect(client))
            asking.sendall(CHUNKED.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            # Its request is being answered as soon as this comes.
            read_until(asking, b"HTTP/1.1 100 ")
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("there are too many connections")


class Guest:
    """A connection, as the door sees it."""

    def __init__(self, address: str, *, silent: bool) -> None:
        self.address = address
        self.silent = silent
        self.ended = False

    def cut_off(self) -> None:
        self.ended = True


def test_a_crowd_of_one_client_keeps_no_other_out() -> None:
    door: Any = Door(Limits(connections=2))
    crowd = [Guest("10.0.0.1", silent=False) for _ in range(3)]
    assert [door.lets_in(guest) for guest in crowd] == [True, True, False]
    assert door.lets_in(Guest("10.0.0.2", silent=False))
    door.leave(crowd[0])
    assert door.lets_in(crowd[2])


def test_all_clients_together_leave_files_for_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (131, 131))
    door: Any = Door(Limits())
    silent, *busy = [Guest(f"10.0.0.{n}", silent=n == 0) for n in range(5)]
    assert all(door.lets_in(guest) for guest in (silent, *busy[:2]))
    assert door.lets_in(busy[2]) and silent.ended
    assert not door.lets_in(busy[3])
