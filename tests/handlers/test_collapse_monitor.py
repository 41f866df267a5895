"""Collapse is told, and nothing else is called so."""

import logging

import pytest
import torch
from ignite.engine import Engine

from scripts.handlers.collapse_monitor import CollapseMonitor
from scripts.metrics.collapse import collapse, embedding_std
from scripts.metrics.rankme import rankme

POSITION = 60 * torch.randn(200, 3, generator=torch.Generator().manual_seed(0))


def test_the_standard_deviation_is_that_of_a_feature():
    embedding = torch.tensor([[0.0, 1], [2, 1], [4, 1], [6, 1]])
    assert embedding_std(embedding) == pytest.approx(5**0.5 / 2)


def test_equal_embeddings_have_collapsed():
    assert "all crops have nearly the same embedding" in collapse(torch.ones(50, 8))


def test_embeddings_that_hardly_differ_have_collapsed():
    assert "they differ by 0.1 % of its length" in collapse(torch.tensor([99.9, 100.1]).repeat(10)[:, None])


def test_embeddings_on_a_line_have_collapsed():
    line = torch.randn(50, 1) * torch.randn(8) + 3
    assert "one direction alone (effective rank 1.0" in collapse(line + 1e-3 * torch.randn(50, 8))


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
@pytest.mark.parametrize("embedding", [POSITION, torch.nn.functional.pad(POSITION, (0, 1021)) + 50, torch.eye(64)])
def test_embeddings_that_tell_places_apart_have_not_collapsed(embedding, scale):
    assert collapse(scale * embedding) is None


def test_zeros_have_collapsed():
    assert collapse(torch.zeros(10, 4)) is not None


def test_numbers_that_are_none_are_told(caplog):
    engine = evaluator(torch.full((10, 4), float("nan")))
    assert "embeddings are not finite" in caplog.text
    assert engine.state.metrics["rankme"] != engine.state.metrics["rankme"]


def evaluator(*batches):
    """An engine whose network gives these embeddings."""
    engine = Engine(lambda engine, batch: {"pred": batch})
    CollapseMonitor().attach(engine)
    engine.run(list(batches))
    return engine


def test_an_evaluation_measures_all_its_embeddings(caplog):
    metrics = evaluator(POSITION[:80], POSITION[80:]).state.metrics
    assert metrics == {"rankme": rankme(POSITION), "embedding_std": embedding_std(POSITION)}
    assert not caplog.records


def test_each_evaluation_begins_anew():
    engine = evaluator(POSITION)
    assert engine.run([POSITION[:5]]).metrics["rankme"] == rankme(POSITION[:5])


def test_a_run_that_collapses_says_so_and_what_to_do(caplog):
    with caplog.at_level(logging.WARNING):
        evaluator(torch.ones(30, 4))
    assert "The encoder has collapsed: all crops" in caplog.text and "Lower learning_rate" in caplog.text


def test_one_process_alone_says_so(caplog, monkeypatch):
    monkeypatch.setattr("scripts.handlers.collapse_monitor.rank", lambda: 1)
    evaluator(torch.ones(30, 4))
    assert not caplog.records
