"""What a scan would take at another spacing, known before it is taken."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from monai.data.utils import compute_shape_offset, zoom_affine
from monai.utils import optional_import

__all__ = ["memory_needed", "memory_of_process", "resampled_shape"]

# bytes a voxel, measured with LoadImaged to CropForegroundd: float64 as read, then MONAI's grid, float64 too
NATIVE, RESAMPLED = 20, 64
UNKNOWN = 16e9  # bytes, where the system does not say what it has
GROUPS_OF_PROCESS, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def resampled_shape(shape: Sequence[int], affine: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Voxels that MONAI's `Spacing` would give a scan along its axes, [3], as float, since they may be very many."""
    resampled = zoom_affine(affine, np.asarray(spacing, float), diagonal=False)
    return compute_shape_offset(np.asarray(shape), affine, resampled)[0]


def memory_needed(shape: Sequence[int], resampled: Sequence[float]) -> float:
    """Bytes that it takes to read a scan and to resample it, at most at once."""
    return NATIVE * float(np.prod(np.asarray(shape, float))) + RESAMPLED * float(np.prod(np.asarray(resampled, float)))


def memory_of_process() -> float:
    """Bytes that this process can have: of the machine, or less where a container, a cluster or `ulimit -v` says so."""
    resource, unix = optional_import("resource")
    if not unix:
        return UNKNOWN
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    limits += [int(text) for text in map(_first_word, _limits_of_groups()) if text.isdigit()]
    addresses, _ = resource.getrlimit(resource.RLIMIT_AS)
    if addresses != resource.RLIM_INFINITY:
        taken = _first_word(Path("/proc/self/statm"))
        limits.append(addresses - os.sysconf("SC_PAGE_SIZE") * int(taken or 0))
    return float(max(min(limits), 0))


def _limits_of_groups() -> Iterator[Path]:
    """Files in which the system says what control groups may have that this process is in: a container's, a job's.

    One is within another; those that a container does not see are those of the machine around it.
    """
    for line in _text(GROUPS_OF_PROCESS).splitlines():
        _, kinds, group = line.split(":", 2)
        if kinds in ("", "memory"):  # version 2, and 1
            folder = GROUPS / kinds / group.lstrip("/")
            name = "memory.limit_in_bytes" if kinds else "memory.max"
            yield from (above / name for above in (folder, *folder.parents))


def _first_word(path: Path) -> str:
    """Of a file of the system; nothing where there is none."""
    return (_text(path).split() or [""])[0]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
