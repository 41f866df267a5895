"""From a folder or a list to cases: the images of a subject's visit, each by its modality, such as t1, ct or pet."""

import logging
import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from ..distributed import by_first
from ..errors import InputError, counted
from .cohort import existing, make_synthetic
from .find_visits import find_visits
from .names.modalities import modality_name
from .understood import log_cases
from .visits import Visit

__all__ = ["find_cases", "modalities_of"]

logger = logging.getLogger(__name__)


@by_first  # others would see what it converts or makes as it comes
def find_cases(
    dataset_dir: str | os.PathLike | None,
    modalities: Sequence[str] | None,
    synthetic_dir: str | os.PathLike,
    converted_dir: str | os.PathLike,
    fewest: int = 2,
) -> list[dict]:
    """List the cases of a cohort, which may lack images of some modalities, and log who has what.

    Args:
        dataset_dir: a folder, as for `find_scans`, in which names of files (`P1_t1.nii.gz`), else of folders
            (`CT/P1.nii.gz`), or the channels of nnU-Net say the modality; or a JSON or CSV list with a column a
            modality, and cells that may be empty, or with the column image alone, as a folder; one of masks (`mask`,
            `seg`) is the label. None, or null as a command line says it: a synthetic cohort, made in `synthetic_dir`.
        modalities: their names, in the order of a network's channels; None, or null as a command line says it: all that
            two subjects or more have, by alphabet.
        synthetic_dir, converted_dir: as for `find_scans`.
        fewest: modalities that have to be asked for.

    Returns:
        One item a visit of a subject, sorted by path: `modalities`, the absolute paths of those that it has by name;
        `image`, that of the first of these, if one is, that is real; `synthetic`, names of those that a network made;
        `subject`, `scan` (its number) and, where there is one, `label`, the mask of its image, else of another one.

    Raises:
        InputError: there is no such folder or list, fewer than two modalities are found, or nobody has one of those
            that are asked for.
    """
    asked = None if modalities in (None, "null") else {modality_name(name): name for name in modalities or ()}
    path = existing(make_synthetic(synthetic_dir, several=True) if dataset_dir in (None, "null") else dataset_dir)
    found, visits, warnings = find_visits(path, converted_dir, asked or {})
    names = _asked(asked, visits, path, fewest) if asked is not None else _common(visits, path)
    cases = [_case(visit, names) for visit in visits if visit.keys() & names.keys()]
    listed = {"listed": True} if found.folder is None else {}
    cases = [case | listed | {"scan": i} for i, case in enumerate(sorted(cases, key=lambda case: case["image"]))]
    others = {name: subjects for name, subjects in _subjects(visits).items() if name not in names}
    log_cases(found, cases, list(names.values()), _there(others) if others else "")
    for warning in warnings:
        logger.warning(warning)
    return cases


def modalities_of(cases: Iterable[dict], modalities: Sequence[str] | None = None) -> list[str]:
    """Names of the modalities of cases: those that were asked for, as for `find_cases`, or all by alphabet."""
    if modalities in (None, "null"):
        return sorted({name for case in cases for name in case["modalities"]})
    return list(modalities or ())


def _subjects(visits: Iterable[Visit]) -> dict[str, set[str]]:
    """The subjects that have each modality, by its name."""
    found: dict[str, set[str]] = {}
    for image in (image for visit in visits for image in visit.values()):
        found.setdefault(image.modality, set()).add(image.subject)
    return dict(sorted(found.items()))


def _asked(asked: dict[str, str], visits: Iterable[Visit], path: Path, fewest: int) -> dict[str, str]:
    """The modalities that are asked for, if somebody has each."""
    found = _subjects(visits)
    if len(asked) < fewest:
        given = list(asked.values())
        raise InputError(f"modalities is {given}: give {fewest} or more that differ, of {_there(found)}.")
    for name in (name for name in asked if name not in found):
        close = get_close_matches(name, found)
        meant = f"; did you mean {' or '.join(close)}?" if close else "."
        raise InputError(f"Nobody in {path} has the modality {asked[name]}: there are {_there(found)}{meant}")
    return asked


def _common(visits: Iterable[Visit], path: Path) -> dict[str, str]:
    """The modalities that two subjects or more have."""
    found = _subjects(visits)
    names = [name for name, subjects in found.items() if len(subjects) > 1]
    if len(names) < 2:
        raise InputError(
            f"Fewer than two modalities are had by two subjects in {path} ({_there(found)}): name images "
            "CASE_t1.nii.gz, CASE_t2.nii.gz and so on, give modalities the words that tell them apart in their names, "
            "or dataset_dir a list with a column a modality."
        )
    return {name: name for name in names}


def _there(found: dict[str, set[str]]) -> str:
    return ", ".join(f"{name} ({counted(len(subjects), 'subject')})" for name, subjects in found.items()) or "none"


def _case(visit: Visit, names: dict[str, str]) -> dict:
    images = {names[name]: visit[name] for name in names if name in visit}
    first, *others = sorted(images.values(), key=lambda image: image.synthetic)
    labels = [image.label for image in (first, *others, *visit.values()) if image.label]
    return {
        "image": first.path,
        "modalities": {name: image.path for name, image in images.items()},
        "synthetic": sorted(name for name, image in images.items() if image.synthetic),
        "subject": first.subject,
        **({"label": labels[0]} if labels else {}),
    }
