"""How far a segmentation is to be trusted: maps in each scan's own grid, and a line that says it in numbers."""

import math
from collections.abc import Mapping, Sequence

import torch

from .save_each_scan import SaveEachScan

__all__ = ["SaveUncertainty"]


class SaveUncertainty(SaveEachScan):
    """Writes NAME_MAP.nii.gz of each map, and a line to uncertainty.csv, after each scan.

    uncertainty.csv has the columns image, subject, and for each map its file (MAP_file) and its mean over the voxels
    that are segmented (MAP), in the map's unit; that is empty where none is.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        maps: keys of the output, [1, X, Y, Z] each, in the scan's own grid.
    """

    def __init__(self, output_dir: str, maps: Sequence[str] = ("entropy", "mutual_information")) -> None:
        super().__init__(output_dir, "uncertainty.csv", [column for key in maps for column in (f"{key}_file", key)])
        self.maps = list(maps)

    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Of the maps and `pred` [1, X, Y, Z], 0 in the background."""
        segmented, values = found["pred"].as_tensor().cpu() > 0, []
        for key in self.maps:
            image = found[key].as_tensor().cpu()
            values += [self.write(image, key, scan), _mean(image[segmented])]
        return values, f"{', '.join(self.maps)} are saved"


def _mean(values: torch.Tensor) -> float | str:
    mean = float(values.double().mean())
    return "" if math.isnan(mean) else round(mean, 6)
