"""Every scan is read to its end before anything is trained on it: what cannot be used is named, or left out."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ..atomic import write_csv_atomically
from ..distributed import by_first, from_all, processes, rank
from ..errors import InputError, counted, require_one_of, some
from ..progress import with_progress
from .checks.at_once import scans_at_once
from .checks.fingerprint import join_subjects
from .checks.remembered import facts_of
from .checks.scan_facts import Facts
from .checks.verdict import FAULTY, KINDS, MASK, SUSPICIONS, Verdict, judge

__all__ = ["Audited", "audited_scans", "check_scans"]

logger = logging.getLogger(__name__)

ON_BAD_SCAN = ("stop", "skip")
COLUMNS = ("path", "subject", "verdict", "reason", "shape", "spacing_mm", "min", "max", "fingerprint")
Audited = list[tuple[str, dict, Facts, Verdict]]  # path, its scan, what was found in it, and what is to be done


def audited_scans(
    scans: list[dict],
    images: Sequence[str] = ("image",),
    spacing: Sequence[float] | None = None,
    on_bad_scan: str = "stop",
    output_dir: str | os.PathLike | None = None,
    intensity: Callable | None = None,
    write_page: Callable[[Path, Audited], None] | None = None,
) -> list[dict]:
    """The scans that can be used, after a look at all that is in their files.

    Several threads read, and what was found in a file is remembered. All is listed in audit.csv.

    Args:
        scans: items of `find_scans` or `find_cases`; one that is `listed` is believed to be a scan where it looks like
            a mask.
        images: keys of their images, of which a case has several in each.
        spacing: to which they will be resampled, mm; None: to none.
        on_bad_scan: `stop`: those that cannot be used are named in an error; `skip`: they are left out, and of a case
            only the modality that cannot be used.
        output_dir: where audit.csv goes; None: it is not written.
        intensity: the transform that will scale their values.
        write_page: writes a page about those that are suspect, to a path.

    Returns:
        The items, numbered anew (`scan`), each with `fingerprint`, that of the first of its images, which is the
        person's own: another, such as an atlas, may be everybody's. A case, whose images all are, has `fingerprints`
        of each as well. Subjects that share a scan are one.

    Raises:
        InputError: some scans cannot be used, all are left out, or there is no such `on_bad_scan`.
    """
    require_one_of("on_bad_scan", on_bad_scan, ON_BAD_SCAN)
    audited = _audited(scans, images, spacing, intensity)
    if output_dir is not None:
        _record(Path(output_dir), audited, write_page)
    if on_bad_scan == "stop":
        _refuse(audited)
    if rank() == 0:
        _say(audited, spacing)
    bad: dict[int, set[str]] = {}
    for path, scan, _, verdict in audited:
        bad.setdefault(id(scan), set()).update([path] * (verdict.kind in (FAULTY, MASK)))
    marks = {path: facts.fingerprint for path, _, facts, _ in audited}
    kept = [_kept(scan, images, bad[id(scan)]) for scan in scans]
    usable = [scan | _marks(scan, images, marks) for scan in kept if scan is not None]
    if not usable:
        raise InputError(f"None of {len(scans)} files can be used as a scan: {_named(audited, FAULTY, MASK)}.")
    if any(bad.values()) and rank() == 0:
        subjects = len({scan["subject"] for scan in usable})
        logger.info(f"What is left: {counted(len(usable), 'scan')} of {counted(subjects, 'subject')}.")
    return join_subjects([scan | {"scan": number} for number, scan in enumerate(usable)])


def check_scans(scans: list[dict], images: Sequence[str] = ("image",)) -> None:
    """Raise an `InputError` that names all scans that cannot be used, where there are such."""
    _refuse(_audited([scan | {"listed": True} for scan in scans], images, None, None))


def _audited(
    scans: list[dict], images: Sequence[str], spacing: Sequence[float] | None, intensity: Callable | None
) -> Audited:
    files = [(path, scan) for scan in scans for path in _paths(scan, images)]
    found = _examined(sorted({path for path, _ in files}))
    return [
        (path, scan, found[path], judge(found[path], spacing, intensity, scan.get("listed", False)))
        for path, scan in files
    ]


def _paths(scan: dict, images: Sequence[str]) -> list[str]:
    """The files of a scan, or of a case."""
    return list(scan["modalities"].values()) if "modalities" in scan else [scan[key] for key in images]


def _kept(scan: dict, images: Sequence[str], bad: set[str]) -> dict | None:
    """A scan without bad files, or what is left of a case; None where that is nothing."""
    if not bad:
        return scan
    left = {name: path for name, path in scan.get("modalities", {}).items() if path not in bad}
    if not left:
        return None
    synthetic = [name for name in scan["synthetic"] if name in left]
    image = next((path for name, path in left.items() if name not in synthetic), next(iter(left.values())))
    return scan | {"modalities": left, "synthetic": synthetic, images[0]: image}


def _marks(scan: dict, images: Sequence[str], marks: dict[str, str]) -> dict:
    """By what a scan is known again, or a case whichever of its images comes."""
    every = {"fingerprints": [marks[path] for path in scan["modalities"].values()]} if "modalities" in scan else {}
    return {"fingerprint": marks[scan[images[0]]]} | every


def _examined(paths: list[str]) -> dict[str, Facts]:
    """Facts of files, which the processes, and threads of theirs, share among them."""
    logger.info(f"Reading {len(paths)} files to check them.")
    mine = paths[rank() :: processes()]
    with ThreadPoolExecutor(scans_at_once(mine)) as pool:
        found = with_progress(pool.map(facts_of, mine), "Reading file", total=len(mine))
        own = dict(zip(mine, found, strict=True))
    return {path: facts for part in from_all(own) for path, facts in part.items()}


@by_first  # or torchrun would end it, once another process refuses
def _record(folder: Path, audited: Audited, write_page: Callable | None) -> None:
    write_csv_atomically(folder / "audit.csv", [COLUMNS, *map(_row, audited)])
    suspects = sorted((one for one in audited if one[3].reason), key=lambda one: KINDS.index(one[3].kind))
    if suspects and write_page is not None:
        write_page(folder / "audit.html", suspects)
        logger.info(f"What is strange about {len(suspects)} of {len(audited)} files: {folder / 'audit.html'}")


def _row(one: tuple[str, dict, Facts, Verdict]) -> list:
    path, scan, facts, verdict = one
    widths = " x ".join(f"{width:.4g}" for width in facts.spacing)
    values = [] if facts.fault else ["x".join(map(str, facts.shape)), widths, facts.lowest, facts.highest]
    return [path, scan.get("subject"), verdict.kind, verdict.reason, *(values or [""] * 4), facts.fingerprint]


def _say(audited: Audited, spacing: Sequence[float] | None) -> None:
    """What is left out, what is strange, and what all takes once it is prepared."""
    masks, faulty = (sum(verdict.kind == kind for *_, verdict in audited) for kind in (MASK, FAULTY))
    if masks:
        logger.warning(
            f"Not taken for scans, since they have the values of masks: {masks} of {len(audited)} files "
            f"({some(path for path, *_, verdict in audited if verdict.kind == MASK)}). A name such as CASE_seg.nii.gz "
            "makes one the mask of CASE.nii.gz; a list (CSV, JSON) as dataset_dir can make it a scan."
        )
    if faulty:
        logger.warning(
            f"Left out, since they cannot be used: {faulty} of {len(audited)} files ({_named(audited, FAULTY)})."
        )
    for name, (text, cure) in SUSPICIONS.items():
        paths = [path for path, *_, verdict in audited if name in verdict.suspicions]
        if paths:
            logger.warning(f"{len(paths)} of {len(audited)} files: each {text} ({some(paths)}). {cure}")
    voxels = sum(float(np.prod(verdict.shape)) * facts.box for _, _, facts, verdict in audited if verdict.shape)
    if spacing:
        widths = " x ".join(f"{width:g}" for width in spacing)
        logger.info(f"Prepared at {widths} mm, all scans take about {4 * voxels / 1e9:.2g} GB.")


def _refuse(audited: Audited) -> None:
    faulty = [f"{path} {verdict.reason}" for path, *_, verdict in audited if verdict.kind == FAULTY]
    if faulty:
        raise InputError(
            f"{len(faulty)} of {len(audited)} scans cannot be used: {some(faulty, 10, '; ')}. Mend or move "
            "them, leave them out with --on_bad_scan skip, or list the others in a JSON or CSV file and give that as "
            "dataset_dir."
        )


def _named(audited: Audited, *kinds: str) -> str:
    return some((f"{path} {verdict.reason}" for path, *_, verdict in audited if verdict.kind in kinds), between="; ")
