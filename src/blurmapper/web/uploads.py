"""The body of a request -> the photo in it, within the limits."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

from fastapi import HTTPException, Request

from blurmapper.decoding import Photo, read_size
from blurmapper.web.forms import FORM_BYTES, FormPhoto
from blurmapper.web.limits import Limits
from blurmapper.web.memory import Memory, Upload
from blurmapper.web.transfers import Pace

RETRY_AFTER = 2
"""Seconds after which one who was sent away may come again."""


async def read_upload(request: Request, limits: Limits, memory: Memory) -> Upload:
    """Return the photo's file that is the body of a request, or in the form that the body is.

    Raises
    ------
    HTTPException
        413 as soon as it is known to be too large, from its announced length where there is
        one; 415 if it is compressed; 408 if it takes too long; 503 if there is no room for it.
    """
    _refuse_compressed(request)
    content_type = request.headers.get("content-type", "")
    form = FormPhoto(content_type) if content_type.lower().startswith("multipart/") else None
    most = limits.upload_bytes + (FORM_BYTES if form else 0)
    if _announced(request) > most:
        raise _too_large(limits)
    upload, received = Upload(memory), 0
    with ExitStack() as on_failure:
        on_failure.callback(upload.free)
        async for piece in _pieces(request, limits):
            received += len(piece)
            room = upload.add(form.photo_in(piece) if form else piece)
            if received > most or upload.size > limits.upload_bytes:
                raise _too_large(limits)
            if not room:
                raise busy("other photos take all the memory there is for them")
        if form:
            form.finish()
        on_failure.pop_all()
    return upload


def decode_upload(content: bytes, limits: Limits, read: Callable[[bytes], Photo]) -> Photo:
    """Return the photo that is in an uploaded file.

    Parameters
    ----------
    content : bytes
    limits : Limits
    read : callable
        What decodes a file.

    Raises
    ------
    HTTPException
        413 if its header has too many pixels; they are not decoded.
    ImageError
        If it is no photo that can be read.
    """
    size = read_size(io.BytesIO(content))
    if size is not None:
        _check_pixels(*size, limits)
    photo = read(content)
    # HEIC and RAW files, which Pillow alone cannot open, show their size only now.
    _check_pixels(photo.height, photo.width, limits)
    return photo


def busy(reason: str) -> HTTPException:
    """Return the refusal of what may be asked again in a moment."""
    return HTTPException(
        503,
        f"{reason}; try again in {RETRY_AFTER} s",
        headers={"Retry-After": str(RETRY_AFTER)},
    )


async def _pieces(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """Yield the body of a request as it arrives, as long as it does so in time."""
    pace = Pace(limits)
    end = asyncio.get_running_loop().time() + limits.seconds
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout_at(min(end, pace.due)):
                piece = await anext(stream, None)
        except TimeoutError:
            late = f"within {limits.seconds:g} s" if end <= pace.due else "fast enough"
            raise HTTPException(408, f"the photo did not arrive {late}; send it again") from None
        if piece is None:
            return
        pace.moved(len(piece))
        yield piece


def _refuse_compressed(request: Request) -> None:
    names = ",".join(request.headers.getlist("content-encoding")).lower().split(",")
    compressions = [name.strip() for name in names if name.strip() not in ("", "identity")]
    if compressions:
        raise HTTPException(
            415,
            f"the body is compressed ({', '.join(compressions)[:40]}); send the photo as it is",
            headers={"Accept-Encoding": "identity"},
        )


def _too_large(limits: Limits) -> HTTPException:
    return HTTPException(
        413,
        f"the photo has more than {limits.upload_bytes / 1e6:g} MB; "
        "send a smaller file, or raise --max-upload",
    )


def _check_pixels(height: int, width: int, limits: Limits) -> None:
    pixels = height * width
    if pixels > limits.pixels:
        has, most = pixels / 1e6, limits.pixels / 1e6
        raise HTTPException(
            413,
            f"the photo has {has:.1f} megapixels; this server takes {most:g}: "
            "reduce it, or raise --max-pixels",
        )


def _announced(request: Request) -> int:
    """Return the length that the client says its body has; 0 if it does not."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0
