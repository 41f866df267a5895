"""What is to be known of a scan before anything is made of it, from its file alone."""

import dataclasses
import os

import numpy as np
import torch

from ...errors import shorten
from ...transforms.foreground import body_mask
from ...transforms.padding import padding_to_air
from .fingerprint import fingerprint
from .mask_like import looks_like_mask
from .whole_file import NO_MEMORY, Unusable, read_whole

__all__ = ["Facts", "examine"]

LOOK = 500_000  # voxels of which the body's box and the percentiles in it are taken


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was found in a file.

    Attributes:
        fault: what keeps it from being a scan, in words; the rest is not known then. Empty where nothing does.
        shape: voxels, [X, Y, Z].
        affine: from their indices to mm, [4, 4].
        lowest, highest: value of a voxel.
        mask_like: whether the values are numbers of regions.
        padded: whether the lowest value is a padding value, as of a CT.
        box: share of the scan that is in the body's box.
        percentiles: 0 to 100 of the values in that box, padding taken for air.
        fingerprint: of the scan.
        passing: whether the fault is the machine's, and may be gone another time.
    """

    fault: str = ""
    shape: tuple[int, ...] = ()
    affine: tuple[tuple[float, ...], ...] = ()
    lowest: float = 0.0
    highest: float = 0.0
    mask_like: bool = False
    padded: bool = False
    box: float = 0.0
    percentiles: tuple[float, ...] = ()
    fingerprint: str = ""
    passing: bool = False

    @property
    def spacing(self) -> tuple[float, ...]:
        """Of voxels along the scan's own axes, mm."""
        return tuple(np.linalg.norm(np.array(self.affine)[:3, :3], axis=0)) if self.affine else ()


def examine(path: str | os.PathLike) -> Facts:
    """Read a file to its end, and say what is in it. It never raises.

    Args:
        path: of a file that is taken for a scan.
    """
    try:
        voxels, affine = read_whole(path)
        lowest, highest = float(voxels.min()), float(voxels.max())
        if lowest == highest:
            raise Unusable("is constant")
        return Facts(
            shape=voxels.shape,
            affine=tuple(map(tuple, affine.tolist())),
            lowest=lowest,
            highest=highest,
            mask_like=looks_like_mask(voxels),
            fingerprint=fingerprint(voxels, affine),
            **_body(voxels),
        )
    except Unusable as fault:
        return Facts(fault=str(fault), passing=fault.passing)
    except MemoryError:
        return Facts(fault=NO_MEMORY, passing=True)
    except Exception as error:  # no one has thought of: torch's, where it has no memory, or of the scan
        return Facts(fault=f"cannot be examined ({shorten(error)})", passing=True)


def _body(voxels: np.ndarray) -> dict:
    step = max(1, round((voxels.size / LOOK) ** (1 / 3)))
    image = torch.from_numpy(np.ascontiguousarray(voxels[::step, ::step, ::step]))[None]
    in_air = padding_to_air(image)
    box = body_mask(in_air)
    return {
        "padded": in_air is not image,
        "box": float(box.float().mean()),
        "percentiles": tuple(np.percentile(in_air[box].numpy(), range(101)).tolist()),
    }
