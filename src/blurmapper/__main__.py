"""The program ``blurmapper``, also as ``python -m blurmapper``."""

import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line; Ctrl-C ends it as quietly while its parts are still imported."""
    interrupted = False

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    # Where Ctrl-C is ignored, as in jobs of the background, it stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        from blurmapper.cli import main as run

        run()
    except (KeyboardInterrupt, Exception):
        # Python makes other errors of one that comes while a class is made.
        if not interrupted:
            raise
        # As `STOPPED`, which may not have been imported.
        sys.exit(130)


if __name__ == "__main__":
    main()
