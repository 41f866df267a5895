"""A CSV list of a known data set's scans, for all that takes a list: training, inference, registration."""

import argparse
import logging
from pathlib import Path

from ..atomic import write_csv_atomically
from ..errors import report_input_errors
from .autopet import find_autopet
from .brats import find_brats

__all__ = ["write_list"]

FINDERS = {"autopet": find_autopet, "brats": find_brats}


def write_list(scans: list[dict], path: str | Path) -> None:
    """Write scans with the columns image, subject and label (the mask), as `find_scans` reads them."""
    columns = ("image", "subject", "label")
    write_csv_atomically(path, [columns, *([scan[key] for key in columns] for scan in scans)])


if __name__ == "__main__":
    report_input_errors()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m scripts.data.make_list", description=__doc__)
    parser.add_argument("data_set", choices=FINDERS)
    parser.add_argument("dataset_dir", help="its folder")
    parser.add_argument("list", help="the .csv to write")
    parser.add_argument("--image", help="CTres (default) or SUV; t1 (default), t1ce, t2 or flair")
    given = parser.parse_args()
    write_list(FINDERS[given.data_set](given.dataset_dir, *([given.image] if given.image else [])), given.list)
    print(f"List: {given.list}")
