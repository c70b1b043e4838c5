"""`blurmapper rank` and `blurmapper check`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import click

from blurmapper.commands import _options as shared
from blurmapper.commands import _rank_options as option
from blurmapper.commands._output import exit_if_stopped, print_line, quiet_codecs, stopping_cleanly
from blurmapper.commands._parameters import Option
from blurmapper.commands._rank_actions import Actions, apply_picks, to_selection
from blurmapper.commands._ranking_table import print_ranking
from blurmapper.commands._run import measure
from blurmapper.errors import ConfigError, count_of
from blurmapper.locations import STANDARD_OUTPUT, find_location

if TYPE_CHECKING:
    from blurmapper.batch import PhotoFailure
    from blurmapper.ranking.records import PhotoRecord


def rank(
    photos: option.Photos = None,
    method: shared.Method = "dbm-lite",
    by: option.By = "focus",
    weighting: option.Weighting = None,
    csv: option.Csv = None,
    json: option.Json = None,
    parquet: option.Parquet = None,
    select: option.Select = None,
    below: option.Below = None,
    above: option.Above = None,
    verdict: option.Verdicts = None,
    copy_to: option.CopyTo = None,
    move_to: option.MoveTo = None,
    mark: option.Marks = None,
    group_bursts: option.GroupBursts = False,
    xmp: option.Xmp = False,
    xmp_name: option.XmpName = "full",
    replace_ratings: option.ReplaceRatings = False,
    boxes: option.BoxFile = None,
    faces: option.Faces = False,
    af_point: option.AfPoint = False,
    report: option.Report = None,
    apply: option.Apply = None,
    only: option.Only = "pick",
    dry_run: option.DryRun = False,
    refine: shared.Refine = True,
    threads: shared.Threads = None,
    device: shared.Device = "auto",
    jobs: shared.Jobs = None,
    redo: shared.Redo = False,
    engine: shared.Engine = "local",
) -> None:
    """Put photos in the order of their focus, the sharpest first, each with a verdict.

    Focus is how wide the blur is, as a sigma in the photo's own pixels, in the sharpest part of
    what is meant to be sharp. Beside it stand S, the mean of the blur map from 0 to 1, and the
    share of the photo that is blurred. A long table shows its two ends; files hold all. A photo
    that cannot be read gets a line on standard error, the others go on, and the exit status is 1.
    Ctrl-C ranks what is done so far, and marks, copies and moves nothing.

    What is measured is kept in the user's cache: another look at the same photos takes no time.
    Stars go by verdict and focus, or by what --by says. What others said of a photo is kept
    unless --replace-ratings is given. Photos themselves are never changed.

    --report writes DIR/index.html, a page to look at the photos and choose, by keys too. It saves
    picks.json, which --apply carries out as stars and rejections in sidecars; with --copy-to or
    --move-to it also brings the picked photos, or those of --only, there.

    Examples:

        blurmapper rank holiday/ --csv holiday.csv

        blurmapper rank shoot/ --group-bursts --select sharpest 20 --copy-to best/

        blurmapper rank shoot/ --by region --above 0.5 --mark reject --dry-run

        blurmapper rank shoot/ --group-bursts --report choose/
    """
    from blurmapper.batch import How, find_photos
    from blurmapper.methods import MethodOptions
    from blurmapper.ranking.boxes import read_boxes
    from blurmapper.ranking.marks import to_mark
    from blurmapper.ranking.measuring import MeasureTask, to_record
    from blurmapper.ranking.report import FILES, ReportTask
    from blurmapper.ranking.tables import make_ranking

    given = {"csv": csv, "json": json, "parquet": parquet}
    actions = Actions(
        tables={kind: find_location(path) for kind, path in given.items() if path is not None},
        selection=to_selection(select, below, above, verdict),
        stars=xmp,
        mark=to_mark(mark) if mark else None,
        naming=xmp_name,
        replace=replace_ratings,
        copy_to=copy_to,
        move_to=move_to,
        report=report,
        dry_run=dry_run,
    )
    if apply is not None:
        apply_picks(apply, photos or [], only, actions, grouped=group_bursts)
        return
    actions.check()
    if not photos:
        raise ConfigError("which photos? give photos, or folders of them")
    found = find_photos(photos, outputs=[report, copy_to, move_to])
    actions.check_local(found)
    if copy_to or move_to:
        for folder in found.passed_over:
            print_line(f"{folder}: what is in it is not ranked", err=True)
    options = MethodOptions(refine=refine, threads=threads, device=device)
    output = None if report is None or dry_run else report / FILES
    judged = None if boxes is None else read_boxes(boxes)
    kind = MeasureTask if output is None else ReportTask
    task = kind(method, options, judged, faces, af_point)
    if judged and (strays := judged.find_strays([str(photo) for photo, _ in found.photos])):
        print_line(strays, err=True)
    with quiet_codecs(), stopping_cleanly() as stop:
        results = measure(task, found, How(engine, jobs, redo), stop, "Ranking", output)
    measured = [to_record(each, weighting) for each in results[len(found.failures) :]]
    ranking = make_ranking(measured, by=by, group=group_bursts)

    failed = actions.write_tables(ranking) + actions.write_report(ranking, results)
    if STANDARD_OUTPUT not in actions.tables.values():
        print_ranking(ranking)
    exit_if_stopped(stop, len(results), len(found))
    failed += actions.act_on(ranking)
    if failed or found.failures or ranking.unreadable:
        raise click.exceptions.Exit(1)


def check(
    photos: shared.Photos,
    min_sharp: Annotated[
        str | None,
        Option(metavar="SHARE", help="Fail photos of which less is sharp: 30% or .3."),
    ] = None,
    max_sigma: Annotated[
        float | None,
        Option(
            metavar="PX", least=0, help="Fail photos whose sharpest part is wider than PX pixels."
        ),
    ] = None,
    fail_over: Annotated[
        str, Option(metavar="SHARE", help="How many photos may fail: 5% or .05; none.")
    ] = "0",
    as_json: Annotated[
        bool, Option("--json", help="Print one JSON object a photo that fails.")
    ] = False,
    method: shared.Method = "dbm-lite",
    threads: shared.Threads = None,
    device: shared.Device = "auto",
    jobs: shared.Jobs = None,
    redo: shared.Redo = False,
    engine: shared.Engine = "local",
) -> None:
    """Check that photos are sharp enough; exit with 1 and a list if too many are not.

    Each photo that fails gets a line with the reason, and so does one that cannot be read, which
    fails too. What is measured is kept, as by rank: only photos that are new or have changed
    take time.

    Examples:

        blurmapper check photos/ --max-sigma 2 --min-sharp 10% --fail-over 5%
    """
    from blurmapper.batch import How, find_photos
    from blurmapper.methods import MethodOptions
    from blurmapper.ranking.checking import Demands, read_share, too_many
    from blurmapper.ranking.measuring import MeasureTask, to_record

    if min_sharp is None and max_sigma is None:
        raise ConfigError("what is asked of the photos? add --max-sigma 2 or --min-sharp 30%")
    least = None if min_sharp is None else read_share(min_sharp)
    demands, allowed = Demands(least, max_sigma), read_share(fail_over)
    found = find_photos(photos)
    task = MeasureTask(method, MethodOptions(threads=threads, device=device))
    with quiet_codecs(), stopping_cleanly() as stop:
        results = measure(task, found, How(engine, jobs, redo), stop, "Checking", quiet=True)
    failed = 0
    for record in map(to_record, results):
        complaint = demands.complain(record)
        if complaint is not None:
            failed += 1
            print_line(_to_json(record, complaint) if as_json else f"{record.photo}: {complaint}")
    # A folder that could not be searched is no photo, and no share of them lets it pass.
    unsearched = len(found.failures)
    failed, of = failed - unsearched, len(results) - unsearched
    share = f" ({failed / of:.1%})" if of else ""
    verdict = "too many" if too_many(failed, of, allowed) else "few enough"
    missing = f"; {count_of(unsearched, 'place')} could not be checked" if unsearched else ""
    said = "" if stop.is_set() else f": {verdict}{missing}"
    print_line(f"{failed} of {of} photos fail{share}{said}", err=True)
    exit_if_stopped(stop, len(results), len(found))
    if verdict == "too many" or unsearched:
        raise click.exceptions.Exit(1)


def _to_json(record: PhotoRecord | PhotoFailure, complaint: str) -> str:
    from blurmapper.ranking.records import PhotoRecord

    share = 1 - record.share_blurred if isinstance(record, PhotoRecord) else None
    sigma = record.blur("focus") if isinstance(record, PhotoRecord) else None
    said = {"photo": str(record.photo), "share_sharp": share, "sigma": sigma}
    return json.dumps(said | {"reason": complaint})
