"""One scan brought onto another by rotation and shift, with SimpleITK."""

import os
from typing import NamedTuple

import numpy as np
import torch
from monai.utils import optional_import
from nibabel.affines import apply_affine, from_matvec, voxel_sizes

from ..data.nifti import load_scan
from ..errors import InputError
from ..transforms.foreground import otsu_threshold

__all__ = [
    "Volume",
    "as_template",
    "centring",
    "correlation",
    "register",
    "resample",
    "small_copy",
]

sitk, _ = optional_import("SimpleITK")

FLIP = np.diag([-1.0, -1, 1, 1])  # ITK's x and y point to the left and to the back, NIfTI's to the right and the front
SHRINK = (4, 2, 1)  # from coarse to fine
FEWEST = 4  # voxels along an axis that ITK can smooth


class Volume(NamedTuple):
    """Voxels [X, Y, Z] and their affine [4, 4], voxel indices to mm."""

    voxels: np.ndarray
    affine: np.ndarray


def small_copy(path: str | os.PathLike, spacing: float) -> Volume:
    """Means over blocks of a scan's voxels, scaled so that the 1st percentile is 0 and the 99th is 1.

    Args:
        path: of the NIfTI file.
        spacing: about what that of the copy is, in mm.

    Raises:
        InputError: the scan has fewer than four slices.
    """
    image = load_scan(path)
    voxels = np.asarray(image.dataobj, np.float32).reshape(image.shape[:3])
    if min(voxels.shape) < FEWEST:
        raise InputError(f"{path} has {min(voxels.shape)} slices, too few to register it: leave it out of the list.")
    low, high = np.percentile(voxels, [1, 99])
    low, high = (low, high) if low < high else (voxels.min(), voxels.max())
    most = np.array(voxels.shape) // FEWEST
    factors = np.clip(np.rint(spacing / voxel_sizes(image.affine)), 1, most).astype(int)
    scaled = Volume(((voxels - low) / (high - low)).clip(0, 1), image.affine)
    return _from_itk(sitk.BinShrink(_to_itk(scaled), factors.tolist()))


def as_template(scan: Volume, spacing: float) -> Volume:
    """A scan on a grid of this spacing (mm) along the patient's axes that holds all of it; 0 around it."""
    ends = np.stack(np.meshgrid(*([-0.5, size - 0.5] for size in scan.voxels.shape)), -1).reshape(-1, 3)
    corners = apply_affine(scan.affine, ends)
    shape = np.maximum(FEWEST, np.ceil(np.ptp(corners, axis=0) / spacing)).astype(int)
    start = (corners.min(0) + corners.max(0) - (shape - 1) * spacing) / 2
    grid = Volume(np.zeros(shape, np.float32), from_matvec(np.eye(3) * spacing, start))
    return grid._replace(voxels=np.nan_to_num(resample(scan, grid)))


def resample(scan: Volume, grid: Volume) -> np.ndarray:
    """A scan at the voxels of another, linearly interpolated; nan outside of the scan."""
    return _from_itk(
        sitk.Resample(_to_itk(scan), _to_itk(grid), sitk.Transform(), sitk.sitkLinear, float("nan"))
    ).voxels


def correlation(scan: Volume, template: Volume) -> float:
    """Pearson's correlation of a scan with a template, over all of the template; what the scan lacks of it is 0."""
    values = np.stack([np.nan_to_num(resample(scan, template)).ravel(), template.voxels.ravel()])
    return float(np.corrcoef(values)[0, 1]) if np.ptp(values, axis=1).all() else 0.0


def centring(scan: Volume, template: Volume) -> np.ndarray:
    """The shift, [4, 4], that brings the centre of the scan's body onto that of the template's."""
    return from_matvec(np.eye(3), _body(template).mean(0) - _body(scan).mean(0))


def register(scan: Volume, template: Volume) -> tuple[np.ndarray, float | None]:
    """Find the rotation and shift that bring a scan onto a template.

    Mutual information (Mattes et al., IEEE Trans. Med. Imaging 22:120, 2003), which does not expect intensities of
    different scanners to be the same, is maximised from coarse to fine.

    Args:
        scan: lies over the template roughly.
        template: where to.

    Returns:
        Matrix [4, 4], mm to mm, and the mutual information; the identity and None where the search leaves the template.
    """
    method, found = _method(template), sitk.Euler3DTransform()
    found.SetCenter((FLIP[:3, :3] @ _body(template).mean(0)).tolist())
    method.SetInitialTransform(found, inPlace=True)
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # several add up in any order, to other last digits
    try:
        method.Execute(_to_itk(template), _to_itk(scan))
    except RuntimeError as error:
        if "outside" not in str(error):
            raise
        return np.eye(4), None
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    # it leads from the template to the scan
    inverse = from_matvec(np.array(found.GetMatrix()).reshape(3, 3), found.TransformPoint((0.0, 0.0, 0.0)))
    return FLIP @ np.linalg.inv(inverse) @ FLIP, -method.GetMetricValue()


def _method(template: Volume):
    step, most = float(voxel_sizes(template.affine).max()), min(template.voxels.shape) // FEWEST
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetInterpolator(sitk.sitkLinear)
    # steps in mm, of a turn as the body feels it; the gradient of mutual information is small, and no reason to stop
    method.SetOptimizerAsRegularStepGradientDescent(step, step / 400, 300, 0.85, gradientMagnitudeTolerance=1e-8)
    method.SetOptimizerScales([float(_body(template).var(0).sum())] * 3 + [1.0] * 3)
    method.SetShrinkFactorsPerLevel([min(by, most) for by in SHRINK])
    method.SetSmoothingSigmasPerLevel([step * by / 2 if by > 1 else 0 for by in SHRINK])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    return method


def _body(scan: Volume) -> np.ndarray:
    """Places of the voxels above Otsu's threshold, in mm, [N, 3]."""
    body = scan.voxels > otsu_threshold(torch.from_numpy(scan.voxels))
    return apply_affine(scan.affine, np.argwhere(body if body.any() else np.ones_like(body)))


def _to_itk(scan: Volume):
    """As an image of ITK's: its arrays are [Z, Y, X], and its spacing is not in the directions."""
    spacing, axes = voxel_sizes(scan.affine), FLIP @ scan.affine
    image = sitk.GetImageFromArray(np.ascontiguousarray(scan.voxels.T, np.float32))
    image.SetSpacing(spacing.tolist())
    image.SetDirection((axes[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(axes[:3, 3].tolist())
    return image


def _from_itk(image) -> Volume:
    axes = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    voxels = np.ascontiguousarray(sitk.GetArrayFromImage(image).T)
    return Volume(voxels, FLIP @ from_matvec(axes, image.GetOrigin()))
