"""From a folder of scans to a list of them, each with its subject and, where there is one, its mask."""

import csv
import json
import logging
import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..distributed import rank, wait
from ..errors import InputError
from .phantom import make_cohort
from .stem import nifti_stem

__all__ = ["find_scans"]

logger = logging.getLogger(__name__)

SUFFIXES = (".nii", ".nii.gz")
MASK_FOLDER = re.compile(r"(labels?|masks?|segmentations?)([_-].*|Tr|Ts)?$", re.IGNORECASE)
MASK_FILE = re.compile(r"((?P<case>.*)[_-])?(seg|mask|label)$", re.IGNORECASE)
# folders that hold scans of many subjects
PART_FOLDER = re.compile(r"(images?|train(ing)?|val(idation)?|test(ing)?)([_-].*|Tr|Ts|Val)?$", re.IGNORECASE)
CHANNEL = re.compile(r"_\d{4}$")  # nnU-Net: CASE_0000.nii.gz is channel 0 of CASE
BIDS_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")


def find_scans(
    dataset_dir: str | os.PathLike | None,
    synthetic_dir: str | os.PathLike = "synthetic",
    images: Sequence[str] = ("image",),
) -> list[dict]:
    """List the scans of a cohort.

    Args:
        dataset_dir: a folder of NIfTI files, nested or not; a folder with a Decathlon `dataset.json`; an nnU-Net raw
            folder; or a JSON or CSV list whose items have the `images` and, where known, `subject` and `label`.
            None, or null as a command line says it: a synthetic cohort, made in `synthetic_dir`.
        synthetic_dir: where the synthetic cohort is, or goes.
        images: keys of a scan's images in a list, the first of which is `image`; several need a list.

    Returns:
        One item a scan, sorted by path: its images (absolute paths), `subject`, `scan` (its number), and `label`
        (absolute path) where there is a mask.

    Raises:
        InputError: there is no such folder or list, or there are no scans in it.
    """
    if images[0] != "image":
        raise InputError(f"images is {list(images)}: the first has to be image.")
    path = _synthetic(synthetic_dir) if dataset_dir in (None, "null") else Path(dataset_dir).expanduser().absolute()
    if not path.exists():
        raise InputError(f"There is no {path}: give dataset_dir the folder of your scans, or a JSON or CSV list.")
    if path.is_file():
        scans = _from_list(path, images)
    elif _decathlon_items(path):
        scans = _from_items(_decathlon_items(path), path / "dataset.json", images)
    elif tuple(images) != ("image",):
        raise InputError(
            f"{path} is a folder, which gives one image a scan: give dataset_dir a JSON or CSV list with the columns "
            f"{', '.join(images)} and subject."
        )
    else:
        scans = _from_folder(path)
    if not scans:
        raise InputError(f"There are no NIfTI scans (.nii, .nii.gz) in {path}: give dataset_dir the folder that has.")
    scans = [scan | {"scan": i} for i, scan in enumerate(sorted(scans, key=lambda scan: scan["image"]))]
    subjects = len({scan["subject"] for scan in scans})
    masks = sum("label" in scan for scan in scans)
    logger.info(f"{path}: {len(scans)} scans of {subjects} subjects, {masks} with a mask.")
    return scans


def _synthetic(folder: str | os.PathLike) -> Path:
    """The synthetic cohort, made by one process while the others wait."""
    logger.info(f"No dataset_dir was given: this run uses a synthetic cohort, in {folder}.")
    if rank() == 0:
        make_cohort(folder)
    wait()
    return Path(folder).absolute()


def _from_list(path: Path, images: Sequence[str]) -> list[dict]:
    """Read a JSON list (or Decathlon's lists `training`, `validation` and `test`) or a CSV table."""
    if path.suffix == ".csv":
        try:
            with open(path, newline="", encoding="utf-8-sig") as file:
                return _from_items(list(csv.DictReader(file)), path, images)
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not a text in UTF-8: save it as CSV in UTF-8.") from error
    if path.suffix != ".json":
        raise InputError(f"{path} is neither a folder nor a .json or .csv list: give dataset_dir one of these.")
    return _from_items(_items(_read_json(path)), path, images)


def _decathlon_items(folder: Path) -> list:
    """Items of a Decathlon dataset.json; none where the file lists no scans (nnU-Net's has no such lists)."""
    path = folder / "dataset.json"
    return _items(_read_json(path)) if path.is_file() else []


def _read_json(path: Path):
    try:
        return json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid JSON ({error}): mend the file.") from error


def _items(content) -> list:
    if isinstance(content, dict):
        parts = (content.get(part, []) for part in ("training", "validation", "test"))
        return [item for part in parts if isinstance(part, list) for item in part]
    return content


