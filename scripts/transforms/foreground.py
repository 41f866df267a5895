"""Where the body is: a box that noise and specks do not move."""

import numpy as np
import torch
from torch.nn.functional import avg_pool3d

__all__ = ["body_mask", "inside_body", "otsu_threshold"]


def otsu_threshold(values: torch.Tensor, bins: int = 256) -> float:
    """Threshold that separates two classes of intensities with the largest variance between them.

    Source: Otsu, IEEE Trans. Syst. Man Cybern. 9:62 (1979), equation 12. Values beyond the 99.5th percentile are
    taken as that percentile, so that a few bright voxels do not stretch the histogram.

    Args:
        values: intensities, any shape.
        bins: bins of the histogram.

    Returns:
        The upper edge of the darker class.
    """
    values = torch.as_tensor(values).flatten().float()
    last = max(1, int(0.995 * values.numel())) - 1
    top = float(np.partition(values.cpu().numpy(), last)[last])  # several times as fast as torch's kthvalue
    values = values.clamp(max=top)
    low, high = float(values.min()), top
    if low == high:
        return low
    counts = torch.histc(values, bins, low, high).double()
    centres = torch.linspace(0.5, bins - 0.5, bins, dtype=torch.double)
    dark, dark_sum = counts.cumsum(0), (counts * centres).cumsum(0)
    bright = dark[-1] - dark
    difference = dark_sum / dark.clamp(min=1) - (dark_sum[-1] - dark_sum) / bright.clamp(min=1)
    between = dark * bright * difference**2
    return low + (high - low) * (int(between.argmax()) + 1) / bins


def body_mask(image: torch.Tensor, tail: float = 0.005) -> torch.Tensor:
    """Box of the body, as a mask for `CropForegroundd(select_fn=...)`.

    Voxels above Otsu's threshold of a channel are the body; along each axis the box leaves out the `tail` of them at
    either end. `x > 0`, the usual choice, keeps the whole volume wherever air is not exactly 0, as in most real MR and
    all CT.

    Args:
        image: scan, [C, X, Y, Z], each channel in any intensity unit; a constant one shows no body.
        tail: share of body voxels outside the box on each of its sides.

    Returns:
        Mask of the box, [C, X, Y, Z].
    """
    image = torch.as_tensor(image)
    body = torch.stack([channel > otsu_threshold(channel) for channel in image]).any(0)
    mask = torch.zeros(image.shape[1:], dtype=torch.bool, device=image.device)
    mask[tuple(_extent(counts, tail) for counts in _slice_counts(body))] = True
    return mask.expand(image.shape)


def inside_body(image: torch.Tensor) -> torch.Tensor:
    """What of a scan is body, with all that it encloses, such as lungs: a mask [X, Y, Z].

    A voxel is, that has voxels above Otsu's threshold on both of its sides along two axes of three: a scan may end in
    the midst of a lung. Specks of less than half a block of 4 voxels a side are left out.

    Args:
        image: scan, [C, X, Y, Z], in any intensity unit.
    """
    image = torch.as_tensor(image)
    body = (image > otsu_threshold(image)).any(0)
    blocks = avg_pool3d(body[None].float(), 4, ceil_mode=True, count_include_pad=False)[0] > 0.5
    between = [(blocks.cumsum(axis) > 0) & (blocks.flip(axis).cumsum(axis) > 0).flip(axis) for axis in range(3)]
    inside = torch.stack(between).sum(0) >= 2
    for axis, size in enumerate(body.shape):
        inside = inside.repeat_interleave(4, axis).narrow(axis, 0, size)
    return inside


def _slice_counts(body: torch.Tensor) -> list[torch.Tensor]:
    """Body voxels of each slice, along each axis."""
    voxels = body.cpu().numpy()  # which NumPy counts ten times as fast as torch
    others = ([other for other in range(body.ndim) if other != axis] for axis in range(body.ndim))
    return [torch.from_numpy(np.count_nonzero(voxels, tuple(axes))) for axes in others]


def _extent(counts: torch.Tensor, tail: float) -> slice:
    """Indices along one axis between which all but the tails of the body lie."""
    share = counts.double().cumsum(0)
    share = share / share[-1].clamp(min=1)
    inside = ((share > tail) & (share - share.diff(prepend=share.new_zeros(1)) < 1 - tail)).nonzero()
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(None)
