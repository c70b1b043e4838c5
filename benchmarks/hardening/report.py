"""What came of the broken files, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.measuring import table

Result = dict[str, object]

GOOD = ("mapped", "refused")


def report(results: Sequence[Result]) -> tuple[str, int]:
    """Return the tables of all results in Markdown, and how many are finds."""
    finds = [result for result in results if result["outcome"] not in GOOD]
    whole = [result for result in results if "megabytes" in result]
    parts = [
        f"{len(results):,} files, {len(finds):,} finds\n",
        count_by("mutation", results),
        count_by("kind", results),
        _costliest("processor", "s of a processor", whole),
        _costliest("megabytes", "peak memory, MB", whole),
    ]
    if finds:
        rows = [[_name(find), str(find["outcome"]), _first_line(find)] for find in finds[:40]]
        parts.append(table(["find", "what", "why"], rows))
    return "\n".join(parts), len(finds)


def count_by(heading: str, results: Sequence[Result]) -> str:
    """Return a table of the outcomes; kinds are counted by their format."""
    counts: Counter[tuple[str, str]] = Counter()
    outcomes: Counter[str] = Counter()
    for result in results:
        group = str(result[heading])
        if heading == "kind":
            group = group.partition("-")[0]
        counts[group, str(result["outcome"])] += 1
        outcomes[str(result["outcome"])] += 1
    columns = [*GOOD, *sorted(set(outcomes) - set(GOOD))]
    rows = [
        [group, *(f"{counts[group, column]:,}" for column in columns)]
        for group in sorted({group for group, _ in counts})
    ]
    total = ["all", *(f"{outcomes[column]:,}" for column in columns)]
    return table([heading, *columns], [*rows, total])


def _costliest(what: str, heading: str, results: Sequence[Result]) -> str:
    def cost(result: Result) -> float:
        return float(str(result[what]))

    most = sorted(results, key=cost, reverse=True)[:8]
    rows = [[_name(result), str(result["outcome"]), f"{cost(result):,.4g}"] for result in most]
    return table(["file", "outcome", heading], rows)


def _name(result: Result) -> str:
    return f"{result['number']:>05}.{result['kind']}.{result['mutation']}"


def _first_line(result: Result) -> str:
    said = str(result.get("noise") or result["reason"]).strip()
    return said.splitlines()[0][:120].replace("|", "/") if said else ""
