"""From a folder of scans to lists of scans, split by subject."""

import csv
import json
import logging
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np

from .checkpoint import write_atomically
from .distributed import rank, wait
from .errors import InputError
from .phantom import make_cohort

__all__ = ["find_scans", "recorded_split", "split_scans", "write_split"]

logger = logging.getLogger(__name__)

SUFFIXES = (".nii", ".nii.gz")
MASK_FOLDER = re.compile(r"(labels?|masks?|segmentations?)([_\-].*|Tr|Ts)?$", re.IGNORECASE)
MASK_FILE = re.compile(r"(.*[_\-])?(seg|mask|label)$", re.IGNORECASE)
CHANNEL = re.compile(r"_\d{4}$")  # nnU-Net: CASE_0000.nii.gz is channel 0 of CASE
BIDS_SUBJECT = re.compile(r"(sub-[A-Za-z0-9]+)")


PARTS = ("train", "validate", "test")


def find_scans(dataset_dir: str | os.PathLike | None, synthetic_dir: str | os.PathLike = "synthetic") -> list[dict]:
    """List the scans of a cohort.

    Args:
        dataset_dir: a folder of NIfTI files, nested or not; a folder with a Decathlon `dataset.json`; an nnU-Net raw
            folder; or a JSON or CSV list whose items have `image` and, where known, `subject` and `label`. None: a
            synthetic cohort, made in `synthetic_dir`.
        synthetic_dir: where the synthetic cohort is, or goes.

    Returns:
        One item a scan, sorted by path: `image` (absolute path), `subject`, `scan` (its number), and `label` (absolute
        path) where there is a mask.

    Raises:
        InputError: there is no such folder or list, or there are no scans in it.
    """
    path = _synthetic(synthetic_dir) if dataset_dir is None else Path(dataset_dir).expanduser().absolute()
    if not path.exists():
        raise InputError(f"There is no {path}: give dataset_dir the folder of your scans, or a JSON or CSV list.")
    if path.is_file():
        scans = _from_list(path)
    elif _decathlon_items(path):
        scans = _from_items(_decathlon_items(path), path, path / "dataset.json")
    else:
        scans = _from_folder(path)
    if not scans:
        raise InputError(f"There are no NIfTI scans (.nii, .nii.gz) in {path}: give dataset_dir the folder that has.")
    scans = [scan | {"scan": i} for i, scan in enumerate(sorted(scans, key=lambda scan: scan["image"]))]
    subjects = len({scan["subject"] for scan in scans})
    masks = sum("label" in scan for scan in scans)
    logger.info(f"{path}: {len(scans)} scans of {subjects} subjects, {masks} with a mask.")
    return scans


def split_scans(scans: list[dict], val_size: float, test_size: float, seed: int) -> dict[str, list[dict]]:
    """Split scans at random so that no subject is on two sides.

    Args:
        scans: items of `find_scans`.
        val_size: subjects to validate on: a share of them (float below 1) or their number (int).
        test_size: subjects that training never sees, likewise.
        seed: the same seed and subjects give the same split.

    Returns:
        The items under `train`, `validate` and `test`.

    Raises:
        InputError: there are too few subjects for each part to have one.
    """
    subjects = sorted({scan["subject"] for scan in scans})
    n_val, n_test = (max(1, round(size * len(subjects))) if size < 1 else int(size) for size in (val_size, test_size))
    if len(subjects) < n_val + n_test + 1:
        raise InputError(
            f"{len(subjects)} subjects ({', '.join(subjects[:3])}...) cannot be split into training, {n_val} for "
            f"validation and {n_test} for testing: lower val_size or test_size, or add scans. If several subjects "
            "were taken for one, give dataset_dir a CSV list with the columns image and subject."
        )
    order = np.random.RandomState(seed).permutation(subjects)
    test, validate, train = (set(part) for part in np.split(order, [n_test, n_test + n_val]))
    parts = zip(PARTS, (train, validate, test), strict=True)
    return {name: [scan for scan in scans if scan["subject"] in part] for name, part in parts}


def write_split(split: dict[str, list[dict]], path: str | os.PathLike) -> None:
    """Write the subjects of each part to a JSON file, or check that they are those that it holds.

    Raises:
        InputError: the file holds another split: the scans, the seed or the sizes are not those of its run.
    """
    subjects, path = _subjects(split), Path(path)
    if path.is_file() and json.loads(path.read_text()) != subjects:
        raise InputError(f"{path} holds another split than these scans, seed and sizes give: use those of its run.")
    if rank() == 0:
        write_atomically(path, lambda file: file.write_text(json.dumps(subjects, indent=4)))


