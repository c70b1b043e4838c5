"""Hand-worked values of the losses."""

from __future__ import annotations

import math

import pytest
import torch

from blurmapper.training.losses import LOSSES, Output, loss_of

KINDS: tuple[Output, ...] = ("blur", "motion")


def test_cross_entropy_is_the_mean_over_decided_pixels() -> None:
    logits = torch.tensor([[[[0.0, 2.0, -1.0, 50.0]]]])
    labels = torch.tensor([[[255, 0, 255, 128]]], dtype=torch.uint8)
    terms = torch.tensor([0.0, -2.0, -1.0]).neg().exp().log1p()
    assert float(loss_of(logits, labels)) == pytest.approx(float(terms.mean()), rel=1e-5)


def test_a_batch_without_a_decided_pixel_costs_nothing() -> None:
    labels = torch.full((1, 2, 2), 128, dtype=torch.uint8)
    assert float(loss_of(torch.randn(1, 1, 2, 2), labels)) == 0.0


def test_the_kind_of_blur_counts_where_it_is_known() -> None:
    labels = torch.tensor([[[253, 254, 255, 0]]], dtype=torch.uint8)
    blurred = torch.tensor([[[9.0, 9.0, 9.0, -9.0]]])
    right = torch.stack([blurred, torch.tensor([[[9.0, -9.0, 0.0, 0.0]]])], dim=1)
    elsewhere = torch.stack([blurred, torch.tensor([[[9.0, -9.0, 5.0, 5.0]]])], dim=1)
    wrong = torch.stack([blurred, torch.tensor([[[-9.0, 9.0, 0.0, 0.0]]])], dim=1)
    assert float(loss_of(right, labels, KINDS)) == float(loss_of(elsewhere, labels, KINDS)) < 1e-3
    assert float(loss_of(wrong, labels, KINDS)) == pytest.approx(0.2 * 9.0, rel=1e-2)


def test_balanced_cross_entropy_weighs_both_kinds_of_pixels_the_same() -> None:
    logits = torch.tensor([[[[2.0, -1.0, -1.0, -1.0, 9.0]]]])
    labels = torch.tensor([[[255, 0, 0, 0, 128]]], dtype=torch.uint8)
    blurred, sharp = math.log1p(math.exp(-2.0)), math.log1p(math.exp(-1.0))
    found = loss_of(logits, labels, loss="balanced")
    assert float(found) == pytest.approx((blurred + sharp) / 2, rel=1e-6)


def test_balanced_cross_entropy_of_one_kind_is_the_plain_one() -> None:
    logits, labels = torch.randn(1, 1, 3, 3), torch.full((1, 3, 3), 255, dtype=torch.uint8)
    assert float(loss_of(logits, labels, loss="balanced")) == float(loss_of(logits, labels))


def test_fidelity_is_one_less_the_roots_of_agreement() -> None:
    logits = torch.tensor([[[[0.0, 3.0]]]])
    labels = torch.tensor([[[255, 0]]], dtype=torch.uint8)
    terms = [1 - math.sqrt(0.5), 1 - math.sqrt(1 - 1 / (1 + math.exp(-3.0)))]
    assert float(loss_of(logits, labels, loss="fidelity")) == pytest.approx(sum(terms) / 2)


def test_overlap_adds_half_of_what_each_photo_misses_of_its_f() -> None:
    target = torch.tensor([[[True, True, False, False]], [[False, False, False, False]]])
    counted = torch.tensor([[[True, True, True, False]], [[True, True, True, True]]])
    logits = torch.tensor([[[100.0, -100.0, -100.0, 100.0]], [[-100.0] * 4]])
    found = LOSSES["overlap"](logits, target, counted)
    plain = LOSSES["cross-entropy"](logits, target, counted)
    # Of two blurred pixels one is found, and nothing else: F is 2/3; the second photo has none.
    torch.testing.assert_close(found - plain, torch.tensor(0.5 / 3))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_pixel_wrong_for_sure_has_a_finite_gradient(loss: str) -> None:
    logits = torch.tensor([[[[-200.0, 200.0]]]], requires_grad=True)
    loss_of(logits, torch.tensor([[[255, 0]]], dtype=torch.uint8), loss=loss).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_each_supervised_side_adds_its_own_loss() -> None:
    labels = torch.tensor([[[255, 0]]], dtype=torch.uint8)
    logits = torch.randn(1, 3, 1, 2)
    alone = sum(float(loss_of(logits[:, i : i + 1], labels)) for i in range(3))
    together = loss_of(logits, labels, ("blur", "side", "side"))
    assert float(together) == pytest.approx(alone, rel=1e-6)
