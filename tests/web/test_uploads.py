"""Uploads within bounds: of bytes, of pixels, of time."""

from __future__ import annotations

import gzip
import io
import socket
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import PIL.Image
import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

from blurmapper.web import Limits  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Gate, Post, Serve

SMALL = Limits(upload_bytes=100_000, pixels=20_000)


@pytest.fixture
def small(serve: Serve, gate: Gate) -> Iterator[Any]:
    """A client of a server that takes 100 kB and 20,000 pixels."""
    with serve(gate, SMALL) as client:
        yield client


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of few bytes whose header has many pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (
        struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        for body in (header, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_photo_too_long_for_jpeg_is_one_all_the_same(serve: Serve, gate: Gate) -> None:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (70_000, 16)).save(buffer, "PNG")
    with serve(gate) as client:
        for route in ("overlay", "magnify?strength=0", "photo"):
            answer = client.post(f"/v1/{route}", content=buffer.getvalue())
            assert answer.status_code == 400
            error = "JPEG takes no 70000 x 16 pixels; ask for format=png"
            assert answer.json() == {"error": error}
        answer = client.post("/v1/photo?format=png", content=buffer.getvalue())
        assert PIL.Image.open(io.BytesIO(answer.content)).size == (70_000, 16)


def test_an_announced_size_is_refused_and_the_next_photo_served(small: Any, photo: bytes) -> None:
    answer = small.post("/v1/map", content=bytes(150_000))
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("the photo has more than 0.1 MB")
    assert small.post("/v1/map", content=photo).status_code == 200


def test_a_huge_announced_size_is_refused_unread(small: Any) -> None:
    with socket.create_connection((small.base_url.host, small.base_url.port), timeout=60) as raw:
        raw.sendall(
            b"POST /v1/map HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_endless_upload_is_cut_off(small: Any) -> None:
    chunks = b"".join(b"2710\r\n" + bytes(10_000) + b"\r\n" for _ in range(10_000))
    with socket.create_connection((small.base_url.host, small.base_url.port), timeout=60) as raw:
        raw.sendall(
            b"POST /v1/map HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        with pytest.raises(ConnectionError):
            raw.sendall(chunks)
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_upload_that_does_not_end_is_given_up(serve: Serve, gate: Gate, post: Post) -> None:
    with serve(gate, Limits(seconds=1)) as client, post(client, b"half", length=1000) as raw:
        assert raw.recv(100).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF"])
def test_too_many_pixels_are_refused_in_every_format(small: Any, kind: str) -> None:
    buffer = io.BytesIO()
    PIL.Image.new("L", (200, 101)).save(buffer, kind)
    answer = small.post("/v1/degree", content=buffer.getvalue())
    assert answer.status_code == 413
    assert "0.0 megapixels; this server takes 0.02" in answer.json()["error"]


def test_a_bomb_is_refused_from_its_header(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("a bomb was decoded")

    monkeypatch.setattr("blurmapper.web.figures.read_for", decode)
    answer = client.post("/v1/map", content=bomb(30_000, 30_000))
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("the photo has 900.0 megapixels")


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "Zstd", "identity, gzip"])
def test_a_compressed_body_is_refused_by_name(client: Any, photo: bytes, coding: str) -> None:
    headers = {"Content-Encoding": coding}
    answer = client.post("/v1/map", content=gzip.compress(photo), headers=headers)
    assert answer.status_code == 415
    assert f"({coding.rpartition(' ')[2].lower()})" in answer.json()["error"]
    assert answer.headers["accept-encoding"] == "identity"


def test_a_body_that_says_it_is_not_compressed_is_read(client: Any, photo: bytes) -> None:
    headers = {"Content-Encoding": "identity"}
    assert client.post("/v1/degree", content=photo, headers=headers).status_code == 200


def test_a_body_in_many_pieces_is_one_photo(client: Any, photo: bytes) -> None:
    pieces = (photo[start : start + 1000] for start in range(0, len(photo), 1000))
    assert client.post("/v1/degree", content=pieces).status_code == 200
