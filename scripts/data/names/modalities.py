"""What kind of image a scan is, and of which visit, by its name."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from ..stem import scan_stem
from .parts import DATE

__all__ = ["OCCASIONS", "SYNTHETIC", "contrast_of", "modality_name", "modality_of", "rest_of", "visit_of", "words_of"]

SYNTHETIC = "synthetic"  # word in the name of an image that a network made
ALIASES = {
    **dict.fromkeys(
        ("t1ce", "t1c", "t1gd", "t1wce", "t1cw", "t1wc", "t1wgd", "t1post", "t1contrast", "t1gad", "cet1"), "t1ce"
    ),
    **dict.fromkeys(("t1w", "t1n", "t1pre", "t1wpre"), "t1"),
    **dict.fromkeys(("t2w",), "t2"),
    **dict.fromkeys(("t2f", "t2flair", "t2wflair", "flairt2"), "flair"),
    **dict.fromkeys(("mri",), "mr"),
}
KNOWN = re.compile(
    r"t1|t1ce|t2|flair|t2star|t2starw|t2s|pdw?|dwi|adc|fa|md|b\d{2,4}|mra|swi|asl|bold|cb[fv]|mtt|mr|cta?|pet|suv|spect|"
    r"mprage|mp2rage|unit1|tof|stir|dixon|dce|dsc"
)
BROAD = ("mr",)  # said only where nothing else is
LONGEST = 3  # words that together are one modality: t1_c_e
OCCASIONS = frozenset(("pre", "post", "before", "after"))
VISIT = re.compile(
    rf"(?<![a-z0-9])(?:(?:ses|sess|session|visit|timepoint|tp|month|week|day|year|follow[_\-\s]?up|follow|fu)[_\-\s]?\d+"
    rf"|baseline|bl|screening|preop|postop|pretreatment|posttreatment|[vmwdy]\d+|{DATE})(?![a-z0-9])"
    r"|(?<![a-z0-9])ses-(?!(?:mri?|ct|pet)(?![a-z0-9]))[a-z0-9]+|(?<![a-z0-9])(?:follow[_\-\s]?up|fu)(?![a-z0-9])"
    r"|(?<=-)\d{3}(?=-t[12][a-z])|(?<=^brats-...-\d{5}-)\d{3}$",
    re.IGNORECASE,
)


def modality_name(text: str) -> str:
    """A modality by the name that all of its names share, in lower case.

    Example:
        >>> [modality_name(text) for text in ("T1-Gd", "T1w", "t2f", "CT", "ADC map")]
        ['t1ce', 't1', 'flair', 'ct', 'adcmap']
    """
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    return ALIASES.get(plain, plain)


def modality_of(path: str | PurePath, wanted: Iterable[str] = ()) -> str | None:
    """The modality that the name of a file says, or else that of a folder above it; None where none does.

    Args:
        path: of the file, relative to the folder of all scans.
        wanted: modalities by `modality_name`, which are known beside the usual ones.

    Example:
        >>> [modality_of(name) for name in ("P1/P1_T1w.nii", "P1_t1_ce.nii", "CT/P1.nii", "P1.nii")]
        ['t1', 't1ce', 'ct', None]
    """
    path, wanted = PurePath(path), set(wanted)
    names = [name for part in (scan_stem(path), *reversed(path.parts[:-1])) for name in _said(part, wanted)]
    name = next((name for name in names if name not in BROAD), next(iter(names), None))
    return "t1ce" if name == "t1" and re.search(r"_ce-", path.name) else name  # BIDS


def rest_of(path: str | PurePath, wanted: Iterable[str] = ()) -> str:
    """A path less what says its modality: what images of one occasion may share.

    Example:
        >>> rest_of("T1/P1_T1w_a.nii"), rest_of("CT/P1_a_ct_synthetic.nii")
        ('/p1_a', '/p1_a')
    """
    path, wanted = PurePath(path), set(wanted)
    return "/".join(_without(part, wanted) for part in (*path.parts[:-1], scan_stem(path)))


def visit_of(path: str | PurePath, wanted: Iterable[str] = ()) -> frozenset[str]:
    """The words of a path that say a visit or a date, and are no part of a modality.

    Example:
        >>> names = ("sub-01/ses-2/anat/sub-01_ses-2_T1w.nii", "P1_T1.nii", "P1_T2_post.nii", "P1_T1_post.nii")
        >>> [sorted(visit_of(name)) for name in names]
        [['ses2'], [], ['post'], []]
    """
    path, wanted = PurePath(path), set(wanted)
    parts = (*path.parts[:-1], scan_stem(path))
    said = {re.sub(r"[^a-z0-9]", "", match.group().lower()) for part in parts for match in VISIT.finditer(part)}
    others = {word for part in parts for word in _without(VISIT.sub("", part), wanted).split("_")}
    return frozenset(said | OCCASIONS & others)


def contrast_of(path: str | PurePath, wanted: Iterable[str] = ()) -> frozenset[str]:
    """The words `pre` and `post` of a name that are part of a modality: T1 without and with contrast, it seems.

    Example:
        >>> sorted(contrast_of("P1_T1_post.nii")), sorted(contrast_of("P1_T2_post.nii"))
        (['post'], [])
    """
    return OCCASIONS.intersection(words_of(scan_stem(PurePath(path)))) - set(wanted) - visit_of(path, wanted)


def words_of(part: str) -> list[str]:
    """The words of a part of a path, in lower case."""
    return [word for word in re.split(r"[_\-\s.+]+", part.lower()) if word]


def _spans(words: Sequence[str], wanted: set[str]) -> list[tuple[int, int, str]]:
    """First word, the one behind the last, and the modality, of those that some words say; the longest reading."""
    found, first = [], 0
    while first < len(words):
        for last in range(min(first + LONGEST, len(words)), first, -1):
            joined = "".join(words[first:last])
            name = modality_name(joined)
            if name in wanted or joined in ALIASES or (last == first + 1 and KNOWN.fullmatch(name)):
                found.append((first, last, name))
                break
        first = found[-1][1] if found and found[-1][1] > first else first + 1
    return found


def _said(part: str, wanted: set[str]) -> list[str]:
    """Modalities that a part of a path says, the last first."""
    return [name for *_, name in reversed(_spans(words_of(part), wanted))]


def _without(part: str, wanted: set[str]) -> str:
    """The other words of a part of a path."""
    words = words_of(part)
    said = {i for first, last, _ in _spans(words, wanted) for i in range(first, last)}
    return "_".join(word for i, word in enumerate(words) if i not in said and word != SYNTHETIC)
