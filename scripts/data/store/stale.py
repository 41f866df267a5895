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
from .prepared_store import DAY

__all__ = ["Stale", "remove", "stale_entries"]

LATELY = 30.0  # days
ENTRY = re.compile(r"[0-9a-f]{32}|\.[0-9a-f]{32}\..+")  # the latter while it is filled


class Stale(NamedTuple):
    """An entry that is of no use: its folder, why it is, and its bytes."""

    folder: Path
    reason: str
    size: int


def stale_entries(store: str | Path, unused: float | None = None, others: float = LATELY) -> list[Stale]:
    """Entries that are of no use any more, in the order of their names.

    A scan that is not where it was prepared counts as gone. What another environment made, with other code or other
    versions of packages, is of no use here; it is left as long as it is used. Folders that are no entries are left out.

    Args:
        store: folder of a store.
        unused: days; whatever none has used for so long is stale as well. None: nothing is for that.
        others: days; what another environment made is stale when none has used it for so long.

    Raises:
        InputError: it is no store.
    """
    folders = sorted(Path(store).iterdir()) if Path(store).is_dir() else []
    folders = [path for path in folders if ENTRY.fullmatch(path.name) and path.is_dir()]  # and nothing of others
    if not any((folder / ITEM).is_file() for folder in folders):
        raise InputError(f"{store} holds no prepared scans: give the store_dir of a training.")
    here = versions()  # which takes as long as all else of an entry
    found = [(folder, _reason(folder, here, unused, others)) for folder in folders]
    return [Stale(folder, reason, _size(folder)) for folder, reason in found if reason]


def remove(stale: list[Stale]) -> None:
    """Remove them; a training that reads one has what it opened, and prepares a scan anew that it opens later."""
    for one in stale:
        shutil.rmtree(one.folder, ignore_errors=True)


def _reason(folder: Path, here: dict[str, str], unused: float | None, others: float) -> str:
    """Why an entry is stale; nothing where it is not."""
    days = (time.time() - _used(folder)) / DAY
    if folder.name.startswith("."):  # of a process that may be at work elsewhere
        return "left by a process that ended" if days > 1 else ""
    if not is_whole(folder):
        return "not whole"
    about = json.loads((folder / ITEM).read_text(encoding="utf-8"))["about"]
    if gone := _gone(about["files"]):
        return gone
    idle = f"unused for {days:.0f} days"
    if (other := _other_environment(about, here)) and days > others:
        return f"made {other}, {idle}"
    return idle if unused is not None and days > unused else ""


def _other_environment(about: dict, here: dict[str, str]) -> str:
    """With which version, or by which code, an entry was made that is not what is here; nothing where all is."""
    for name, version in here.items():
        if (other := about["versions"].get(name)) != version:
            return f"with {name} {other}" if other else f"without {name}"
    now = code_of(about["code"])
    return next((f"by another {name}" for name, number in about["code"].items() if now.get(name) != number), "")


def _gone(files: dict[str, str]) -> str:
    """Which of an entry's files is not what was prepared; nothing where all are."""
    for path, content in files.items():
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
    parser.add_argument("--unused", type=float, metavar="DAYS", help="also what none has used for so long")
    parser.add_argument(
        "--others",
        type=float,
        metavar="DAYS",
        default=LATELY,
        help="what other code or versions made, if none has used it for so long (30)",
    )
    parser.add_argument("--remove", action="store_true", help="remove what is listed")
    given = parser.parse_args()
    listed = stale_entries(given.store, given.unused, given.others)
    for entry in listed:
        print(f"{entry.folder.name}  {entry.size / 1e6:8.1f} MB  {entry.reason}")
    if given.remove:
        remove(listed)
    gigabytes = sum(entry.size for entry in listed) / 1e9
    print(f"stale: {counted(len(listed), 'prepared scan')}, {gigabytes:.2g} GB{', removed' if given.remove else ''}")
