"""Map 20,000 broken files, and say what came of them.

    python -m benchmarks.hardening [--files 20000] [--workers 2] [--out build/hardening]

Each file goes through what `blurmapper map` does with a photo, in a worker process that is
watched from outside. A file is a find if the worker dies of it, takes over 10 s of a processor or
over 2 GB of memory, writes a map that is wrong, gives another answer than one clear line, or lets
a codec write to the terminal; photos of 100 megapixels, of which nothing is broken, may take 60 s.
Finds are kept in OUT/finds. A run that was stopped goes on where it was; the exit status is 1 if
there are finds.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hardening.cases import Cases
from benchmarks.hardening.report import report
from benchmarks.hardening.watch import Watched


class Run:
    """What is to do, and what is done, shared by the threads that each watch a worker.

    Parameters
    ----------
    out : Path
        Folder of the results, the finds, and what the files are made from.
    files : int
        How many there are in all.
    """

    def __init__(self, out: Path, files: int) -> None:
        self.cases = Cases(out)
        self.out = out
        self._results = out / "results.jsonl"
        self._lock = threading.Lock()
        done = {result["number"] for result in self.results()}
        self._to_do = iter([number for number in range(files) if number not in done])

    def results(self) -> list[dict[str, object]]:
        """Return what came of each file so far; the line of one that was cut off is left out."""
        if not self._results.exists():
            return []
        lines = self._results.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def numbers(self) -> Iterator[int]:
        """Yield numbers of files, each to one thread."""
        while True:
            with self._lock:
                number = next(self._to_do, None)
            if number is None:
                return
            yield number

    def add(self, result: dict[str, object]) -> None:
        """Take down what came of a file."""
        with self._lock, self._results.open("a") as stream:
            stream.write(json.dumps(result) + "\n")


def work(run: Run, name: str) -> None:
    """Make files and have them mapped, until there are none to do."""
    with Watched(run.out / f"worker-{name}") as watched:
        for number in run.numbers():
            case = run.cases.make(number)
            photo = watched.folder / f"{number:05d}.{case.kind}.{case.mutation}"
            photo.write_bytes(case.content)
            result = watched.map(photo, number)
            if result["outcome"] not in ("mapped", "refused"):
                finds = run.out / "finds"
                finds.mkdir(exist_ok=True)
                photo.replace(finds / photo.name)
            photo.unlink(missing_ok=True)
            run.add({"number": number, "kind": case.kind, "mutation": case.mutation, **result})


def main() -> None:
    """Run what is left to do, and print the tables of all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("build/hardening"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    run = Run(options.out.resolve(), options.files)
    # The first file makes the seeds, of which there must not be two sets.
    run.cases.make(0)
    threads = [threading.Thread(target=work, args=(run, str(i))) for i in range(options.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text, finds = report(run.results())
    print(text)
    sys.exit(1 if finds else 0)


if __name__ == "__main__":
    main()
