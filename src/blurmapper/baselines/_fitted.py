"""What methods learn from photos: naive Bayes between sharp and blurred, and the files of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from blurmapper.baselines import FITTED
from blurmapper.baselines._features import Floats
from blurmapper.errors import WeightsError
from blurmapper.images import ImageArray

VARIANCE_FLOOR = 1e-9
"""Share of the largest variance added to all, so that a constant feature has one too."""


Pairs = Iterable[tuple[ImageArray, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]
"""Images, ground truth (True = blurred), and where the truth is certain."""


@dataclass(frozen=True)
class NaiveBayes:
    """What is fitted: each feature is normal in each class, independent of the others.

    Attributes
    ----------
    prior : float
        Share of what is blurred.
    sharp_mean, sharp_variance, blurred_mean, blurred_variance : tuple of float
        Of each of the d features in each class.
    """

    prior: float
    sharp_mean: tuple[float, ...]
    sharp_variance: tuple[float, ...]
    blurred_mean: tuple[float, ...]
    blurred_variance: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return {k: v if k == "prior" else list(v) for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NaiveBayes:
        """Build from what `to_dict` returned, also after a round trip through JSON."""
        known = {name: values[name] for name in cls.__dataclass_fields__}
        return cls(float(known.pop("prior")), **{k: tuple(v) for k, v in known.items()})


@lru_cache(maxsize=8)
def read_fitted(name: str) -> dict[str, Any]:
    """Return the fitted values of a method, not to be changed: its file is read once.

    Parameters
    ----------
    name : str
        The method's key, such as ``"liu08"``. ``NAME.json`` holds ``method``, ``values`` and
        ``origin``: the command, photos, seed and date that the values come from.

    Raises
    ------
    WeightsError
        If there is no such file, or it holds no values of that method.
    """
    return read_values(FITTED / f"{name}.json", name)


def read_values(path: Path, name: str) -> dict[str, Any]:
    """Return the values in a file that `blurmapper.training.fitting` wrote; see `read_fitted`."""
    mend = f"fit them with blurmapper fit {name} --photos DIR, or reinstall"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(
            f"{path}: fitted numbers cannot be read ({error.strerror}); {mend}"
        ) from error
    except ValueError as error:
        raise WeightsError(f"{path}: not fitted numbers (no JSON); {mend}") from error
    if not isinstance(record, dict) or record.get("method") != name or "values" not in record:
        raise WeightsError(f"{path}: not the fitted numbers of {name}; {mend}")
    values: dict[str, Any] = record["values"]
    return values


def fit_naive_bayes(
    features: npt.NDArray[np.floating[Any]], blurred: npt.NDArray[np.bool_]
) -> NaiveBayes:
    """Fit prior, means and variances by maximum likelihood.

    Parameters
    ----------
    features : float, shape (n, d)
        Finite.
    blurred : bool, shape (n,)
        Which of the n are blurred; both kinds must be among them.

    Raises
    ------
    ValueError
        If all are of one kind.
    """
    if blurred.all() or not blurred.any():
        raise ValueError("nothing to tell apart: all features are of one class")
    features = features.astype(np.float64)
    floor = VARIANCE_FLOOR * features.var(axis=0).max()
    moments = [
        tuple(values.tolist())
        for kind in (features[~blurred], features[blurred])
        for values in (kind.mean(axis=0), kind.var(axis=0) + floor)
    ]
    return NaiveBayes(float(blurred.mean()), *moments)


def blurred_probability(features: npt.NDArray[np.floating[Any]], fitted: NaiveBayes) -> Floats:
    """Return the probability of being blurred, float32 (...), given features (..., d)."""
    return np.asarray(expit(blurred_log_odds(features, fitted)), np.float32)


def blurred_log_odds(
    features: npt.NDArray[np.floating[Any]], fitted: NaiveBayes
) -> npt.NDArray[np.float64]:
    """Return the log odds of being blurred, float64 (...), given features (..., d).

    They are summed feature by feature, so that many unlikely ones do not underflow.
    """
    log_odds: npt.NDArray[np.float64] = np.full(features.shape[:-1], logit(fitted.prior))
    for index in range(features.shape[-1]):
        feature = features[..., index]
        log_odds += _log_density(
            feature, fitted.blurred_mean[index], fitted.blurred_variance[index]
        )
        log_odds -= _log_density(feature, fitted.sharp_mean[index], fitted.sharp_variance[index])
    return log_odds


def _log_density(
    values: npt.NDArray[np.floating[Any]], mean: float, variance: float
) -> npt.NDArray[np.float64]:
    """Return the log of a normal density, less the constant that all of them share."""
    distance = values.astype(np.float64) - mean
    return np.asarray(-0.5 * (np.log(variance) + distance**2 / variance), np.float64)
