"""The photo in a form, as `curl -F file=@photo.jpg` sends it."""

from __future__ import annotations

import logging

from fastapi import HTTPException
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

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
                    "on_part_begin": self._begin_part,
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

    def _begin_part(self) -> None:
        self._disposition = b""

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _begin_content(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options and b"filename*=" not in self._disposition.lower():
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
