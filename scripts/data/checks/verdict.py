"""From what was found in a scan to what is to be done with it."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from monai.transforms import ScaleIntensityRangePercentilesd

from .resampled import memory_needed, memory_of_process, resampled_shape
from .scan_facts import Facts

__all__ = ["FAULTY", "KINDS", "MASK", "SUSPICIONS", "Verdict", "judge"]

KINDS = FAULTY, MASK, SUSPECT, USABLE = "faulty", "mask", "suspect", "usable"
LONGEST = 2**15 - 1  # voxels along an axis, of which NIfTI-1 knows no more
STEEP = 1000  # times the range of the percentiles: values as large as that are no input for a network

# what is strange about a scan that is used all the same, and what may be done about it
SUSPICIONS = {
    "mask": (
        "has the values of a mask, but is listed as a scan",
        "Take it out of the list, or into the column label, if it is a mask.",
    ),
    "padding": (
        "is padded with a value below air, which is raised to -1024",
        "That is right for CT; write other data with their background at 0.",
    ),
    "box": (
        "is filled by its body's box, from edge to edge",
        "That is right for scans that were cut to a part of the body; elsewhere air is as bright as tissue, as in "
        "MP2RAGE: set the background to 0.",
    ),
}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is to be done with a scan: `kind` is faulty, mask, suspect or usable.

    Attributes:
        kind: as above.
        fault: how a sentence goes on that begins with its path, for one that cannot be used.
        suspicions: of SUSPICIONS.
        shape: voxels at the spacing that is wanted, [3]; empty if it is not known.
    """

    kind: str
    fault: str = ""
    suspicions: tuple[str, ...] = ()
    shape: tuple[float, ...] = ()

    @property
    def reason(self) -> str:
        """In words; nothing for one that is usable."""
        if self.kind == MASK:
            return "has the values of a mask"
        return self.fault or "; ".join(SUSPICIONS[name][0] for name in self.suspicions)


def judge(
    facts: Facts, spacing: Sequence[float] | None = None, intensity: Callable | None = None, listed: bool = False
) -> Verdict:
    """What is to be done with a scan.

    Args:
        facts: of its file.
        spacing: to which it is resampled, mm; None: it is not.
        intensity: the transform that scales its values; where that is by percentiles, they must differ.
        listed: whether someone said that this is a scan, whatever it looks like.
    """
    if facts.fault:
        return Verdict(FAULTY, facts.fault)
    if facts.mask_like and not listed:
        return Verdict(MASK)
    shape, too_large = _resampled(facts.shape, facts.affine, tuple(spacing)) if spacing else (facts.shape, "")
    if fault := too_large or _steep(facts, intensity):
        return Verdict(FAULTY, fault)
    found = {"mask": facts.mask_like, "padding": facts.padded, "box": facts.box == 1}
    suspicions = tuple(name for name in SUSPICIONS if found[name])
    return Verdict(SUSPECT if suspicions else USABLE, suspicions=suspicions, shape=shape)


def _resampled(shape: tuple, affine: tuple, spacing: tuple) -> tuple[tuple[float, ...], str]:
    """Voxels at a spacing; and why that cannot be, in words."""
    size = " x ".join(f"{width:g}" for width in spacing)
    try:
        resampled = tuple(float(number) for number in resampled_shape(shape, np.array(affine), spacing))
    except Exception:  # of MONAI's: it cannot be resampled by its affine
        return (), "has an affine by which it cannot be resampled"
    needed, there = memory_needed(shape, resampled), memory_of_process()
    if not np.isfinite(needed) or needed > there / 2:
        return (), (
            f"would have {np.prod(resampled):,.0f} voxels at {size} mm, for which resampling takes "
            f"{needed / 1e9:,.1f} GB, more than half of the {there / 1e9:,.1f} GB of this machine: give a larger "
            "spacing, or correct the sizes of voxels in its header"
        )
    if min(resampled) < 2 or max(resampled) > LONGEST:
        text = "x".join(f"{number:.0f}" for number in resampled)
        return (), f"would have {text} voxels at {size} mm: give another spacing, or correct sizes in its header"
    return resampled, ""


def _steep(facts: Facts, intensity: Callable | None) -> str:
    """Why values cannot be scaled by percentiles, in words."""
    if not isinstance(intensity, ScaleIntensityRangePercentilesd):
        return ""
    levels = intensity.scaler.lower, intensity.scaler.upper
    low, high = np.interp(levels, np.arange(101), facts.percentiles)
    if max(facts.highest - low, low - facts.lowest) <= STEEP * (high - low):
        return ""
    return (
        f"has percentiles {levels[0]:g} and {levels[1]:g} of its body's box that are equal, or nearly "
        f"({low:g} and {high:g} of {facts.lowest:g} to {facts.highest:g}), so that values cannot be scaled from them: "
        "give intensity a window (ScaleIntensityRanged)"
    )
