"""Who is a subject, read from the names of scans."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ...errors import some
from ..stem import scan_stem
from .parts import PART_FOLDER, bare, identifier, is_bids
from .people import LIST, Names, people_of

__all__ = ["Reading", "read_subjects", "without_channels"]

NNUNET_CHANNEL = re.compile(r"_\d{4}$")  # CASE_0000.nii.gz is channel 0 of CASE


@dataclass(frozen=True)
class Reading:
    """Who the subjects of scans are, and how names were read.

    Args:
        subjects: one a path, in their order.
        basis: what says who is who.
        doubts: a sentence for each choice between two readings.
    """

    subjects: list[str]
    basis: str
    doubts: list[str]


def read_subjects(paths: Sequence[str | PurePath]) -> Reading:
    """Read who is a subject from all parts of the names of scans.

    Identifiers of BIDS, TCIA, ADNI, OASIS, UK Biobank and BraTS are taken as they are. Else words for contrasts, visits
    and the like are left out, and so is a last part in which names repeat each other; of the folders and the name that
    remain, the one that people are told apart by is taken. Folders that all paths have in common say nothing, and
    neither does their order.

    Args:
        paths: of the scans, relative to any folder above all of them, or absolute.

    Example:
        >>> read_subjects(["IXI-T1/IXI002-Guys-0828-T1.nii.gz", "IXI-T2/IXI002-Guys-0828-T2.nii.gz"]).subjects
        ['IXI002-Guys-0828', 'IXI002-Guys-0828']
        >>> read_subjects(["P1/T1.nii.gz", "P1/T2.nii.gz", "P2/T1.nii.gz"]).subjects
        ['P1', 'P1', 'P2']
        >>> read_subjects(["volume-0.nii", "volume-1.nii"]).subjects
        ['volume-0', 'volume-1']
    """
    names = _without_common([_names(path) for path in paths])
    found = [next(filter(None, map(identifier, parts)), None) for parts in names]
    others, doubts = people_of([parts for parts, known in zip(names, found, strict=True) if known is None])
    unknown = iter(others)
    subjects = [known or next(unknown) for known in found]
    return Reading(
        subjects, _basis(names, found, subjects), list(dict.fromkeys([*_shared_between_cohorts(names, found), *doubts]))
    )


def without_channels(names: Sequence[str]) -> list[str]:
    """Names of scans and, where all of several cases have nnU-Net's channels, without these."""
    short = [NNUNET_CHANNEL.sub("", name) for name in names]
    first = {f"{case}_0000" for case in short}
    return short if len(first) > 1 and first.issubset(names) else list(names)


def _names(path: str | PurePath) -> Names:
    path = PurePath(path)
    return (*path.parent.parts, scan_stem(path))


def _without_common(names: list[Names]) -> list[Names]:
    """Names less the folders that all have in common, and nnU-Net's channels."""
    shared = 0
    while all(len(parts) > shared + 1 for parts in names) and len({parts[shared] for parts in names}) == 1:
        shared += 1
    stems = without_channels([parts[-1] for parts in names])
    return [(*parts[shared:-1], stem) for parts, stem in zip(names, stems, strict=True)]


def _shared_between_cohorts(names: list[Names], found: list[str | None]) -> list[str]:
    """A doubt where subjects of BIDS have one name in several folders that may be cohorts."""
    above = defaultdict(set)
    for parts, known in zip(names, found, strict=True):
        if known and is_bids(known):
            folders = parts[: next(i for i, part in enumerate(parts) if part.startswith(known))]
            above[known].add("/".join(folder for folder in folders if bare(folder) and not PART_FOLDER.match(folder)))
    shared = {known: cohorts for known, cohorts in above.items() if len({c for c in cohorts if "deriv" not in c}) > 1}
    if not shared:
        return []
    people, cohorts = some(sorted(shared)), some(sorted(set().union(*shared.values())))
    return [
        f"{people} are in several of {cohorts}: each was taken for one person in all; if they are other people, {LIST}."
    ]


def _basis(names: list[Names], found: list[str | None], subjects: list[str]) -> str:
    """What says who is who, in words."""
    if all(found):
        return "identifiers in the names of files and folders"
    folders = [any(subject in folder for folder in parts[:-1]) for parts, subject in zip(names, subjects, strict=True)]
    whole = all(subject in parts for parts, subject in zip(names, subjects, strict=True))
    source = "names of folders" if all(folders) else "names of folders and files" if any(folders) else "names of files"
    return source + ("" if whole else ", less contrasts, visits and repeats")
