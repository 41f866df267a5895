"""What inference says of each scan: one score, a map of lesion probabilities in the scan's own grid, a table of all."""

from collections.abc import Mapping

import torch
from monai.transforms import LoadImage
from nibabel.affines import apply_affine

from .save_each_scan import SaveEachScan
from .scan_files import in_grid_of

__all__ = ["SaveLesionMaps"]


class SaveLesionMaps(SaveEachScan):
    """Writes NAME_lesions.nii.gz, and a line to scores.csv, after each scan.

    The map has lesion probabilities on the scan's voxels, 0 outside the body's box. scores.csv has the columns image,
    subject, score (the largest probability of the network's map), x, y, z (where the scan's is largest, mm in scanner
    coordinates) and lesion (1 where the score is at least the threshold).

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        threshold: probability from which a scan is said to have a lesion.
    """

    def __init__(self, output_dir: str, threshold: float) -> None:
        super().__init__(output_dir, "scores.csv", ["score", "x", "y", "z", "lesion"])
        self.threshold = threshold

    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Of `lesion_map` [1, X, Y, Z] on the network's image, and `pred` [1]."""
        image = scan["image"]
        whole = LoadImage(ensure_channel_first=True)(image.meta["filename_or_obj"])
        lesions = in_grid_of(whole, found["lesion_map"], image.affine)
        self.write(lesions, "lesions", scan)
        highest = torch.unravel_index(lesions[0].argmax(), lesions.shape[1:])
        place = apply_affine(whole.affine.numpy(), [int(index) for index in highest])
        score = float(found["pred"])
        return [score, *place.round(1).tolist(), int(score >= self.threshold)], f"score {score:.3f}"
