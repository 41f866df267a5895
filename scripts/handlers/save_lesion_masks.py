"""What a lesion map leaves of each scan: a mask in the scan's own grid, and how large it is."""

from collections.abc import Mapping

import numpy as np
import torch

from .save_each_scan import SaveEachScan

__all__ = ["SaveLesionMasks"]


class SaveLesionMasks(SaveEachScan):
    """Writes NAME_lesion_mask.nii.gz, and a line to masks.csv, after each scan.

    masks.csv has the columns image, subject, mask (its file) and volume_ml (of all voxels that are 1). MONAI's
    `SaveImaged` overwrites a mask by that of another folder's scan of the same name, or does not say whose it is.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
    """

    def __init__(self, output_dir: str) -> None:
        super().__init__(output_dir, "masks.csv", ["mask", "volume_ml"])

    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Of a mask `pred` [1, X, Y, Z], 0 or 1."""
        mask = found["pred"].as_tensor().cpu()
        volume = float(mask.sum() * torch.linalg.det(found["pred"].affine[:3, :3]).abs() / 1000)
        return [self.write(mask, "lesion_mask", scan, np.uint8), round(volume, 3)], f"{volume:.1f} ml"
