"""The weights in the package, and the card that says what each of them is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from blurmapper.errors import WeightsError, one_line
from blurmapper.files import write_file, written_as
from blurmapper.graphs import CARD_FIELDS, PREPROCESSING_FIELDS, SCORE_FIELDS, checked
from blurmapper.locations import SMALL, is_bare, is_file, is_folder, read_regular
from blurmapper.preprocessing import Preprocessing

BUNDLED = Path(__file__).parent / "assets" / "weights"
"""The folder of the weights and cards that come with the package."""

CARD = "config.json"
"""What the card is called in a folder of its own, as on the Hugging Face hub."""

IS_CARD = written_as(b"{", b'"architecture"', b'"sha256"', b'"preprocessing"')
"""By what an earlier card is known, which alone is written anew."""

RUNS_CODE = (".bin", ".ckpt", ".h5", ".joblib", ".keras", ".pb", ".pickle", ".pkl", ".pt", ".pth")
"""Formats whose loading can run what their maker wrote."""


class Score(TypedDict):
    """What the weights reach on one data set, in a protocol of `blurmapper.evaluation`."""

    data: str
    images: int
    protocol: str
    ods: float
    ois: float
    ap: float


@dataclass(frozen=True)
class WeightsCard:
    """What a weights file is, where it comes from and how good it is.

    Attributes
    ----------
    name : str
        What `BlurMapper` calls it, such as ``"dbm-lite"``.
    architecture : str
        The network's name in ``blurmapper.training``.
    file : str
        Name of the ONNX file, beside the card.
    sha256 : str
        The file's digest in lower-case hexadecimal.
    bytes, parameters : int
        Size of the file and count of the network's weights.
    preprocessing : Preprocessing
        How a photo becomes the network's input.
    training : str
        What it was trained on, and how, in a sentence or two.
    scores : tuple of Score
        Measured before the weights were shipped.
    milliseconds_384 : float or None
        Time of one 384 x 384 photo in ONNX Runtime on two CPU cores.
    licence, paper, created : str
        Licence of the weights, the paper behind the architecture, the ISO date of export.
    """

    name: str
    architecture: str
    file: str
    sha256: str
    bytes: int
    parameters: int
    preprocessing: Preprocessing
    training: str
    scores: tuple[Score, ...]
    milliseconds_384: float | None
    licence: str
    paper: str
    created: str

    @property
    def identity(self) -> str:
        """What must not change for maps to stay the same: the file, and what the network is fed."""
        return f"{self.sha256} {json.dumps(asdict(self.preprocessing), sort_keys=True)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return {**asdict(self), "scores": list(self.scores)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> WeightsCard:
        """Build from what `to_dict` returned; fields of a newer version are left out.

        Raises
        ------
        KeyError
            If a field is missing.
        ValueError
            If one is of another type, or not a value that it can have.
        """
        known = checked(fields, CARD_FIELDS)
        known["preprocessing"] = Preprocessing.from_dict(
            checked(known["preprocessing"], PREPROCESSING_FIELDS)
        )
        known["scores"] = tuple(checked(score, SCORE_FIELDS) for score in known["scores"])
        return cls(**known)


def read_card(path: str | Path) -> WeightsCard:
    """Read a card from its JSON file.

    Raises
    ------
    WeightsError
        If there is no such file, or it is not a card.
    """
    path = Path(path)
    try:
        return WeightsCard.from_dict(json.loads(read_regular(path, SMALL).decode("utf-8-sig")))
    except FileNotFoundError as error:
        raise WeightsError(
            f"{path}: no such weights card; keep the card beside its .onnx file"
        ) from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    except RecursionError as error:
        raise WeightsError(f"{path}: not a weights card (nested too deep)") from error
    except (KeyError, TypeError, ValueError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else one_line(error)
        raise WeightsError(
            f"{path}: not a weights card ({reason}); write it with blurmapper export"
        ) from error


def write_card(card: WeightsCard, path: str | Path) -> None:
    """Write a card as JSON that people can read.

    Raises
    ------
    ImageError
        If it cannot be written, or a file that is no card is there.
    """
    text = json.dumps(card.to_dict(), indent=2, ensure_ascii=False)
    write_file(Path(path), text + "\n", IS_CARD)


def is_described(weights: Path, card: Path) -> bool:
    """Say whether a file is the one that a card beside it is of, and may be written anew."""
    try:
        return read_card(card).file == weights.name
    except WeightsError:
        return False


def bundled_names() -> tuple[str, ...]:
    """Return the names of the weights in the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in BUNDLED.glob("*.json")))


