"""The command line, as ``python -m blurmapper``."""

from blurmapper.cli import main

if __name__ == "__main__":
    main()
