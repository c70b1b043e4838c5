"""How much the server takes on at a time."""

from __future__ import annotations

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

    @property
    def bytes_in_all(self) -> int:
        """Most bytes that uploads may hold together."""
        return self.places * self.upload_bytes
