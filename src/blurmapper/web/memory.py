"""Who holds how many bytes: uploads from their first byte on, answers until they are sent."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager


class Memory:
    """Count the bytes that requests hold, so that there are never more than there may be.

    It counts bytes and not requests, so that clients who send and read slowly keep no others out.

    Parameters
    ----------
    most : int
        Bytes that uploads and answers may hold together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._uploads = 0
        self._answers = 0
        self._sent = asyncio.Event()

    @property
    def held(self) -> int:
        """How many bytes are held now."""
        return self._uploads + self._answers

    @property
    def full(self) -> bool:
        """Whether there is no room for another byte."""
        return self.held >= self._most

    def take(self, size: int) -> bool:
        """Count bytes of an upload, and return whether there is room for them."""
        room = self.held + size <= self._most
        self._uploads += size * room
        return room

    def give_back(self, size: int) -> None:
        """Count no longer bytes of an upload."""
        self._uploads -= size

    @contextmanager
    def answering(self, size: int) -> Iterator[None]:
        """Count an answer for which there need not be room, as it is there already."""
        self._answers += size
        try:
            yield
        finally:
            self._answers -= size
            self._sent.set()

    async def wait_for_readers(self) -> None:
        """Wait until answers that nobody has read yet leave half of the room to uploads."""
        while self._answers > self._most / 2:
            self._sent.clear()
            await self._sent.wait()


class Upload:
    """A photo's file that arrives piece by piece, and is counted as long as it is held.

    Parameters
    ----------
    memory : Memory
        Where it is counted.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._buffer = io.BytesIO()

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return self._buffer.tell()

    @property
    def content(self) -> bytes:
        """All bytes that are held, without a copy of them."""
        return self._buffer.getvalue()

    def add(self, piece: bytes) -> bool:
        """Take in a piece, and return whether there was room for it."""
        if not self._memory.take(len(piece)):
            return False
        self._buffer.write(piece)
        return True

    def free(self) -> None:
        """Let go of the bytes."""
        self._memory.give_back(self.size)
        self._buffer = io.BytesIO()
