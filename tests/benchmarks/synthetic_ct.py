"""A CT of a body, as large as those of a clinic, for measurements of speed."""

from pathlib import Path

import nibabel as nib
import numpy as np

__all__ = ["write_ct"]

SPACING = (0.75, 0.75, 2.0)  # mm


def write_ct(path: Path, shape: tuple[int, int, int] = (512, 512, 300), seed: int = 0) -> Path:
    """Write an ellipsoid with organs and noise, int16, in Hounsfield units, on an oblique grid; return its path."""
    rng = np.random.default_rng(seed)
    axes = np.ogrid[tuple(slice(-1, 1, 1j * size) for size in shape)]
    voxels = np.full(shape, -1000, np.int16)
    for radii, value in (((0.7, 0.5, 0.95), 40), ((0.25, 0.3, 0.5), -850), ((0.1, 0.1, 0.9), 700)):
        voxels[sum((axis / radius) ** 2 for axis, radius in zip(axes, radii, strict=True)) < 1] = value
    for i in range(shape[2]):
        voxels[:, :, i] += (20 * rng.standard_normal(shape[:2])).astype(np.int16)
    tilt = 0.05
    turned = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    affine = np.eye(4)
    affine[:3, :3] = turned @ np.diag(SPACING) @ np.diag([-1, -1, 1])
    affine[:3, 3] = 180, 170, -900
    nib.save(nib.Nifti1Image(voxels, affine), path)
    return Path(path)
