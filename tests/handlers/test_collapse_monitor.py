"""Collapse is told, and nothing else is called so."""

import logging

import torch
from ignite.engine import Engine

from scripts.handlers.collapse_monitor import CollapseMonitor
from scripts.metrics.collapse import embedding_std
from scripts.metrics.rankme import rankme

POSITION = 60 * torch.randn(200, 3, generator=torch.Generator().manual_seed(0))


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
