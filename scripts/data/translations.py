"""What an image is to be made of, and what it should be: pairs of one place, or scans of which no two are."""

from collections.abc import Sequence

from ..errors import InputError
from .names.cases import case_name

__all__ = ["paired_scans", "scans_of_modality", "separate_scans", "unpaired_scans"]


def paired_scans(cases: Sequence[dict], source: str, target: str) -> list[dict]:
    """A scan for each case that has real images of both modalities, on whatever grids.

    Args:
        cases: items of `find_cases`.
        source, target: modalities.

    Returns:
        Items with `image` and `target`, paths of both, `case`, its name, `subject` and `scan`.

    Raises:
        InputError: no case has both, or both are one.
    """
    if source == target:
        raise InputError(f"source and target are both {source}: give two modalities.")
    pairs = [scan | {"target": case["modalities"][target]} for case, scan in _real(cases, source) if _has(case, target)]
    if not pairs:
        raise InputError(
            f"None of {len(cases)} cases has real images of both {source} and {target}: give a dataset_dir where some "
            "have, or train with unpaired.json as well."
        )
    return pairs


def scans_of_modality(cases: Sequence[dict], modality: str) -> list[dict]:
    """A scan for each case that has a real image of a modality, as of `paired_scans`, without `target`.

    Raises:
        InputError: no case has one.
    """
    scans = [scan for _, scan in _real(cases, modality)]
    if not scans:
        raise InputError(
            f"None of {len(cases)} cases has a real image of {modality}: give a dataset_dir where some have."
        )
    return scans


def separate_scans(cases: Sequence[dict], source: str, target: str) -> list[dict]:
    """A scan for each real image of either modality, with `modality`, as of `scans_of_modality`."""
    return [scan | {"modality": name} for name in (source, target) for scan in scans_of_modality(cases, name)]


def unpaired_scans(scans: Sequence[dict], source: str, target: str) -> list[dict]:
    """Each scan of the modality that has more, beside one of the other, of another subject where that can be.

    Args:
        scans: items of `separate_scans`.
        source, target: modalities.

    Returns:
        Items with `image`, `target`, `subject` (that of the source) and `scan`, numbered anew.

    Raises:
        InputError: there is none of either modality.
    """
    sources, targets = ([scan for scan in scans if scan["modality"] == name] for name in (source, target))
    if not sources or not targets:
        missing = target if sources else source
        raise InputError(
            f"None of {len(scans)} scans of a part of the split is {missing}: add some, or change the seed."
        )
    if len(sources) >= len(targets):
        pairs = list(zip(sources, _others(sources, targets), strict=True))
    else:
        pairs = list(zip(_others(targets, sources), targets, strict=True))
    return [scan | {"target": other["image"], "scan": number} for number, (scan, other) in enumerate(pairs)]


def _others(scans: Sequence[dict], partners: Sequence[dict]) -> list[dict]:
    """A partner for each scan, of another subject where there is one, and none much more often than others."""
    met, found = [0] * len(partners), []
    for number, scan in enumerate(scans):
        after = [(number + shift) % len(partners) for shift in range(1, len(partners) + 1)]
        i = min(after, key=lambda one: (partners[one]["subject"] == scan["subject"], met[one]))
        met[i] += 1
        found.append(partners[i])
    return found


def _real(cases: Sequence[dict], modality: str) -> list[tuple[dict, dict]]:
    """Cases that have a real image of a modality, each with its scan."""
    return [(case, _scan(case, modality)) for case in cases if _has(case, modality)]


def _has(case: dict, modality: str) -> bool:
    return modality in case["modalities"] and modality not in case["synthetic"]


def _scan(case: dict, modality: str) -> dict:
    path = case["modalities"][modality]
    listed = {"listed": True} if case.get("listed") else {}
    name = case_name(path, modality) or case["subject"]
    return {"image": path, "case": name, "subject": case["subject"], "scan": case["scan"], **listed}
