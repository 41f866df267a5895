"""Collapse, in which an encoder tells crops no longer apart, is seen while it happens."""

import logging

import torch
from ignite.engine import Engine, Events

from ..distributed import gather, rank
from ..metrics.collapse import collapse, embedding_std
from ..metrics.rankme import rankme

__all__ = ["CollapseMonitor"]

logger = logging.getLogger(__name__)


class CollapseMonitor:
    """Add `rankme` and `embedding_std` to an evaluator's metrics, and say so when its embeddings have collapsed."""

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._measure)

    def _start(self, _: Engine) -> None:
        self.embeddings: list[torch.Tensor] = []

    def _collect(self, engine: Engine) -> None:
        self.embeddings.append(engine.state.output["pred"].detach())

    def _measure(self, engine: Engine) -> None:
        embedding = gather(torch.cat(self.embeddings))
        engine.state.metrics |= {"rankme": rankme(embedding), "embedding_std": embedding_std(embedding)}
        fault = collapse(embedding)
        if fault and rank() == 0:
            logger.warning(
                f"The encoder has collapsed: {fault}. Lower learning_rate, or raise batch_size; if it lasts, stop."
            )
