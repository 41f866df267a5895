"""All masks of a cohort, read before training: what is wrong with any of them is said at once."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from ..errors import InputError, some
from ..progress import with_progress
from .checks.content import state_of
from .checks.whole_file import Unusable
from .lesion_voxels import Mask, paths_of, read_mask
from .mask_meaning import MaskMeaning

__all__ = ["MaskFacts", "audited_masks", "mask_facts", "readable_masks"]

logger = logging.getLogger(__name__)

known: dict[tuple, "MaskFacts"] = {}  # in this process, by what was asked and the state of each file


class MaskFacts(NamedTuple):
    """What is known of a scan's masks.

    Attributes:
        faults: what keeps them from being used: path and words of each such mask.
        values: whole numbers above 0 in them.
        has_lesion: whether any has a voxel of it.
        cut: paths of those with fractions, which are cut at a half.
    """

    faults: tuple[tuple[str, str], ...] = ()
    values: frozenset[int] = frozenset()
    has_lesion: bool = False
    cut: tuple[str, ...] = ()


def audited_masks(scans: list[dict], meaning: MaskMeaning) -> list[MaskFacts]:
    """The facts of each scan's masks, none of which has a fault.

    Args:
        scans: with `label`, the path of a mask, or several of masks that are united.
        meaning: which numbers of the masks are the lesion.

    Raises:
        InputError: names all masks that cannot be used, at most ten; or asks which numbers are the lesion.
    """
    facts = readable_masks(scans, meaning)
    _check_values(sorted({value for one in facts for value in one.values}), meaning)
    _tell_of_cut([path for one in facts for path in one.cut])
    _tell_of_united([scan for scan in scans if len(paths_of(scan["label"])) > 1])
    return facts


def readable_masks(scans: list[dict], meaning: MaskMeaning) -> list[MaskFacts]:
    """The facts of each scan's masks, none of which has a fault; whatever their numbers mean.

    Args:
        scans: with `label`.
        meaning: which numbers of the masks are the lesion.

    Raises:
        InputError: names all masks that cannot be used, at most ten.
    """
    logger.info(f"Reading {sum(len(paths_of(scan['label'])) for scan in scans)} masks.")
    with ThreadPoolExecutor(2) as pool:  # whole masks in memory, one each
        found = pool.map(lambda scan: mask_facts(tuple(paths_of(scan["label"])), scan["image"], meaning), scans)
        facts = list(with_progress(found, "Reading masks of scan", total=len(scans)))
    _refuse([fault for one in facts for fault in one.faults])
    return facts


def mask_facts(paths: tuple[str, ...], image: str, meaning: MaskMeaning) -> MaskFacts:
    """Read the masks of a scan; once while their files stay as they are, however many folds are trained.

    Args:
        paths: of the masks.
        image: path of the scan.
        meaning: which of their numbers are the lesion.
    """
    asked = (paths, image, meaning, *map(state_of, (*paths, image)))
    if asked not in known:
        known[asked] = _read(paths, image, meaning)
    return known[asked]


def _read(paths: tuple[str, ...], image: str, meaning: MaskMeaning) -> MaskFacts:
    facts = MaskFacts()
    for path in paths:
        try:
            facts = _with(facts, path, read_mask(path, image, meaning))
        except Unusable as fault:
            facts = facts._replace(faults=(*facts.faults, (path, str(fault))))
    return facts


def _with(facts: MaskFacts, path: str, mask: Mask) -> MaskFacts:
    return facts._replace(
        values=facts.values | mask.values,
        has_lesion=facts.has_lesion or bool(mask.lesion.any()),
        cut=(*facts.cut, path) if mask.is_cut else facts.cut,
    )


def _refuse(faults: Sequence[tuple[str, str]]) -> None:
    if not faults:
        return
    alike: dict[str, list[str]] = defaultdict(list)
    for path, text in faults[:10]:
        alike[text].append(path)
    named = "; ".join(f"{', '.join(paths)} {text}" for text, paths in alike.items())
    more = f"; and {len(faults) - 10} more" if len(faults) > 10 else ""
    masks = "1 mask" if len(faults) == 1 else f"{len(faults)} masks"
    raise InputError(
        f"{masks} cannot be used: {named}{more}. Mend them, or list the scans without them in a JSON or CSV file and "
        "give that as dataset_dir."
    )


def _check_values(found: Sequence[int], meaning: MaskMeaning) -> None:
    if question := meaning.question(found):
        raise InputError(question)
    if found and meaning.values is not None and not set(found) & set(meaning.values):
        raise InputError(
            f"lesion_values is {list(meaning.values)}, which no mask has: theirs are {meaning.listed(found)}."
        )


def _tell_of_cut(paths: Sequence[str]) -> None:
    if paths:
        logger.warning(
            f"{len(paths)} masks have fractions between 0 and 1 and are cut at a half, as if it were interpolation "
            f"that made them: {some(paths)}. If they are something else, give masks of whole numbers."
        )


def _tell_of_united(scans: Sequence[dict]) -> None:
    if scans:
        first = scans[0]
        logger.info(
            f"{len(scans)} scans have several masks, which are united: {some([scan['image'] for scan in scans])} "
            f"(of the first: {some(paths_of(first['label']), 10)})."
        )
