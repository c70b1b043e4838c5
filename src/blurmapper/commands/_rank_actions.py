"""What `blurmapper rank` does with a ranking: tables, marks, copies and moves."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

import click

from blurmapper.addresses import Address
from blurmapper.commands._output import (
    check_outputs,
    exit_if_stopped,
    print_error,
    print_line,
    progress_bar,
    stopping_cleanly,
    write_output,
)
from blurmapper.errors import BlurMapperError, ConfigError, count_of
from blurmapper.files import refuse_link
from blurmapper.locations import STANDARD_OUTPUT, Location, find_path, is_folder

if TYPE_CHECKING:
    from blurmapper.batch import Found, PhotoFailure, Result
    from blurmapper.ranking.marks import Mark
    from blurmapper.ranking.selection import End, Selection
    from blurmapper.ranking.sidecars import Kept
    from blurmapper.ranking.tables import Ranking


@dataclass(frozen=True)
class Actions:
    """What is to be done.

    Attributes
    ----------
    tables : dict of str to Path or Address
        Kind of table -> where it goes.
    selection : Selection or None
        The photos that are marked, copied or moved.
    stars : bool
        Whether all photos are rated.
    mark : Mark
        What is said of the selected photos.
    naming : {"full", "stem"}
        How sidecars are called.
    replace : bool
        Whether marks replace those of others.
    copy_to, move_to : Path or None
        Where the selected photos go.
    report : Path or None
        The folder of a page to choose by.
    dry_run : bool
        Only say what would be done.
    """

    tables: dict[str, Location] = field(default_factory=dict)
    selection: Selection | None = None
    stars: bool = False
    mark: Mark | None = None
    naming: Literal["full", "stem"] = "full"
    replace: bool = False
    copy_to: Path | None = None
    move_to: Path | None = None
    report: Path | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.copy_to is not None and self.move_to is not None:
            raise ConfigError("--copy-to and --move-to: photos go to one place; leave out one")

    def check(self) -> None:
        """Refuse at once what cannot be done, such as a table written over a photo.

        Raises
        ------
        ConfigError, ImageError, MissingExtraError
        """
        from blurmapper.ranking import tables
        from blurmapper.ranking.report import FILES, IS_REPORT, PAGE

        has_deed = any(each is not None for each in (self.copy_to, self.move_to, self.mark))
        if self.replace and not self.stars and self.mark is None:
            raise ConfigError("--replace-ratings needs --xmp or --mark")
        if self.selection is None and has_deed:
            raise ConfigError(
                "which photos? add --select sharpest N, --below X, --above X or --verdict WORD"
            )
        if self.selection is not None and not has_deed:
            raise ConfigError("what with the selected? add --copy-to DIR, --move-to DIR or --mark")
        if "parquet" in self.tables:
            tables.check_parquet()
        outputs = [(path, tables.OURS[kind]) for kind, path in self.tables.items()]
        if self.report is not None:
            refuse_link(self.report / PAGE, self.report)
            refuse_link(self.report / FILES, self.report)
            outputs.append((self.report / PAGE, IS_REPORT))
        check_outputs(outputs)

    def check_local(self, found: Found) -> None:
        """Refuse to touch photos that are at addresses, or to show them in a page.

        Raises
        ------
        ConfigError
        """
        away = [photo for photo in found.locations() if isinstance(photo, Address)]
        if away and (self.stars or self.selection is not None or self.report is not None):
            raise ConfigError(
                f"{away[0]}: --xmp, --report and selections need photos on this machine; "
                "leave them out"
            )

    def write_tables(self, ranking: Ranking) -> int:
        """Write or print the tables; failures are said and counted, for the ranking took long."""
        from blurmapper.ranking import tables

        formats = {"csv": tables.format_csv, "json": tables.format_json_lines}
        failed = 0
        for kind, path in self.tables.items():
            if self.dry_run and path != STANDARD_OUTPUT:
                self._print_plan(f"would write {path}")
                continue
            content = formats.get(kind, tables.format_parquet)(ranking)
            try:
                write_output(content, path, tables.OURS[kind])
            except BlurMapperError as error:
                print_error(error)
                failed += 1
        return failed

    def write_report(self, ranking: Ranking, results: Iterable[Result | PhotoFailure]) -> int:
        """Write the page of a report, if one is asked for; a failure is said and counted."""
        from blurmapper.batch import PhotoFailure
        from blurmapper.ranking.report import PAGE, write_report

        if self.report is None:
            return 0
        if self.dry_run:
            self._print_plan(f"would write {self.report / PAGE}")
            return 0
        done = {each.photo: each for each in results if not isinstance(each, PhotoFailure)}
        try:
            page = write_report(ranking, done, self.report)
        except BlurMapperError as error:
            print_error(error)
            return 1
        print_line(f"open {page} in a browser", err=True)
        return 0

    def act_on(self, ranking: Ranking) -> int:
        """Mark, copy and move photos of a ranking; failures are said and counted."""
        from blurmapper.ranking.marks import Mark
        from blurmapper.ranking.selection import select_photos

        chosen: list[Path] = []
        if self.selection is not None:
            bursts = ranking.bursts if ranking.is_grouped else None
            records = select_photos(ranking.records, self.selection, bursts, by=ranking.by)
            # `check_local` lets no photo at an address come here.
            chosen = [cast("Path", record.photo) for record in records]
        marks: dict[Path, Mark] = {}
        if self.stars:
            marks = {cast("Path", r.photo): Mark(r.stars(ranking.by)) for r in ranking.records}
        if self.mark is not None:
            marks |= {photo: self.mark.over(marks.get(photo)) for photo in chosen}
        failed = self.write_marks(marks) if self.stars or self.mark is not None else 0
        return failed + self.bring(chosen)

    def write_marks(self, marks: dict[Path, Mark]) -> int:
        """Write marks to sidecars; failures are said and counted."""
        from blurmapper.ranking.sidecars import write_marks

        written = write_marks(
            marks.items(), self.naming, replace=self.replace, dry_run=self.dry_run
        )
        said = [f"{photo}: {mark}" for photo, mark in marks.items()]
        summary = "would mark {}" if self.dry_run else "marked {}"
        return self._report(written, "Marking", said, summary)

    def bring(self, photos: list[Path]) -> int:
        """Copy or move photos; failures are said and counted."""
        from blurmapper.ranking.bringing import copy_photos, move_photos

        folder = self.copy_to or self.move_to
        if folder is None:
            return 0
        deed = copy_photos if self.move_to is None else move_photos
        verb, title = ("copy", "Copying") if self.move_to is None else ("move", "Moving")
        brought = deed(photos, folder, dry_run=self.dry_run)
        summary = f"would {verb} {{}} to {folder}" if self.dry_run else f"{{}} now in {folder}"
        return self._report(brought, title, [str(photo) for photo in photos], summary)

    def _print_plan(self, line: str) -> None:
        print_line(line, err=STANDARD_OUTPUT in self.tables.values())

    def _report(
        self,
        results: Generator[Path | Kept | BlurMapperError | None],
        title: str,
        said: list[str],
        summary: str,
    ) -> int:
        """Do things to photos; say and count what failed, and in one line what was done.

        Ctrl-C finishes the photo that has begun; then the status is 130.
        """
        begun = done = kept = failed = 0
        with (
            stopping_cleanly() as stop,
            progress_bar(0 if self.dry_run else len(said)) as progress,
            closing(results),
        ):
            bar = progress.add_task(title, total=len(said))
            for begun, (result, line) in enumerate(zip(results, said, strict=False), start=1):
                if isinstance(result, BlurMapperError):
                    failed += 1
                    print_error(result)
                elif isinstance(result, Path):
                    done += 1
                    if self.dry_run:
                        self._print_plan(f"{line} -> {result}")
                elif result is not None:
                    kept += 1
                progress.update(bar, completed=begun)
                if stop.is_set():
                    break
        text = summary.format(count_of(done, "photo"))
        if kept:
            text += f"; {kept} kept what others said (--replace-ratings marks these too)"
        print_line(text, err=True)
        exit_if_stopped(stop, begun, len(said))
        return failed


def to_selection(
    select: tuple[str, int] | None,
    below: float | None,
    above: float | None,
    verdicts: list[str] | None = None,
) -> Selection | None:
    """Return the selection that options make, or None where they make none.

    Raises
    ------
    ConfigError
        If an end has another name, or no photo is asked for.
    """
    from blurmapper.ranking.records import Word
    from blurmapper.ranking.selection import Selection

    end, number = select or ("sharpest", None)
    if end not in ("sharpest", "blurriest"):
        raise ConfigError(f"--select {end}: say sharpest N or blurriest N")
    if number is not None and number < 1:
        raise ConfigError(f"--select {end} {number}: select 1 photo or more")
    for verdict in verdicts or ():
        if verdict not in get_args(Word):
            raise ConfigError(f"no verdict {verdict!r}; choose from: {', '.join(get_args(Word))}")
    if select is None and below is None and above is None and not verdicts:
        return None
    return Selection(below, above, cast("End", end), number, frozenset(verdicts or ()))


def apply_picks(
    path: Path, photos: list[str], only: str, actions: Actions, *, grouped: bool = False
) -> None:
    """Carry out the picks that a page saved: marks in sidecars, copies or moves.

    Raises
    ------
    ConfigError
        If the file holds no picks, or options go with it that choose photos otherwise.
    click.exceptions.Exit
        If something failed.
    """
    from blurmapper.ranking.picks import read_picks

    chosen_otherwise = actions.selection, actions.stars, actions.mark, actions.tables, grouped
    if any(chosen_otherwise) or actions.report or len(photos) > 1:
        raise ConfigError("--apply takes the photos and marks of its file; leave out other choices")
    folder = find_path(photos[0]) if photos else None
    if folder is not None and not is_folder(folder):
        raise ConfigError(f"{folder}: no such folder; give that which the photos are in")
    picks = read_picks(path, folder)
    chosen = picks.select(only)
    if folder is None:
        print_line(f"picks of photos in {picks.folder}", err=True)
    faults = picks.find_faults()
    for fault in faults.values():
        print_error(fault)
    marks = {photo: mark for photo, mark in picks.marks.items() if photo not in faults}
    failed = actions.write_marks(marks)
    failed += actions.bring([photo for photo in chosen if photo not in faults])
    if failed or faults:
        raise click.exceptions.Exit(1)
