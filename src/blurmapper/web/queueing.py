"""Photos wait in a short line for their turn; when it is full the next is sent away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from fastapi import HTTPException, Request, Response

from blurmapper.errors import ImageError, MissingExtraError
from blurmapper.web.limits import Limits, Memory, Upload
from blurmapper.web.uploads import busy, read_upload

Work = Callable[[bytes], Response]
"""A photo's file -> the answer to its request."""

Status = Literal["ok", "full", "stuck", "stopping"]

STOP_WITHIN = 5.0
"""Seconds that work which has begun is given when the server stops."""

_LOG = logging.getLogger(__name__)


class PhotoQueue:
    """Work on photos in threads, a few at a time, with a bounded number in waiting.

    Parameters
    ----------
    limits : Limits
        How many at a time, how many in waiting, how large, for how long.

    Attributes
    ----------
    memory : Memory
        What uploads and answers hold.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.memory = Memory(limits.places * limits.upload_bytes)
        self._threads = ThreadPoolExecutor(limits.jobs, thread_name_prefix="photo")
        self._free = asyncio.Semaphore(limits.jobs)
        self._at_work: set[Future[Response | HTTPException]] = set()
        self._turns: set[_Turn] = set()
        self._stopping = asyncio.Event()
        self.arriving = 0

    @property
    def working(self) -> int:
        """How many photos are worked on."""
        return len(self._at_work)

    @property
    def waiting(self) -> int:
        """How many photos wait for that."""
        return sum(not turn.begun for turn in self._turns)

    @property
    def status(self) -> Status:
        """Whether the next photo gets its turn, and if not, why."""
        if self._stopping.is_set():
            return "stopping"
        if len(self._turns) >= self._limits.places or self.memory.full:
            return "full"
        late = sum(turn.late for turn in self._turns)
        return "stuck" if late >= self._limits.jobs else "ok"

    async def answer(self, request: Request, work: Work) -> Response:
        """Read the photo in a request, do the work on it and return its answer.

        Raises
        ------
        HTTPException
            For every way in which this can fail, with its status and one line.
        """
        self._refuse_if_full()
        self.arriving += 1
        try:
            upload = await read_upload(request, self._limits, self.memory)
        finally:
            self.arriving -= 1
        try:
            self._refuse_if_full()
        except HTTPException:
            upload.free()
            raise
        turn = _Turn(upload)
        self._turns.add(turn)
        task = asyncio.create_task(self._work(turn, work))
        task.add_done_callback(lambda _: self._leave(turn))
        return await self._wait(request, turn, task)

    def stop(self) -> None:
        """Send away what waits, and take nothing more."""
        self._stopping.set()

    def close(self) -> None:
        """Let the threads go; one that is at work ends when it has finished."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _refuse_if_full(self) -> None:
        if self._stopping.is_set():
            raise busy("the server is stopping")
        if len(self._turns) >= self._limits.places:
            raise busy("the queue is full")

    def _leave(self, turn: _Turn) -> None:
        turn.upload.free()
        self._turns.discard(turn)

    async def _work(self, turn: _Turn, work: Work) -> Response | HTTPException:
        async with self._free:
            await self.memory.wait_for_readers()
            turn.begun = True
            future = self._threads.submit(_work_on, turn.upload, work)
            self._at_work.add(future)
            future.add_done_callback(self._at_work.discard)
            return await asyncio.wrap_future(future)

    async def _wait(
        self, request: Request, turn: _Turn, task: asyncio.Task[Response | HTTPException]
    ) -> Response:
        """Return the answer, unless it takes too long or nobody waits for it any more."""
        hang_up = asyncio.ensure_future(request.receive())
        stop = asyncio.ensure_future(self._stop_waiting(turn))
        seconds = self._limits.seconds
        try:
            await asyncio.wait(
                (task, hang_up, stop), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            hang_up.cancel()
            stop.cancel()
            # A thread that has begun cannot be stopped: its turn ends when it has finished.
            if not turn.begun:
                task.cancel()
        if task.done():
            outcome = task.result()
            if isinstance(outcome, HTTPException):
                raise outcome
            return outcome
        if hang_up.done():
            raise HTTPException(400, "the client hung up")
        if stop.done():
            raise busy("the server is stopping")
        if not turn.begun:
            raise busy(f"no turn came within {seconds:g} s")
        turn.late = True
        raise HTTPException(504, f"the photo takes more than {seconds:g} s; reduce it first")

    async def _stop_waiting(self, turn: _Turn) -> None:
        await self._stopping.wait()
        if turn.begun:
            await asyncio.sleep(STOP_WITHIN)


@dataclass(eq=False)
class _Turn:
    """A photo that has arrived.

    Attributes
    ----------
    upload : Upload
        Its file.
    begun : bool
        Whether it is worked on, or was.
    late : bool
        Whether its client has been told that it takes too long.
    """

    upload: Upload
    begun: bool = False
    late: bool = False


def _work_on(upload: Upload, work: Work) -> Response | HTTPException:
    """Return the answer, or the refusal; raised it would hold on to the photo by its traceback."""
    try:
        return work(upload.content)
    except HTTPException as error:
        return HTTPException(error.status_code, error.detail, error.headers)
    except MissingExtraError as error:
        # The line names where the server's files are, which is nobody else's business.
        _LOG.warning("%s", error)
        return HTTPException(501, "the server lacks a package for this; its own output names it")
    except ImageError as error:
        return HTTPException(422, str(error))
    except Exception:  # noqa: BLE001 -- it is logged whole
        # One photo's misfortune, a lack of memory included, is no other's.
        _LOG.exception("a photo could not be worked on")
        return HTTPException(500, "the server failed on this photo; its own output says why")
