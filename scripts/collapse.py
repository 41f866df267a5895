"""Collapse, in which an encoder tells crops no longer apart, is seen while it happens."""

import logging

import torch
from ignite.engine import Engine, Events

from .distributed import gather, rank
from .probe import rankme

__all__ = ["CollapseMonitor", "collapse", "embedding_std"]

logger = logging.getLogger(__name__)


def embedding_std(embedding: torch.Tensor) -> float:
    """Standard deviation of a feature over the crops, mean over the features of [N, D]; 0 where all are alike."""
    return float(embedding.double().std(0, correction=0).mean())


def collapse(embedding: torch.Tensor, smallest_spread: float = 0.01, smallest_rank: float = 1.5) -> str | None:
    """What is wrong with embeddings [N, D] that hardly differ, in words; None if nothing is.

    Args:
        embedding: of crops from several places.
        smallest_spread: what differs between embeddings, as a share of what they are, in root mean squares.
        smallest_rank: RankMe of the differences from the mean; one direction alone has 1.
    """
    if not embedding.isfinite().all():
        return "embeddings are not finite"
    embedding = embedding.double()
    centred = embedding - embedding.mean(0)
    spread = float(centred.norm() / embedding.norm().clamp(min=torch.finfo(torch.float64).tiny))
    if spread < smallest_spread:
        return f"all crops have nearly the same embedding (they differ by {100 * spread:.2g} % of its length)"
    if rankme(centred) < smallest_rank:
        return f"embeddings differ in one direction alone (effective rank {rankme(centred):.2f})"
    return None


class CollapseMonitor:
    """Add `rankme` and `embedding_std` to an evaluator's metrics, and say so when its embeddings have collapsed."""

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._measure)

    def _start(self, _: Engine) -> None:
        self.embeddings = []

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
