"""Scans in the formats of ITK (.mha, .mhd, .nrrd), as NIfTI."""

from pathlib import Path

import nibabel
import numpy as np
from monai.utils import optional_import

__all__ = ["as_nifti", "read_itk"]


def read_itk(path: Path) -> nibabel.Nifti1Image | str:
    """A file as NIfTI; or what keeps it from being a 3D scan, in words."""
    sitk, _ = optional_import("SimpleITK")
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    return as_nifti(sitk.ReadImage(str(path)))


def as_nifti(image) -> nibabel.Nifti1Image | str:
    """An image of SimpleITK, whose axes lead to left, posterior and superior, as NIfTI, with the voxels as they are."""
    size = image.GetSize()
    if image.GetNumberOfComponentsPerPixel() > 1:
        return f"has {image.GetNumberOfComponentsPerPixel()} values a voxel"
    if len(size) < 3 or any(number > 1 for number in size[3:]):
        return f"is not 3D (shape {'x'.join(map(str, size))})"
    sitk, _ = optional_import("SimpleITK")
    voxels = sitk.GetArrayViewFromImage(image).T.reshape(size[:3], order="F")
    return _nifti(voxels, _affine(image, len(size)))


def _affine(image, dimensions: int) -> np.ndarray:
    """From voxels to mm to the right, anterior and superior, [4, 4]."""
    direction = np.array(image.GetDirection()).reshape(dimensions, dimensions)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(image.GetSpacing())[:3]
    affine[:3, 3] = image.GetOrigin()[:3]
    return np.diag([-1, -1, 1, 1]) @ affine


def _nifti(voxels: np.ndarray, affine: np.ndarray) -> nibabel.Nifti1Image:
    """NIfTI in mm with both forms of the affine; 64-bit whole numbers become 32-bit, which all programs read."""
    voxels = voxels.astype(np.int32) if voxels.dtype in (np.int64, np.uint64) else voxels
    image = nibabel.Nifti1Image(voxels.copy(), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    return image
