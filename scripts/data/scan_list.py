"""Scans as a list names them: a JSON file, Decathlon's and nnU-Net's dataset.json, or a CSV table."""

import csv
import glob
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from ..errors import InputError, some
from .names.masks import is_mask, shows_no_lesion
from .stem import scan_stem

__all__ = ["as_label", "listed_in_folder", "read_list", "read_table_of_images"]


def read_list(path: Path, images: Sequence[str]) -> list[dict]:
    """Read a JSON list (or Decathlon's lists `training`, `validation` and `test`) or a CSV table.

    Args:
        path: of the list.
        images: keys of a scan's images.

    Returns:
        One item a scan: its images and, where known, `label` (a mask, or a list of several), as absolute paths, and
        `subject`; and `listed`, True.

    Raises:
        InputError: the list cannot be read, an item lacks an image or its label is no path, or there is no such file.
    """
    return _scans(_content(path), path, images)


def read_table_of_images(path: Path) -> list[dict]:
    """Read a list whose items name several images each, of which any may be missing.

    Args:
        path: of the list, as for `read_list`.

    Returns:
        One item a row that names an image: `images`, absolute paths by the columns' names, `label` and `subject` where
        known, and `listed`, True. A column is one of images if it has files of scans, and names no masks: one that does
        (`mask`, `seg`) is the label, unless its masks are of a brain or body.

    Raises:
        InputError: as by `read_list`; or there is a column `image` beside those of modalities, or two are of masks.
    """
    content = _content(path)
    rows = [row for row in content if isinstance(row, dict)] if isinstance(content, list) else []
    files = dict.fromkeys(key for row in rows for key, cell in row.items() if _is_file(key, cell))
    columns = [key for key in files if key not in ("image", "label") and not is_mask(PurePath(key))]
    if columns and "image" in files:
        raise InputError(
            f"{path} has the column image beside {some(columns)}: call it by its modality, or leave it out."
        )
    masks = [key for key in files if is_mask(PurePath(key)) and not shows_no_lesion(PurePath(key))]
    if columns and len(masks) > 1:
        raise InputError(f"{path} has several columns of masks ({some(masks)}): leave one, called label.")
    marked = [row | {"label": row.get(masks[0])} if masks else row for row in rows]
    return [_row(row, columns, path) for row in marked if any(row.get(key) for key in columns)]


def _is_file(key: str, cell) -> bool:
    return key != "subject" and isinstance(cell, str) and scan_stem(cell) != Path(cell).name


def _row(row: dict, columns: Iterable[str], source: Path) -> dict:
    if odd := next((key for key in columns if row.get(key) and not isinstance(row[key], str)), None):
        raise InputError(f"{source} gives {odd} the value {json.dumps(row[odd])}: give the path of one image.")
    images = {key: str(_resolve(row[key], source)) for key in columns if row.get(key)}
    return {"images": images} | _scan(row | {"image": next(iter(images.values()))}, source, ["image"])


def listed_in_folder(folder: Path, images: Sequence[str]) -> list[dict]:
    """Scans of a folder's dataset.json, as `read_list`; none where it has none, or lists none (as nnU-Net's)."""
    path = folder / "dataset.json"
    items = _items(_read_json(path)) if path.is_file() else []
    return _scans(items, path, images) if items else []


def _content(path: Path):
    if path.suffix == ".csv":
        return _rows(path)
    if path.suffix != ".json":
        raise InputError(f"{path} is neither a folder nor a .json or .csv list: give dataset_dir one of these.")
    return _items(_read_json(path))


def _rows(path: Path) -> list[dict]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text in UTF-8: save it as CSV in UTF-8.") from error


def _read_json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid JSON ({error}): mend the file.") from error


def _items(content) -> list:
    if isinstance(content, dict):
        parts = (content.get(part, []) for part in ("training", "validation", "test"))
        return [item for part in parts if isinstance(part, list) for item in part]
    return content


def _scans(items: list, source: Path, images: Sequence[str]) -> list[dict]:
    if not isinstance(items, list):
        raise InputError(f"{source} is not a list of scans: make it one, of paths or of items with image and subject.")
    return [scan for item in items for scan in _channels(item, source, images) or [_scan(item, source, images)]]


def _channels(item, source: Path, images: Sequence[str]) -> list[dict]:
    """Scans of an item that nnU-Net's first version lists: CASE.nii.gz, where CASE_0000.nii.gz and so on are."""
    item = {"image": item} if isinstance(item, str) else item
    if tuple(images) != ("image",) or not isinstance(item, dict) or not isinstance(item.get("image"), str):
        return []
    path = _absolute(item["image"], source)
    if path.exists() or not path.name.endswith(".nii.gz"):
        return []
    case = path.name.removesuffix(".nii.gz")
    files = sorted(path.parent.glob(f"{glob.escape(case)}_[0-9][0-9][0-9][0-9].nii.gz"))
    return [{"subject": case} | _scan(item | {"image": str(file)}, source, images) for file in files]


def _scan(item, source: Path, images: Sequence[str]) -> dict:
    item = {"image": item} if isinstance(item, str) else item
    for key in images:
        if not isinstance(item, dict) or not isinstance(item.get(key), str) or not item[key]:
            raise InputError(f"An item of {source} has no {key} ({item}): every item needs the path of its scan.")
    scan: dict = {"listed": True} | {key: str(_resolve(item[key], source)) for key in images}
    if masks := _masks(item, source):
        scan["label"] = as_label([str(_resolve(mask, source)) for mask in masks])
    return scan | ({"subject": str(item["subject"])} if item.get("subject") not in (None, "") else {})


def _masks(item: dict, source: Path) -> list[str]:
    label = item.get("label")
    masks = [label] if isinstance(label, str) else [] if label is None else label
    if not isinstance(masks, list) or not all(isinstance(mask, str) for mask in masks):
        raise InputError(
            f"{source} gives {item['image']} the label {json.dumps(label)}: give the path of its mask, or a list of "
            "such; class labels come from a table (labels)."
        )
    return [mask for mask in masks if mask]


def as_label(masks: list[str]) -> str | list[str]:
    """The `label` of a scan: its mask, or all of several."""
    return masks[0] if len(masks) == 1 else masks


def _absolute(path: str, source: Path) -> Path:
    return Path(os.path.normpath(source.parent / path))


def _resolve(path: str, source: Path) -> Path:
    resolved = _absolute(path, source)
    if not resolved.exists():
        link = " but a link to nothing (datalad get, or git annex get)" if resolved.is_symlink() else ""
        raise InputError(f"{source} lists {path}, but there is no {resolved}{link}: correct the path.")
    return resolved
