"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from blurmapper.errors import ImageError


def replace_file(path: Path, content: bytes) -> None:
    """Write a file, or put another content in its place, in one step; its rights stay.

    Raises
    ------
    ImageError
        If it cannot be written; what was there before is still there.
    """
    part = path.with_name(f".blurmapper-{os.getpid()}.part")
    try:
        part.write_bytes(content)
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except OSError as error:
        raise ImageError(
            f"{path}: cannot be written ({error.strerror or error}); check the folder and disk"
        ) from error
    finally:
        part.unlink(missing_ok=True)
