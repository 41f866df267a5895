"""A page about the files of a cohort that are no scans, or strange ones, with three planes of each."""

from pathlib import Path

import nibabel
import numpy as np

from ..data.audit import Audited
from ..data.checks.whole_file import read_whole
from .page import write_page
from .png import grey_png

__all__ = ["write_audit_page"]

SHOWN = 60  # files, of the page
EDGE = 96  # pixels of a plane's longer side, at most


def write_audit_page(path: Path, suspects: Audited) -> None:
    """Write a page with what is said of each file, and its middle planes where its voxels can be read.

    Args:
        path: of the page.
        suspects: what was found in the files.
    """
    rows = [
        (file, verdict, facts, [] if facts.fault else _pictures(file)) for file, _, facts, verdict in suspects[:SHOWN]
    ]
    facts = {"files": len(suspects), "shown": len(rows)}
    write_page(path, "audit.html", [], {}, title="Files that are no scans, or strange ones", facts=facts, rows=rows)


def _pictures(path: str) -> list[bytes]:
    """The middle planes of a file, as PNG; none where it is not as it was, or there is no memory for them."""
    try:
        return _planes(*read_whole(path))
    except Exception:  # whatever it is, the run that the page is about goes on
        return []


def _planes(voxels: np.ndarray, affine: np.ndarray) -> list[bytes]:
    """The middle sagittal, coronal and axial plane, as PNG; every so many pixels, if they are large."""
    canonical = nibabel.apply_orientation(voxels, nibabel.io_orientation(affine))
    low, high = np.percentile(canonical[::2, ::2, ::2], (1, 99))
    grey = np.clip((canonical - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    planes = [grey.take(size // 2, axis).T[::-1] for axis, size in enumerate(grey.shape)]
    steps = [-(-max(plane.shape) // EDGE) for plane in planes]
    return [grey_png(plane[::step, ::step]) for plane, step in zip(planes, steps, strict=True)]
