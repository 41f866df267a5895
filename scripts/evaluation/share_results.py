"""Structure shares in the words of metrics.json, and as a table with tests by subject."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..atomic import write_csv_atomically
from ..metrics.holm import holm
from ..metrics.signed_rank import signed_rank
from ..metrics.subject_bootstrap import expanded_interval
from .drawn_metrics import join_metrics, metrics_of_draws
from .structure_shares import MeasuredShares, Method, Share

__all__ = ["COLUMNS", "join_shares", "write_shares"]

logger = logging.getLogger(__name__)

COLUMNS = (
    *("target", "layers", "encoder", "labelled_subjects", "r2", "low", "high"),
    *("p", "p_holm", "better_in", "subjects", "rank_biserial"),
)
NAMES = {"crop": "structure_share_r2", "centre": "structure_share_r2_centre"}
ENDINGS = {"trained": "", "untrained": "_random_encoder"}


def join_shares(metrics: dict, found: MeasuredShares) -> dict:
    """Metrics, and `structure_share_r2` from all labelled subjects, of whole crops, with its baselines and intervals.

    `structure_share_layers` names the encoder's set of layers, and `structure_share_structures` says how many
    structures the R² of each target are of, and how many are left out. Under `layers`, each set has the metric too, and
    `structure_share_r2_centre`.
    """
    joined = join_metrics(metrics, _beside_baselines(found))
    layers = {
        name: join_metrics(of_set, metrics_of_draws(_of_set(found, name), found.draws))
        for name, of_set in metrics["layers"].items()
    }
    numbers = {
        target: {"structures": number, "left_out": found.left_out[target]}
        for target, number in found.structures.items()
    }
    return joined | {
        "layers": layers,
        "structure_share_layers": found.layers,
        "structure_share_structures": numbers,
    }


def _beside_baselines(found: MeasuredShares) -> dict:
    endings = {
        found.encoder: "",
        Method("untrained", found.layers): "_random_encoder",
        Method("position"): "_position",
        Method("position and intensity"): "_position_intensity",
    }
    name, shares = NAMES["crop"], found.of_all("crop")
    metrics = metrics_of_draws({end: {name: shares[method].r2} for method, end in endings.items()}, found.draws)
    own, untrained, position, both = (f"{shares[method].r2[0]:.3f}" for method in endings)
    logger.info(
        f"R² of structure shares, over {found.structures['crop']} structures together ({found.left_out['crop']} left "
        f"out): {own} (layers: {found.layers}; untrained encoder {untrained}, position {position}, "
        f"position and intensity {both})."
    )
    return metrics


def _of_set(found: MeasuredShares, layers: str) -> dict[str, dict]:
    return {
        end: {name: found.of_all(target)[Method(encoder, layers)].r2 for target, name in NAMES.items()}
        for encoder, end in ENDINGS.items()
    }


def write_shares(path: Path, found: MeasuredShares) -> None:
    """Write structure_shares.csv: a line for each method, target and number of labelled subjects.

    `p`, `better_in` and `rank_biserial` are of Wilcoxon's signed-rank test by test subject: of the encoder, with its
    set of layers, against each untrained one and each baseline. `p_holm` allows for all tests of one target and number
    of labelled subjects, which are read together: is the encoder better than all of these?
    """
    rows = [dict(_row(one, found)) for one in found.shares]
    families = defaultdict[tuple, list[dict]](list)
    for row in (row for row in rows if "p" in row):
        families[row["target"], row["labelled_subjects"]].append(row)
    for tested in families.values():
        for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
            row["p_holm"] = adjusted
    write_csv_atomically(path, [COLUMNS, *([row.get(column, "") for column in COLUMNS] for row in rows)])


def _row(one: Share, found: MeasuredShares) -> Iterator[tuple[str, Any]]:
    yield from (("target", one.target), ("layers", one.method.layers), ("encoder", one.method.encoder))
    yield from (("labelled_subjects", one.labelled_subjects), ("r2", float(one.r2[0])), ("subjects", len(one.errors)))
    interval = expanded_interval(one.r2, found.draws.number)
    if interval is not None:
        yield from zip(("low", "high"), interval.tolist(), strict=True)
    if one.method.encoder != "trained":
        encoder = found.beside(one.target, one.labelled_subjects)[found.encoder]
        test = signed_rank(one.errors, encoder.errors)
        yield from (("p", test.p), ("better_in", test.higher), ("rank_biserial", test.rank_biserial))
