"""Files whose whole content is at hand."""

from __future__ import annotations

from pathlib import Path

from blurmapper.files import replacing


def replace_file(path: Path, content: bytes) -> None:
    """Write a file, or put another content in its place, in one step; its rights stay.

    Raises
    ------
    ImageError
        If it cannot be written; what was there before is still there.
    """
    with replacing(path) as stream:
        stream.write(content)
