"""How much the server takes on at a time, and who holds how many bytes of it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one request and of all together.

    Attributes
    ----------
    upload_bytes : int
        Most bytes of a photo's file.
    pixels : int
        Most pixels of a photo, as its header has them.
    jobs : int
        Photos worked on at a time.
    waiting : int
        Photos that may wait besides; the next is sent away with 503. Together with `jobs` and
        `upload_bytes` this bounds the memory that uploads and answers can take.
    seconds : float
        For the upload to arrive, and again for the answer to it.
    patience : float
        Seconds for a request's head, and by which a body or an answer may fall behind its pace.
    pace : float
        Bytes per second that a body must arrive with, and an answer be read with.
    connections : int
        Most connections of one client, by its address.
    """

    upload_bytes: int = 64_000_000
    pixels: int = 100_000_000
    jobs: int = 1
    waiting: int = 16
    seconds: float = 60.0
    patience: float = 10.0
    pace: float = 32_000.0
    connections: int = 256

    @property
    def places(self) -> int:
        """How many photos may be here at a time."""
        return self.jobs + self.waiting


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
