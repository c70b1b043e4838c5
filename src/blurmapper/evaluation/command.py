"""What `blurmapper evaluate` does: parse, score, print."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as ScreenTable

from blurmapper.datasets import (
    Polarity,
    Sample,
    read_dataset,
    read_pair,
    select_names,
    select_split,
)
from blurmapper.errors import ConfigError, DatasetError, MethodError
from blurmapper.evaluation import options as option
from blurmapper.evaluation.benchmark import Entry, default_processes, run_benchmark
from blurmapper.evaluation.records import Records
from blurmapper.evaluation.rows import differences, make_rows
from blurmapper.evaluation.tables import (
    Table,
    difference_table,
    format_csv,
    format_json,
    format_latex,
    format_markdown,
    score_tables,
)
from blurmapper.methods import METHODS, MethodOptions


def evaluate(
    data: option.Data,
    masks: option.Masks = None,
    masks_polarity: option.MasksPolarity = "blurred",
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
    finished = _finished_entries(
        maps or [], cast(list[Polarity], polarity or []), resize=resize, stretch=stretch
    )
    entries = finished | _method_entries(methods or [], finished, refine=refine)
    if not entries:
        raise ConfigError("nothing to score; give --method NAME or --maps DIR")
    samples = read_dataset(data) if masks is None else read_pair(data, masks, white=masks_polarity)
    samples = select_split(samples, split)
    samples = samples if names is None else select_names(samples, names)
    samples = [sample for sample in samples if sample.confidence >= min_confidence]
    if not samples:
        raise DatasetError(f"{data}: no photo is left to score; choose another --split or --names")

    kept = output / data.resolve().name
    results = _score(list(entries.values()), samples, kept, processes)
    rows = make_rows(results, samples, protocol, subsets=subsets)
    tables = score_tables(rows, data.resolve().name + ("" if split == "all" else f", {split}"))
    reference = next(iter(results))
    others = differences(results, protocol, reference)
    if others:
        tables.append(difference_table(others, reference, protocol))

    _print(tables)
    _write(json, format_json(rows))
    _write(csv, format_csv(rows))
    _write(markdown, "\n".join(map(format_markdown, tables)))
    _write(latex, "\n".join(map(format_latex, tables)))
    if report is not None or figures is not None:
        from blurmapper.evaluation.report import Findings, write_figures, write_report

        findings = Findings(tables, results, samples, list(entries.values()), kept, protocol)
        if figures is not None:
            write_figures(findings, figures)
        if report is not None:
            write_report(findings, report)


def _finished_entries(
    maps: Sequence[str], polarities: Sequence[Polarity], *, resize: bool, stretch: bool
) -> dict[str, Entry]:
    """Return an entry for each folder of finished maps, by the name of its row."""
    if len(polarities) > 1 and len(polarities) != len(maps):
        raise ConfigError("--polarity: give it once, or once for each --maps in order")
    if len(polarities) <= 1:
        polarities = [*polarities, "blurred"][:1] * len(maps)
    entries: dict[str, Entry] = {}
    for argument, white in zip(maps, polarities, strict=True):
        label, _, folder = (
            argument.rpartition("=") if not Path(argument).is_dir() else ("", "", argument)
        )
        name = label or Path(folder).resolve().name
        if name in entries:
            raise ConfigError(f"--maps: two rows would be called {name}; name them NAME=DIR")
        entries[name] = Entry(name, maps=Path(folder), white=white, resize=resize, stretch=stretch)
    return entries


def _method_entries(
    methods: Sequence[str], finished: dict[str, Entry], *, refine: bool
) -> dict[str, Entry]:
    """Return an entry for each method to run; one whose maps are finished is not run."""
    entries = {}
    for method in methods:
        if method in finished:
            continue
        if method not in METHODS and not method.endswith(".onnx"):
            raise MethodError(f"no method named {method!r}; choose from: {', '.join(METHODS)}")
        name = Path(method).stem if method.endswith(".onnx") else method
        entries[name] = Entry(name, method, MethodOptions(refine=refine))
    return entries


def _score(
    entries: Sequence[Entry], samples: Sequence[Sample], kept: Path, processes: int | None
) -> dict[str, Records]:
    """Score each entry behind a progress bar on standard error."""
    processes = processes or default_processes(entries)
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    results = {}
    with bar:
        for entry in entries:
            task = bar.add_task(entry.name, total=len(samples))
            results[entry.name] = run_benchmark(
                entry, samples, kept, processes=processes, advance=partial(bar.advance, task)
            )
    return results


def _print(tables: Sequence[Table]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    for table in tables:
        screen = ScreenTable(title=table.title, box=box.SIMPLE_HEAD, title_justify="left")
        for number, heading in enumerate(table.headings):
            screen.add_column(heading, justify="right" if number else "left", no_wrap=True)
        for row in table.rows:
            screen.add_row(*row)
        console.print(screen)


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); give another") from error
