"""An image of nibabel, read, as NIfTI."""

import nibabel
import numpy as np

__all__ = ["in_memory"]


def in_memory(image) -> nibabel.Nifti1Image:
    """The voxels, affine and, if it is NIfTI's, header of an image; scaled values as 32-bit numbers, not rounded."""
    assert isinstance(image, nibabel.spatialimages.SpatialImage)
    voxels = np.asanyarray(image.dataobj)
    header = image.header if isinstance(image, nibabel.Nifti1Pair) else None
    nifti = nibabel.Nifti1Image(voxels, image.affine, header)
    nifti.set_data_dtype(np.float32 if voxels.dtype == np.float64 else voxels.dtype)
    return nifti
