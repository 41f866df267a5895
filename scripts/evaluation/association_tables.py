"""Associations in a table, in metrics.json, and in a few lines of the log."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.columns_to_test import ColumnsToTest
from ..errors import some
from .associations import SURE, Associations

__all__ = ["write_associations"]

logger = logging.getLogger(__name__)

COLUMNS = ("table", "column", "component", "beta", "standard_error", "t", "p", "p_bonferroni", "q", "persons")


def write_associations(
    found: Mapping[str, Associations], columns: ColumnsToTest, layers: Mapping[str, str], output_dir: str
) -> None:
    """Write association.csv, with all tests of the first model, the surest first, and metrics.json, with the number of
    columns that each model finds; the log says so too.

    Args:
        found: by the model's name, the encoder's first.
        columns: that were tested.
        layers: name of the set of layers, of each model that is an encoder.
        output_dir: where they go.
    """
    own, *others = found
    folder = Path(output_dir)
    write_csv_atomically(folder / "association.csv", [COLUMNS, *_rows(found[own], columns)])
    tests = found[own].tests
    metrics = {"persons": len(columns.subject), "covariates": columns.covariates.shape[1]}
    metrics |= {"columns": int((tests.left_out == "").sum()), "left_out": int((tests.left_out != "").sum())}
    for name, ending in {own: "", **{name: f"_{name}" for name in others}}.items():
        metrics |= {f"{key}{ending}": value for key, value in _figures(found[name]).items()}
    write_json_atomically(folder / "metrics.json", metrics)
    _tell_left_out(tests.left_out, columns)
    for name, one in found.items():
        called = f"{name} ({layers[name]})" if name in layers else name
        said = _figures(one)
        logger.info(
            f"{called}: {said['found_bonferroni']} columns of {metrics['columns']} found ({said['tests']} tests of "
            f"{len(columns.subject)} persons; chance of any false one {SURE:.0%}), {said['found_fdr']} at a false "
            f"discovery rate of {SURE:.0%}; inflation {said['inflation']:.3f}."
        )
    _warn_of_better(found)


def _warn_of_better(found: Mapping[str, Associations]) -> None:
    own, *others = found
    number = {name: one.found(one.p_bonferroni) for name, one in found.items()}
    if better := [f"{name} ({number[name]})" for name in others if number[name] >= max(number[own], 1)]:
        logger.warning(f"{own} finds {number[own]} columns, no more than {', '.join(better)}.")


def _figures(found: Associations) -> dict[str, float]:
    return {
        "components": found.tests.p.shape[1],
        "variance_held": found.held,
        "tests": found.number,
        "found_bonferroni": found.found(found.p_bonferroni),
        "found_fdr": found.found(found.q),
        "inflation": found.inflation,
    }


def _rows(found: Associations, columns: ColumnsToTest) -> Iterable[list]:
    tests = found.tests
    values = (tests.beta, tests.standard_error, tests.t, tests.p, found.p_bonferroni, found.q)
    order = np.argsort(tests.p, axis=None, kind="stable")[: found.number]  # nan are last
    for column, component in zip(*(places.tolist() for places in np.unravel_index(order, tests.p.shape)), strict=True):
        cells = [float(f"{each[column, component]:.6g}") for each in values]
        yield [columns.table[column], columns.column[column], component + 1, *cells, int(tests.persons[column])]


def _tell_left_out(left_out: np.ndarray, columns: ColumnsToTest) -> None:
    for why, number in Counter(left_out[left_out != ""].tolist()).items():
        names = some(columns.column[i] for i in np.flatnonzero(left_out == why))
        logger.warning(f"{number} columns are {why} of those tested, and left out: {names}.")