def _from_items(items: list, source: Path, images: Sequence[str]) -> list[dict]:
    """Make paths absolute and fill in the subjects."""
    if not isinstance(items, list):
        raise InputError(f"{source} is not a list of scans: make it one, of paths or of items with image and subject.")
    scans = [_scan(item, source, images) for item in items]
    subjects = _subjects([Path(scan["image"]) for scan in scans])
    return [{"subject": subject} | scan for scan, subject in zip(scans, subjects, strict=True)]


def _scan(item, source: Path, images: Sequence[str]) -> dict:
    item = {"image": item} if isinstance(item, str) else item
    for key in images:
        if not isinstance(item, dict) or not isinstance(item.get(key), str) or not item[key]:
            raise InputError(f"An item of {source} has no {key} ({item}): every item needs the path of its scan.")
    scan = {key: str(_resolve(item[key], source)) for key in (*images, "label") if item.get(key)}
    return scan | ({"subject": str(item["subject"])} if item.get("subject") not in (None, "") else {})


def _resolve(path: str, source: Path) -> Path:
    resolved = Path(os.path.normpath(source.parent / path))
    if not resolved.is_file():
        raise InputError(f"{source} lists {path}, but there is no {resolved}: correct the path.")
    return resolved


def _from_folder(root: Path) -> list[dict]:
    """Find NIfTI files; those that are masks by their names go with the scans that they belong to."""
    files = _nifti_files(root)
    masks = [path for path in files if _in_mask_folder(path, root) or MASK_FILE.match(nifti_stem(path))]
    images = sorted(set(files).difference(masks))
    if images and masks:
        logger.info(f"{len(masks)} files were taken for masks by their names ({min(masks).relative_to(root)}, ...).")
    labels = _labels(images, masks, root)
    return [
        {"image": str(path), "subject": subject} | ({"label": str(labels[path])} if path in labels else {})
        for path, subject in zip(images, _subjects(images), strict=True)
    ]


def _nifti_files(root: Path) -> list[Path]:
    """NIfTI files below a folder, through links too, less hidden ones."""
    files, seen = [], set()
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        found = (name for name in names if name.lower().endswith(SUFFIXES) and not name.startswith("."))
        files += [Path(folder) / name for name in found if (Path(folder) / name).is_file()]
    return files


def _in_mask_folder(path: Path, root: Path) -> bool:
    return any(MASK_FOLDER.match(part) for part in path.relative_to(root).parts[:-1])


def _labels(images: list[Path], masks: list[Path], root: Path) -> dict[Path, Path]:
    """The mask of each image: labels/CASE.nii.gz; CASE_seg.nii.gz beside it; or the one mask of a case's folder.

    Where several masks would do, which one is meant cannot be known, and the image has none.
    """
    apart = [path for path in masks if _in_mask_folder(path, root)]
    count = Counter(map(nifti_stem, apart))
    by_name = {nifti_stem(path): path for path in apart if count[nifti_stem(path)] == 1}
    beside: dict[Path, dict[str, Path]] = defaultdict(dict)
    cases: dict[Path, set[str]] = defaultdict(set)
    for path in set(masks).difference(apart):
        if match := MASK_FILE.match(nifti_stem(path)):
            beside[path.parent][match["case"]] = path
    names = dict(zip(images, _cases(images), strict=True))
    for path, name in names.items():
        cases[path.parent].add(name)
    labels: dict[Path, Path] = {}
    for path, name in names.items():
        shared = [mask for case, mask in beside[path.parent].items() if case not in cases[path.parent]]
        own = by_name.get(name) or beside[path.parent].get(name)
        label = own or (shared[0] if len(shared) == 1 else None)
        labels |= {path: label} if label else {}
    return labels


def _cases(paths: list[Path]) -> list[str]:
    """File names without suffix and, where all of several cases have nnU-Net's channels, without these."""
    stems = [nifti_stem(path) for path in paths]
    cases = [CHANNEL.sub("", stem) for stem in stems]
    first = {f"{case}_0000" for case in cases}
    return cases if len(first) > 1 and first.issubset(stems) else stems


def _subjects(paths: list[Path]) -> list[str]:
    """The BIDS subject where a path has one; else the topmost folder in which they differ; else the file's case.

    One folder too many is one subject too few, which is seen; one too few would put a subject on two sides.
    """
    common = Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
    return [_subject(path.relative_to(common), case) for path, case in zip(paths, _cases(paths), strict=True)]


def _subject(path: Path, case: str) -> str:
    bids = [match.group() for match in map(BIDS_SUBJECT.match, path.parts) if match]
    folders = [part for part in path.parts[:-1] if not PART_FOLDER.match(part)]
    return next(iter(bids + folders), case)
