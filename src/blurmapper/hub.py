"""Weights from a Hugging Face repository, and a folder that can be pushed to one.

Nothing here is imported, and no network is touched, before it is asked for. What comes from a
repository is a card and the one ONNX file that it names; no code of the repository is run.
"""

from __future__ import annotations

import os
import re
import reprlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blurmapper.errors import ImageError, WeightsError, needing, one_line
from blurmapper.files import check_replaceable, write_file, written_as
from blurmapper.locations import find_path
from blurmapper.weights import (
    CARD,
    IS_CARD,
    WeightsCard,
    bundled_names,
    check_file_name,
    check_format,
    check_name,
    is_described,
    read_card,
    verify,
    write_card,
)

PAGE = "README.md"
IS_PAGE = written_as(b"---\n", b"\nlibrary_name: blurmapper\n")
"""By what an earlier page is known, which alone is written anew."""
REASONS = {
    "GatedRepoError": "asks for a login: run hf auth login",
    "RepositoryNotFoundError": "no such repository, or a private one; check owner/name "
    "and endpoint",
    "RevisionNotFoundError": "has no revision {revision!r}",
    "LocalEntryNotFoundError": "{file} is not in the cache, and the hub was not asked or not "
    "reached; go online once",
    "EntryNotFoundError": "has no {file}; give a repository that BlurMapper.save_pretrained laid "
    "out",
}
"""Error of the hub's client -> what is wrong."""

_ONE_AT_A_TIME = threading.RLock()


def fetch_weights(
    source: str | Path,
    *,
    revision: str | None = None,
    endpoint: str | None = None,
    offline: bool = False,
) -> str | Path:
    """Return what `BlurMapper` takes for a bundled name, a file, a folder or a repository.

    Parameters
    ----------
    source : str or Path
        A bundled name, an .onnx file, a folder that `BlurMapper.save_pretrained` wrote, or a
        repository ``"owner/name"``. What is bundled or on disk is never asked for elsewhere.
    revision : str, optional
        Branch, tag or commit of a repository; its main branch unless given. A commit is the one
        name that its owner cannot give to other weights later.
    endpoint : str, optional
        Address of the hub; what ``HF_ENDPOINT`` says, or Hugging Face's own, unless given.
    offline : bool
        Look into the cache only; so does ``HF_HUB_OFFLINE=1``. A hub that cannot be reached is
        also made up for by the cache.

    Returns
    -------
    str or Path
        The name, the file, or the folder; of a repository that in the hub's cache
        (``HF_HOME``), where nothing is downloaded twice.

    Raises
    ------
    WeightsError
        If it is none of these or of a format that can run code; or if the repository cannot be
        had, or its file is not the one on its card.
    MissingExtraError
        If it is a repository and ``blurmapper[hub]`` is not installed.
    """
    check_name(source)
    path = Path(source)
    # Unlike Path, this never raises, as of a name that is too long.
    if source in bundled_names() or os.path.exists(path):  # noqa: PTH110
        return source
    if isinstance(source, Path) or path.suffix.lower() == ".onnx" or source.count("/") != 1:
        if path.suffix:
            check_format(str(source))
        names = ", ".join(bundled_names())
        raise WeightsError(
            f"{source}: no such weights; give {names}, a file, a folder or owner/name of a hub"
        )
    card_file = _download(source, CARD, revision, endpoint, offline=offline)
    try:
        card = read_card(card_file)
    except WeightsError as error:
        reason = str(error).removeprefix(f"{card_file}: ")
        raise WeightsError(f"{source}: its {CARD} is of no use: {reason}") from error
    check_file_name(card, source)
    # The cache calls the folder after the commit: card and weights are of one, whatever is pushed.
    _download(source, card.file, card_file.parent.name, endpoint, offline=offline)
    try:
        verify(card, card_file.parent)
    except WeightsError as error:
        raise WeightsError(
            f"{source}: what was downloaded does not fit its card, do not use it ({error})"
        ) from error
    return card_file.parent


