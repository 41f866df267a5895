"""The ISImed objective: distances between embeddings equal the physical distances between crops."""

import torch
from torch import nn

from ..distributed import gather
from ..errors import require_one_of

__all__ = ["PAIRS", "DistanceLoss", "distance_loss", "gather_places", "pair_distances"]

PAIRS = ("all", "within")


class _PairDistances(torch.autograd.Function):
    """`torch.pdist` whose backward needs no tensor of N x N x D, as torch's own on CUDA does."""

    @staticmethod
    def forward(ctx, points: torch.Tensor) -> torch.Tensor:
        distances = torch.pdist(points)
        ctx.save_for_backward(points, distances)
        return distances

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        points, distances = ctx.saved_tensors
        first, second = torch.triu_indices(len(points), len(points), 1, device=points.device)
        # d|z_i - z_j| / dz_i = (z_i - z_j) / |z_i - z_j|, and 0 where the points coincide
        weights = points.new_zeros(len(points), len(points))
        weights[first, second] = torch.where(distances > 0, gradient / distances, 0)
        weights = weights + weights.T
        centred = points - points.mean(0)  # no difference changes, and less is rounded off
        with torch.autocast(points.device.type, enabled=False):
            return centred * weights.sum(1, keepdim=True) - weights @ centred


def pair_distances(points: torch.Tensor) -> torch.Tensor:
    """Euclidean distances of all pairs i < j, [N (N - 1) / 2] from [N, D], in the order of `torch.triu_indices`.

    Exact (`torch.cdist`, by default, rounds small distances off in a matrix product), with gradient zero where two
    points coincide, and in memory of N² + N D.

    Example:
        >>> pair_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))  # 0 to 1, 0 to 2, 1 to 2
        tensor([5.0000, 1.0000, 4.2426])
    """
    return _PairDistances.apply(points)


def distance_loss(embedding: torch.Tensor, location: torch.Tensor, scan: torch.Tensor | None = None) -> torch.Tensor:
    r"""Mean over pairs i < j of $(\lVert z_i - z_j \rVert_2 - \lVert c_i - c_j \rVert_2)^2$, in mm².

    Source: Jabareen, Yuan, Lukassen, ISImed, arXiv 2410.16947; its mean over all N² entries of the distance matrix is
    (N - 1) / N times this one. The Kullback-Leibler term of the method's published code is left out: it compares raw
    embeddings with random numbers, neither of them a distribution.

    Args:
        embedding: z, [N, D]; distances between its rows are read in mm.
        location: crop centres c in mm, [N, 3].
        scan: number of the scan of each crop, [N]; if given, only pairs within a scan count.

    Returns:
        Scalar, float32 also under autocast (float64 for float64 embeddings); 0 where no pair counts.

    Example:
        >>> distance_loss(torch.tensor([[0.0], [3.0]]), torch.tensor([[0.0, 0, 0], [0, 0, 5]]))  # 3 mm for 5 mm
        tensor(4.)
    """
    with torch.autocast(embedding.device.type, enabled=False):
        embedding = embedding if embedding.dtype == torch.float64 else embedding.float()
        error = pair_distances(embedding) - pair_distances(location.to(embedding.dtype))
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
        require_one_of("pairs", pairs, PAIRS)
        self.pairs = pairs

    def forward(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of embeddings [B, D] against the `location` [B, 3] (mm) and `scan` [B] of their crops."""
        return distance_loss(gather(embedding), *gather_places(target, self.pairs))


def gather_places(target: dict[str, torch.Tensor], pairs: str) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Locations [N, 3] of all processes' crops, and the numbers of their scans [N] where `pairs` are those `within`."""
    return gather(target["location"]), gather(target["scan"]) if pairs == "within" else None
