"""Files of clips -> open containers that can be read frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from blurmapper.decoding.boxes import claims_samples
from blurmapper.errors import ImageError, VideoError, needing
from blurmapper.locations import Location, open_file

if TYPE_CHECKING:
    from av.container import InputContainer

# FFmpeg can also open playlists, which name other files and hosts, and text as pictures.
FORMATS = (
    *("mov", "mp4", "m4v", "3gp", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo"),
    *("flv", "asf", "ogg", "mxf", "dv", "gif", "h264", "hevc", "ivf", "nut", "yuv4mpegpipe"),
)


class ClipFile:
    """A clip's file as PyAV reads it, which prints a traceback of whatever reading raises.

    Attributes
    ----------
    error : OSError or None
        Why the file could not be read on: for PyAV it ends there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self.close = file.close

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes, or what there is until the file cannot be read."""
        try:
            return self._file.read(size)
        except OSError as error:
            self.error = error
            return b""


def open_clip(path: Location) -> tuple[ClipFile, InputContainer]:
    """Open a clip, and never another file that it names; the caller closes both.

    Raises
    ------
    VideoError, MissingExtraError
        As `Clip` does.
    """
    with needing("video", "videos need"):
        import av
    if isinstance(path, Path) and path.is_dir():
        raise VideoError(f"{path}: is a folder; give the clips inside it")
    try:
        file = ClipFile(open_file(path))
    except ImageError as error:
        raise VideoError(str(error).replace("a photo's file", "a clip")) from error
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "none"}
    broken = (av.ArgumentError, av.EOFError, av.InvalidDataError)
    try:
        _check(file, path)
        # PyAV asks no more of a file than this one has.
        return file, av.open(cast("Any", file), "r", options=options)
    except (av.FFmpegError, OSError) as error:
        file.close()
        if file.error is not None:
            line = f"cannot be read ({file.error.strerror}); check the disk, then copy it again"
            raise VideoError(f"{path}: {line}") from error
        # Where a file that is cut short leads to a place before its start, seeking there fails.
        if isinstance(error, broken) or not isinstance(error, av.FFmpegError):
            raise VideoError(
                f"{path}: no video that can be read, or cut short; "
                "copy it again or convert it to MP4"
            ) from error
        raise VideoError(
            f"{path}: cannot be opened ({error.strerror}); check the file and its rights"
        ) from error
    except BaseException:
        file.close()
        raise


def _check(file: ClipFile, path: Location) -> None:
    if not file.read(1):
        if file.error is not None:
            raise file.error
        raise VideoError(f"{path}: the file is empty (0 bytes); copy or download it again")
    if claims_samples(cast("BinaryIO", file)):
        raise VideoError(f"{path}: lists more frames than a clip has; convert it to MP4 anew")
    file.seek(0)
