"""What a lesion map leaves of each scan: a mask in the scan's own grid, and how large it is."""

import logging
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events

from ..atomic import write_csv_atomically
from .scan_files import free_name, write_nifti

__all__ = ["SaveLesionMasks"]

logger = logging.getLogger(__name__)


class SaveLesionMasks:
    """Writes NAME_lesion_mask.nii.gz, and a line to masks.csv, after each scan.

    masks.csv has the columns image, subject, mask (its file) and volume_ml (of all voxels that are 1). MONAI's
    `SaveImaged` overwrites a mask by that of another folder's scan of the same name, or does not say whose it is.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
    """

    def __init__(self, output_dir: str) -> None:
        self.output_dir = Path(output_dir)
        self.done: dict[str, list] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with the mask `pred` [1, X, Y, Z], 0 or 1."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save)

    def _save(self, engine: Engine) -> None:
        (scan_read,), (found,) = engine.state.batch, engine.state.output
        source, subject = scan_read["image"].meta["filename_or_obj"], scan_read["subject"]
        mask = found["pred"].as_tensor().cpu()
        name = free_name(subject, source, self.done)
        file = f"{name}_lesion_mask.nii.gz"
        write_nifti(mask, source, self.output_dir / file, np.uint8)
        volume = float(mask.sum() * torch.linalg.det(found["pred"].affine[:3, :3]).abs() / 1000)
        self.done[name] = [source, subject, file, round(volume, 3)]
        write_csv_atomically(
            self.output_dir / "masks.csv", [["image", "subject", "mask", "volume_ml"], *self.done.values()]
        )
        logger.info(f"{name}: {volume:.1f} ml ({len(self.done)} of {len(engine.data_loader)} scans)")
