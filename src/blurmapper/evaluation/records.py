"""Counts of photo after photo, that can be added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from blurmapper.errors import DatasetError
from blurmapper.evaluation.boundary import BoundaryCounts
from blurmapper.evaluation.counts import ImageCounts


@dataclass(frozen=True, eq=False)
class Record:
    """What is kept of one photo.

    Attributes
    ----------
    name : str
        The photo's name in its data set.
    counts, boundary
        Of its map against its mask.
    seconds : float or None
        Time to compute the map, reading and writing left out; None where it came from a file.
    key : str
        Says what was scored: the same key of the same `inputs` need not be scored again.
    inputs : sequence of mapping
        The mask and the map or photo, from `blurmapper.batch.describe_file`; lines that were
        written before these were kept have none.
    made : mapping
        The map that was made of the photo, described alike; empty where it came from a file.
    """

    name: str
    counts: ImageCounts
    boundary: BoundaryCounts
    seconds: float | None = None
    key: str = ""
    inputs: Sequence[Mapping[str, Any]] = ()
    made: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return {
            "name": self.name,
            "key": self.key,
            "seconds": self.seconds,
            "counts": self.counts.to_dict(),
            "boundary": self.boundary.to_dict(),
            "inputs": list(self.inputs),
            "made": dict(self.made),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Record:
        """Build from what `to_dict` returned, also after a round trip through JSON."""
        return cls(
            values["name"],
            ImageCounts.from_dict(values["counts"]),
            BoundaryCounts.from_dict(values["boundary"]),
            values["seconds"],
            values["key"],
            values.get("inputs", ()),
            values.get("made", {}),
        )


class Records:
    """The records of a set of photos, by name."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records: dict[str, Record] = {}
        for record in records:
            self.add(record)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def add(self, record: Record) -> None:
        """Add a photo.

        Raises
        ------
        DatasetError
            If it is there already: no photo counts twice.
        """
        if record.name in self._records:
            raise DatasetError(f"{record.name}: scored twice; give each photo to one part only")
        self._records[record.name] = record

    def select(self, names: Iterable[str]) -> Records:
        """Return the records of these photos, in this order.

        Raises
        ------
        DatasetError
            If one has not been scored.
        """
        chosen = Records()
        for name in names:
            if name not in self._records:
                raise DatasetError(f"{name}: not scored yet; score it first")
            chosen.add(self._records[name])
        return chosen

    @property
    def counts(self) -> list[ImageCounts]:
        """The counts of each photo, as `score_paper` and the others take them."""
        return [record.counts for record in self]
