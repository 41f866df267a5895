"""How far a segmentation is to be trusted: maps in each scan's own grid, and a line that says it in numbers."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from ignite.engine import Engine, Events

from ..atomic import write_csv_atomically
from .scan_files import free_name, write_nifti

__all__ = ["SaveUncertainty"]

logger = logging.getLogger(__name__)


class SaveUncertainty:
    """Writes NAME_MAP.nii.gz of each map, and a line to uncertainty.csv, after each scan.

    uncertainty.csv has the columns image, subject, and for each map its file (MAP_file) and its mean over the voxels
    that are segmented (MAP), in the map's unit; that is empty where none is.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        maps: keys of the output, [1, X, Y, Z] each, in the scan's own grid.
    """

    def __init__(self, output_dir: str, maps: Sequence[str] = ("entropy", "mutual_information")) -> None:
        self.output_dir, self.maps = Path(output_dir), list(maps)
        self.done: dict[str, list] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with `pred` [1, X, Y, Z], 0 in the background."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save)

    def _save(self, engine: Engine) -> None:
        (scan_read,), (found,) = engine.state.batch, engine.state.output
        source, subject = scan_read["image"].meta["filename_or_obj"], scan_read["subject"]
        name = free_name(subject, source, self.done)
        segmented, line = found["pred"].as_tensor().cpu() > 0, [source, subject]
        for key in self.maps:
            file, values = f"{name}_{key}.nii.gz", found[key].as_tensor().cpu()
            write_nifti(values, source, self.output_dir / file)
            line += [file, _mean(values[segmented])]
        self.done[name] = line
        columns = [column for key in self.maps for column in (f"{key}_file", key)]
        write_csv_atomically(self.output_dir / "uncertainty.csv", [["image", "subject", *columns], *self.done.values()])
        logger.info(f"{name}: {', '.join(self.maps)} are saved ({len(self.done)} of {len(engine.data_loader)} scans)")


def _mean(values: torch.Tensor) -> float | str:
    mean = float(values.double().mean())
    return "" if math.isnan(mean) else round(mean, 6)