def save_weights(card: WeightsCard, weights: Path, folder: str | Path) -> Path:
    """Write weights, their card and a page about them into a folder, ready to be pushed.

    Returns
    -------
    Path
        The folder, with ``config.json``, the ONNX file and ``README.md``.

    Raises
    ------
    WeightsError
        If the folder cannot be written, or holds files of these names that are not ours.
    ConfigError
        If it is an address, or empty.
    """
    folder = find_path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        network = folder / card.file
        if network.exists() and network.samefile(weights):
            raise WeightsError(f"{folder}: cannot be written with itself; choose another folder")
        check_replaceable(folder / CARD, IS_CARD)
        check_replaceable(folder / PAGE, IS_PAGE)
        write_file(network, weights.read_bytes(), lambda old: is_described(old, folder / CARD))
        write_card(card, folder / CARD)
        write_file(folder / PAGE, _describe(card), IS_PAGE)
    except ImageError as error:
        raise WeightsError(str(error)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WeightsError(
            f"{folder}: cannot be written ({reason}); choose another folder"
        ) from error
    return folder


def _download(
    repository: str, file: str, revision: str | None, endpoint: str | None, *, offline: bool
) -> Path:
    with needing("hub", f"{repository}: weights from a hub need"):
        import huggingface_hub as hub
    try:
        with _checking_names(repository):
            downloaded = hub.hf_hub_download(
                repository,
                file,
                revision=revision,
                endpoint=endpoint,
                local_files_only=offline,
                library_name="blurmapper",
            )
            return Path(downloaded)
    except WeightsError:
        raise
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        known = next((REASONS[kind] for kind in kinds if kind in REASONS), "")
        # Where the cache was to make up for a hub that answers with an error, that is the cause.
        status = next(filter(None, map(_status, (error, error.__cause__))), None)
        # Of a repository that is not there the hub says 401 too.
        if status in (401, 403) and "RepositoryNotFoundError" not in kinds:
            known = REASONS["GatedRepoError"]
        elif status and "LocalEntryNotFoundError" in kinds:
            known = f"{{file}} is not in the cache, and the hub answered {status}; try again later"
        # Else whatever the client makes of a dead host, another protocol, an answer without sense.
        reason = known.format(file=file, revision=revision)
        reason = reason or f"{file} cannot be downloaded ({one_line(error)})"
        raise WeightsError(f"{repository}: {reason}") from error


def _status(error: BaseException | None) -> int | None:
    """Return with what status the hub answered, if that is the error."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


@contextmanager
def _checking_names(repository: str) -> Iterator[None]:
    """Let the hub's client take from a server only names that cannot lead out of its cache.

    huggingface_hub 2.4 makes paths of the ETag and the commit as a server sends them, and so
    writes to any path that a hostile one names. Whatever it learns of a file comes from its
    public `get_hf_file_metadata`, which is wrapped here, by one thread at a time. Meanwhile it
    tells nobody about this machine, for which it would ask huggingface.co first, also offline.
    """
    from huggingface_hub import constants, file_download
    from huggingface_hub.errors import HfHubHTTPError

    def ask_and_check(*args: Any, **options: Any) -> Any:
        try:
            answer = ask(*args, **options)
        except HfHubHTTPError as error:
            _check_names(repository, commit=error.response.headers.get("X-Repo-Commit"))
            raise
        _check_names(repository, commit=answer.commit_hash, etag=answer.etag)
        return answer

    with _ONE_AT_A_TIME:
        ask, is_mute = file_download.get_hf_file_metadata, constants.HF_HUB_DISABLE_TELEMETRY
        file_download.get_hf_file_metadata = ask_and_check
        constants.HF_HUB_DISABLE_TELEMETRY = True
        try:
            yield
        finally:
            file_download.get_hf_file_metadata = ask
            constants.HF_HUB_DISABLE_TELEMETRY = is_mute


def _check_names(repository: str, **names: str | None) -> None:
    for what, name in names.items():
        if name is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+=-]{0,127}", name):
            raise WeightsError(
                f"{repository}: the hub's answer has the {what} {reprlib.repr(name)}, "
                "which is none; do not use this endpoint"
            )


def _describe(card: WeightsCard) -> str:
    """Return the page of a repository, with the header that the hub reads."""
    scores = "\n".join(
        f"| {score['data']} ({score['images']}) | {score['protocol']} | {score['ods']:.3f} | "
        f"{score['ois']:.3f} | {score['ap']:.3f} |"
        for score in card.scores
    )
    return f"""---
license: {card.licence.lower()}
library_name: blurmapper
pipeline_tag: image-segmentation
tags: [blur-detection, defocus, motion-blur, onnx]
---

# {card.name}

For every pixel of a photo the probability that it is blurred, by defocus or motion.

```python
from blurmapper import BlurMapper

blur_map = BlurMapper.from_pretrained("OWNER/{card.name}")("photo.jpg")  # 1 = blurred
```

{card.parameters:,} weights, {card.bytes / 1e6:.1f} MB, SHA-256 `{card.sha256}`, {card.created}.

{card.training}

| photos | protocol | ODS | OIS | AP |
|---|---|---|---|---|
{scores}

After {card.paper}.
"""
