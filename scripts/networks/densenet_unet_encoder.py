"""A pretrained DenseNet121 as the down path of a segmentation network."""

import torch
from monai.networks.blocks import BaseEncoder
from monai.networks.nets import FLEXUNET_BACKBONE, DenseNet121

from ..errors import InputError

__all__ = ["DenseNet121Encoder"]


class DenseNet121Encoder(DenseNet121, BaseEncoder):
    """MONAI's DenseNet121 as a backbone of MONAI's `FlexibleUNet`, under the name `densenet121`.

    Its tensors have DenseNet121's names; in the U-Net, `encoder.` is before them.

    Args:
        spatial_dims: 2 or 3.
        in_channels: of the scans.
        pretrained: False; weights are loaded afterwards, by `transfer_weights`.

    Raises:
        InputError: pretrained is True.
    """

    SKIPS = ("relu0", "denseblock1", "denseblock2", "denseblock3", "norm5")  # the last layer at each resolution

    def __init__(self, spatial_dims: int, in_channels: int, pretrained: bool = False) -> None:
        if pretrained:
            raise InputError("DenseNet121Encoder has no weights of its own: load some with scripts.networks.transfer.")
        super().__init__(spatial_dims=spatial_dims, in_channels=in_channels, out_channels=1)
        del self.class_layers

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:  # type: ignore[override]  # as `FlexibleUNet` wants it
        """Features [B, 64, 256, 512, 1024, 1024] at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size of [B, C, X, Y, Z]."""
        features = []
        for name, layer in self.features.named_children():
            x = layer(x)
            if name in self.SKIPS:
                features.append(x)
        return features

    @classmethod
    def get_encoder_parameters(cls) -> list[dict]:
        """Arguments that `FlexibleUNet` fills in."""
        return [{"spatial_dims": 3, "in_channels": 1, "pretrained": False}]

    @classmethod
    def num_channels_per_output(cls) -> list[tuple[int, ...]]:
        """Channels of each feature map."""
        return [(64, 256, 512, 1024, 1024)]

    @classmethod
    def num_outputs(cls) -> list[int]:
        """How many feature maps there are."""
        return [5]

    @classmethod
    def get_encoder_names(cls) -> list[str]:
        """Names for `FlexibleUNet(backbone=...)`."""
        return ["densenet121"]


FLEXUNET_BACKBONE.register_class(DenseNet121Encoder)
