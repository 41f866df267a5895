"""DrasCLR: what is at a place of one body is told from what is there in other bodies, by itself and by what is near."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from ..distributed import as_in_first, gather
from ..errors import require_positive
from .key_queues import KeyQueues

__all__ = ["DrasCLRLoss", "contrast"]


def contrast(
    query: torch.Tensor, key: torch.Tensor, others: torch.Tensor, valid: torch.Tensor, temperature: float = 0.2
) -> torch.Tensor:
    r"""Mean of $-\log \frac{\exp(q k / T)}{\exp(q k / T) + K/n \sum_j \exp(q k_j / T)}$ over queries with a negative.

    The sum is over the n valid ones of a queue of K keys, and stands for that over a full queue: so embeddings that are
    all alike cost as much in the first epoch as later, when more keys are known. Where all are valid, K/n is 1, and it
    is InfoNCE.

    Args:
        query: q, [N, D].
        key: k, which each is to find, [N, D].
        others: k_j, of the queue of each, [N, K, D].
        valid: which of them are negatives, [N, K].
        temperature: T.

    Returns:
        Scalar; 0 where no query has a negative.

    Example:
        >>> ones = torch.ones(2, 8)
        >>> contrast(ones, ones, torch.ones(2, 3, 8), torch.ones(2, 3, dtype=torch.bool))  # one guess of four, log 4
        tensor(1.3863)
    """
    number = valid.sum(1)
    found = (query * key).sum(1, keepdim=True) / temperature
    logits = torch.einsum("nd,nkd->nk", query, others) / temperature
    logits = logits + (valid.shape[1] / number.clamp(min=1).to(logits)).log()[:, None]
    logits = torch.cat([found, logits.masked_fill(~valid, -torch.inf)], 1)
    losses = cross_entropy(logits, torch.zeros_like(number), reduction="none")  # 0 where there is no negative
    return losses.sum() / (number > 0).sum().clamp(min=1)


class DrasCLRLoss(nn.Module):
    """Local and regional contrast of a step's places over all processes: `contrast` of q, plus beta times that of s.

    The query q is what the head makes of a place's embedding, of length 1, and s the sum, which is no mean, of the same
    of its neighbours. Both are to find the key, what the momentum encoder makes of another view of the place, among the
    keys of other subjects in the queue of the place. Keys are put there after a step's loss, and in training alone.

    Source: Yu et al., "DrasCLR: A self-supervised framework of learning disease-related and anatomy-specific
    representation for 3D lung CT images", Medical Image Analysis 2024, arXiv 2302.10390, section 3.

    Args:
        queues: of keys of earlier steps.
        head: from embeddings to what is compared. It is applied to those of all processes in each of them.
        key_head: likewise of keys; the momentum encoder's, which this loss neither trains nor keeps.
        temperature: T.
        beta: weight of the regional contrast.

    Raises:
        InputError: the temperature is no positive number.
    """

    def __init__(
        self, queues: KeyQueues, head: nn.Module, key_head: nn.Module, temperature: float = 0.2, beta: float = 1.0
    ) -> None:
        super().__init__()
        require_positive("temperature", temperature)
        self.queues, self.head = queues, as_in_first(head)
        self.temperature, self.beta = temperature, beta
        self._key_head = (key_head,)  # in a tuple, so that it is no part of the state

    def forward(self, embedding: torch.Tensor, target: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of embeddings [(2 + R) B, D]: of all queries, all first neighbours, ..., all keys.

        The target has `place_number` [B], of the queue, and `subject_number` [B].
        """
        place, subject = gather(target["place_number"]), gather(target["subject_number"])
        with torch.autocast(embedding.device.type, enabled=False):
            views = embedding.reshape(-1, len(target["place_number"]), embedding.shape[1])
            query, *neighbours, key = (gather(view.float()) for view in views)
            with torch.no_grad():
                key = normalize(self._key_head[0](key))
            query, *neighbours = (normalize(self.head(view)) for view in (query, *neighbours))
            others, valid = self.queues.of(place, subject)
            loss = contrast(query, key, others, valid, self.temperature)
            if neighbours:
                near = torch.stack(neighbours).sum(0)
                loss = loss + self.beta * contrast(near, key, others, valid, self.temperature)
        if self.training:
            self.queues.add(key, place, subject)
        return loss
