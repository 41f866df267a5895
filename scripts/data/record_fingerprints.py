"""The fingerprints of a run's scans, added to a split.json that an older version wrote with names alone.

python -m scripts.data.record_fingerprints /my/run/split.json /my/scans
"""

import argparse
import logging
from pathlib import Path

from ..atomic import write_json_atomically
from ..errors import InputError, report_input_errors
from .audit import audited_scans
from .cohort import find_scans
from .recorded import PARTS, as_record, read_split
from .split import scans_of_parts

__all__ = ["record_fingerprints"]


def record_fingerprints(path: str | Path, dataset_dir: str | Path) -> int:
    """Add fingerprints to a split.json, from the files that its run was trained on.

    Args:
        path: of the split.json; what the run converted lies beside it, or goes there.
        dataset_dir: those files, under the names that they had.

    Returns:
        How many subjects have them now.

    Raises:
        InputError: some of its subjects have no scan there, or scans cannot be used.
    """
    recorded = read_split(path)
    run = Path(path).parent
    scans = audited_scans(
        find_scans(dataset_dir, synthetic_dir=run / "synthetic_cohort", converted_dir=run / "converted")
    )
    missing = sorted({name for part in PARTS for name in recorded[part]} - {scan["subject"] for scan in scans})
    if missing:
        raise InputError(
            f"{dataset_dir} has no scan of {missing[0]}, who is in {path}, nor of {len(missing) - 1} others: give the "
            "scans that its run was trained on."
        )
    content = recorded | as_record(scans_of_parts(scans, {part: set(recorded[part]) for part in PARTS}))
    write_json_atomically(path, content)
    return len(content["fingerprints"])


if __name__ == "__main__":
    report_input_errors()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m scripts.data.record_fingerprints", description=__doc__)
    parser.add_argument("split", help="the split.json of a run")
    parser.add_argument("dataset_dir", help="folder or list of the scans that it was trained on")
    given = parser.parse_args()
    print(f"{given.split}: fingerprints of {record_fingerprints(given.split, given.dataset_dir)} subjects")
