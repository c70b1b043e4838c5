"""`blurmapper rank`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from blurmapper.commands import _options as shared
from blurmapper.commands import _rank_options as option
from blurmapper.commands._output import (
    STOPPED,
    print_error,
    print_line,
    print_text,
    progress_bar,
    quiet_codecs,
    stopping_cleanly,
)
from blurmapper.commands._rank_table import print_table
from blurmapper.errors import BlurMapperError, ConfigError
from blurmapper.locations import Address, Location, find_location

if TYPE_CHECKING:
    import threading

    from blurmapper.batch import Found, How
    from blurmapper.ranking.records import MeasureTask, PhotoRecord, Unreadable
    from blurmapper.ranking.selection import End
    from blurmapper.ranking.sidecars import KeptRating
    from blurmapper.ranking.tables import Ranking


def rank(
    photos: shared.Photos,
    method: shared.Method = "dbm-lite",
    by: option.By = "degree",
    weighting: option.Weighting = None,
    csv: option.Csv = None,
    json: option.Json = None,
    parquet: option.Parquet = None,
    select: option.Select = None,
    copy_to: option.CopyTo = None,
    move_to: option.MoveTo = None,
    group_bursts: option.GroupBursts = False,
    xmp: option.Xmp = False,
    xmp_name: option.XmpName = "full",
    replace_ratings: option.ReplaceRatings = False,
    refine: shared.Refine = True,
    threads: shared.Threads = None,
    jobs: shared.Jobs = None,
    engine: shared.Engine = "local",
) -> None:
    """Put photos in the order of their blur degree S, the sharpest first.

    S is the mean of a photo's blur map, from 0, sharp all over, to 1. Beside it stand the share
    of the photo that is blurred and the sharpest region, the window of a quarter of its sides
    that has the least blur: x,y and width x height in pixels of the photo as it is seen. A long
    table shows its two ends; files hold all. A photo that cannot be read gets a line on standard
    error, the others go on, and the exit status is 1. Ctrl-C ranks what is done so far, and
    rates, copies and moves nothing.

    Stars: 5 for S below 0.2, 4 below 0.4, 3 below 0.6, 2 below 0.8, else 1. A rating that a
    sidecar holds is kept unless it is ours or --replace-ratings is given, and nothing else in it
    is touched; photos never are.

    Examples:

        blurmapper rank holiday/ --csv holiday.csv

        blurmapper rank shoot/ --group-bursts --select sharpest 20 --copy-to best/
    """
    from blurmapper.batch import How, find_photos
    from blurmapper.methods import MethodOptions
    from blurmapper.ranking import bursts, records, sidecars, tables

    if replace_ratings and not xmp:
        raise ConfigError("--replace-ratings needs --xmp")
    _check_selection(select, copy_to, move_to)
    if parquet is not None:
        tables.check_parquet()
    given = {"csv": csv, "json": json, "parquet": parquet}
    files = {kind: find_location(path) for kind, path in given.items() if path is not None}
    _check_tables(files)
    found = find_photos(photos)
    _check_local(found, touches_photos=xmp or select is not None)
    options = MethodOptions(refine=refine, threads=threads)
    task = records.MeasureTask(method, options, weighting, group_bursts)
    with quiet_codecs(), stopping_cleanly() as stop:
        results = _measure(task, found, How(engine, jobs), stop)
    ranked, unreadable = records.rank_photos(results[len(found.failures) :], by=by)
    grouped = bursts.group_bursts(ranked) if group_bursts else {}
    ranking = tables.Ranking(ranked, unreadable, grouped, by)

    failures = [failure.error for failure in found.failures]
    for kind, path in files.items():
        failures += _write(path, kind, ranking)
    if Path("-") not in files.values():
        print_table(ranking)
    if stop.is_set():
        print_line(f"stopped after {len(results)} of {len(found)} photos", err=True)
        raise typer.Exit(STOPPED)
    if xmp:
        rated = sidecars.write_ratings(ranked, xmp_name, by=by, replace=replace_ratings)
        failures += _report(rated, "rated {}")
    if select is not None:
        failures += _bring(ranking, select, copy_to, move_to)
    if failures or unreadable:
        raise typer.Exit(1)


def _check_selection(
    select: tuple[str, int] | None, copy_to: Path | None, move_to: Path | None
) -> None:
    folders = [folder for folder in (copy_to, move_to) if folder is not None]
    if select is None and folders:
        raise ConfigError("which photos? add --select sharpest N or --select blurriest N")
    if select is not None and len(folders) != 1:
        raise ConfigError("--select needs one of --copy-to DIR and --move-to DIR")
    if select is not None and select[0] not in ("sharpest", "blurriest"):
        raise ConfigError(f"--select {select[0]}: say sharpest N or blurriest N")
    if select is not None and select[1] < 1:
        raise ConfigError(f"--select {select[0]} {select[1]}: select 1 photo or more")


def _check_tables(paths: dict[str, Location]) -> None:
    """Refuse at once to write a table over what is none, such as a photo."""
    from blurmapper.files import check_replaceable
    from blurmapper.ranking.tables import OURS

    for kind, path in paths.items():
        if path != Path("-"):
            check_replaceable(path, OURS[kind])


def _check_local(found: Found, *, touches_photos: bool) -> None:
    away = [photo for photo in found.locations() if isinstance(photo, Address)]
    if away and touches_photos:
        raise ConfigError(f"{away[0]}: --xmp and --select need photos on this machine; leave out")


def _measure(
    task: MeasureTask, found: Found, how: How, stop: threading.Event
) -> list[PhotoRecord | Unreadable]:
    """Return what was measured, behind a progress bar."""
    from blurmapper.batch import PhotoFailure, run_task
    from blurmapper.ranking.records import to_record

    results: list[PhotoRecord | Unreadable] = []
    with (
        progress_bar(len(found)) as progress,
        closing(run_task(task, found, None, how, stop)) as measured,
    ):
        bar = progress.add_task("Ranking", total=len(found))
        for result in measured:
            if isinstance(result, PhotoFailure):
                print_error(result.error)
                results.append(result)
            else:
                results.append(to_record(result))
            progress.advance(bar)
    return results


def _bring(
    ranking: Ranking, select: tuple[str, int], copy_to: Path | None, move_to: Path | None
) -> list[BlurMapperError]:
    from blurmapper.ranking.selection import copy_photos, move_photos, select_photos

    end, number = cast("End", select[0]), select[1]
    chosen = select_photos(ranking.records, end, number, ranking.bursts)
    photos = [record.photo for record in chosen]
    if copy_to is not None:
        return _report(copy_photos(photos, copy_to), f"{{}} now in {copy_to}")
    assert move_to is not None
    return _report(move_photos(photos, move_to), f"{{}} now in {move_to}")


def _report(
    results: Iterable[Path | KeptRating | BlurMapperError], summary: str
) -> list[BlurMapperError]:
    """Do things to photos; say what failed, and in one line for how many it was done."""
    failures = []
    done = kept = 0
    for result in results:
        if isinstance(result, BlurMapperError):
            failures.append(result)
            print_error(result)
        elif isinstance(result, Path):
            done += 1
        else:
            kept += 1
    line = summary.format("1 photo" if done == 1 else f"{done} photos")
    if kept:
        line += f"; {kept} kept a rating that is not ours (--replace-ratings replaces it)"
    print_line(line, err=True)
    return failures


def _write(path: Location, kind: str, ranking: Ranking) -> list[BlurMapperError]:
    """Write or print a table; a failure is said and returned, for the ranking took long."""
    from blurmapper.files import write_file
    from blurmapper.ranking import tables

    formats = {"csv": tables.format_csv, "json": tables.format_json_lines}
    content = formats.get(kind, tables.format_parquet)(ranking)
    if path == Path("-") and kind in formats:
        print_text(content)
        return []
    try:
        write_file(path, content, tables.OURS[kind])
    except BlurMapperError as error:
        print_error(error)
        return [error]
    return []
