"""What a segmentation leaves of each scan: a mask in the scan's own grid, and the volume of each class or region."""

from collections.abc import Mapping

import numpy as np
import torch

from ..data.structures import Structures
from .save_each_scan import SaveEachScan

__all__ = ["SaveSegmentations"]


class SaveSegmentations(SaveEachScan):
    """Writes NAME_segmentation.nii.gz, and a line to segmentations.csv, after each scan.

    A mask has the values that the classes had in the label maps of the training; of a class of several values, the
    first. segmentations.csv has the columns image, subject, mask (its file), and NAME_ml of each region.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        classes: in the order of their numbers.
        regions: of these, as `regions_of_classes` makes them.
    """

    def __init__(self, output_dir: str, classes: Structures, regions: Structures) -> None:
        super().__init__(output_dir, "segmentations.csv", ["mask", *(f"{name}_ml" for name in regions.names)])
        self.classes, self.regions = classes, regions
        self.values = np.array([0, *(values[0] for values in classes.values)])

    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Of `pred` [1, X, Y, Z], numbers of classes."""
        numbers = found["pred"].as_tensor().cpu().long()
        file = self.write(torch.from_numpy(self.values)[numbers], "segmentation", scan, self._dtype())
        millilitres = float(torch.linalg.det(found["pred"].affine[:3, :3]).abs() / 1000)
        counts = torch.bincount(numbers.flatten(), minlength=len(self.values))
        volumes = [round(float(counts[list(region)].sum()) * millilitres, 3) for region in self.regions.values]
        return [file, *volumes], _told(counts[1:], self.classes)

    def _dtype(self) -> np.dtype:
        return np.dtype(np.uint8 if self.values.max() < 256 else np.int32)


def _told(counts: torch.Tensor, classes: Structures) -> str:
    there = [name for name, count in zip(classes.names, counts.tolist(), strict=True) if count]
    return f"{len(there)} of {len(classes.names)} classes found"
