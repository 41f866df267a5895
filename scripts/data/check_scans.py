"""Find the scans that cannot be used, before training starts."""

import functools
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np

from ..errors import InputError, shorten

__all__ = ["check_scans", "fault"]

logger = logging.getLogger(__name__)


def check_scans(scans: list[dict], images: Sequence[str] = ("image",)) -> None:
    """Read every scan once and name all that cannot be used.

    Args:
        scans: items of `find_scans`.
        images: keys of their images.

    Raises:
        InputError: some scans are unreadable, truncated, not 3D, or not finite.
    """
    logger.info(f"Reading {len(scans)} scans to check them.")
    with ThreadPoolExecutor(2) as pool:  # whole scans in memory, one each
        paths = [scan[key] for scan in scans for key in images]
        faulty = [f"{path} {text}" for path, text in zip(paths, pool.map(fault, paths), strict=True) if text]
    if faulty:
        more = f"; and {len(faulty) - 10} more" if len(faulty) > 10 else ""
        raise InputError(
            f"{len(faulty)} of {len(paths)} scans cannot be used: {'; '.join(faulty[:10])}{more}. "
            "Mend or move them, or list the others in a JSON or CSV file and give that as dataset_dir."
        )


@functools.cache
def fault(path: str | Path) -> str | None:
    """What keeps a file from being used as a 3D scan, in words; None where nothing does. A file is read once."""
    try:
        image = nibabel.load(path)
        assert isinstance(image, nibabel.spatialimages.SpatialImage)
        if image.shape[3:] not in ((), (1,)) or len(image.shape) < 3 or min(image.shape[:3]) < 2:
            return f"is not 3D (shape {'x'.join(map(str, image.shape))})"
        voxels = np.asanyarray(image.dataobj)
        if voxels.dtype.fields or np.iscomplexobj(voxels):
            return "cannot be used: its voxels are colours or complex numbers"
    except EOFError:
        return "is truncated"
    except Exception as error:  # whatever the reader raises means that the file cannot be read
        return f"cannot be read ({shorten(error)})"
    if not np.isfinite(voxels).all():
        return f"has {int((~np.isfinite(voxels)).sum())} voxels that are NaN or infinite"
    if voxels.min() == voxels.max():
        return "is constant"
    if not np.isfinite(image.affine).all() or abs(np.linalg.det(image.affine[:3, :3])) < 1e-6:
        return "has an affine that is not invertible"
    return None
