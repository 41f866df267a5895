"""How near an image that was made is to the real one, in a region of both."""

import torch
from monai.metrics import PSNRMetric
from monai.metrics.regression import compute_ssim_and_cs
from monai.transforms.utils import generate_spatial_bounding_box
from torch.nn.functional import pad

__all__ = ["TISSUES", "image_scores", "tissue_errors"]

REACH = 3  # voxels from the middle of SSIM's Gaussian window to its sides; its standard deviation is 1.5
# of a CT, from which to below which Hounsfield units of the real image
TISSUES = {"bone": (200.0, float("inf")), "soft_tissue": (-300.0, 200.0), "air": (-float("inf"), -300.0)}


def image_scores(
    made: torch.Tensor, real: torch.Tensor, region: torch.Tensor, low: float, high: float
) -> dict[str, float]:
    """Mean absolute error, peak signal-to-noise ratio (dB) and mean structural similarity over the voxels of a region.

    Source of the latter: Wang et al., IEEE Trans. Image Process. 13:600 (2004), equation 13.

    Args:
        made, real: [X, Y, Z], in one unit.
        region: which voxels count, likewise; not none.
        low, high: the range of values: its width is the signal's peak, and `low` is no signal.

    Returns:
        `mae` in the images' unit, `psnr` and `ssim`.
    """
    ours, theirs = made[region][None, None].double(), real[region][None, None].double()
    noise = PSNRMetric(high - low)(ours, theirs)
    assert isinstance(noise, torch.Tensor)  # as of tensors; it could be a list of them
    return {
        "mae": float((ours - theirs).abs().mean()),
        "psnr": float(noise),
        "ssim": _similarity((made - low) / (high - low), (real - low) / (high - low), region),
    }


def tissue_errors(made: torch.Tensor, real: torch.Tensor, region: torch.Tensor) -> dict[str, float]:
    """Mean absolute error of a CT in each of `TISSUES`, told apart by the real one; nan of one that is not there.

    Args:
        made, real, region: as for `image_scores`, in Hounsfield units.

    Example:
        >>> made, real = torch.tensor([[[0.0, 0, -900]]]), torch.tensor([[[300.0, 40, -1000]]])
        >>> tissue_errors(made, real, real < 1000)
        {'mae_bone': 300.0, 'mae_soft_tissue': 40.0, 'mae_air': 100.0}
    """
    error = (made - real).abs().double()
    return {
        f"mae_{name}": float(error[region & (real >= low) & (real < high)].mean())
        for name, (low, high) in TISSUES.items()
    }


def _similarity(made: torch.Tensor, real: torch.Tensor, region: torch.Tensor) -> float:
    """Mean over a region of SSIM round each voxel, of values from 0 to 1; beyond an image, all is as at its edge."""
    first, last = generate_spatial_bounding_box(region[None], margin=REACH, allow_smaller=True)
    box = tuple(map(slice, first, last))
    ours, theirs = (pad(image[box][None, None].float(), [REACH] * 6, mode="replicate") for image in (made, real))
    similarity, _ = compute_ssim_and_cs(ours, theirs, 3, [2 * REACH + 1] * 3, [1.5] * 3)
    return float(similarity[0, 0][region[box]].double().mean())