def bundled_card(name: str) -> WeightsCard:
    """Return the card of weights in the package.

    Raises
    ------
    WeightsError
        If no weights have that name; the line lists those that there are.
    """
    if name not in bundled_names():
        lost = "none, as they lie in no folder; install blurmapper, not from within an archive"
        choices = ", ".join(bundled_names()) or lost
        raise WeightsError(f"no weights named {name!r}; choose from: {choices}")
    return read_card(BUNDLED / f"{name}.json")


def verify(card: WeightsCard, folder: Path | None = None) -> Path:
    """Return the path of a card's file, once its SHA-256 is the card's.

    The file lies in `folder`, or in the package unless given.

    Raises
    ------
    WeightsError
        If the file is missing or is not the one that the card describes.
    """
    path = (folder or BUNDLED) / card.file
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{path}: weights cannot be read ({error.strerror}); reinstall or export them again"
        ) from error
    if digest != card.sha256:
        raise WeightsError(
            f"{path}: SHA-256 is {digest[:12]}..., its card says {card.sha256[:12]}...; "
            "reinstall or export them again"
        )
    return path


def check_format(name: str) -> None:
    """Refuse a file that could run code, and whatever is not ONNX, before it is opened.

    Raises
    ------
    WeightsError
        If the name does not end in ``.onnx``.
    """
    suffix = Path(name).suffix.lower()
    if suffix in RUNS_CODE:
        raise WeightsError(
            f"{name}: {suffix} files can run code when loaded; give weights as .onnx"
        )
    if suffix == ".safetensors":
        raise WeightsError(
            f"{name}: holds weights without their network; train from it, or export it to .onnx"
        )
    if suffix != ".onnx":
        raise WeightsError(f"{name}: not an .onnx file; give a name, an .onnx file or its folder")


def check_name(weights: object) -> None:
    """Refuse what is neither a name nor a path, or raise `WeightsError`."""
    if not isinstance(weights, str | os.PathLike) or isinstance(os.fspath(weights), bytes):
        kind = type(weights).__name__
        raise WeightsError(f"a {kind} names no weights; give a name, an .onnx file or its folder")


def find_weights(weights: str | Path) -> tuple[WeightsCard, Path]:
    """Return the card and the verified file of weights.

    Parameters
    ----------
    weights : str or Path
        As for `find_card`.

    Raises
    ------
    WeightsError
        If there are no such weights, no card beside the file, or the two do not fit.
    """
    card, folder = find_card(weights)
    return card, verify(card, folder)


def find_card(weights: str | Path) -> tuple[WeightsCard, Path]:
    """Return the card of weights, and the folder where their file should be.

    Parameters
    ----------
    weights : str or Path
        A bundled name; an .onnx file with its card, the same name in .json or ``config.json``,
        beside it; or a folder with a ``config.json``, the card, and the file that it names.

    Raises
    ------
    WeightsError
        If there are no such weights, or no card beside the file, or one of another file.
    """
    check_name(weights)
    path = Path(weights)
    is_path = isinstance(weights, Path) or bool(path.suffix) or is_folder(weights)
    if weights in bundled_names() or not is_path:
        return bundled_card(str(weights)), BUNDLED
    if is_folder(weights):
        card = read_card(path / CARD)
        check_file_name(card, path / CARD)
        return card, path
    check_format(str(path))
    if not is_file(weights):
        raise WeightsError(f"{path}: no such weights file; give a name or an .onnx file")
    beside = path.with_suffix(".json")
    if not beside.exists() and is_described(path, path.parent / CARD):
        beside = path.parent / CARD
    card = read_card(beside)
    if card.file != path.name:
        raise WeightsError(
            f"{path}: the card beside it is of {card.file}; rename neither after export"
        )
    return card, path.parent


def check_file_name(card: WeightsCard, source: object) -> None:
    """Refuse a card, read from `source`, whose file is no .onnx file right beside it.

    Raises
    ------
    WeightsError
        If it names another folder or another format.
    """
    if not is_bare(card.file):
        raise WeightsError(f"{source}: its weights {card.file!r} lie elsewhere; give a bare name")
    check_format(card.file)
