"""The ISImed objective: distances between embeddings equal the physical distances between crops."""

import torch
from torch import nn

from .distributed import gather
from .errors import InputError

__all__ = ["PAIRS", "DistanceLoss", "distance_loss"]

PAIRS = ("all", "within")


def distance_loss(embedding: torch.Tensor, location: torch.Tensor, scan: torch.Tensor | None = None) -> torch.Tensor:
    r"""Mean over pairs i < j of $(\lVert z_i - z_j \rVert_2 - \lVert c_i - c_j \rVert_2)^2$, in mm².

    Source: Jabareen, Yuan, Lukassen, ISImed, arXiv 2410.16947; its mean over all N² entries of the distance matrix is
    (N - 1) / N times this one. Distances are exact and their gradient is zero where two points coincide (`torch.pdist`;
    `torch.cdist` by default rounds small distances off in a matrix product). The Kullback-Leibler term of the method's
    published code is left out: it compares raw embeddings with random numbers, neither of them a distribution.

    Args:
        embedding: z, [N, D]; distances between its rows are read in mm.
        location: crop centres c in mm, [N, 3].
        scan: number of the scan of each crop, [N]; if given, only pairs within a scan count.

    Returns:
        Scalar, float32 also under autocast (float64 for float64 embeddings); 0 where no pair counts.
    """
    with torch.autocast(embedding.device.type, enabled=False):
        embedding = embedding if embedding.dtype == torch.float64 else embedding.float()
        error = torch.pdist(embedding) - torch.pdist(location.to(embedding.dtype))
        if scan is not None:
            first, second = torch.triu_indices(len(scan), len(scan), 1, device=scan.device)
            error = error[scan[first] == scan[second]]
        return error.pow(2).sum() / max(1, error.numel())


class DistanceLoss(nn.Module):
    """`distance_loss` over the crops of all processes.

    Args:
        pairs: `all` pairs of a step, whose locations then need one frame; or those `within` a scan.

    Raises:
        InputError: unknown pairs.
    """

    def __init__(self, pairs: str = "all") -> None:
        super().__init__()
        if pairs not in PAIRS:
            raise InputError(f"There are no pairs '{pairs}': set pairs to one of {', '.join(PAIRS)}.")
        self.pairs = pairs

    def forward(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of embeddings [B, D] against the `location` [B, 3] (mm) and `scan` [B] of their crops."""
        scan = gather(target["scan"]) if self.pairs == "within" else None
        return distance_loss(gather(embedding), gather(target["location"]), scan)
