"""What all images of a case are called, whatever their modality."""

import os
import re

from ..stem import scan_stem
from .modalities import modality_name

__all__ = ["case_name"]

WORD, BETWEEN = re.compile(r"[^_\-\s.+]+"), "_-. +"
LONGEST = 3  # words that together are one modality: t1_c_e


def case_name(path: str | os.PathLike, modality: str) -> str:
    """Name of a file less what says its modality, and less its suffix; empty where nothing else is in it.

    Example:
        >>> case_name("P1_T1w.nii.gz", "t1"), case_name("P1_t1-gd_b.nii", "t1ce"), case_name("CT/P1.nii", "ct")
        ('P1', 'P1_b', 'P1')
    """
    stem = scan_stem(path)
    words = list(WORD.finditer(stem))
    for number in range(LONGEST, 0, -1):
        for first in range(len(words) - number, -1, -1):
            said = words[first : first + number]
            if modality_name("".join(word.group() for word in said)) == modality_name(modality):
                before, behind = stem[: said[0].start()], stem[said[-1].end() :]
                return (before.rstrip(BETWEEN) + behind).strip(BETWEEN)
    return stem
