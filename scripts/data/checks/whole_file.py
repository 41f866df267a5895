"""A file read to its last byte, as a scan is."""

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import nibabel
import numpy as np
from monai.data.utils import correct_nifti_header_if_necessary

from ...errors import shorten
from ..voxel_stream import is_compressed, open_stream, voxels_in
from .resampled import NATIVE, memory_of_process

__all__ = [
    "NO_MEMORY",
    "Unusable",
    "header_of",
    "in_words",
    "read_whole",
    "require_finite",
    "scan_header",
    "shape_text",
    "voxels_of",
]

RATIO = 1032  # of what is compressed to what it was, the most that gzip does
BLOCK = 2**20  # bytes
SLACK = 2**26  # bytes that a file may hold before its voxels, or after them

NO_MEMORY = "takes more memory than there is"

# what the header calls its unit of length, and how many mm that is
OTHER_UNITS = {"meter": "1000", "micron": "0.001"}


class Unusable(Exception):
    """What keeps a file from being used: how a sentence goes on that begins with its path.

    Args:
        text: as above.
        passing: whether that may be gone another time, as a lack of memory may.
    """

    def __init__(self, text: str, passing: bool = False) -> None:
        super().__init__(text)
        self.passing = passing


def read_whole(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Voxels and affine of a scan as MONAI's `LoadImage` has them; a compressed file is read to its checksum.

    Nothing is allocated of which the header says more than the file can hold.

    Args:
        path: of a .nii or .nii.gz.

    Returns:
        Voxels, [X, Y, Z], float32, and the affine from their indices to mm, [4, 4].

    Raises:
        Unusable: the file, or what is in it, cannot be used as a 3D scan.
    """
    image = scan_header(path)
    with in_words(path):
        voxels = voxels_of(path, image)
    require_finite(voxels)
    return _as_float32(voxels).reshape(voxels.shape[:3]), np.asarray(image.affine, float)


def scan_header(path: str | os.PathLike) -> Any:
    """The image with shape and affine as MONAI's `LoadImage` has them, before voxels are read.

    Raises:
        Unusable: by all that its header says, it cannot be used as a 3D scan.
    """
    with in_words(path):
        return _as_scan(header_of(path))


def header_of(path: str | os.PathLike) -> Any:
    """The image as nibabel has it before it reads voxels, which are real numbers, of any shape."""
    if not str(path).lower().endswith((".nii", ".nii.gz")):
        raise Unusable("is no NIfTI file (.nii, .nii.gz): convert it")
    image: Any = nibabel.load(path)
    if not isinstance(image, nibabel.spatialimages.SpatialImage):
        raise Unusable(f"is not 3D (shape {shape_text(image.shape)})")
    stored: Any = image.dataobj
    if stored.dtype.fields or stored.dtype.kind not in "biuf":
        raise Unusable("has voxels that are colours or complex numbers")
    return image


def voxels_of(path: str | os.PathLike, image: Any) -> np.ndarray:
    """All voxels, once it is known that they fit, and what follows them to the end of the file.

    Args:
        path: of the file.
        image: its `header_of`.
    """
    stored, compressed = image.dataobj, is_compressed(path)
    expected = int(np.prod(stored.shape, dtype=object)) * stored.dtype.itemsize
    size = os.path.getsize(path)
    if stored.offset > SLACK or stored.offset + expected > size * (RATIO if compressed else 1):
        raise Unusable(f"is truncated: by its header it has {expected:,} bytes of voxels")
    if NATIVE * expected / stored.dtype.itemsize > memory_of_process() / 2:
        raise Unusable(f"has too many voxels for this machine ({shape_text(stored.shape)})", passing=True)
    with open_stream(path) as file:
        voxels = voxels_in(file, stored)
        if compressed:
            _read_to_end(file, expected + SLACK)
    return voxels


def require_finite(voxels: np.ndarray) -> None:
    """Raise where one is NaN or infinite."""
    if voxels.dtype.kind == "f" and not (finite := np.isfinite(voxels)).all():
        raise Unusable(f"has {int((~finite).sum())} voxels that are NaN or infinite")


def shape_text(shape: Sequence[int]) -> str:
    """In words, as 9x8x7."""
    return "x".join(map(str, shape))


@contextlib.contextmanager
def in_words(path: str | os.PathLike) -> Iterator[None]:
    """Say in words whatever a reader raises, which means that the file cannot be read."""
    try:
        yield
    except Unusable:
        raise
    except MemoryError as error:
        raise Unusable(NO_MEMORY, passing=True) from error
    except EOFError as error:
        raise Unusable("is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Unusable(f"is damaged ({shorten(error)})") from error
    except FileNotFoundError as error:
        raise Unusable("is not there", passing=True) from error
    except Exception as error:
        passing = isinstance(error, OSError) and error.errno is not None  # of the file system, not of the content
        raise Unusable(f"cannot be read ({shorten(error).replace(str(path), 'the file')})", passing) from error


def _as_scan(image: Any) -> Any:
    """The image with the affine that `LoadImage` gives it, if it is a scan by all that its header says."""
    shape = image.shape
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise Unusable(f"is not 3D (shape {shape_text(shape)})")
    if len(shape) == 4 and shape[3] > 1:
        raise Unusable(f"holds {shape[3]} volumes (shape {shape_text(shape)}): give one, or a file of each")
    if shape[3:] not in ((), (1,)):
        raise Unusable(f"is not 3D (shape {shape_text(shape)})")
    _check_unit(image)
    _check_affine(image)
    image = correct_nifti_header_if_necessary(image)  # as LoadImage does: it may take another affine
    _check_affine(image)
    return image


def _check_unit(image: Any) -> None:
    unit = image.header.get_xyzt_units()[0] if hasattr(image.header, "get_xyzt_units") else "mm"
    if unit in OTHER_UNITS:
        size = " x ".join(f"{width:g}" for width in image.header.get_zooms()[:3])
        raise Unusable(
            f"has voxels of {size} {unit}, by its header, which would be read as mm: multiply its affine by "
            f"{OTHER_UNITS[unit]} and set its unit to mm, or that alone if these are mm"
        )


def _check_affine(image: Any) -> None:
    affine = np.asarray(image.affine, float)
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
        raise Unusable("has an affine that is not invertible")
    if np.abs(affine).max() > 1e6:
        raise Unusable("has an affine that puts it a kilometre or more from the scanner")


def _read_to_end(file: Any, most: int) -> None:
    """Python compares the checksum of a gzip stream when its end is read, and not before."""
    while block := file.read(BLOCK):
        most -= len(block)
        if most < 0:
            raise Unusable("goes on long after its voxels: its header and its content do not fit")


def _as_float32(voxels: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        values = voxels.astype(np.float32)
    if not np.isfinite(values).all() or max(abs(float(values.min())), abs(float(values.max()))) > 1e18:
        raise Unusable("has values that float32 cannot hold, or not their squares: above 1e18")
    return values
