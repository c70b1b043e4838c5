"""Claims on naive Bayes and on the files that keep what it learnt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.baselines._fitted import (
    NaiveBayes,
    blurred_probability,
    fit_naive_bayes,
    read_fitted,
    read_values,
)
from blurmapper.errors import WeightsError

Sample = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]


@pytest.fixture
def sample() -> Sample:
    """Three features of unlike scales, 400 times, and which of the 400 are blurred."""
    rng = np.random.default_rng(0)
    blurred = rng.random(400) < 0.3
    features = rng.normal(0, (1, 20, 0.01), (400, 3))
    features[blurred] = features[blurred] * (0.5, 2, 1) + (1, -15, 0.02)
    return features, blurred


def test_probabilities_are_those_of_scikit_learn(sample: Sample) -> None:
    naive_bayes = pytest.importorskip("sklearn.naive_bayes", reason="scikit-learn is the reference")
    reference = naive_bayes.GaussianNB().fit(*sample).predict_proba(sample[0])[:, 1]
    ours = blurred_probability(sample[0], fit_naive_bayes(*sample))
    np.testing.assert_allclose(ours, reference, rtol=1e-5, atol=1e-7)


def test_a_map_of_features_gives_a_map(sample: Sample) -> None:
    fitted = fit_naive_bayes(*sample)
    flat = blurred_probability(sample[0], fitted)
    squared = blurred_probability(sample[0].reshape(20, 20, 3).astype(np.float32), fitted)
    assert squared.shape == (20, 20)
    assert squared.dtype == np.float32
    np.testing.assert_allclose(squared.ravel(), flat, atol=1e-4)


def test_features_far_out_are_decided_and_finite(sample: Sample) -> None:
    fitted = fit_naive_bayes(*sample)
    far = np.array([[1e6, 0, 0], [0, -1e6, 0]])
    # The wider of two normals wins far out: sharp in the first feature, blurred in the second.
    np.testing.assert_array_equal(blurred_probability(far, fitted), [0, 1])


def test_a_constant_feature_says_nothing(sample: Sample) -> None:
    features, blurred = sample
    with_constant = np.concatenate([features, np.full((400, 1), 7.0)], axis=1)
    np.testing.assert_allclose(
        blurred_probability(with_constant, fit_naive_bayes(with_constant, blurred)),
        blurred_probability(features, fit_naive_bayes(features, blurred)),
        atol=1e-6,
    )


def test_what_is_fitted_survives_json(sample: Sample) -> None:
    fitted = fit_naive_bayes(*sample)
    assert NaiveBayes.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_one_class_alone_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="all features are of one class"):
        fit_naive_bayes(np.zeros((4, 1)), np.ones(4, bool))


def test_fitted_numbers_that_are_missing_name_the_command() -> None:
    with pytest.raises(WeightsError, match=r"nothing\.json: .*blurmapper fit nothing --photos"):
        read_fitted("nothing")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"method": "shi14", "values": {}}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "liu08.json"
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"liu08\.json: not .*fitted numbers"):
        read_values(path, "liu08")


def test_values_are_found_beside_their_origin(tmp_path: Path) -> None:
    path = tmp_path / "liu08.json"
    path.write_text('{"method": "liu08", "values": {"prior": 0.5}, "origin": {"seed": 0}}')
    assert read_values(path, "liu08") == {"prior": 0.5}
