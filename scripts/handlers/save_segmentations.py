"""What a segmentation leaves of each scan: a mask in the scan's own grid, and the volume of each class or region."""

import logging
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events

from ..atomic import write_csv_atomically
from ..data.structures import Structures
from .scan_files import free_name, write_nifti

__all__ = ["SaveSegmentations"]

logger = logging.getLogger(__name__)


class SaveSegmentations:
    """Writes NAME_segmentation.nii.gz, and a line to segmentations.csv, after each scan.

    A mask has the values that the classes had in the label maps of the training; of a class of several values, the
    first. segmentations.csv has the columns image, subject, mask (its file), and NAME_ml of each region.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        classes: in the order of their numbers.
        regions: of these, as `regions_of_classes` makes them.
    """

    def __init__(self, output_dir: str, classes: Structures, regions: Structures) -> None:
        self.output_dir, self.classes, self.regions = Path(output_dir), classes, regions
        self.values = np.array([0, *(values[0] for values in classes.values)])
        self.done: dict[str, list] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with `pred` [1, X, Y, Z], numbers of classes."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save)

    def _save(self, engine: Engine) -> None:
        (scan_read,), (found,) = engine.state.batch, engine.state.output
        source, subject = scan_read["image"].meta["filename_or_obj"], scan_read["subject"]
        numbers = found["pred"].as_tensor().cpu().long()
        name = free_name(subject, source, self.done)
        file = f"{name}_segmentation.nii.gz"
        write_nifti(torch.from_numpy(self.values)[numbers], source, self.output_dir / file, self._dtype())
        millilitres = float(torch.linalg.det(found["pred"].affine[:3, :3]).abs() / 1000)
        counts = torch.bincount(numbers.flatten(), minlength=len(self.values))
        volumes = [round(float(counts[list(region)].sum()) * millilitres, 3) for region in self.regions.values]
        self.done[name] = [source, subject, file, *volumes]
        header = ["image", "subject", "mask", *(f"{name}_ml" for name in self.regions.names)]
        write_csv_atomically(self.output_dir / "segmentations.csv", [header, *self.done.values()])
        logger.info(f"{name}: {_told(counts[1:], self.classes)} ({len(self.done)} of {len(engine.data_loader)} scans)")

    def _dtype(self) -> np.dtype:
        return np.dtype(np.uint8 if self.values.max() < 256 else np.int32)


def _told(counts: torch.Tensor, classes: Structures) -> str:
    there = [name for name, count in zip(classes.names, counts.tolist(), strict=True) if count]
    return f"{len(there)} of {len(classes.names)} classes found"
