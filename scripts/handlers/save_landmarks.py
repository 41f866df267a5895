"""What landmark localization leaves of each scan: a table of all landmarks, a mask of them, and boxes cut out."""

import logging
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events
from nibabel.affines import apply_affine

from ..atomic import write_csv_atomically
from ..data.landmarks import MarkedScan, landmark_names, marks_in
from ..data.stem import scan_stem
from ..landmarks.found_landmark import NOT_IN_SCAN, FoundLandmark
from .file_names import FileNames
from .scan_box import write_box
from .scan_files import free_name, write_nifti

__all__ = ["SaveLandmarks"]

logger = logging.getLogger(__name__)

MARKED = "marked in this scan"
HEADER = ("scan", "name", "x", "y", "z", "size_x", "size_y", "size_z", "confidence", "expected_error_mm", "note")


class SaveLandmarks:
    """Writes lines to landmarks.csv, NAME_landmarks.nii.gz and, of landmarks with a size, NAME_LANDMARK.nii.gz.

    landmarks.csv has a line of each scan and landmark: scan (its file), name, x, y, z (mm, RAS+, the world of the
    scan's header; empty where the landmark is not in it), size_x, size_y, size_z (mm; empty for a point), confidence,
    expected_error_mm and note, and can be read as marks. What is marked in the scan itself stays there. In the mask,
    landmark k (from 0, in the order of the table) is k + 1. A box is as large as that which was marked (the median of
    several), with a margin, and is cut in the scan's own grid. In names of files, what is no letter, digit, - or _
    becomes _, and one that occurs again has a number behind.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        marked: scans in which the landmarks are marked.
        expected_error: mm, of a landmark found with some confidence; without it, these are left empty.
        margin_mm: around a box, on each side; None: no boxes are cut out.
        write_page: writes landmarks.html, when all scans are done, of all that was found and what was marked.
    """

    def __init__(
        self,
        output_dir: str,
        marked: Sequence[MarkedScan],
        expected_error: Callable[[float], float | None] = lambda confidence: None,
        margin_mm: float | None = 10.0,
        write_page: Callable[[Path, Sequence[FoundLandmark], Sequence[MarkedScan]], object] | None = None,
    ) -> None:
        self.output_dir, self.marked, self.expected_error = Path(output_dir), marked, expected_error
        self.write_page = write_page
        self.names = landmark_names(marked)
        self.sizes, self.margin_mm = _sizes(marked), margin_mm
        self.scans: dict[str, str] = {}  # paths, by the name of their files
        self.files, in_files = FileNames(), FileNames(["landmarks"])  # which is the mask's
        self.in_files = {name: in_files.take(re.sub(r"[^\w-]", "_", name)) for name in self.names}
        self.found: list[FoundLandmark] = []

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with `landmarks` [K, 4] and the mask `pred`."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _save(self, engine: Engine) -> None:
        (scan_read,), (output,) = engine.state.batch, engine.state.output
        image = scan_read["image"]
        source = image.meta["filename_or_obj"]
        name = free_name(scan_read["subject"], source, self.scans)
        self.scans[name] = source
        self._write_mask(output["pred"], name)
        table, affine = output["landmarks"].double().cpu().numpy(), np.asarray(image.affine.cpu(), np.float64)
        found = [self._found(name, *one, affine) for one in zip(self.names, table, strict=True)]
        self.found += found
        write_csv_atomically(self.output_dir / "landmarks.csv", [HEADER, *map(_row, self.found)])
        there = sum(one.point is not None for one in found)
        logger.info(
            f"{name}: {there} of {len(found)} landmarks ({len(self.scans)} of {engine.state.epoch_length} scans)"
        )

    def _write_mask(self, mask: torch.Tensor, name: str) -> None:
        kind = np.uint8 if len(self.names) < 256 else np.uint16
        file = self.files.take(f"{name}_landmarks")
        write_nifti(mask.as_subclass(torch.Tensor).cpu(), self.scans[name], self._path(file), kind)

    def _found(self, name: str, landmark: str, row: np.ndarray, affine: np.ndarray) -> FoundLandmark:
        """A landmark of the table, whose box is written; `affine` is of the voxels in which its place is told."""
        source, confidence = self.scans[name], float(row[3])
        notes = [] if name == scan_stem(source) else [f"files are named {name}"]
        is_marked = any(mark.name == landmark for mark in marks_in(self.marked, source))
        if is_marked:
            notes.insert(0, MARKED)
        elif not np.isfinite(row[:3]).all():
            return FoundLandmark(source, landmark, None, confidence, None, "; ".join([NOT_IN_SCAN, *notes]))
        x, y, z = map(float, apply_affine(affine, row[:3]))
        size = self.sizes.get(landmark)
        if size is not None and self.margin_mm is not None:
            file = self.files.take(f"{name}_{self.in_files[landmark]}")
            with_margin = tuple(side + 2 * self.margin_mm for side in size)
            if not write_box(source, (x, y, z), with_margin, self._path(file)):
                notes.insert(0, "its box is outside of this scan")
        error = self.expected_error(confidence)
        return FoundLandmark(source, landmark, (x, y, z), confidence, error, "; ".join(notes), size, is_marked)

    def _finish(self) -> None:
        there = sum(one.point is not None for one in self.found)
        what = f"{len(self.scans)} scans; landmarks found: {there}, not in their scan: {len(self.found) - there}"
        where = f"The table is {self.output_dir / 'landmarks.csv'}"
        if self.write_page is not None:
            page = self.output_dir / "landmarks.html"
            self.write_page(page, [one for one in self.found if not one.is_marked], self.marked)
            where += f", the page {page}"
        logger.info(f"{what}. {where}.")

    def _path(self, name: str) -> Path:
        return self.output_dir / f"{name}.nii.gz"


def _sizes(marked: Sequence[MarkedScan]) -> dict[str, tuple[float, float, float]]:
    """Sizes in mm of the landmarks that have one: the median of all scans."""
    sizes: dict[str, list] = {}
    for scan in marked:
        for mark in scan.landmarks:
            if mark.size is not None:
                sizes.setdefault(mark.name, []).append(mark.size)
    return {name: tuple(np.median(those, 0).tolist()) for name, those in sizes.items()}


def _row(found: FoundLandmark) -> list:
    """Of the table; what is not known is empty."""
    place, size = (["", "", ""] if mm is None else [round(one, 3) for one in mm] for mm in (found.point, found.size))
    confidence = "" if math.isnan(found.confidence) else round(found.confidence, 4)
    error = "" if found.expected_error_mm is None else round(found.expected_error_mm, 2)
    return [found.scan, found.name, *place, *size, confidence, error, found.note]
