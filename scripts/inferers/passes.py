"""What passes of a network over the same image agree on, and where they do not."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from ..errors import InputError

__all__ = ["Passes", "entropy", "over_passes"]


@dataclass
class Passes:
    """Passes over images, of K classes.

    Attributes:
        count: how many passes there were.
        probability: mean over the passes, [B, K, ...].
        votes: how many passes find a class the most probable one, int16, [B, K, ...].
        entropy: of the mean probability (predictive entropy), nats, [B, 1, ...]: all that is uncertain.
        mutual_information: of class and drawn network, nats, [B, 1, ...]: what passes contradict each other in.
    """

    count: int
    probability: torch.Tensor
    votes: torch.Tensor
    entropy: torch.Tensor
    mutual_information: torch.Tensor


def over_passes(logits: Iterable[torch.Tensor]) -> Passes:
    """Sum up passes, one after the other: of all of them, a generator's volumes are never in memory at once.

    Mutual information is I = H[mean p] - mean H[p], the entropy of the mean less the mean of the entropies.
    Source: Houlsby et al., "Bayesian active learning for classification and preference learning" (arXiv 1112.5745),
    eq. 2.

    Args:
        logits: of each pass, [B, K, ...], K > 1; their metadata, if any, is left behind.

    Raises:
        InputError: there is one class only.

    Example:
        >>> found = over_passes(torch.tensor([[[50.0, 0.0]], [[0.0, 50.0]]]))  # two passes over one voxel
        >>> found.probability, found.entropy, found.mutual_information
        (tensor([[0.5000, 0.5000]]), tensor([[0.6931]]), tensor([[0.6931]]))
    """
    count = 0
    for output in logits:
        probability = output.as_subclass(torch.Tensor).float().softmax(1)  # metadata would be copied in every step
        if not count:
            _require_classes(probability)
            total, votes = torch.zeros_like(probability), torch.zeros_like(probability, dtype=torch.int16)
            entropies = torch.zeros_like(probability[:, :1])
        total += probability
        votes += _called(probability)
        entropies += entropy(probability)
        count += 1
        del output, probability  # not kept while the next pass is made
    total /= count
    uncertain = entropy(total)
    return Passes(count, total, votes, uncertain, (uncertain - entropies / count).clamp(min=0))


def entropy(probability: torch.Tensor) -> torch.Tensor:
    """Entropy of probabilities [B, K, ...] over their classes, nats, [B, 1, ...]; class by class, to save memory."""
    found = torch.zeros_like(probability[:, :1])
    for one in probability.split(1, 1):
        found += torch.special.entr(one)
    return found


def _called(probability: torch.Tensor) -> torch.Tensor:
    """Which class is the most probable one, bool, [B, K, ...]."""
    classes = torch.arange(probability.shape[1], device=probability.device)
    return probability.argmax(1, keepdim=True) == classes.view(1, -1, *[1] * (probability.ndim - 2))


def _require_classes(probability: torch.Tensor) -> None:
    if probability.shape[1] < 2:
        raise InputError(
            "The network has one output channel, and passes are compared in classes: give it one for each class, the "
            "background's included."
        )
