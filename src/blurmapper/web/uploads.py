"""The body of a request -> the photo in it, within the limits."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from contextlib import suppress

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from blurmapper.decoding import Photo, read_size
from blurmapper.web.limits import Limits

PATIENCE = 5.0
"""Seconds for which the body of a refused request is thrown away before the refusal is sent."""


async def read_upload(request: Request, limits: Limits) -> bytes:
    """Return the body of a request.

    Raises
    ------
    HTTPException
        413 as soon as it is known to be too large, from its announced length where there is
        one; 415 if it is a form instead of a photo; 408 if it takes too long.
    """
    if request.headers.get("content-type", "").startswith("multipart/"):
        await discard_upload(request, limits)
        raise HTTPException(415, "the body is a form; send the photo itself: curl --data-binary")
    content = bytearray()
    if _announced(request) <= limits.upload_bytes:
        try:
            async with asyncio.timeout(limits.seconds):
                async for chunk in request.stream():
                    content += chunk
                    if len(content) > limits.upload_bytes:
                        break
        except TimeoutError:
            raise HTTPException(
                408, f"the photo did not arrive within {limits.seconds:g} s; send it again"
            ) from None
    if max(len(content), _announced(request)) > limits.upload_bytes:
        content.clear()
        await discard_upload(request, limits)
        raise HTTPException(
            413,
            f"the photo has more than {limits.upload_bytes / 1e6:g} MB; "
            "send a smaller file, or raise --max-upload",
        )
    return bytes(content)


async def discard_upload(request: Request, limits: Limits) -> None:
    """Read on for a while, for nothing: many clients look for an answer only after sending."""
    # An answer sent while the body still comes can be lost with the connection. Yet a body of
    # more than twice what is taken is not worth reading, announced or not.
    most = 2 * limits.upload_bytes
    if _announced(request) > most:
        return
    thrown_away = 0
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(min(PATIENCE, limits.seconds)):
            async for chunk in request.stream():
                thrown_away += len(chunk)
                if thrown_away > most:
                    return


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
