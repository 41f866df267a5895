"""What inference says of each scan: one score, a map of lesion probabilities in the scan's own grid, a table of all."""

import logging
from pathlib import Path

import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from monai.transforms import LoadImage, ResampleToMatch
from nibabel.affines import apply_affine

from ..atomic import write_csv_atomically
from .scan_files import free_name, write_nifti

__all__ = ["SaveLesionMaps"]

logger = logging.getLogger(__name__)


class SaveLesionMaps:
    """Writes NAME_lesions.nii.gz, and a line to scores.csv, after each scan.

    The map has lesion probabilities on the scan's voxels, 0 outside the body's box. scores.csv has the columns image,
    subject, score (the largest probability of the network's map), x, y, z (where the scan's is largest, mm in scanner
    coordinates) and lesion (1 where the score is at least the threshold).

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        threshold: probability from which a scan is said to have a lesion.
    """

    def __init__(self, output_dir: str, threshold: float) -> None:
        self.output_dir, self.threshold = Path(output_dir), threshold
        self.done: dict[str, list] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with lesion_map [1, X, Y, Z] and pred [1]."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save)

    def _save(self, engine: Engine) -> None:
        (scan_read,), (found,) = engine.state.batch, engine.state.output
        image, subject = scan_read["image"], scan_read["subject"]
        source, probability = image.meta["filename_or_obj"], found["lesion_map"].cpu().float()
        name = free_name(subject, source, self.done)
        scan = LoadImage(ensure_channel_first=True)(source)
        inside = ResampleToMatch(mode="bilinear", padding_mode="zeros")
        lesions = inside(MetaTensor(probability, affine=image.affine), scan)
        write_nifti(lesions, source, self.output_dir / f"{name}_lesions.nii.gz")
        highest = torch.unravel_index(lesions[0].argmax(), lesions.shape[1:])
        place = apply_affine(scan.affine.numpy(), [int(index) for index in highest])
        score = float(found["pred"])
        self.done[name] = [source, subject, score, *place.round(1).tolist(), int(score >= self.threshold)]
        header = ["image", "subject", "score", "x", "y", "z", "lesion"]
        write_csv_atomically(self.output_dir / "scores.csv", [header, *self.done.values()])
        logger.info(f"{name}: score {score:.3f} ({len(self.done)} of {len(engine.data_loader)} scans)")
