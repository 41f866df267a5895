"""The page about associations: what was found, where it lies, and how much others find."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from monai.utils import optional_import

from ..data.columns_to_test import ColumnsToTest
from ..evaluation.associations import SURE, Associations
from .association_figures import chance_figure, places_figure
from .head import made, read_settings
from .page import write_page

__all__ = ["write_association_page"]

logger = logging.getLogger(__name__)

SHOWN = 100  # tests, of the page


def write_association_page(
    found: Mapping[str, Associations], columns: ColumnsToTest, layers: Mapping[str, str], output_dir: str
) -> None:
    """Write association.html and its figures.

    Args:
        found: by the model's name, the encoder's first.
        columns: that were tested.
        layers: name of the set of layers, of each model that is an encoder.
        output_dir: where they go, beside the settings that `record_settings` wrote.
    """
    if not optional_import("matplotlib")[1]:
        logger.warning("Without matplotlib there is no page: pip install matplotlib.")
        return
    name, own = next(iter(found.items()))
    folder = Path(output_dir)
    settings = read_settings(folder / "association_config.json")
    facts = {
        "data": str(settings.get("dataset_dir") or "a synthetic cohort"),
        "tables": ", ".join(dict.fromkeys(columns.table)),
        "encoder": f"{settings.get('encoder', name)}, layers: {layers.get(name, 'output')}",
        "persons": f"{len(columns.subject)}, with {columns.covariates.shape[1]} covariates",
        "components": f"{own.tests.p.shape[1]}, which hold {own.held:.0%} of the variance of the features",
    }
    sure = (own.p_bonferroni <= SURE) | (own.q <= SURE)
    order = np.argsort(own.tests.p, axis=None, kind="stable")[: int(sure.sum())]
    write_page(
        folder / "association.html",
        "association.html",
        [places_figure(own, columns.table, columns.column), chance_figure(own)],
        {"settings": settings} if settings else {},
        title="Associations with tables",
        facts=facts | made(settings),
        name=name,
        found=found,
        tested=int((own.tests.left_out == "").sum()),
        lines=[_line(own, columns, int(one)) for one in order[:SHOWN]],
        sure=int(sure.sum()),
        level=SURE,
    )


def _line(found: Associations, columns: ColumnsToTest, test: int) -> dict:
    """What the template tells of a test."""
    column, component = divmod(test, found.tests.p.shape[1])
    return {
        "column": columns.column[column],
        "table": columns.table[column],
        "component": component + 1,
        "beta": found.tests.beta[column, component],
        "error": found.tests.standard_error[column, component],
        "p": found.tests.p[column, component],
        "p_bonferroni": found.p_bonferroni[column, component],
        "q": found.q[column, component],
        "persons": int(found.tests.persons[column]),
    }
