"""What a momentum encoder said of crops of earlier steps: a queue for each place of the body."""

import logging

import torch
from torch import nn

from ..distributed import rank

__all__ = ["EMPTY", "KeyQueues"]

logger = logging.getLogger(__name__)

EMPTY = -1  # in place of a subject's number, which is never negative


class KeyQueues(nn.Module):
    """The last keys of each place, with the subjects that they are of; a checkpoint has them all.

    They take places x size x (2 x features + 8) bytes, as keys are of 16 bits: 0.6 GB for the 581 places of 4096 keys
    of 128 numbers of arXiv 2302.10390.

    Args:
        places: that have a queue.
        size: keys that each holds at most.
        features: numbers of a key.
    """

    keys: torch.Tensor
    subjects: torch.Tensor
    next: torch.Tensor

    def __init__(self, places: int, size: int, features: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("keys", torch.zeros(places, size, features, dtype=torch.float16))
        self.register_buffer("subjects", torch.full((places, size), EMPTY))
        self.register_buffer("next", torch.zeros(places, dtype=torch.long))
        if rank() == 0:
            megabytes = places * size * (2 * features + 8) / 1e6
            logger.info(
                f"Queues of {places} places, {size} keys each, take {megabytes:.1f} MB: queue_size bounds that."
            )

    def of(self, place: torch.Tensor, subject: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys of places, [N, size, features], float32, and which of them are of other subjects, [N, size].

        Args:
            place: numbers of the queues, [N].
            subject: whose keys are not meant, [N].
        """
        subjects = self.subjects[place]
        return self.keys[place].float(), (subjects != EMPTY) & (subjects != subject[:, None])

    @torch.no_grad()
    def add(self, keys: torch.Tensor, place: torch.Tensor, subject: torch.Tensor) -> None:
        """Put keys [N, features] in their order into the queues of their places [N], in place of the oldest there."""
        order = place.argsort(stable=True)
        places, counts = place[order].unique_consecutive(return_counts=True)
        behind = torch.repeat_interleave(counts.cumsum(0), counts) - torch.arange(len(place), device=place.device)
        kept = behind <= self.size  # of more than a queue holds, the last
        among = torch.repeat_interleave(counts, counts) - behind
        slot = ((self.next[place[order]] + among) % self.size)[kept]
        order = order[kept]
        self.keys[place[order], slot] = keys[order].to(self.keys.dtype)
        self.subjects[place[order], slot] = subject[order]
        self.next[places] = (self.next[places] + counts) % self.size
