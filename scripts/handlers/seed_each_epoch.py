"""Randomness that depends on the seed and the epoch alone, so that a resumed run continues as if never stopped."""

from ignite.engine import Engine, Events
from monai.data.utils import set_rnd
from monai.utils import set_determinism

from ..distributed import rank

__all__ = ["SeedEachEpoch"]


class SeedEachEpoch:
    """Seed torch, NumPy, Python and the loader's transforms at the start of each epoch.

    Shuffling, crops and dropout of an epoch are then the same whether the epochs before it ran in this process or in
    one that was stopped, and no random state has to be stored. Processes draw apart from each other.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        seed = self.seed + 10_007 * engine.state.epoch + 100_003 * rank()
        set_determinism(seed)
        set_rnd(engine.data_loader.dataset, seed)
