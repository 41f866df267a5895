"""Which training runs can be compared, known before any of them is evaluated."""

import json
import sys
import textwrap
from pathlib import Path

from ..data.recorded import PARTS
from ..errors import InputError, report_input_errors
from .references import without_descriptions

__all__ = ["check_runs", "require_alike"]

# what decides on the test crops
SAME = ("seed", "spacing", "crop_size", "frame", "intensity", "images")


def check_runs(folders: list[str]) -> None:
    """Check that training runs are there, have names of their own, and agree in what decides on the test crops.

    Args:
        folders: of the runs.

    Raises:
        InputError: names a run and what is missing, or what two runs differ in.
    """
    known = {}
    for run in map(Path, folders):
        for file in ("config.json", "split.json", "encoder.pt"):
            if not (run / file).is_file():
                raise InputError(f"There is no {file} in {run}: give the output_dir of a training that has ended.")
        if run.resolve().name in known:
            raise InputError(f"Two runs are called {run.resolve().name}: rename the folder of one.")
        known[run.resolve().name] = _crops_of(run)
    require_alike(known, "they cannot be evaluated on the same crops")


def require_alike(runs: dict[str, dict[str, str]], otherwise: str) -> None:
    """Raise an `InputError` that names a key and two runs which have other values of it, as text.

    Args:
        runs: values by key, of each run.
        otherwise: what cannot be done with such runs.
    """
    (first, expected), *others = runs.items()
    for name, found in others:
        for key in [*expected, *(found.keys() - expected.keys())]:
            if found.get(key) != expected.get(key):
                theirs, ours = (textwrap.shorten(values.get(key, "missing"), 120) for values in (found, expected))
                raise InputError(
                    f"{key} is {theirs} in {name} and {ours} in {first}, so that {otherwise}: train one of them again "
                    "as the other was."
                )


def _crops_of(run: Path) -> dict[str, str]:
    """What decides on a run's test crops, as text."""
    config, split = (json.loads((run / file).read_text(encoding="utf-8")) for file in ("config.json", "split.json"))
    settings = {key: without_descriptions(config.get(key)) for key in SAME} | {
        "split.json": {part: split.get(part) for part in PARTS}
    }
    return {key: json.dumps(value) for key, value in settings.items()}


if __name__ == "__main__":
    report_input_errors()
    check_runs(sys.argv[1:])
