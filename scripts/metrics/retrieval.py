"""How well persons are found again: by a scan among lines of tables, or by a line among scans."""

from collections.abc import Mapping

import torch

from ..losses.contig import ContIGLoss, mean_by_person
from .subject_bootstrap import SubjectBootstrap

__all__ = ["Top1", "column_cosines", "drawn_medians", "joined", "own_ranks"]


class Top1:
    """Share of persons whose own line, in all tables that they are in, is the most similar to their scans.

    Args:
        loss: that knows the tables, and projects to where scans and lines are compared.
    """

    def __init__(self, loss: ContIGLoss) -> None:
        self.loss = loss

    def __call__(self, embedding: torch.Tensor, person: torch.Tensor) -> float:
        """Of embeddings [N, D] of crops of persons [N], which are averaged by person."""
        similarity = joined(self.loss.similarities(*mean_by_person(embedding.float(), person)))
        return float((own_ranks(similarity) == 1).float().mean())


def joined(similarities: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Mean over the tables that a column's person is in, [P, P], of similarities of scans (rows) with lines (columns).

    A column is nan of a person who is in none.
    """
    return torch.stack(list(similarities.values())).nanmean(0)


def own_ranks(similarity: torch.Tensor) -> torch.Tensor:
    """Rank of each row's own column, 1 for the most similar, among columns that are known, [K].

    Rows and columns, [P, P], are of the same persons; those whose column is nan, P - K of them, are left out. Of equal
    similarities, half count as higher, so that all being alike is no success.

    Example:
        >>> own_ranks(torch.tensor([[0.9, 0.1, 0.2], [0.5, 0.4, 0.3], [0.1, 0.1, 0.1]]))
        tensor([1., 2., 2.])
    """
    known = ~similarity.isnan().all(0)
    square = similarity[known][:, known]
    own = square.diagonal()[:, None]
    return 0.5 + (square > own).sum(1) + (square == own).sum(1) / 2


def drawn_medians(ranks: torch.Tensor, draws: SubjectBootstrap) -> torch.Tensor:
    """Median of the ranks of persons, [K], in each draw of them, [R]."""
    ranks, order = ranks.double().sort()
    seen = draws.counts[:, order].cumsum(1)
    half = seen[:, -1:] / 2
    low, high = (seen >= half).int().argmax(1), (seen > half).int().argmax(1)
    return (ranks[low] + ranks[high]) / 2


def column_cosines(predicted: torch.Tensor, lines: torch.Tensor) -> torch.Tensor:
    """Cosine similarity of each prediction [P, C] with each line [P, C], [P, P], over the columns that a line has.

    A column of it is nan where a line has nothing.
    """
    known = ~lines.isnan()
    true, predicted = lines.nan_to_num(0).double(), predicted.double()
    lengths = ((predicted**2) @ known.double().T).sqrt() * true.norm(dim=1)
    cosines = predicted @ true.T / lengths.clamp(min=1e-12)
    return cosines.masked_fill(~known.any(1), torch.nan)
