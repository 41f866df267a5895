"""Monte-Carlo dropout: several passes over an image, what they say together, and how far to trust it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from monai.inferers import Inferer
from monai.utils import convert_to_dst_type

from ..errors import InputError, require_one_of
from ..networks.monte_carlo import active_dropout
from ..progress import with_progress
from .combination import COMBINATIONS
from .passes import over_passes

__all__ = ["MonteCarloInferer"]

MOST = 1000  # passes; of many more, float32 would not hold votes and mean probability in one number


class MonteCarloInferer(Inferer):
    """Has an inferer pass over an image several times, each time with other units dropped.

    In a sliding window, each window has draws of its own, and so a pass over an image is not one network's. Where
    windows overlap, draws are averaged within a pass: passes then differ less, and mutual information is smaller, than
    of one window. Gaussian weights keep most of it.

    Every image begins with the same seed, so that what is said of it does not depend on the images before it; the
    generators of torch, which others draw from, are afterwards as they were.

    Sources: Gal and Ghahramani, "Dropout as a Bayesian approximation", ICML 2016 (arXiv 1506.02142); for segmentation
    with pretrained encoders, Ali et al., "Self-supervised learning for 3D medical image analysis using 3D SimCLR and
    Monte Carlo dropout" (arXiv 2109.14288).

    Args:
        inferer: passes over an image, such as MONAI's `SlidingWindowInferer`; the network's outputs are logits.
        passes: how many; more of them make smoother maps, and take their time.
        combine: mean (probability), majority (of votes; the higher mean probability where they tie) or union (a class
            but the background that any pass votes for; of several, the one with more votes, then the higher mean).
        seed: of the draws.

    Raises:
        InputError: passes or combine is something else.
    """

    def __init__(self, inferer: Callable, passes: int = 10, combine: str = "mean", seed: int = 0) -> None:
        super().__init__()
        if isinstance(passes, bool) or not isinstance(passes, int) or not 1 <= passes <= MOST:
            raise InputError(f"passes is {passes}: give a whole number from 1 to {MOST}.")
        require_one_of("combine", combine, COMBINATIONS)
        self.inferer, self.passes, self.combine, self.seed = inferer, passes, COMBINATIONS[combine], seed

    @torch.no_grad()
    def __call__(self, inputs: torch.Tensor, network, *args, **kwargs) -> dict[str, torch.Tensor]:
        """Maps of images [B, C, X, Y, Z], or [B, C, X, Y], of K classes, with the images' metadata.

        Returns:
            scores: of the combined passes, [B, K, ...]; the largest is the segmentation.
            probability: mean over the passes, [B, K, ...].
            entropy: predictive, nats, [B, 1, ...].
            mutual_information: nats, [B, 1, ...].

        Raises:
            InputError: the network has no dropout, or one class only.
        """
        every = with_progress(range(self.passes), "Pass")
        with active_dropout(network), _draws(self.seed):
            passes = over_passes(self.inferer(inputs, network, *args, **kwargs) for _ in every)
        maps = {
            "scores": self.combine(passes),
            "probability": passes.probability,
            "entropy": passes.entropy,
            "mutual_information": passes.mutual_information,
        }
        return {key: convert_to_dst_type(one, inputs, one.dtype, device=one.device)[0] for key, one in maps.items()}


@contextmanager
def _draws(seed: int) -> Iterator[None]:
    """Torch's generators from a seed, on all devices, and afterwards as before."""
    with torch.random.fork_rng(range(torch.cuda.device_count()), device_type="cuda"):
        torch.manual_seed(seed)
        yield
