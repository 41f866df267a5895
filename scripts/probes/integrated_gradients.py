"""What each input adds to a function's value: integrated gradients."""

from collections.abc import Callable

import torch

from ..errors import require_package

__all__ = ["integrated_gradients", "require_captum"]


def require_captum() -> None:
    """Raise an `InputError` unless captum is installed."""
    require_package("captum", "An explanation")


def integrated_gradients(
    function: Callable[..., torch.Tensor],
    inputs: torch.Tensor,
    baseline: torch.Tensor,
    steps: int,
    more: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Attributions $(x - x') \int_0^1 \nabla F(x' + \alpha (x - x')) \, d\alpha$, by Gauss-Legendre quadrature.

    They add up to the function's value less that of the baseline (completeness), but for what so many steps miss.

    Source: Sundararajan, Taly, Yan: "Axiomatic Attribution for Deep Networks", ICML 2017, equation 1 and proposition 1.

    Args:
        function: a value for each of N inputs, [N].
        inputs: [N, ...]; `baseline` likewise.
        steps: at which gradients are taken.
        more: what else the function takes of each input, [N, ...].

    Returns:
        Attributions, like the inputs, and by how much their sums are off, [N].

    Example:
        >>> found, error = integrated_gradients(lambda x: x.prod(1), torch.tensor([[2.0, 3.0]]), torch.zeros(1, 2), 8)
        >>> found, error.abs().item() < 1e-4
        (tensor([[3.0000, 3.0000]]), True)
    """
    from captum.attr import IntegratedGradients

    found, error = IntegratedGradients(function).attribute(
        inputs,
        baselines=baseline,
        additional_forward_args=None if more is None else (more,),
        n_steps=steps,
        internal_batch_size=len(inputs),  # one step at a time
        return_convergence_delta=True,
    )
    return found.detach().to(inputs.dtype), error
