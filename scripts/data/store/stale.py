"""Entries of a store that are of no use any more: what they are, how large, and their removal.

python -m scripts.data.store.stale /my/store
"""

import argparse
import json
import logging
import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from ...errors import InputError, counted, report_input_errors
from ..checks.content import content_of
from .code import code_of, versions
from .items import ITEM, is_whole

__all__ = ["Stale", "remove", "stale_entries"]

DAY = 86400  # seconds
ENTRY = re.compile(r"[0-9a-f]{32}|\.[0-9a-f]{32}\..+")  # the latter while it is filled


class Stale(NamedTuple):
    """An entry that is of no use: its folder, why it is, and its bytes."""

    folder: Path
    reason: str
    size: int


def stale_entries(store: str | Path, unused: float | None = None) -> list[Stale]:
    """Entries that no training of this version can use, in the order of their names.

    A scan that is not where it was prepared counts as gone. Folders that are no entries are left out.

    Args:
        store: folder of a store.
        unused: days; entries that none has begun with for so long are stale as well. None: none are for that.

    Raises:
        InputError: it is no store.
    """
    folders = sorted(Path(store).iterdir()) if Path(store).is_dir() else []
    folders = [path for path in folders if ENTRY.fullmatch(path.name) and path.is_dir()]  # and nothing of others
    if not any((folder / ITEM).is_file() for folder in folders):
        raise InputError(f"{store} holds no prepared scans: give the store_dir of a training.")
    found = [(folder, _reason(folder, unused)) for folder in folders]
    return [Stale(folder, reason, _size(folder)) for folder, reason in found if reason]


def remove(stale: list[Stale]) -> None:
    """Remove them; a training that reads one has what it opened, and prepares a scan anew that it opens later."""
    for one in stale:
        shutil.rmtree(one.folder, ignore_errors=True)


def _reason(folder: Path, unused: float | None) -> str:
    """Why an entry is stale; nothing where it is not."""
    days = (time.time() - _used(folder)) / DAY
    if folder.name.startswith("."):  # of a process that may be at work elsewhere
        return "left by a process that ended" if days > 1 else ""
    if not is_whole(folder):
        return "not whole"
    about = json.loads((folder / ITEM).read_text(encoding="utf-8"))["about"]
    return _outdated(about) or (f"unused for {days:.0f} days" if unused is not None and days > unused else "")


def _outdated(about: dict) -> str:
    for name, version in versions().items():
        if about["versions"].get(name) != version:
            return f"made by {name} {about['versions'].get(name)}"
    now = code_of(about["code"])
    for name, number in about["code"].items():
        if now.get(name) != number:
            return f"made by another {name}"
    for path, content in about["files"].items():
        if not Path(path).is_file():
            return f"{path} is not there any more"
        if content_of(path) != content:
            return f"{path} has changed"
    return ""


def _used(folder: Path) -> float:
    item = folder / ITEM
    return (item if item.is_file() else folder).stat().st_mtime


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


if __name__ == "__main__":
    report_input_errors()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m scripts.data.store.stale", description=__doc__)
    parser.add_argument("store", help="the store_dir of trainings")
    parser.add_argument("--unused", type=float, metavar="DAYS", help="also what no training has begun with for so long")
    parser.add_argument("--remove", action="store_true", help="remove what is listed")
    given = parser.parse_args()
    listed = stale_entries(given.store, given.unused)
    for entry in listed:
        print(f"{entry.folder.name}  {entry.size / 1e6:8.1f} MB  {entry.reason}")
    if given.remove:
        remove(listed)
    gigabytes = sum(entry.size for entry in listed) / 1e9
    print(f"stale: {counted(len(listed), 'prepared scan')}, {gigabytes:.2g} GB{', removed' if given.remove else ''}")
