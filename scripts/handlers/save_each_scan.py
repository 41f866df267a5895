"""What a handler leaves of each scan: images under a name of its own, and a line of a table and of the log."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events
from numpy.typing import DTypeLike

from ..atomic import write_csv_atomically
from .scan_files import free_name, write_nifti

__all__ = ["SaveEachScan"]

logger = logging.getLogger(__name__)


class SaveEachScan(ABC):
    """Writes a table, anew after each scan as a run may be stopped, of image (the scan's path), subject and more.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        table: its file.
        columns: what else it has.
    """

    def __init__(self, output_dir: str, table: str, columns: Iterable[str]) -> None:
        self.output_dir, self.table = Path(output_dir), table
        self.header = ["image", "subject", *columns]
        self.lines: dict[str, list] = {}  # by NAME

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save)

    @abstractmethod
    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Write images of a scan, and return its values in the other columns and what the log says of it."""

    def write(
        self, image: torch.Tensor, kind: str, scan: Mapping, dtype: DTypeLike = np.float32, description: str = ""
    ) -> str:
        """Write NAME_kind.nii.gz, [C, X, Y, Z] on the scan's voxels, and return what it is called."""
        file = f"{self._name(scan)}_{kind}.nii.gz"
        write_nifti(image, _path(scan), self.output_dir / file, dtype, description=description)
        return file

    def _save(self, engine: Engine) -> None:
        (scan,), (found,) = engine.state.batch, engine.state.output
        name, (values, said) = self._name(scan), self.save(scan, found)
        self.lines[name] = [_path(scan), scan["subject"], *values]
        write_csv_atomically(self.output_dir / self.table, [self.header, *self.lines.values()])
        logger.info(f"{name}: {said} ({len(self.lines)} of {len(engine.data_loader)} scans)")

    def _name(self, scan: Mapping) -> str:
        return free_name(scan["subject"], _path(scan), self.lines)


def _path(scan: Mapping) -> str:
    return scan["image"].meta["filename_or_obj"]
