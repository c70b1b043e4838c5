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
        `upload_bytes` this bounds the memory that uploads can take.
    seconds : float
        For the upload to arrive, and again for the answer to it.
    """

    upload_bytes: int = 64_000_000
    pixels: int = 100_000_000
    jobs: int = 1
    waiting: int = 16
    seconds: float = 60.0
