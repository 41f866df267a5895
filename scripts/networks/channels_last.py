"""A network's memory, in the order in which a CPU is fastest."""

import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format, convert_conv3d_weight_memory_format

__all__ = ["channels_last"]


def channels_last(network: nn.Module) -> nn.Module:
    """A network on the CPU with the weights of its convolutions in channels-last memory; elsewhere it stays as it is.

    What convolutions give is then in that order too, in which most layers are faster, and poolings by far. The network
    is as it was but for rounding, and takes the same weights.

    Args:
        network: that is not trained, on one device.

    Returns:
        The network itself.
    """
    if any(weights.device.type != "cpu" for weights in network.parameters()):
        return network
    convert_conv3d_weight_memory_format(network, torch.channels_last_3d)
    return convert_conv2d_weight_memory_format(network, torch.channels_last)