def recorded_split(
    scans: list[dict], path: str | os.PathLike, val_size: float, test_size: float, seed: int
) -> dict[str, list[dict]]:
    """Split scans as a training run did, so that what was trained on is not tested on.

    Args:
        scans: items of `find_scans`.
        path: the split.json of the run. Its subjects keep their part; others, never trained on, are tested on. Where
            it knows none of them, or there is no such file, a split is drawn as by `split_scans`.
        val_size, test_size, seed: as for `split_scans`.

    Returns:
        The items under `train`, `validate` and `test`.

    Raises:
        InputError: a part has no subject, or there are too few to split.
    """
    if not Path(path).is_file():
        logger.warning(f"There is no {path}: whether the encoder was trained on these subjects cannot be known.")
        return split_scans(scans, val_size, test_size, seed)
    recorded = json.loads(Path(path).read_text())
    part = {subject: name for name in PARTS for subject in recorded[name]}
    if not any(scan["subject"] in part for scan in scans):
        logger.info(f"None of these subjects is in {path}: the encoder has seen none of them.")
        return split_scans(scans, val_size, test_size, seed)
    split = {name: [scan for scan in scans if part.get(scan["subject"], "test") == name] for name in PARTS}
    for name, members in split.items():
        if not members:
            raise InputError(f"None of these scans is of a subject under '{name}' in {path}: evaluate on its cohort.")
    return split


def _subjects(split: dict[str, list[dict]]) -> dict[str, list[str]]:
    return {name: sorted({scan["subject"] for scan in split[name]}) for name in PARTS}


def _synthetic(folder: str | os.PathLike) -> Path:
    """The synthetic cohort, made by one process while the others wait."""
    logger.info(f"No dataset_dir was given: this run uses a synthetic cohort, in {folder}.")
    if rank() == 0:
        make_cohort(folder)
    wait()
    return Path(folder).absolute()


def _from_list(path: Path) -> list[dict]:
    """Read a JSON list (or Decathlon-like `training`, `validation`, `test` lists) or a CSV table."""
    if path.suffix == ".csv":
        with open(path, newline="") as file:
            return _from_items(list(csv.DictReader(file)), path.parent, path)
    if path.suffix != ".json":
        raise InputError(f"{path} is neither a folder nor a .json or .csv list: give dataset_dir one of these.")
    return _from_items(_items(_read_json(path)), path.parent, path)


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


def _from_items(items: list, root: Path, source: Path) -> list[dict]:
    """Make paths absolute and fill in the subject."""
    scans = []
    for item in items:
        item = {"image": item} if isinstance(item, str) else dict(item)
        if not item.get("image"):
            raise InputError(f"An item of {source} has no image ({item}): every item needs the path of its scan.")
        scan = {key: str(_resolve(root, item[key], source)) for key in ("image", "label") if item.get(key)}
        scans.append(scan | {"subject": str(item.get("subject") or _subject(Path(scan["image"]).name))})
    return scans


def _resolve(root: Path, path: str, source: Path) -> Path:
    resolved = Path(os.path.normpath(root / path))
    if not resolved.is_file():
        raise InputError(f"{source} lists {path}, but there is no {resolved}: correct the path.")
    return resolved


def _from_folder(root: Path) -> list[dict]:
    """Find NIfTI files; those in mask folders, or named as masks, become labels of the scans that they belong to."""
    files = [path for path in root.rglob("*") if path.name.lower().endswith(SUFFIXES) and path.is_file()]
    masks = {path for path in files if _is_mask(path.relative_to(root))}
    images = [path for path in files if path not in masks]
    if images and masks:
        logger.info(f"{len(masks)} files were taken for masks by their names ({min(masks).relative_to(root)}, ...).")
    labels = _labels(masks)
    nested = len({path.parent for path in images}) > 1
    common = Path(os.path.commonpath([path.parent for path in images])) if images else root
    scans = []
    for path in images:
        parts = path.relative_to(common).parts
        subject = _subject(path.name, folder=parts[0] if nested and len(parts) > 1 else None)
        label = labels.get(_stem(path.name)) or labels.get(path.parent)
        scans.append({"image": str(path), "subject": subject} | ({"label": str(label)} if label else {}))
    return scans


def _is_mask(path: Path) -> bool:
    return any(MASK_FOLDER.match(part) for part in path.parts[:-1]) or bool(MASK_FILE.match(_stem(path.name)))


def _labels(masks: set[Path]) -> dict:
    """Masks by the name of their scan (labels/CASE.nii.gz), or by the folder that they share with it (CASE/SEG.nii.gz).

    Names that more than one mask answers to are left out: which one is meant cannot be known.
    """
    keys = [(_stem(path.name) if not MASK_FILE.match(_stem(path.name)) else path.parent, path) for path in masks]
    count = Counter(key for key, _ in keys)
    return {key: path for key, path in keys if count[key] == 1}


def _stem(name: str) -> str:
    """File name without suffix and nnU-Net channel: CASE_0000.nii.gz -> CASE."""
    return CHANNEL.sub("", re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE))


def _subject(name: str, folder: str | None = None) -> str:
    """The BIDS subject where the name has one; else the subject's folder; else the file's own name."""
    bids = BIDS_SUBJECT.match(folder or "") or BIDS_SUBJECT.match(name)
    return bids.group(1) if bids else folder or _stem(name)
