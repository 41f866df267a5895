"""What several cross-validations left behind, if they are of the same items and folds."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from monai.utils import optional_import

from ..errors import InputError
from ..evaluation.cross_validation import FOLD_METRICS
from .fold_results import ALIKE, FoldResults, is_untrained

__all__ = ["read_folds"]

if TYPE_CHECKING:
    import pandas
else:
    pandas, _ = optional_import("pandas")


def read_folds(folders: Iterable[str | Path]) -> FoldResults:
    """Read each file of some folders of `cross_validate`'s results once.

    Raises:
        InputError: a package is missing, a folder has no scores, they are not of the same items and folds, or two
            encoders have one name.
    """
    for package in ("pandas", "scipy"):
        if not optional_import(package)[1]:
            raise InputError(f"Cross-validations are compared with {package}: pip install {package}.")
    paths = [Path(folder) for folder in folders]
    scores, baselines = _scores(paths)
    table = _once(paths, "cross_validation.csv", ["encoder", "fold"])
    assert table is not None  # as _names has read it in each folder
    of_folds = table.groupby("encoder")[[*FOLD_METRICS]]
    shares = _once(paths, "label_efficiency.csv", ["encoder", "label_share", "fold"])
    strata = _once(paths, "strata.csv", ["encoder", "stratum"])
    return FoldResults(scores, baselines, of_folds.mean(), of_folds.count(), shares, strata)


def _scores(folders: list[Path]) -> tuple["pandas.DataFrame", list[str]]:
    """`FoldResults`' scores, and the names of the baselines, which all folders have."""
    tables = [_table(folder, "scores.csv").rename(columns=_names(folder)) for folder in folders]
    items = tables[0][ALIKE]
    scores: dict[str, pandas.Series] = {}
    baselines: dict[str, pandas.Series] = {}
    for folder, table in zip(folders, tables, strict=True):
        if not table[ALIKE].equals(items):
            raise InputError(
                f"{folder} was not cross-validated on the crops and folds of {folders[0]}: use its settings."
            )
        own, *others = table.columns.drop(ALIKE)
        if own in scores:
            raise InputError(f"Two encoders are called {own}: cross-validate one again with another --name.")
        scores[own] = table[own]
        for name in others:
            first = baselines.setdefault(name, table[name])
            # of a network, last digits depend on the machine
            if not is_untrained(name) and not np.allclose(table[name], first, atol=1e-3):
                raise InputError(
                    f"{name} alone says something else in {folder} than in the folders before it: cross-validate all "
                    "with the same spacing, crop_size, frame, intensity and seed."
                )
    own_alone = {name: values for name, values in scores.items() if name not in baselines}
    beaten = sorted(baselines, key=is_untrained, reverse=True)
    return items.assign(**own_alone, **{name: baselines[name] for name in beaten}), beaten


def _names(folder: Path) -> dict[str, str]:
    """What the encoders of a folder are called, by what it calls them itself."""
    table = _table(folder, "cross_validation.csv")
    table = table.assign(layers=table.get("layers", ""))  # which earlier versions did not write
    known = table[["encoder", "layers"]].drop_duplicates().itertuples(index=False)
    return {encoder: f"{encoder} ({layers})" if layers else encoder for encoder, layers in known}


def _once(folders: list[Path], file: str, keys: list[str]) -> "pandas.DataFrame | None":
    """The tables of all folders that have one; what several say of a baseline stands there once."""
    measured = [folder for folder in folders if (folder / file).is_file()]
    tables = [_table(folder, file).replace({"encoder": _names(folder)}) for folder in measured]
    return pandas.concat(tables).drop_duplicates(keys, keep="last") if tables else None


def _table(folder: Path, file: str) -> "pandas.DataFrame":
    if not (folder / file).is_file():
        raise InputError(f"There is no {file} in {folder}: cross-validate an encoder with it as output_dir first.")
    texts = {"subject": str, "encoder": str, "layers": str}  # though they may look like numbers, or like pandas' "NA"
    return pandas.read_csv(folder / file, dtype=texts, keep_default_na=False, na_values="nan")
