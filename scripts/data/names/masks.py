"""Which files are masks by their names, and whose."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from ..stem import scan_stem
from .parts import PART_FOLDER, WORD, part_number
from .subjects import without_channels

__all__ = ["is_mask", "masks_of_scans", "shows_no_lesion"]

MASK_WORD = re.compile(
    r"(segs?|segmentations?|segment|masks?|msk|labels?|labelmap|lbl|lesions?|rois?|annotations?|annot|gts?|truth|"
    r"groundtruth|dseg|probseg|aseg|aparc|contours?|delineations?)\d*"
)
RATER = re.compile(r"manual|auto|final|consensus|(rater|reader|expert|v)\d*")
MASK_FOLDER = re.compile(
    r"(labels?|masks?|segmentations?)([_-].*|Tr|Ts|Val)?$|"
    r"(.*[_\-\s])?(labels?|masks?|segmentations?|segs?|msks?|rois?|annotations?|gts?|ground[_-]?truths?)$",
    re.IGNORECASE,
)
BRAIN = re.compile(r"(.*[_\-])?(brain|head|body|skull)[_\-]?masks?$", re.IGNORECASE)  # of no lesion
BIDS_ENTITY = re.compile(r"_(label|desc|space|res|den|atlas|seg|hemi)-[^_]+", re.IGNORECASE)
Words = tuple[str, ...]
WHOLE = ""  # behind the words of a whole name
BY_NAME, BY_BEGINNING, BY_FOLDER = 3, 2, 1  # how surely a mask is a scan's


def is_mask(path: PurePath) -> bool:
    """Whether a file is a mask by its name or a folder's.

    Args:
        path: of the file, relative to the folder of all scans.

    Example:
        >>> [is_mask(PurePath(name)) for name in ("P1/SEG.nii", "P1_T1_lesion_mask.nii", "labelsTr/P1.nii", "P1.nii")]
        [True, True, True, False]
    """
    words = _words(scan_stem(path))
    while len(words) > 1 and RATER.fullmatch(words[-1]):
        words = words[:-1]
    return in_mask_folder(path) or bool(MASK_WORD.fullmatch(words[-1])) or _is_numbered(words)


def in_mask_folder(path: PurePath) -> bool:
    """Whether a folder above a file is one of masks."""
    return any(map(MASK_FOLDER.match, path.parts[:-1]))


def shows_no_lesion(mask: PurePath) -> bool:
    """Whether a mask is one of a brain, head or body by its name.

    Example:
        >>> [shows_no_lesion(PurePath(name)) for name in ("P1_brain_mask.nii", "P1_mask.nii")]
        [True, False]
    """
    return bool(BRAIN.match(scan_stem(mask))) or "desc-brain" in mask.name


def masks_of_scans(
    subjects: Mapping[PurePath, str], masks: Iterable[PurePath]
) -> tuple[dict[PurePath, list[PurePath]], list[PurePath]]:
    """The masks of each scan: named after it, in its folder or in one of masks; or of the one person of a folder.

    Those that show no lesion are no scan's.

    Args:
        subjects: of the scans, by path relative to the folder of all.
        masks: paths of masks, likewise.

    Returns:
        The masks of each scan that has some, and other masks that belong to none or to several people.
    """
    shelf, left = _Shelf(subjects), []
    claims: dict[PurePath, dict[PurePath, int]] = defaultdict(dict)
    for mask in sorted(mask for mask in masks if not shows_no_lesion(mask)):
        scans, surely = shelf.scans_of(mask)
        whose = scans if len({subjects[scan] for scan in scans}) == 1 else []
        left += [] if whose else [mask]
        for scan in whose:
            claims[scan][mask] = surely
    return {scan: _surest(found) for scan, found in claims.items()}, left


def _surest(masks: dict[PurePath, int]) -> list[PurePath]:
    return [mask for mask, surely in masks.items() if surely == max(masks.values())]


class _Shelf:
    """Scans, found by words of their names, in one folder, in folders of one name, or anywhere."""

    def __init__(self, scans: Mapping[PurePath, str]) -> None:
        paths = list(scans)
        stems = without_channels([scan_stem(path) for path in paths])
        self.subjects = scans
        self.by_place: dict[tuple, dict[Words, list[PurePath]]] = defaultdict(lambda: defaultdict(list))
        self.in_place: dict[tuple, list[PurePath]] = defaultdict(list)
        for path, stem in zip(paths, stems, strict=True):
            names = [name for words in {_words(stem), _without_front(_words(stem))} for name in _beginnings(words)]
            for place in (path.parent.parts, ("", *_place(path)), ("*",)):
                self.in_place[place].append(path)
                for name in names:
                    self.by_place[place][name].append(path)

    def scans_of(self, mask: PurePath) -> tuple[list[PurePath], int]:
        """Scans that a mask may belong to, and how surely."""
        case = _case(mask)
        for place in (mask.parent.parts, ("", *_place(mask))):
            if found := self._named(place, case):
                return found
            scans = self.in_place.get(place, [])
            if any(place) and scans and len({self.subjects[scan] for scan in scans}) == 1:
                return scans, BY_FOLDER
        apart = in_mask_folder(mask) or mask.name.startswith("sub-")
        return (self._named(("*",), case) if apart else None) or ([], 0)

    def _named(self, place: tuple, case: Words) -> tuple[list[PurePath], int] | None:
        names = self.by_place.get(place, {})
        for length in range(len(case), 0, -1):
            if scans := names.get((*case[:length], WHOLE)):
                return scans, BY_NAME
        return (names[case], BY_BEGINNING) if case and case in names else None


def _beginnings(words: Words) -> list[Words]:
    """Words by which a scan is found: the first ones, and all of them, marked as whole."""
    return [words[:length] for length in range(1, len(words))] + [(*words, WHOLE)]


def _place(path: PurePath) -> tuple[str, ...]:
    """Folders of a file less those of parts, masks and derivatives."""
    return tuple(name for name in path.parts[:-1] if part_number(name) or not _says_nothing(name))


def _says_nothing(folder: str) -> bool:
    return bool(MASK_FOLDER.match(folder) or PART_FOLDER.match(folder)) or folder.lower() == "derivatives"


def _words(stem: str) -> Words:
    """Words of a name, in lower case; a word before a number counts as one: `label0001`, `segmentation-0`."""
    words = re.split(r"[_\-\s.+]+", stem.lower().strip("_-. "))
    match = re.fullmatch(r"([a-z]+)(\d+)", words[0])
    if match and (MASK_WORD.fullmatch(match[1]) or WORD.fullmatch(match[1])):
        words[:1] = match.groups()
    return tuple(words)


def _is_numbered(words: Words) -> bool:
    """Whether a name is that of a mask and a number or a name: `segmentation-0`."""
    return len(words) > 1 and bool(re.fullmatch(r"segs?|segmentations?|masks?|msk|labels?|lbl|gt", words[0]))


def _without_front(words: Words) -> Words:
    """Words less one for a scan or a contrast before a name: `volume-0`."""
    return words[1:] if len(words) > 1 and WORD.fullmatch(words[0]) else words


def _case(mask: PurePath) -> Words:
    """Words of a mask's name that say whose it is; none where it is called mask alone."""
    stem = scan_stem(mask)
    words = _words(BIDS_ENTITY.sub("", stem) if stem.startswith("sub-") else stem)
    words = words[1:] if _is_numbered(words) else words
    while words and (MASK_WORD.fullmatch(words[-1]) or (len(words) > 1 and RATER.fullmatch(words[-1]))):
        words = words[:-1]
    return words
