"""Photos wait in a short line for their turn; when it is full the next is sent away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from fastapi import HTTPException, Request, Response

from blurmapper.errors import BlurMapperError, MissingExtraError
from blurmapper.web.limits import Limits
from blurmapper.web.uploads import discard_upload, read_upload

Work = Callable[[bytes], Response]
"""A photo's file -> the answer to its request."""

RETRY_AFTER = 2
"""Seconds after which one who was sent away may come again."""

_LOG = logging.getLogger(__name__)


class PhotoQueue:
    """Work on photos in threads, a few at a time, with a bounded number in waiting.

    A photo's place is taken before its upload is read, so that uploads cannot fill the memory.

    Parameters
    ----------
    limits : Limits
        How many at a time, how many in waiting, how large, for how long.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.jobs, thread_name_prefix="photo")
        self._taken = 0

    @property
    def working(self) -> int:
        """How many photos are worked on, or arrive."""
        return min(self._taken, self._limits.jobs)

    @property
    def waiting(self) -> int:
        """How many photos wait besides."""
        return max(0, self._taken - self._limits.jobs)

    async def answer(self, request: Request, work: Work) -> Response:
        """Read the photo in a request, do the work on it and return its answer.

        Raises
        ------
        HTTPException
            For every way in which this can fail, with its status and one line.
        """
        if self._taken >= self._limits.jobs + self._limits.waiting:
            await discard_upload(request, self._limits)
            raise _busy("the queue is full")
        with self._place():
            content = await read_upload(request, self._limits)
            future = self._threads.submit(_work_on, content, work)
            return await self._wait(request, future)

    def close(self) -> None:
        """Let the photos go that still wait; those that are worked on are finished."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _place(self) -> Iterator[None]:
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def _wait(self, request: Request, future: Future[Response]) -> Response:
        """Return the answer, unless it takes too long or nobody waits for it any more."""
        answer = asyncio.wrap_future(future)
        hang_up = asyncio.ensure_future(request.receive())
        try:
            await asyncio.wait(
                (answer, hang_up),
                timeout=self._limits.seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if answer.done():
                return answer.result()
            if hang_up.done():
                raise HTTPException(400, "the client hung up")
            if future.running():
                raise HTTPException(
                    504, f"the photo takes more than {self._limits.seconds:g} s; reduce it first"
                )
            raise _busy(f"no turn came within {self._limits.seconds:g} s")
        finally:
            # A thread that has begun cannot be stopped: its turn ends when it has finished.
            answer.cancel()
            hang_up.cancel()


def _work_on(content: bytes, work: Work) -> Response:
    try:
        return work(content)
    except HTTPException:
        raise
    except MissingExtraError as error:
        raise HTTPException(501, str(error)) from error
    except BlurMapperError as error:
        raise HTTPException(422, str(error)) from error
    except Exception as error:
        # One photo's misfortune, a lack of memory included, is no other's.
        _LOG.exception("a photo could not be worked on")
        raise HTTPException(
            500, "the server failed on this photo; its own output says why"
        ) from error


def _busy(reason: str) -> HTTPException:
    return HTTPException(
        503,
        f"{reason}; try again in {RETRY_AFTER} s",
        headers={"Retry-After": str(RETRY_AFTER)},
    )
