"""What the parts of a name say: which person, or which contrast, visit or file of theirs."""

import functools
import re

__all__ = [
    "BODY",
    "PART_FOLDER",
    "SHORT_VISIT",
    "UID",
    "bare",
    "bare_front",
    "identifier",
    "is_bids",
    "is_place",
    "part_number",
    "rank",
    "repeat_of",
]

CONTRAST = (
    r"t[12](w|c|ce|gd|n|f|wce|flair|star|starw|s)?|pdw?|pdt2|flair|dwi|dti|adc|fa|md|b\d{1,4}|mra|swi|asl|bold|rest|func|"
    r"perf|mri?|ct[a\d]?|ctres|pet|suv|petct|spect|mprage|mp2?rage|mpr?|rage|unit1|f?spgr|gre|fse|tse|tof|stir|dixon|dce|dsc|"
    r"inv\d|ce|gd|contrast|noncontrast|ax|axial|sag|sagittal|cor|coronal|tra|mag|magnitude|phase|(1[.p]?5|3|7)t"
)
VISIT_WORD = (
    r"ses|sess|session|visit|tp|timepoint|time|run|rep|repeat|retest|scan|acq|mr|month|week|day|year|echo|series|study|"
    r"exam|followup|follow|fu|baseline|bl"
)
VISIT = (
    rf"({VISIT_WORD})\d*|[vmwdyet]\d+|sc|screening|up|pre|post|preop|postop|pretreatment|posttreatment|before|after|"
    r"early|late|later|first|second|third"
)
PLAIN = (
    r"anat|raw|rawdata|sourcedata|data|nii|nifti|dicoms?|dcm|images?|imaging|img|scans?|volumes?|vol|brain|head|orig|"
    r"original|proc|processed|unprocessed|procimg|preproc|preprocessed|stripped|bet|n[34]|bias|reg|registered|resampled|"
    r"warped|synthetic|norm|defaced|defacemask|restore|restored|acpc|dc|final|mni|mninonlinear|native|structurals?|anonymi[sz]ed|anon"
)
NBIA = r"\d\d-\d\d-(19|20)\d\d-.*|\d+\.0+-.*"  # TCIA's folders of studies and series
WORD = re.compile(rf"{CONTRAST}|{VISIT}|{PLAIN}|{NBIA}", re.IGNORECASE)
CONTRAST_WORD = re.compile(CONTRAST, re.IGNORECASE)
SHORT_VISIT = re.compile(r"[vmwdyet]\d+", re.IGNORECASE)  # which may be a person's name as well
BODY = re.compile(
    r"(fe)?male|brain|head|neck|spine|thorax|chest|breast|lungs?|heart|abdomen|liver|pelvis|prostate|hip|knee"
)
UID = re.compile(r"\d+(\.\d+){4,}")  # of DICOM
NUMBERED = re.compile(
    rf"(?P<before>(.*[_\-\s.])?)({VISIT_WORD}|image|img|volume|vol)([_\-\s.]?\d+)([_\-\s.]\d+)*", re.IGNORECASE
)
DATE = r"(19|20)\d\d(?P<sign>[-_.]?)(0\d|1[0-2])(?P=sign)(0[1-9]|[12]\d|3[01])"
LAST_DATE = re.compile(rf"(?P<before>.*?)(^|[_\-\s.]){DATE}([T_\-\s.]\d\d[-_.:]?\d\d([-_.:]?\d\d(\.\d+)?)?)?$")
FIRST_DATE = re.compile(rf"{DATE}[_\-\s.]+(?P<after>.+)")
LAST = re.compile(r"(?P<before>.*[^_\-\s.])(?:[_\-\s]+|\.(?!\d)|(?<!\d)\.)(?P<last>[^_\-\s]+)")
FIRST = re.compile(r"(?P<first>[^_\-\s]+)[_\-\s]+(?P<after>.+)")
GLUED = re.compile(rf"(?P<before>.*\d)(?P<last>[a-z]|{CONTRAST}|pre|post)", re.IGNORECASE)

