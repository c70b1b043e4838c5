"""What the API's routes share: a photo's turn in the queue, and the answer's format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends, HTTPException, Request, Response

from blurmapper.decoding import Photo
from blurmapper.images import ImageArray
from blurmapper.web.figures import Figures, Mapped, PhotoMapping
from blurmapper.web.limits import Limits
from blurmapper.web.queueing import PhotoQueue
from blurmapper.web.uploads import decode_upload

Format = TypeVar("Format", bound=str)


class PhotoTurn:
    """A request with a photo for its body, and what its server works on it with.

    Parameters
    ----------
    request : Request
        Its application's state holds ``queue``, ``mapping`` and ``limits``, its own what
        `blurmapper.web.transfers.Transfers` closes when the answer has been sent.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        state = request.app.state
        self._queue: PhotoQueue = state.queue
        self._mapping: PhotoMapping = state.mapping
        self._limits: Limits = state.limits

    async def read(self, work: Callable[[ImageArray], Response]) -> Response:
        """Return what the work makes of the photo."""
        return await self._answer(lambda photo, _: work(photo.image), whole=True)

    async def map(self, work: Callable[[Mapped], Response], *, whole: bool = True) -> Response:
        """Return what the work makes of the photo, whole or as far as needed, and its map."""
        return await self._answer(lambda photo, _: work(self._mapping(photo)), whole=whole)

    async def judge(self) -> Response:
        """Return the numbers of the photo, read whole, with its verdict."""
        return await self._answer(lambda *read: to_json(self._mapping.judge(*read)), whole=True)

    async def _answer(self, work: Callable[[Photo, bytes], Response], *, whole: bool) -> Response:
        read = partial(self._mapping.read, whole=whole)
        answer = await self._queue.answer(
            self._request, lambda content: work(decode_upload(content, self._limits, read), content)
        )
        counted = self._queue.memory.answering(len(answer.body))
        self._request.state.until_sent.enter_context(counted)
        return answer

    def choose(self, asked: Format | None, offered: Mapping[str, Format]) -> Format:
        """Return the format asked for, or that which the header ``Accept`` likes best.

        Parameters
        ----------
        asked : str, optional
            What the query says; it wins.
        offered : mapping of str to str
            Media type -> format, the usual one first.

        Raises
        ------
        HTTPException
            406 if none of them is accepted.
        """
        if asked is not None:
            return asked
        liked = _read_accept(self._request.headers.getlist("accept"))
        best = max(offered, key=lambda media_type: _preference(media_type, liked))
        if _preference(best, liked) <= (0,):
            raise HTTPException(406, f"there is no such answer; accept {' or '.join(offered)}")
        return offered[best]


def to_json(figures: Figures) -> Response:
    """Return the answer that numbers are."""
    return Response(figures.model_dump_json(), media_type="application/json")


# Not the class itself, whose annotations FastAPI 0.115 does not resolve.
async def _take_turn(request: Request) -> PhotoTurn:
    return PhotoTurn(request)


Turn = Annotated[PhotoTurn, Depends(_take_turn)]
"""The parameter of a route that gets its photo's turn."""


async def refuse_unknown_parameters(request: Request) -> None:
    """Refuse parameters that a route does not have, which would be passed over without a word.

    Raises
    ------
    HTTPException
        400 that names them, or one that is given twice.
    """
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if name not in known:
            there_are = f"there are {', '.join(known)}" if known else "there are none here"
            raise HTTPException(400, f"{name[:40]}: there is no such parameter; {there_are}")
        if times > 1:
            raise HTTPException(400, f"{name}: given {times} times; give it once")


def _read_accept(accept: list[str]) -> dict[str, float]:
    """Return the media types of the headers ``Accept``, in their order, with what q says."""
    liked: dict[str, float] = {}
    for part in ",".join(accept or ["*/*"]).lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        with suppress(ValueError):
            liked[media_type] = float(quality)
    return liked


def _preference(media_type: str, liked: Mapping[str, float]) -> tuple[float, ...]:
    """Return how well a media type is liked, by what is said most closely of it (RFC 9110)."""
    for wanted in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if wanted in liked and liked[wanted] > 0:
            return liked[wanted], -list(liked).index(wanted)
        if wanted in liked:
            break
    return (0.0,)
