"""A loss's head does not drop anything while an evaluator runs, and does again in training."""

import pytest
from ignite.engine import Engine
from torch import nn

from scripts.handlers.evaluation_mode import EvaluationMode


@pytest.mark.parametrize("training", [True, False])
def test_a_module_is_in_evaluation_mode_while_an_evaluator_runs_and_then_as_before(training):
    loss = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).train(training)
    seen = []
    engine = Engine(lambda *_: seen.extend(part.training for part in loss.modules()))
    EvaluationMode(loss).attach(engine)
    for _ in range(2):
        engine.run([0, 1])
        assert [part.training for part in loss.modules()] == 3 * [training]
    assert not any(seen)