# folders that hold scans of many subjects
PART_FOLDER = re.compile(r"(images?|train(ing)?|val(idation)?|test(ing)?)([_-].*|Tr|Ts|Val)?$", re.IGNORECASE)
PLACE = re.compile(
    r"(site|cent(er|re)|hospital|clinic|scanner|cohort|data|dataset|group|batch|part|fold|(sub)?set|dis[ck]|vendor|task)"
    r"([_\-\s]?\w+)?|hc|ad|[el]?mci|cn|nc|controls?|health(y|ies)|patients|cases|normals?|abnormal|[hl]gg",
    re.IGNORECASE,
)
NUMBERED_PART = re.compile(r".*?[_-](?P<number>\d+)[a-z]?(?![A-Za-z0-9])")  # may be a person's: train_001
SITE = re.compile(r"(site|scanner|cent(er|re))\w+", re.IGNORECASE)
PERSON = re.compile(
    r"(p|pt|pat|patients?|sub|subj|subjects?|id|participant|case|person|volunteer|proband|mouse|rat|animal|pancreas)"
    r"[_\-\s]?\d+.*",
    re.IGNORECASE,
)
BIDS = re.compile(r"sub-[A-Za-z0-9]+")
# of TCIA, ADNI, OASIS 1 and 2, OASIS 3 and 4, UK Biobank before field, visit and array, and the BraTS challenges since
# 2023, whose last number is the visit
KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(TCGA[-_ ][A-Z0-9]{2}[-_ ][A-Z0-9]{4}|\d{3}_S_\d{4,5}|OAS[12]_\d{4}|OAS[34]\d{4}"
    r"|\d{7}(?=_2\d{4}_\d_\d{1,2}(?![A-Za-z0-9]))"
    r"|BraTS-[A-Za-z]{3,4}-\d{5}(?=-\d{3}))(?![A-Za-z0-9])"
)


def is_bids(name: str) -> bool:
    """Whether a name begins as BIDS' do, with a subject."""
    return bool(BIDS.match(name))


def identifier(name: str) -> str | None:
    """The person in the name of a file or folder by a convention that many data sets share, if it follows one.

    Example:
        >>> identifier("sub-01_ses-2_T1w"), identifier("ADNI_002_S_0295_MR_MPR_I13722"), identifier("P01_T1")
        ('sub-01', '002_S_0295', None)
    """
    match = BIDS.match(name) or KNOWN.search(name)
    return match.group() if match else None


@functools.cache
def bare(name: str) -> str:
    """A name less the words behind it that say a contrast, a visit or nothing; empty if it has no others.

    Example:
        >>> bare("IXI002-Guys-0828-T1"), bare("P01_visit2_MPRAGE"), bare("week-000-1"), bare("T1w"), bare("volume-7")
        ('IXI002-Guys-0828', 'P01', '', '', '')
    """
    while name != (shorter := _shorter(name)):
        name = shorter
    return name


def _shorter(name: str) -> str:
    if WORD.fullmatch(name):
        return name if SHORT_VISIT.fullmatch(name) and not CONTRAST_WORD.fullmatch(name) else ""
    if match := LAST_DATE.fullmatch(name) or NUMBERED.fullmatch(name):
        before = match["before"].rstrip("_- .")
        if not before or re.search(r"\d", before):  # else the number may be a person's
            return before
    if match := FIRST_DATE.fullmatch(name):
        return match["after"]
    matches = filter(None, (LAST.fullmatch(name), GLUED.fullmatch(name)))
    return next((match["before"].rstrip("_- .") for match in matches if WORD.fullmatch(match["last"])), name)


def bare_front(name: str) -> str:
    """A name less a contrast, a visit or a place before it.

    Example:
        >>> bare_front("T1_P01"), bare_front("site2-007"), bare_front("HC_001")
        ('P01', '007', 'HC_001')
    """
    match = FIRST.fullmatch(name)
    return match["after"] if match and (WORD.fullmatch(match["first"]) or SITE.fullmatch(match["first"])) else name


def repeat_of(name: str) -> tuple[str, str]:
    """A name less its last part, and that part: what comes after the last separator, or one letter after a digit.

    Example:
        >>> repeat_of("P01_a"), repeat_of("P01b"), repeat_of("P01")
        (('P01', 'a'), ('P01', 'b'), ('P01', ''))
    """
    match = LAST.fullmatch(name) or GLUED.fullmatch(name)
    return (match["before"].rstrip("_- ."), match["last"]) if match else (name, "")


def is_place(name: str) -> bool:
    """Whether a folder's name is that of a place or group, where many people are."""
    return bool(PLACE.fullmatch(name))


def part_number(name: str) -> str:
    """The number of a folder that is called as one of many subjects is, but may be a person's; else nothing.

    Example:
        >>> part_number("train_001"), part_number("image-7_T1"), part_number("imagesTr"), part_number("P01")
        ('001', '7', '', '')
    """
    match = NUMBERED_PART.match(name) if PART_FOLDER.match(name) else None
    return match["number"] if match else ""


def rank(names: set[str]) -> float:
    """How much names look like those of people.

    Returns:
        0 for places and groups, 1 for words, 1.5 for short numbers, 2 for codes, 3 for words such as patient with
        numbers.
    """
    if all(map(is_place, names)):
        return 0
    if len({tuple(re.findall(r"\d+", name)) for name in names}) < max(2, len(names) / 2):
        return 1
    if sum(bool(PERSON.fullmatch(name)) for name in names) >= len(names) / 2:
        return 3
    return 1.5 if all(re.fullmatch(r"\d{1,4}", name) for name in names) else 2
