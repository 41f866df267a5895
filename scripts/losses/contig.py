"""ContIG: a scan finds its person's line in a table among those of others, and the line finds the scan."""

import logging

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from ..distributed import as_in_first, gather
from ..errors import require_positive
from ..networks.table_heads import TableHeads

__all__ = ["ContIGLoss", "contig_loss", "mean_by_person"]

logger = logging.getLogger(__name__)


def contig_loss(logits: torch.Tensor, own: torch.Tensor, image_weight: float = 0.75) -> torch.Tensor:
    r"""$\lambda$ times the cross-entropy of finding a row's person, and $1 - \lambda$ times that of the way back.

    A row is an image's, and a column a person's. A row is told from no other row of its person: from image to table,
    each row chooses among persons; from table to image, each row is chosen among itself and the rows of others. With
    one row a person, this is the paper's equation.

    Source: Taleb et al., "ContIG", CVPR 2022, equations 1 and 2.

    Args:
        logits: similarities / temperature, [rows, persons].
        own: number of each row's column, [rows].
        image_weight: lambda.

    Returns:
        Scalar; the logarithm of the number of persons where all is alike and each has one row.

    Example:
        >>> contig_loss(torch.zeros(3, 3), torch.arange(3))  # one guess of three, log 3
        tensor(1.0986)
    """
    to_table = cross_entropy(logits, own)
    right = logits.gather(1, own[:, None])
    columns = logits.T[own]  # of each row: all rows' logits with its person
    others = columns.masked_fill(own[:, None] == own, -torch.inf).logsumexp(1, keepdim=True)
    to_image = (torch.logaddexp(right, others) - right).mean()
    return image_weight * to_table + (1 - image_weight) * to_image


def mean_by_person(embedding: torch.Tensor, person: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean embedding of each person, [P, D], and the persons' numbers, [P], of rows [N, D] and theirs, [N]."""
    persons, index = person.unique(return_inverse=True)
    sums = torch.zeros(len(persons), embedding.shape[1], dtype=embedding.dtype, device=embedding.device)
    return sums.index_add(0, index, embedding) / index.bincount()[:, None], persons


class ContIGLoss(nn.Module):
    """Mean of `contig_loss` over tables of which two persons of a step have lines; persons are of all processes.

    A person who is not in a table takes no part in what is said of it. Heads are applied to what is of all processes in
    each of them, so that their gradients need no reduction.

    Args:
        heads: of the tables.
        temperature: what cosine similarities are divided by.
        image_weight: share of the way from image to table; the rest is of the way back.
        pooled: whether a person's embeddings are averaged before they are projected; else each crop is a row.

    Raises:
        InputError: a temperature that is no positive number.
    """

    def __init__(
        self, heads: TableHeads, temperature: float = 0.1, image_weight: float = 0.75, pooled: bool = True
    ) -> None:
        super().__init__()
        require_positive("temperature", temperature)
        self.heads = as_in_first(heads)
        self.temperature, self.image_weight, self.pooled = temperature, image_weight, pooled
        self._told = False

    def forward(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of embeddings [B, D]; the target has the number of each one's `person`, [B]."""
        return self._of_all(gather(_exact(embedding)), gather(target["person"]))

    @torch.no_grad()
    def value(self, embedding: torch.Tensor, person: torch.Tensor) -> float:
        """Loss of embeddings that are of all processes already, as a number."""
        return float(self._of_all(_exact(embedding), person))

    @torch.no_grad()
    def similarities(self, embedding: torch.Tensor, person: torch.Tensor) -> dict[str, torch.Tensor]:
        """Cosine similarities, by table, of each person's embedding [P, D] with each person's line, [P, P].

        A column is nan of a person who is not in that table.
        """
        found = {}
        for i, name in enumerate(self.heads.names):
            known = self.heads.in_table(i, person)
            found[name] = torch.full((len(person), len(person)), torch.nan, device=embedding.device)
            if known.any():
                found[name][:, known] = _cosines(self.heads, i, embedding, person[known])
        return found

    def _of_all(self, embedding: torch.Tensor, person: torch.Tensor) -> torch.Tensor:
        with torch.autocast(embedding.device.type, enabled=False):
            rows, person = mean_by_person(embedding, person) if self.pooled else (embedding, person)
            found = [self._of_table(i, rows, person) for i in range(len(self.heads.names))]
            losses = [loss for loss in found if loss is not None]
            if losses:
                return torch.stack(losses).mean()
        self._tell()
        return 0 * embedding.sum()

    def _of_table(self, i: int, embedding: torch.Tensor, person: torch.Tensor) -> torch.Tensor | None:
        known = self.heads.in_table(i, person)
        persons, own = person[known].unique(return_inverse=True)
        if len(persons) < 2:
            return None
        return contig_loss(
            _cosines(self.heads, i, embedding[known], persons) / self.temperature, own, self.image_weight
        )

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            logger.warning(
                "A step has no two persons who are in one table, and teaches nothing (said for the first one only): a "
                "larger batch_size makes that rarer."
            )


def _cosines(heads: TableHeads, i: int, embedding: torch.Tensor, person: torch.Tensor) -> torch.Tensor:
    images, lines = heads.of_images(i, embedding), heads.of_tables(i, person)
    return normalize(images, eps=1e-8) @ normalize(lines, eps=1e-8).T


def _exact(embedding: torch.Tensor) -> torch.Tensor:
    return embedding if embedding.dtype == torch.float64 else embedding.float()
