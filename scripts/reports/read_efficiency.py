"""What trainings of segmentations left behind, if they differ in encoder, share of labels and seed alone."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from monai.utils import optional_import

from ..data.recorded import read_split
from ..errors import InputError, require_package
from ..networks.transfer import UNTRAINED
from ..runs.comparable_runs import require_alike
from ..runs.references import without_descriptions
from ..runs.settings import IRRELEVANT
from .efficiency_results import EfficiencyResults

__all__ = ["read_efficiency"]

if TYPE_CHECKING:
    import pandas
else:
    pandas, _ = optional_import("pandas")

# what is compared, and what says by whose split.json subjects are left out: who is left is compared in its place
COMPARED = {"encoder", "label_share", "seed", "run_dir", "pretraining_split", "known_by", "resume"}
OTHERWISE = "their figures cannot be compared"


class Run(NamedTuple):
    """What was recorded of a training.

    Attributes:
        folder: of it.
        config: its settings.
        split: the subjects of its parts.
    """

    folder: Path
    config: dict
    split: dict[str, list[str]]

    @property
    def encoder(self) -> str:
        """Its name: that of the folder of the weights, or what is in place of weights."""
        given = self.config["encoder"]
        return os.path.basename(os.path.dirname(given)) or given

    @property
    def key(self) -> tuple[str, float, int]:
        """Encoder, share of the labels and repeat."""
        return self.encoder, float(self.config["label_share"]), int(self.config["seed"])


def read_efficiency(folders: Iterable[str | Path]) -> EfficiencyResults:
    """Read the scores of trainings of organ_segmentation.

    Args:
        folders: each the output_dir of a training; their seeds are the repeats.

    Raises:
        InputError: a training has not ended, two differ in another setting or in their subjects, two are the same,
            an encoder lacks a share or repeat that others have, or pandas is missing.
    """
    require_package("pandas", "Label efficiency")
    runs = [_read(Path(folder)) for folder in folders]
    require_alike({str(run.folder): _conditions(run) for run in runs}, OTHERWISE)
    _require_names(runs)
    _require_all(runs)
    for share, repeat in {run.key[1:] for run in runs}:
        alike = {str(run.folder): {"split.json": _text(run.split)} for run in runs if run.key[1:] == (share, repeat)}
        require_alike(alike, OTHERWISE)
    trained = {run.key[1]: len(run.split["train"]) for run in runs}
    return EfficiencyResults(pandas.concat([_scores(run) for run in runs], ignore_index=True), trained)


def _read(folder: Path) -> Run:
    for file in ("config.json", "split.json", "labels.json", "metrics.json", "scores.csv"):
        if not (folder / file).is_file():
            raise InputError(
                f"There is no {file} in {folder}: give the output_dir of a training of organ_segmentation that has "
                "ended."
            )
    split = read_split(folder / "split.json")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["encoder"] = UNTRAINED if config["encoder"] == "random" else config["encoder"]  # two words for it
    return Run(folder, config, {part: sorted(split[part]) for part in ("train", "validate", "test")})


def _conditions(run: Run) -> dict[str, str]:
    """All that has to be the same in all trainings, as text."""
    settings = without_descriptions(run.config)
    classes = json.loads((run.folder / "labels.json").read_text(encoding="utf-8"))
    conditions = {key: value for key, value in settings.items() if key not in COMPARED | IRRELEVANT - {"amp"}}
    conditions |= {"labels.json": classes, "split.json": {part: run.split[part] for part in ("test", "validate")}}
    return {key: _text(value) for key, value in conditions.items()}


def _require_names(runs: list[Run]) -> None:
    """Raise an `InputError` where weights of different folders have one name, or a training is there twice."""
    paths: dict[str, str] = {}
    known: dict[tuple, Path] = {}
    for run in runs:
        path = run.config["encoder"]
        if paths.setdefault(run.encoder, path) != path:
            raise InputError(
                f"Two encoders are called {run.encoder}, {paths[run.encoder]} and {path}: rename the folder of one, "
                "and train with it."
            )
        if (first := known.setdefault(run.key, run.folder)) != run.folder or runs.count(run) > 1:
            raise InputError(f"{first} and {run.folder} are both {_called(*run.key)}: leave one out.")


def _require_all(runs: list[Run]) -> None:
    known = {run.key for run in runs}
    for name in dict.fromkeys(run.encoder for run in runs):
        for share, repeat in sorted({key[1:] for key in known}):
            if (name, share, repeat) not in known:
                raise InputError(
                    f"{_called(name, share, repeat)} is missing: add it, or leave out those of the others."
                )


def _called(encoder: str, share: float, repeat: int) -> str:
    return f"the training of {encoder} with label_share {share:g} and seed {repeat}"


def _scores(run: Run) -> "pandas.DataFrame":
    """A row a subject and class: of several scans of a subject, the mean."""
    texts = {"image": str, "subject": str, "class": str}  # though they may look like numbers, or like pandas' "NA"
    unknown = {"dice": ["nan"], "surface_distance_mm": [""]}
    table = pandas.read_csv(run.folder / "scores.csv", dtype=texts, keep_default_na=False, na_values=unknown)
    means = table.groupby(["subject", "class"], sort=False, as_index=False)[[*unknown]].mean()
    own = dict(zip(("encoder", "label_share", "repeat"), run.key, strict=True))
    return means.assign(**own)[[*own, "subject", "class", *unknown]]


def _text(value) -> str:
    return json.dumps(value)
