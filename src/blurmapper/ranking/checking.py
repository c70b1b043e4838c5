"""Whether photos are sharp enough, for those who take them in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from blurmapper.batch import PhotoFailure
from blurmapper.errors import ConfigError
from blurmapper.ranking.records import PhotoRecord


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of every photo; what is None is not asked.

    Attributes
    ----------
    min_sharp : float or None
        Least share of the photo that is sharp, in [0, 1].
    max_sigma : float or None
        Greatest sigma, in pixels, where it is meant to be sharp; unknown sigma does not fail.
    """

    min_sharp: float | None = None
    max_sigma: float | None = None

    def complain(self, record: PhotoRecord | PhotoFailure) -> str | None:
        """Return in what a photo fails, in a few words, or None if it does not.

        Examples
        --------
        >>> from pathlib import Path
        >>> from blurmapper.ranking.records import Box
        >>> record = PhotoRecord(Path("a.jpg"), 24, 32, 0.8, 0.75, Box(0, 0, 8, 6, 0.2))
        >>> Demands(min_sharp=0.3).complain(record)
        '25% sharp, less than 30%'
        """
        if isinstance(record, PhotoFailure):
            return record.reason
        complaints = []
        sharp = 1 - record.share_blurred
        # What is left of one is off by rounding.
        if self.min_sharp is not None and sharp < self.min_sharp - 1e-9:
            complaints.append(f"{100 * sharp:.3g}% sharp, less than {100 * self.min_sharp:.3g}%")
        sigma = record.blur("focus")
        if self.max_sigma is not None and sigma is not None and sigma > self.max_sigma:
            complaints.append(f"sigma {sigma:.2f} px, more than {self.max_sigma:g} px")
        return "; ".join(complaints) or None


def too_many(failed: int, of: int, allowed: float) -> bool:
    """Say whether more than a share, in [0, 1], of photos failed."""
    return failed > allowed * of + 1e-9


def read_share(text: str) -> float:
    """Return a share, in [0, 1], as people write it: ``5%`` or ``.05``.

    Raises
    ------
    ConfigError
        If it is none.

    Examples
    --------
    >>> read_share("5%"), read_share(".05"), read_share("0")
    (0.05, 0.05, 0.0)
    """
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(%?)\s*", text)
    share = float(match[1]) / (100 if match[2] else 1) if match else 2.0
    if share > 1:
        raise ConfigError(f"{text!r} is no share; write 5% or .05")
    return share
