"""A scan known by its content, under whatever name and in whatever file it comes."""

import hashlib
import logging

import nibabel
import numpy as np

from ...errors import some

__all__ = ["fingerprint", "fingerprints_of", "join_subjects"]

logger = logging.getLogger(__name__)


def fingerprint(voxels: np.ndarray, affine: np.ndarray) -> str:
    """A number of 32 digits that two files share where they hold the same scan, and no two scans have by chance.

    The type in which voxels are stored, the order of their axes, compression, and a header's texts do not change it.
    Resampling, cropping and any change of intensities do.

    Args:
        voxels: [X, Y, Z], as float32.
        affine: from voxel indices to mm.

    Example:
        >>> voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        >>> fingerprint(voxels, np.eye(4)) == fingerprint(voxels[::-1], np.diag([-1, 1, 1, 1]))
        True
    """
    canonical = nibabel.apply_orientation(voxels, nibabel.io_orientation(affine)) + np.float32(0)  # and -0 is 0
    digest = hashlib.blake2b(str(canonical.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(canonical, "<f4").data)
    return digest.hexdigest()


def fingerprints_of(scan: dict) -> list[str]:
    """Those of a scan that has one, or of all images of a case; none where nothing is known."""
    return scan.get("fingerprints", [scan["fingerprint"]] if "fingerprint" in scan else [])


def join_subjects(scans: list[dict]) -> list[dict]:
    """The scans, with subjects that share one under the name of the first of them, so that no split parts them.

    Args:
        scans: with `fingerprint`, or `fingerprints` of all that a case has.
    """
    name: dict[str, str] = {}  # of each subject, another of the same person
    first: dict[str, dict] = {}  # scan of each fingerprint

    def root(subject: str) -> str:
        while name.get(subject, subject) != subject:
            subject = name[subject]
        return subject

    shared = []
    for mark, scan in ((mark, one) for one in scans for mark in fingerprints_of(one)):
        other = first.setdefault(mark, scan)
        one, two = sorted((root(other["subject"]), root(scan["subject"])))
        if one != two:
            name[two] = one
            shared.append((other["image"], scan["image"]))
    if shared:
        pairs = some((f"{one} and {two}" for one, two in shared), between="; ")
        logger.warning(
            f"The same scan is there under two subjects ({pairs}): they are taken for one subject. Remove one of "
            "the files, or correct the names."
        )
    return [scan | {"subject": root(scan["subject"])} for scan in scans]
