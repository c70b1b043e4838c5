"""Message passing on the graph of pixels and scales."""

from __future__ import annotations

from itertools import product
from math import exp

import numpy as np
import numpy.typing as npt
import pytest

from blurmapper.baselines._graph import fuse_scales, pass_messages

Floats = npt.NDArray[np.float32]
Node = tuple[int, int, int]

LINK = 0.7


def random_odds(*shape: int) -> Floats:
    return np.exp(np.random.default_rng(4).normal(0, 1, shape)).astype(np.float32)


def graph_of(shape: tuple[int, ...], margins: tuple[int, ...]) -> dict[Node, list[Node]]:
    """Return each pixel's neighbours."""
    scales, height, width = shape
    nodes = [
        (scale, y, x)
        for scale in range(scales)
        for y in range(margins[scale], height - margins[scale])
        for x in range(margins[scale], width - margins[scale])
    ]
    return {
        a: [b for b in nodes if sum(abs(i - j) for i, j in zip(a, b, strict=True)) == 1]
        for a in nodes
    }


def enumerated(odds: Floats, margins: tuple[int, ...]) -> Floats:
    """Return the exact probabilities, by going through every labelling."""
    graph = graph_of(odds.shape, margins)
    nodes = list(graph)
    links = [(a, b) for a in nodes for b in graph[a] if a < b]
    high, total = np.zeros(odds.shape), 0.0
    for labels in product((0, 1), repeat=len(nodes)):
        label = dict(zip(nodes, labels, strict=True))
        weight = np.prod([odds[n] if label[n] else 1.0 for n in nodes])
        weight *= exp(-LINK * sum(label[a] != label[b] for a, b in links))
        total += weight
        for n in nodes:
            high[n] += weight * label[n]
    return (high / total).astype(np.float32)


def passed_by_the_book(odds: Floats, margins: tuple[int, ...]) -> Floats:
    """Pass messages of two numbers each along every link, a hundred times."""
    graph = graph_of(odds.shape, margins)
    pairwise = np.array([[1, exp(-LINK)], [exp(-LINK), 1]])
    unary = {n: np.array([1, odds[n]]) for n in graph}
    messages = {(a, b): np.ones(2) / 2 for a in graph for b in graph[a]}
    for _ in range(100):
        for a, b in messages:
            heard = [messages[c, a] for c in graph[a] if c != b]
            sent = pairwise @ (unary[a] * np.prod(heard, axis=0))
            messages[a, b] = sent / sent.sum()
    high = np.zeros(odds.shape, np.float32)
    for n in graph:
        belief = unary[n] * np.prod([messages[c, n] for c in graph[n]], axis=0)
        high[n] = belief[1] / belief.sum()
    return high


@pytest.mark.parametrize("shape", [(1, 1, 9), (1, 9, 1), (3, 1, 1), (2, 1, 1)])
def test_probabilities_are_exact_on_a_chain(shape: tuple[int, int, int]) -> None:
    odds, margins = random_odds(*shape), (0,) * shape[0]
    assert pass_messages(odds, margins, LINK) == pytest.approx(enumerated(odds, margins), abs=1e-5)


@pytest.mark.parametrize("margins", [(0, 0, 0), (0, 1, 2), (1, 1, 2)])
def test_messages_agree_with_those_of_two_numbers_each(margins: tuple[int, int, int]) -> None:
    odds = random_odds(3, 6, 5)
    found, book = pass_messages(odds, margins, LINK), passed_by_the_book(odds, margins)
    for n in graph_of(odds.shape, margins):
        assert found[n] == pytest.approx(book[n], abs=1e-5)


def test_probabilities_are_near_the_exact_ones_where_there_are_loops() -> None:
    odds = random_odds(3, 2, 2)
    exact = enumerated(odds, (0, 0, 0))
    assert np.abs(pass_messages(odds, (0, 0, 0), LINK) - exact).max() < 0.05


def random_maps(*shape: int) -> Floats:
    return np.random.default_rng(6).random(shape, np.float32)


def test_turned_maps_give_the_turned_answer() -> None:
    maps = random_maps(3, 21, 17)
    turned = fuse_scales(np.ascontiguousarray(np.rot90(maps, axes=(1, 2))))
    assert turned == pytest.approx(np.rot90(fuse_scales(maps)), abs=2e-3)


def test_what_a_map_holds_in_its_margin_is_not_looked_at() -> None:
    maps = random_maps(3, 24, 20)
    other = maps.copy()
    other[2, :6], other[1, :, -4:] = 9, -9
    assert (fuse_scales(maps, (2, 4, 6)) == fuse_scales(other, (2, 4, 6))).all()


def test_the_margin_gets_the_nearest_pixels_probability() -> None:
    fused = fuse_scales(random_maps(3, 24, 20), (2, 4, 6))
    assert fused.shape == (24, 20)
    assert (fused[:6, 9] == fused[6, 9]).all() and (fused[-6:, -6:] == fused[-7, -7]).all()


def test_a_lone_high_pixel_is_talked_down_by_its_neighbours() -> None:
    maps = random_maps(3, 15, 15) * 0.1
    maps[:, 4:9, 2:7] += 0.9
    maps[2, 12, 12] += 0.9
    fused = fuse_scales(maps)
    assert fused[6, 4] > 0.9
    assert fused[12, 12] < fused[4, 2] - 0.1


def test_the_coarsest_scale_is_what_comes_back() -> None:
    maps = np.zeros((3, 15, 15), np.float32)
    maps[2, :, 7:] = 1
    maps[0, 7:] = 1
    fused = fuse_scales(maps)
    right, bottom = fused[:, 9:].mean() - fused[:, :6].mean(), fused[9:].mean() - fused[:6].mean()
    assert right > 3 * bottom > 0


def test_maps_of_one_value_come_back_as_they_are() -> None:
    assert (fuse_scales(np.full((3, 9, 7), 0.4, np.float32)) == np.float32(0.4)).all()
