"""What `blurmapper evaluate` does: parse, score, print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blurmapper.commands import _evaluate_options as option
from blurmapper.commands._output import check_outputs, print_line, progress_bar, write_output
from blurmapper.commands._tables import print_tables
from blurmapper.errors import ConfigError
from blurmapper.files import refuse_link
from blurmapper.locations import STANDARD_OUTPUT

if TYPE_CHECKING:
    from blurmapper.datasets import Sample
    from blurmapper.evaluation.benchmark import Entry
    from blurmapper.evaluation.records import Records
    from blurmapper.evaluation.rows import Row
    from blurmapper.files import Recognises


def evaluate(
    data: option.Data,
    masks: option.Masks = None,
    masks_polarity: option.MasksPolarity = None,
    split: option.SplitOption = "all",
    names: option.Names = None,
    min_confidence: option.MinConfidence = 1,
    methods: option.Methods = None,
    maps: option.Maps = None,
    polarity: option.MapsPolarity = None,
    stretch: option.Stretch = False,
    resize: option.Resize = False,
    refine: option.Refine = True,
    protocol: option.ProtocolOption = "paper",
    subsets: option.Subsets = False,
    processes: option.Processes = None,
    output: option.Output = Path("runs/evaluate"),
    json: option.Json = None,
    csv: option.Csv = None,
    markdown: option.Markdown = None,
    latex: option.Latex = None,
    report: option.Report = None,
    figures: option.Figures = None,
) -> None:
    """Score blur maps against ground truth: of methods that run here, or finished maps.

    The first row of each table is the answer that everything is blurred. Scores come with 95 %
    bootstrap intervals over photos, several methods with their paired differences to the first.
    Maps alone need masks but no photos.

    Examples:

        blurmapper evaluate --data CUHK --method dbm-lite --method dbm --split even

        blurmapper evaluate --data CUHK --maps hifst/ --polarity sharp --protocol pooled
    """
    from blurmapper.evaluation import rows, selection, tables

    given = {"json": json, "csv": csv, "markdown": markdown, "latex": latex}
    files = {kind: path for kind, path in given.items() if path is not None}
    check_outputs(_list_outputs(files, report, figures))
    polarities = polarity or []
    entries = selection.choose_finished(maps or [], polarities, resize=resize, stretch=stretch)
    entries += selection.choose_methods(methods or [], entries, refine=refine, stretch=stretch)
    if not entries:
        raise ConfigError("nothing to score; give --method NAME or --maps DIR")
    samples = selection.choose_samples(
        data,
        masks=masks,
        white=masks_polarity,
        split=split,
        names=names,
        min_confidence=min_confidence,
    )
    title = data.resolve().name
    kept = output / title
    results = _score(entries, samples, kept, processes)
    scored = rows.make_rows(results, samples, protocol, subsets=subsets)
    printed = tables.score_tables(scored, title if split == "all" else f"{title}, {split}")
    first = entries[0].name
    if others := rows.differences(results, protocol, first):
        printed.append(tables.difference_table(others, first, protocol))
    if STANDARD_OUTPUT not in files.values():
        print_tables(printed)
    _warn_of_masks(samples, results)
    _warn_of_polarity(scored, entries, plain=masks is not None)
    contents = {
        "json": tables.format_json(scored),
        "csv": tables.format_csv(scored),
        "markdown": "\n".join(map(tables.format_markdown, printed)),
        "latex": "\n".join(map(tables.format_latex, printed)),
    }
    for kind, path in files.items():
        write_output(contents[kind], path, tables.OURS[kind])
    if report is not None or figures is not None:
        from blurmapper.evaluation.report import Findings, write_figures, write_report

        findings = Findings(printed, results, samples, entries, kept, protocol)
        if figures is not None:
            write_figures(findings, figures)
        if report is not None:
            write_report(findings, report)


def _list_outputs(
    files: Mapping[str, Path], report: Path | None, figures: Path | None
) -> list[tuple[Path, Recognises]]:
    """Return all that is to be written, each with what knows such a file of an earlier run."""
    from blurmapper.evaluation.figures import is_figure
    from blurmapper.evaluation.report import FIGURES, IS_REPORT
    from blurmapper.evaluation.tables import OURS

    outputs = [(path, OURS[kind]) for kind, path in files.items()]
    outputs += [] if report is None else [(report, IS_REPORT)]
    for place in [] if figures is None else [figures / name for name in FIGURES]:
        refuse_link(place, place.parent)
        outputs.append((place, is_figure))
    return outputs


def _warn_of_masks(samples: Sequence[Sample], results: Mapping[str, Records]) -> None:
    """Say on standard error what may be wrong with the truth: nobody else would notice."""
    from blurmapper.datasets import read_truth

    counts = next(iter(results.values())).counts
    for what, nothing in (
        ("blurred", all(count.positives == 0 for count in counts)),
        ("sharp", all(count.positives == count.pixels for count in counts)),
    ):
        if nothing:
            line = f"no mask has a {what} pixel, so there is little to score; check the masks"
            print_line(line, err=True)
    unsaid = [sample for sample in samples if sample.undecided is None]
    undecided = sum(read_truth(sample)[1] is not None for sample in unsaid)
    if undecided:
        line = f"{undecided} of {len(samples)} masks hold 128: taken for undecided, counted nowhere"
        print_line(line, err=True)


def _warn_of_polarity(scored: Sequence[Row], entries: Sequence[Entry], *, plain: bool) -> None:
    """Say on standard error which maps are worse than chance, as inverted ones are."""
    from blurmapper.evaluation.rows import ALL_BLURRED

    whole = {row.method: row.average_precision for row in scored if row.subset == "all"}
    for entry in entries:
        if whole[entry.name] < whole[ALL_BLURRED]:
            other = "blurred" if entry.white == "sharp" else "sharp"
            maps = f"white is {other} in these maps, score them with --polarity {other}"
            masks = "the masks are the other way round, give --masks-polarity"
            mends = ([maps] if entry.maps is not None else []) + ([masks] if plain else [])
            if mends:
                print_line(f"{entry.name}: worse than chance; if {'; if '.join(mends)}", err=True)


def _score(
    entries: Sequence[Entry], samples: Sequence[Sample], kept: Path, processes: int | None
) -> dict[str, Records]:
    """Score each entry behind a progress bar on standard error."""
    from blurmapper.devices import count_cores
    from blurmapper.evaluation.benchmark import run_benchmark

    # Where a map must be computed one, so that times are a photo's own.
    mapping = any(entry.maps is None for entry in entries)
    processes = processes or (1 if mapping else count_cores())
    results = {}
    with progress_bar(len(samples)) as bar:
        for entry in entries:
            task = bar.add_task(entry.name, total=len(samples))
            results[entry.name] = run_benchmark(
                entry, samples, kept, processes=processes, advance=partial(bar.advance, task)
            )
    return results
