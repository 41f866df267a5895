"""Mixed precision that works on CPUs too."""

from contextlib import ExitStack

import torch
from monai.inferers import SimpleInferer
from torch.overrides import TorchFunctionMode

__all__ = ["MixedPrecisionInferer", "supports_bfloat16"]


def supports_bfloat16(device: torch.device) -> bool:
    """Whether a device has bfloat16 instructions (and does not merely emulate them)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = device.type == "cpu" and hasattr(torch.cpu, "get_capabilities")
    capabilities = torch.cpu.get_capabilities() if known else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


class MixedPrecisionInferer(SimpleInferer):
    """Runs the network in bfloat16 where its device has the instructions; the output is float32.

    MONAI's own `amp` switch autocasts on CUDA alone. bfloat16 has the range of float32, so the loss needs no scaling.

    Args:
        amp: whether to use mixed precision at all.
    """

    def __init__(self, amp: bool = True) -> None:
        super().__init__()
        self.amp = amp

    def __call__(self, inputs: torch.Tensor, network, *args, **kwargs) -> torch.Tensor:
        with ExitStack() as stack:
            if self.amp and supports_bfloat16(inputs.device):
                stack.enter_context(torch.autocast(inputs.device.type, torch.bfloat16))
                if inputs.device.type == "cpu":
                    stack.enter_context(_NarrowConvolutionsInFloat32())
            return super().__call__(inputs, network, *args, **kwargs).float()


class _NarrowConvolutionsInFloat32(TorchFunctionMode):
    """Keeps 3D convolutions of inputs that are narrower than the kernel out of CPU autocast.

    torch's CPU backend (seen with 2.13) then returns weight gradients of up to 1e38 in bfloat16, or overruns its
    buffers: any DenseNet121 on 32³ voxels, whose third block sees 2³, diverges within a few steps.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        # torch.nn.Conv3d passes input and weight by position
        if function is torch.conv3d and len(args) > 1 and min(args[0].shape[2:]) < max(args[1].shape[2:]):
            with torch.autocast("cpu", enabled=False):
                return function(args[0].float(), args[1].float(), *args[2:], **kwargs)
        return function(*args, **kwargs)
