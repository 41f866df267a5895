"""SimCLR: of all views of a step, a view is to find the other one of its own crop."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from ..distributed import gather
from ..errors import require_one_of, require_positive
from .views import gather_views

__all__ = ["NEGATIVES", "NTXentLoss", "nt_xent_loss", "overlap"]

NEGATIVES = ("all", "disjoint")


def nt_xent_loss(
    first: torch.Tensor, second: torch.Tensor, temperature: float = 0.1, ignored: torch.Tensor | None = None
) -> torch.Tensor:
    r"""Mean over all 2N views of $-\log \frac{\exp(s_{ij} / T)}{\sum_{k \neq i} \exp(s_{ik} / T)}$.

    s is the cosine similarity, and j the other view of the crop of i. The logarithm of the sum is taken as one, so that
    no exponential overflows, and no tensor is larger than 2N x 2N.

    Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020, equation 1.

    Args:
        first: embeddings of the first views, [N, D].
        second: of the second views, [N, D].
        temperature: T.
        ignored: [N, N], true where the views of two crops are no negatives of each other.

    Returns:
        Scalar, float32 also under autocast (float64 for float64 embeddings).

    Example:
        >>> nt_xent_loss(torch.ones(2, 8), torch.ones(2, 8))  # 4 views, all alike: one guess of three, log 3
        tensor(1.0986)
    """
    with torch.autocast(first.device.type, enabled=False):
        views = torch.cat([first, second])
        views = normalize(views if views.dtype == torch.float64 else views.float(), eps=1e-8)
        itself = torch.arange(len(views), device=views.device)
        other = itself.roll(len(first))
        hidden = torch.zeros(len(views), len(views), dtype=torch.bool, device=views.device)
        if ignored is not None:
            hidden |= ignored.repeat(2, 2)
            hidden[itself, other] = False
        hidden[itself, itself] = True
        logits = (views / temperature) @ views.T
        return cross_entropy(logits.masked_fill(hidden, -torch.inf), other)


def overlap(voxel: torch.Tensor, scan: torch.Tensor, crop_size: Sequence[int]) -> torch.Tensor:
    """Which crops share voxels, [N, N]; each does so with itself.

    Args:
        voxel: centres along the axes of their scans, in voxels, [N, 3].
        scan: number of the scan of each crop, [N].
        crop_size: voxels, [X, Y, Z].

    Example:
        >>> overlap(torch.tensor([[0.0, 0, 0], [16, 0, 0], [40, 0, 0]]), torch.zeros(3), crop_size=[32, 32, 32])
        tensor([[ True,  True, False],
                [ True,  True,  True],
                [False,  True,  True]])
    """
    apart = (voxel[:, None] - voxel).abs()
    # centres are computed from an affine in mm: half a voxel is no overlap
    close = (apart < torch.as_tensor(crop_size, device=voxel.device) - 0.5).all(-1)
    return close & (scan[:, None] == scan)


class NTXentLoss(nn.Module):
    """`nt_xent_loss` over the crops of all processes.

    Args:
        temperature: T; below 1, so that views that are nearly alike count most.
        negatives: `all` other crops of a step, or those that are `disjoint` from a crop: none that overlaps it, unless
            all do.
        crop_size: voxels, [X, Y, Z], to know what overlaps.
        head: projection from the encoder's embeddings to those that are compared; none in ISImed's experiments. It is
            applied to the crops of all processes in each of them, so that its gradient needs no reduction.

    Raises:
        InputError: unknown negatives, or a temperature that is no positive number.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        negatives: str = "all",
        crop_size: Sequence[int] = (32, 32, 32),
        head: nn.Module | None = None,
    ) -> None:
        super().__init__()
        require_one_of("negatives", negatives, NEGATIVES)
        require_positive("temperature", temperature)
        self.temperature, self.negatives, self.crop_size = temperature, negatives, crop_size
        self.head = head or nn.Identity()

    def forward(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of the embeddings [2 B, D] of first views and then second views.

        Of the targets, `voxel` [B, 3] and `scan` [B] are looked at where negatives are to be disjoint.
        """
        first, second = map(self.head, gather_views(embedding))
        ignored = None
        if self.negatives == "disjoint":
            ignored = overlap(gather(target["voxel"]), gather(target["scan"]), self.crop_size)
            ignored &= ~ignored.all(1, keepdim=True)  # a crop that overlaps all others would have no negatives at all
        return nt_xent_loss(first, second, self.temperature, ignored)
