"""What the lists of known data sets have in common."""

import logging
import os
from pathlib import Path

from ..errors import InputError, counted, some

__all__ = ["existing_folder", "numbered", "require_files"]

logger = logging.getLogger(__name__)


def existing_folder(dataset_dir: str | os.PathLike | None, layout: str) -> Path:
    """The absolute path of a folder; an `InputError` that says what it should hold where there is none."""
    if dataset_dir is None or not os.path.isdir(os.path.expanduser(dataset_dir)):
        raise InputError(f"dataset_dir is {dataset_dir}, which is no folder: give it the one that holds {layout}.")
    return Path(dataset_dir).expanduser().absolute()


def require_files(scans: list[dict]) -> None:
    """Raise an `InputError` that names the images and masks that are not there, the first of them."""
    files = sorted(path for scan in scans for key, path in scan.items() if key != "subject")
    missing = [path for path in files if not os.path.isfile(path)]
    if missing:
        raise InputError(
            f"There is no {some(missing, between=', no ')}: complete the data set, or take these cases out of it."
        )


def numbered(scans: list[dict], root: Path) -> list[dict]:
    """Sort scans by path, number them, and say how many there are."""
    subjects = len({scan["subject"] for scan in scans})
    logger.info(f"{root}: {counted(len(scans), 'scan')} of {counted(subjects, 'subject')}, all with a mask.")
    return [scan | {"scan": i} for i, scan in enumerate(sorted(scans, key=lambda scan: scan["image"]))]
