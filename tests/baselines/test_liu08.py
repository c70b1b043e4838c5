"""Claims on the three features of a patch, and on the map that follows from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from blurmapper.baselines import liu08
from blurmapper.baselines._features import to_grey
from blurmapper.baselines._fitted import NaiveBayes, blurred_log_odds, read_fitted
from blurmapper.baselines.liu08 import fit_liu08, map_liu08, patch_features

Photo = npt.NDArray[np.uint8]
SLOPE, SPAN, SATURATION = range(3)


def blurred(photo: Photo, sigma: float) -> Photo:
    return ndimage.gaussian_filter(photo, (sigma, sigma, 0))


@pytest.mark.parametrize(("feature", "grows"), [(SLOPE, True), (SPAN, False), (SATURATION, False)])
@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_each_feature_moves_with_blur_as_the_paper_says(
    sharp_photo: Photo, feature: int, grows: bool, sigma: float
) -> None:
    photo = sharp_photo.copy()
    photo[:, 64:] = blurred(sharp_photo, sigma)[:, 64:]
    values = patch_features(photo)[..., feature]
    left, right = np.median(values[:, :48]), np.median(values[:, 80:])
    assert right > left if grows else right < left


def test_noise_has_a_flat_spectrum_and_a_walk_a_steep_one() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (256, 256)).astype(np.float32)
    noise[0, 0] += noise.std() * 256 - noise.sum()  # the zero frequency as strong as others
    frequency = np.hypot(np.fft.fftfreq(256)[:, np.newaxis], np.fft.rfftfreq(256))
    frequency[0, 0] = 0.5 / 256  # half a cycle
    walk = np.fft.irfft2(np.fft.rfft2(noise) / frequency).astype(np.float32)
    # The logarithm of the few values at the lowest radii is low on average: slopes are, by 0.1.
    assert liu08._photo_slope(noise) == pytest.approx(0.0, abs=0.15)
    assert liu08._photo_slope(walk) == pytest.approx(2.0, abs=0.15)


def test_a_patch_of_less_contrast_has_a_steeper_spectrum() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 15, 15)).astype(np.float32)
    averages, weights = liu08._radial_averages(15, 15), liu08._slope_weights(15)
    slopes = [
        float((liu08._radial_power(0.5 + share * noise, averages) @ weights)[0])
        for share in (1.0, 0.3, 0.1)
    ]
    assert slopes == sorted(slopes) and slopes[2] > slopes[0] + 1


def test_log_odds_are_stretched_more_above_the_centre_than_below() -> None:
    probability = map_liu08(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8))
    fitted = NaiveBayes.from_dict(read_fitted("liu08"))
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    odds = blurred_log_odds(patch_features(photo), fitted)
    below = odds < liu08.CENTRE
    expected = 1 / (1 + np.exp(-(odds - liu08.CENTRE) * np.where(below, 2.5, 10.0)))
    np.testing.assert_allclose(probability, expected, atol=1e-6)


def test_contrast_and_saturation_are_those_worked_by_hand() -> None:
    grey = np.full((20, 20), 0.2, np.float32)
    grey[0, 0] = 0.6
    np.testing.assert_allclose(liu08._contrast(grey, 16)[0, 0], 0.5, rtol=1e-6)
    photo = np.float32([[[0.5, 0.25, 0.25], [1, 0, 0], [0.3, 0.3, 0.3], [0, 0, 0]]])
    np.testing.assert_allclose(liu08._saturation(photo)[0], [0.25, 1, 0, 0], atol=1e-6)


def test_values_between_patches_lie_on_the_line_between_them() -> None:
    rows, columns = np.mgrid[:6, :4].astype(np.float32)
    between = liu08._between(rows + 10 * columns, 4, (18, 11))
    expected = np.arange(18)[:, np.newaxis] / 4 + 10 * np.arange(11) / 4
    np.testing.assert_allclose(between, expected, rtol=1e-6)


def test_the_slope_between_patches_is_near_that_of_the_patch_itself(
    half_blurred_photo: Photo,
) -> None:
    grey = to_grey(half_blurred_photo)
    window, step = liu08.WINDOW, liu08.STEP
    coarse = liu08._between(
        liu08._patch_slopes(liu08._mirror(grey, window, step), window, step), step, grey.shape
    )
    every = liu08._patch_slopes(liu08._mirror(grey, window, 1), window, 1)[: len(grey), :128]
    assert np.abs(coarse - every).mean() < 0.1 * every.std()


def test_how_many_patches_are_looked_at_at_once_changes_nothing(
    half_blurred_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = map_liu08(half_blurred_photo)
    monkeypatch.setattr(liu08, "_SAMPLES_AT_ONCE", 1000)
    np.testing.assert_allclose(map_liu08(half_blurred_photo), at_once, atol=1e-4)


def test_the_blurred_half_is_higher() -> None:
    # Spectrum, contrast and colour about those of photos, which the fitted numbers know.
    frequency = np.hypot(np.fft.fftfreq(192)[:, np.newaxis], np.fft.rfftfreq(256))[..., np.newaxis]
    frequency[0, 0] = np.inf
    phases = np.exp(2j * np.pi * np.random.default_rng(1).random((192, 129, 3)))
    texture = np.fft.irfft2(phases / frequency, (192, 256), axes=(0, 1))
    texture = texture.mean(axis=-1, keepdims=True) + 0.3 * texture
    photo = (128 + 40 * texture / texture.std()).clip(0, 255).astype(np.uint8)
    photo[:, 128:] = blurred(photo, 3)[:, 128:]
    blur_map = map_liu08(photo)
    assert blur_map[:, 144:].mean() > blur_map[:, :112].mean() + 0.3


def test_fitting_learns_which_way_each_feature_moves(half_blurred_photo: Photo) -> None:
    truth = np.zeros((96, 128), bool)
    truth[:, 64:] = True
    fitted = fit_liu08([(half_blurred_photo, truth, np.ones_like(truth))])
    differences = np.subtract(fitted["blurred_mean"], fitted["sharp_mean"])
    np.testing.assert_array_equal(np.sign(differences), [1, -1, -1])


def test_patches_of_both_kinds_or_undecided_are_not_learnt_from(half_blurred_photo: Photo) -> None:
    truth = np.indices((96, 128))[1] % 2 == 0
    with pytest.raises(ValueError, match="one class"):
        fit_liu08([(half_blurred_photo, truth, np.ones_like(truth))])
    with pytest.raises(ValueError, match="one class"):
        fit_liu08([(half_blurred_photo, truth, np.zeros_like(truth))])
