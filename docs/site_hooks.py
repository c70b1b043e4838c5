"""What mkdocs is told of pages that live elsewhere: the README, the changes, the weights' cards."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

SAMPLES = "src/blurmapper/assets/samples"
BORROWED = {
    "index.md": "README.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "RELEASING.md": "RELEASING.md",
    "SECURITY.md": "SECURITY.md",
    "CREDITS.md": f"{SAMPLES}/CREDITS.md",
}
"""Pages of the site that are files outside docs/."""

CARDS = "<!-- cards -->"
"""The line of model-cards.md that the cards replace."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside docs/, with links as they are in docs/."""
    for name, source in BORROWED.items():
        content = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=links_inside_docs(content)))
    return files


def links_inside_docs(markdown: str) -> str:
    """Turn the links of a page in the repository's root into those of a page in docs/."""
    return markdown.replace("](docs/", "](").replace(f"]({SAMPLES}/", "](")


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in the cards, and link folders, which a site has not, by their README."""
    del config, files
    if page.file.src_uri == "model-cards.md":
        markdown = markdown.replace(CARDS, write_cards())
    for name in ("index.md", "CHANGELOG.md"):
        markdown = markdown.replace(f"](../{BORROWED[name]}", f"]({name}")
    return re.sub(r"\]\(([\w-]+)/\)", r"](\1/README.md)", markdown)


def write_cards() -> str:
    """Write the cards of the bundled weights in Markdown."""
    from blurmapper.weights import bundled_names, find_weights

    return "\n\n".join(_write_card(name, *find_weights(name)) for name in bundled_names())


def _write_card(name: str, card: object, path: Path) -> str:
    from blurmapper.weights import WeightsCard

    assert isinstance(card, WeightsCard)
    seen = card.preprocessing
    facts = {
        "architecture": f"`{card.architecture}`, {card.parameters:,} parameters",
        "file": f"`{path.name}`, {card.bytes / 1e6:.1f} MB",
        "SHA-256": f"`{card.sha256}`",
        "sees": f"{seen.working_side} x {seen.working_side} pixels' worth of a photo, "
        f"channels in the order {seen.channel_order.upper()}",
        "licence": card.licence,
        "exported": card.created,
        "paper": card.paper,
    }
    if card.milliseconds_384 is not None:
        facts["time"] = (
            f"{card.milliseconds_384:.0f} ms for 384 x 384, two CPU cores, when exported"
        )
    rows = [f"| {fact} | {value} |" for fact, value in facts.items()]
    scores = [
        f"| {s['data']} ({s['images']}) | {s['protocol']} | {s['ods']:.3f} | {s['ois']:.3f} "
        f"| {s['ap']:.3f} |"
        for s in card.scores
    ]
    return "\n".join(
        [
            f"## {name}",
            "",
            "| | |",
            "|---|---|",
            *rows,
            "",
            f"**Training.** {card.training}",
            "",
            "| photos | protocol | ODS | OIS | AP |",
            "|---|---|---|---|---|",
            *scores,
        ]
    )
