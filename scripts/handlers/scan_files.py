"""Results of a scan, under a name of their own and in its grid."""

from collections.abc import Container, Sequence
from itertools import chain, count
from pathlib import Path

import nibabel
import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import ResampleToMatch
from nibabel.affines import apply_affine
from numpy.typing import DTypeLike

from ..data.nifti import write_compressed
from ..data.stem import scan_stem

__all__ = ["free_name", "in_grid_of", "write_nifti"]

# where a scan is, in both of NIfTI's ways of saying it, with the code of each
PLACE = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("sform_code", "srow_x", "srow_y", "srow_z", "xyzt_units"),
)


def free_name(subject: str, path: str, taken: Container[str]) -> str:
    """File name of a scan without suffix; if it is taken, with the subject before it, then a number behind."""
    plain = scan_stem(path)
    names = chain([plain, f"{subject}_{plain}"], (f"{subject}_{plain}_{i}" for i in count(2)))
    return next(name for name in names if name not in taken)


def in_grid_of(scan: MetaTensor, values: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
    """Values [C, X, Y, Z] that lie as an affine says, interpolated on the voxels of a scan, 0 beyond their own."""
    own = MetaTensor(values.cpu().float(), affine=affine)
    return ResampleToMatch(mode="bilinear", padding_mode="zeros")(own, scan)


def write_nifti(
    image: torch.Tensor,
    scan: str | Path,
    path: Path,
    dtype: DTypeLike = np.float32,
    first: Sequence[int] = (0, 0, 0),
    description: str = "",
) -> None:
    """Write [C, X, Y, Z] on voxels of a scan as an image [X, Y, Z, C], or [X, Y, Z] where there is one channel.

    Programs differ in which of a header's forms they follow, above all where sform and qform disagree or neither has a
    code. The result has both as its scan has them, and so lies where the scan does in each program. Nothing else of
    the scan's header is taken over: its window, its description and its extensions are not the result's.

    Args:
        image: of the scan's own shape, or of a box's within it.
        scan: path of its NIfTI file.
        path: of the result, .nii.gz.
        dtype: of the result's voxels.
        first: voxel of the scan with which the box begins.
        description: of the result, in its header; the first 79 characters are kept.
    """
    voxels = image.movedim(0, -1) if len(image) > 1 else image[0]
    header = _placed_as(scan, dtype, first)
    header["descrip"] = description[:79]
    nifti = nibabel.Nifti1Image(voxels.numpy().astype(dtype), None, header)
    write_compressed(path, nifti.to_bytes())


def _placed_as(scan: str | Path, dtype: DTypeLike, first: Sequence[int]) -> nibabel.Nifti1Header:
    """A header that says of its image's place what a scan's says, bit for bit, where it begins with the same voxel."""
    source, header = nibabel.load(scan), nibabel.Nifti1Header()
    assert isinstance(source, nibabel.nifti1.Nifti1Pair)  # as all NIfTI is, of either version
    for field in PLACE:
        header[field] = source.header[field]
    header["pixdim"][:4] = source.header["pixdim"][:4]
    header.set_data_dtype(dtype)
    if any(first):
        _begin_with(first, header, source)
    return header


def _begin_with(first: Sequence[int], header: nibabel.Nifti1Header, source: nibabel.nifti1.Nifti1Pair) -> None:
    """Move both forms that a header took over from a scan; where it has none, programs go by the size of an image."""
    if header["qform_code"]:
        for axis, place in zip("xyz", apply_affine(source.header.get_qform(), first), strict=True):
            header[f"qoffset_{axis}"] = place
    if header["sform_code"]:
        for axis, place in zip("xyz", apply_affine(source.header.get_sform(), first), strict=True):
            header[f"srow_{axis}"][3] = place
    if not (header["qform_code"] or header["sform_code"]):
        header.set_sform(source.affine @ nibabel.affines.from_matvec(np.eye(3), first), "aligned")
