"""What an encoder reaches with all labels beside scratch, in the names of a training's metrics.json."""

import math
from typing import TYPE_CHECKING

from ..networks.transfer import SCRATCH
from .efficiency_results import EfficiencyResults

__all__ = ["efficiency_metrics"]

if TYPE_CHECKING:
    import pandas


def efficiency_metrics(results: EfficiencyResults) -> dict[str, str | float | None]:
    """Means over test subjects of the first encoder that is compared, and of scratch, at the largest share of labels.

    Returns:
        `encoder`, its name; `label_share`; `dice`, `dice_NAME` of each class, `surface_distance_mm` (of classes that
        were found; None where none was, or it was not measured) and `subjects`; and the four of scratch, if that is
        compared, with `_scratch`.
    """
    encoder, share = results.names[0], float(results.shares[-1])
    scores = dict(list(results.scores[results.scores["label_share"] == share].groupby("encoder")))
    scratch = _means(scores[SCRATCH]) if SCRATCH in results.names[1:] else {}
    of_scratch = {f"{name}_{SCRATCH}": value for name, value in scratch.items()}
    return {"encoder": encoder, "label_share": share, **_means(scores[encoder]), **of_scratch}


def _means(scores: "pandas.DataFrame") -> dict[str, float | None]:
    """Over subjects, of each one's mean over its repeats and classes."""
    of_subjects = scores.groupby("subject")[["dice", "surface_distance_mm"]].mean()
    of_classes = scores.groupby(["class", "subject"], sort=False)["dice"].mean().groupby("class", sort=False).mean()
    distance = float(of_subjects["surface_distance_mm"].mean())
    return {
        "dice": float(of_subjects["dice"].mean()),
        **{f"dice_{name}": float(dice) for name, dice in of_classes.items()},
        "surface_distance_mm": None if math.isnan(distance) else distance,
        "subjects": len(of_subjects),
    }
