"""Voxels are read as MONAI reads them, only in the type of their file."""

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.transforms import LoadImaged

from scripts.transforms.stored_type_reader import StoredTypeReader


def both(path):
    """A file as ours and as MONAI's own loads it."""
    ours = LoadImaged("image", reader=StoredTypeReader(), dtype=None, ensure_channel_first=True)
    return (load({"image": str(path)})["image"] for load in (ours, LoadImaged("image", ensure_channel_first=True)))


@pytest.fixture
def write(tmp_path, oblique):
    """A function: a file of a type, scaled or not."""

    def make(dtype, slope=None, suffix=".nii.gz"):
        voxels = np.random.default_rng(0).integers(0, 120, (7, 6, 5)).astype(dtype)
        image = nib.Nifti1Image(voxels, oblique(2), dtype=dtype)
        if slope is not None:
            image.header.set_slope_inter(slope, -3.25)
        nib.save(image, tmp_path / f"scan{suffix}")
        return tmp_path / f"scan{suffix}"

    return make


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64, ">i2"])
@pytest.mark.parametrize("slope", [None, 0.37])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_values_affine_and_metadata_are_those_of_monai(write, dtype, slope, suffix):
    ours, monais = both(write(dtype, slope, suffix))
    assert torch.allclose(ours.as_tensor().float(), monais.as_tensor(), rtol=1e-6, atol=1e-5)
    assert ours.shape == monais.shape == (1, 7, 6, 5) and torch.equal(ours.affine, monais.affine)
    assert ours.meta.keys() == monais.meta.keys()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
def test_small_whole_numbers_stay_in_their_type_and_order(write, dtype):
    ours, _ = both(write(dtype))
    assert ours.as_tensor().numpy().dtype == dtype and ours.stride()[1:] == (1, 7, 42)


@pytest.mark.parametrize("dtype, slope", [(np.int16, 0.37), (np.int32, None), (np.float64, None)])
def test_all_else_is_float32(write, dtype, slope):
    ours, _ = both(write(dtype, slope))
    assert ours.dtype == torch.float32
