"""The Cox objective: who has an event earlier has a higher risk, of subjects some of whom have none yet."""

import torch
from torch import nn

from ..distributed import gather

__all__ = ["CoxLoss", "cox_loss"]


class CoxLoss(nn.Module):
    """Negative log partial likelihood, a mean over the events of all processes' subjects; 0 where there is none.

    Each event is compared with the subjects of the same step alone, so that steps have to have several.

    Source: Katzman et al., "DeepSurv", BMC Medical Research Methodology 18:24 (2018), equation 4, without its penalty;
    ties after Breslow (1974).
    """

    def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of log risks [B, 1] against times and events, 1 or 0, [B, 2]."""
        return cox_loss(gather(output.float())[:, 0], gather(target))

    def predict(self, output: torch.Tensor) -> torch.Tensor:
        """Log risks, [B], as they are."""
        return output[:, 0]


def cox_loss(log_risk: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Of log risks [N] of subjects with times and events [N, 2].

    Example:
        >>> times = torch.tensor([[1.0, 1], [2, 0], [3, 1]])  # one event of three at risk, one of itself alone
        >>> cox_loss(torch.zeros(3), times)  # log(3) / 2
        tensor(0.5493)
    """
    time, event = target[:, 0], target[:, 1] > 0
    at_risk = time >= time[event][:, None]
    among = log_risk.expand(len(at_risk), -1).masked_fill(~at_risk, -torch.inf).logsumexp(1)
    return (among - log_risk[event]).sum() / event.sum().clamp(min=1)
