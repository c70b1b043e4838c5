"""A photo in a form, as browsers and `curl -F` send it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

for module in ("fastapi", "python_multipart", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra blurmapper[web]")
httpx = pytest.importorskip("httpx", reason="httpx asks the server")

from fastapi import HTTPException  # noqa: E402

from blurmapper.web import Limits  # noqa: E402
from blurmapper.web.uploads import FORM_BYTES, FormPhoto  # noqa: E402

if TYPE_CHECKING:
    from tests.web.conftest import Gate, Serve

KIND = "multipart/form-data; boundary=----7d1"
PHOTO = b"\r\n------7d1\r\nnot the end: \r\n----7d"
FILE = b'Content-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
FIELD = b'Content-Disposition: form-data; name="format"\r\n'


def form(*parts: tuple[bytes, bytes], end: bytes = b"------7d1--\r\n") -> bytes:
    return b"".join(b"------7d1\r\n%s\r\n%s\r\n" % part for part in parts) + end


def read(body: bytes, size: int, kind: str = KIND) -> bytes:
    """Return the photo in a form that comes in pieces of a size."""
    photo = FormPhoto(kind)
    pieces = [photo.photo_in(body[at : at + size]) for at in range(0, len(body), size)]
    photo.finish()
    return b"".join(pieces)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_photo_comes_out_as_it_went_in(size: int) -> None:
    photo = PHOTO.replace(b"------7d1", b"------7d2")
    assert read(form((FILE + b"Content-Type: image/jpeg\r\n", photo)), size) == photo


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("multipart/form-data", form((FILE, b"x")), "does not say what divides it"),
        (KIND + "x" * 300, form((FILE, b"x")), "damaged"),
        (KIND, form((FIELD, b"png")), "'format' is no file"),
        (KIND, form((FILE, b"x"), (FIELD, b"png")), "'format' is no file"),
        (KIND, form((b"", b"x")), "'a part' is no file"),
        (KIND, form((FILE, b"x"), (FILE, b"y")), "more than one photo"),
        (KIND, form((FILE, b"x"), end=b""), "cut short"),
        (KIND, form(), "no photo"),
        (KIND, b"", "cut short"),
        (KIND, b"\xff\xd8\xff\xe0 a bare photo", "damaged"),
        (KIND, form((b"X: y\r\n" * 500 + FILE, b"x")), "damaged"),
        (KIND, form((b"X: " + b"y" * 9000 + b"\r\n" + FILE, b"x")), "damaged"),
    ],
)
def test_what_is_no_form_with_one_file_is_told(kind: str, body: bytes, said: str) -> None:
    with pytest.raises(HTTPException) as refusal:
        read(body, 100, kind)
    assert refusal.value.status_code == 400
    assert said in refusal.value.detail
    assert "\n" not in refusal.value.detail


def test_damaged_forms_do_not_fill_the_log() -> None:
    handlers = logging.getLogger("python_multipart").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


@pytest.mark.parametrize("name", ["file", "photo", "upload[]"])
def test_a_form_gets_what_the_bare_photo_gets(client: Any, photo: bytes, name: str) -> None:
    bare = client.post("/v1/map?format=png16", content=photo)
    sent = client.post("/v1/map?format=png16", files={name: ("写真.jpg", photo, "image/jpeg")})
    assert (sent.status_code, sent.content) == (200, bare.content)


def test_a_photo_may_be_as_large_in_a_form(serve: Serve, gate: Gate, photo: bytes) -> None:
    with serve(gate, Limits(upload_bytes=len(photo))) as client:
        assert client.post("/v1/degree", files={"file": photo}).status_code == 200
        assert client.post("/v1/degree", files={"file": photo + b"0"}).status_code == 413
        assert client.get("/healthz").json()["held_bytes"] == 0


def test_a_form_may_not_be_large_besides(serve: Serve, gate: Gate, photo: bytes) -> None:
    end = b"------7d1--\r\n" + bytes(FORM_BYTES)
    with serve(gate, Limits(upload_bytes=len(photo))) as client:
        answer = client.post(
            "/v1/degree",
            content=iter([form((FILE, photo), end=end)]),
            headers={"Content-Type": KIND},
        )
    assert answer.status_code == 413


def test_a_form_without_its_photo_is_refused(client: Any) -> None:
    answer = client.post("/v1/map", files={"file": b""})
    assert answer.status_code == 422
    assert "empty" in answer.json()["error"]
    answer = client.post("/v1/map", files={"format": (None, "png")})
    assert answer.status_code == 400
    assert "curl -F file=@photo.jpg" in answer.json()["error"]
