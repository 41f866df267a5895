"""What a segmentation network says of scans of subjects that it never saw."""

from monai.engines import Evaluator
from torch import nn

from ..distributed import rank, wait
from ..networks.weights import load_encoder

__all__ = ["score_segmentation"]


def score_segmentation(network: nn.Module, weights: str, evaluator: Evaluator) -> None:
    """Load the weights that were kept and run an evaluator on them, whose handlers write; the first process alone does.

    Args:
        network: that of the evaluator.
        weights: path of the best of a training.
        evaluator: of test scans.
    """
    wait()  # for the process that writes the weights
    load_encoder(network, weights)
    if rank() == 0:
        evaluator.run()
