"""The body of a request, or the form in it -> the photo, within the limits."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

from fastapi import HTTPException, Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from blurmapper.decoding import Photo, read_size
from blurmapper.web.limits import Limits, Memory, Upload
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
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
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
    # RAW files show their size only now.
    _check_pixels(photo.height, photo.width, limits)
    return photo


def busy(reason: str) -> HTTPException:
    """Return the refusal of what may be asked again in a moment."""
    return HTTPException(
        503, f"{reason}; try again in {RETRY_AFTER} s", headers={"Retry-After": str(RETRY_AFTER)}
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


FORM_BYTES = 16_384
"""Most bytes of a form besides its photo."""


# It tells the log of every damaged form, which the answer says to who sent it.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())


class FormPhoto:
    """Takes the one file out of a form while it arrives; nothing else of the form is kept.

    Parameters
    ----------
    content_type : str
        The request's header, which says what divides the form's parts.

    Raises
    ------
    HTTPException
        400, here and from every method, if this is not a whole form with one file in it.
    """

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise _refuse(
                "the form does not say what divides it; leave its Content-Type to curl -F"
            )
        self._files = 0
        self._whole = False
        self._header = self._value = self._disposition = b""
        self._photo: list[bytes] = []
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_header_field": self._add_header,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._add_content,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _damaged(error) from None

    def photo_in(self, piece: bytes) -> bytes:
        """Return what belongs to the photo in the form's next piece."""
        self._photo.clear()
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _damaged(error) from None
        return b"".join(self._photo)

    def finish(self) -> None:
        """Say that the form has arrived."""
        if not self._whole:
            raise _refuse("the form was cut short; send it again")
        if self._files == 0:
            raise _refuse("the form has no photo; send it with curl -F file=@photo.jpg")

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _begin_content(self) -> None:
        # The next part has its own, or none.
        disposition, self._disposition = self._disposition, b""
        _, options = parse_options_header(disposition)
        if b"filename" not in options and b"filename*=" not in disposition.lower():
            name = options.get(b"name", b"a part").decode("utf-8", "replace")[:40]
            raise _refuse(
                f"{name!r} is no file: photos have an @ before their name, as in curl -F "
                "file=@photo.jpg, and parameters go into the address, as in ?format=png"
            )
        self._files += 1
        if self._files > 1:
            raise _refuse("the form has more than one photo; send one at a time")

    def _add_content(self, data: bytes, start: int, end: int) -> None:
        self._photo.append(data[start:end])

    def _end(self) -> None:
        self._whole = True


def _damaged(error: FormParserError) -> HTTPException:
    return _refuse(f"the form is damaged ({error}); send it again")


def _refuse(reason: str) -> HTTPException:
    return HTTPException(400, reason)
