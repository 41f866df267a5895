"""One answer for the many crops of a subject: their mean embedding, or one that learns which of them to look at."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from .logistic import LogisticProbe, class_weights
from .standardise import Standardise

__all__ = ["AttentionPoolingProbe", "GatedAttention", "MeanPoolingProbe"]

EPOCHS, LEARNING_RATE, WEIGHT_DECAY = 200, 1e-3, 1e-2


class MeanPoolingProbe(LogisticProbe):
    """`LogisticProbe` of the mean over each bag.

    Args:
        features: bags of training features, [S, n, D]; rows of nan are left out.
        labels: class labels, 0 or 1, [S].
        val_features, val_labels: likewise, to choose the penalty.
    """

    def __init__(
        self, features: torch.Tensor, labels: torch.Tensor, val_features: torch.Tensor, val_labels: torch.Tensor
    ) -> None:
        super().__init__(features.nanmean(1), labels, val_features.nanmean(1), val_labels)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [M], float64, of bags [M, n, D]."""
        return super().__call__(features.nanmean(1))


class GatedAttention(nn.Module):
    """Logit of a bag: of the mean of its features, weighted by gated attention.

    Source: Ilse, Tomczak, Welling, "Attention-based Deep Multiple Instance Learning", ICML 2018, equations 8 and 9.

    Args:
        features: their number, D.
        hidden: width of the attention's two layers.
    """

    def __init__(self, features: int, hidden: int = 32) -> None:
        super().__init__()
        self.content, self.gate = nn.Linear(features, hidden), nn.Linear(features, hidden)
        self.attention, self.classifier = nn.Linear(hidden, 1, bias=False), nn.Linear(features, 1)

    def weights(self, bags: torch.Tensor) -> torch.Tensor:
        """Attention [S, n] to the crops of bags [S, n, D], of sum 1; 0 for rows of nan."""
        missing, bags = bags.isnan().any(-1), bags.nan_to_num()
        hidden = torch.tanh(self.content(bags)) * torch.sigmoid(self.gate(bags))
        return self.attention(hidden).squeeze(-1).masked_fill(missing, -torch.inf).softmax(1)

    def forward(self, bags: torch.Tensor) -> torch.Tensor:
        """Logits [S] of bags [S, n, D]."""
        pooled = (self.weights(bags)[..., None] * bags.nan_to_num()).sum(1)
        return self.classifier(pooled).squeeze(-1)


class AttentionPoolingProbe:
    """`GatedAttention` on standardised features, at the epoch with the lowest loss on validation data.

    Classes are weighted to be equally frequent. The same data give the same classifier.

    Args:
        features: bags of training features, [S, n, D]; rows of nan are left out.
        labels: class labels, 0 or 1, [S]; both must be there.
        val_features, val_labels: likewise, to choose the epoch.
    """

    def __init__(
        self, features: torch.Tensor, labels: torch.Tensor, val_features: torch.Tensor, val_labels: torch.Tensor
    ) -> None:
        rows = features.flatten(0, 1)
        self.standardise = Standardise(rows[~rows.isnan().any(1)])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.network = GatedAttention(features.shape[-1])
        train, validate = self.standardise(features).float(), self.standardise(val_features).float()
        labels, val_labels = labels.float(), val_labels.float()
        balance, val_balance = class_weights(labels), class_weights(val_labels)
        optimizer = torch.optim.AdamW(self.network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        lowest, best = float("inf"), dict[str, torch.Tensor]()
        for _ in range(EPOCHS):
            loss = binary_cross_entropy_with_logits(self.network(validate), val_labels, weight=val_balance).item()
            if loss < lowest:
                lowest, best = loss, {key: value.clone() for key, value in self.network.state_dict().items()}
            optimizer.zero_grad()
            binary_cross_entropy_with_logits(self.network(train), labels, weight=balance).backward()
            optimizer.step()
        self.network.load_state_dict(best)

    @torch.no_grad()
    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [M] of bags [M, n, D]."""
        return self.network(self.standardise(features).float())
