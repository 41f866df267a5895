"""How well segmentation does with how many labels, from which encoder, and how sure that is."""

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..metrics.holm import holm
from ..metrics.subject_bootstrap import SubjectBootstrap, expanded_interval
from ..metrics.subject_tests import subject_test
from ..networks.transfer import SCRATCH, UNTRAINED
from .share_curves import Curve

__all__ = ["EfficiencyResults"]

if TYPE_CHECKING:
    import pandas

BASELINES = (SCRATCH, UNTRAINED)  # what a pretrained encoder must beat
SURE = 0.05  # largest p, corrected by Holm, at which a difference is called one


@dataclass(frozen=True)
class EfficiencyResults:
    """Dice coefficients of the same test subjects after trainings with shares of the labels.

    Attributes:
        scores: a row a training, test subject and class: encoder, label_share, repeat, subject, class, dice,
            surface_distance_mm (nan where unknown); all encoders have the same shares, repeats and subjects.
        trained: how many subjects each share has.

    Of a subject, its mean over repeats, and over the classes that it has, is one observation.
    """

    scores: "pandas.DataFrame"
    trained: dict[float, int]

    @property
    def names(self) -> list[str]:
        """Of the encoders, baselines last."""
        names = self.scores["encoder"].unique()
        return [*(name for name in names if name not in BASELINES), *self.baselines]

    @property
    def baselines(self) -> list[str]:
        """The names of these."""
        return [name for name in BASELINES if name in set(self.scores["encoder"])]

    @property
    def shares(self) -> np.ndarray:
        """Of the training subjects, [S], in order."""
        return np.array(sorted(self.trained))

    @property
    def columns(self) -> list[str]:
        """What each share is, in words."""
        return [f"{_percent([share])}, n = {self.trained[share]}" for share in self.shares]

    @property
    def classes(self) -> list[str]:
        """What is segmented."""
        return [*self.scores["class"].unique()]

    @property
    def repeats(self) -> int:
        """Trainings of each encoder with each share."""
        return self.scores["repeat"].nunique()

    @property
    def subjects(self) -> int:
        """How many are tested."""
        return self.scores["subject"].nunique()

    def curves(self, of_class: str | None = None) -> dict[str, Curve]:
        """Mean Dice of each encoder over the shares, with an interval of 95 % by subject; of all classes, or of one."""
        scores = self.scores if of_class is None else self.scores[self.scores["class"] == of_class]
        means = self._of_subjects(scores)
        low, high = _interval(means)
        repeats = self._of_repeats(scores)
        return {
            name: Curve(means.mean(0)[part], low[part], high[part], repeats[part])
            for name, part in self._columns().items()
        }

    @cached_property
    def tests(self) -> dict[tuple[str, str, float], dict[str, float]]:
        """How each encoder differs from each other one at each share.

        `difference` of the means, with `low` and `high`, an interval of 95 %; in how many `repeats` the first is
        better; `subject_test`; and `p_holm`, corrected for all encoders and shares that are compared with the same
        other one.
        """
        means, repeats, columns = self._of_subjects(self.scores), self._of_repeats(self.scores), self._columns()
        tests = {}
        for other, name in itertools.permutations(self.names, 2):
            pair = [means[:, columns[one]] for one in (name, other)]
            low, high = _interval(pair[0] - pair[1])
            better = (repeats[columns[name]] > repeats[columns[other]]).sum(1)
            for i, share in enumerate(self.shares):
                difference = {"difference": (pair[0] - pair[1])[:, i].mean(), "low": low[i], "high": high[i]}
                tests[name, other, share] = (
                    difference | {"repeats": better[i]} | subject_test(pair[0][:, i], pair[1][:, i])
                )
        for other in self.names:
            against = [test for (_, reference, _), test in tests.items() if reference == other]
            for test, p in zip(against, holm([test["p_subjects"] for test in against]), strict=True):
                test["p_holm"] = p
        return tests

    def finding(self, name: str, other: str) -> str:
        """At which shares an encoder surely differs from another one, over subjects and in all repeats, in words."""
        sure = {share: test for share in self.shares if (test := self.tests[name, other, share])["p_holm"] < SURE}
        said = [
            f"{word} {other} with {_percent(shares)}"
            for word, sign, repeats in (("better than", 1, self.repeats), ("worse than", -1, 0))
            if (shares := [share for share, test in sure.items() if _agrees(test, sign, repeats)])
        ]
        return " and ".join(said) or f"nowhere surely different from {other}"

    def _columns(self) -> dict[str, slice]:
        """Where each encoder's shares are among all columns."""
        number = len(self.shares)
        return {name: slice(i * number, (i + 1) * number) for i, name in enumerate(self.names)}

    def _of_subjects(self, scores: "pandas.DataFrame") -> np.ndarray:
        """Mean Dice of each subject, [N, encoders x shares]."""
        return self._table(scores, "subject").to_numpy(copy=True)

    def _of_repeats(self, scores: "pandas.DataFrame") -> np.ndarray:
        """Mean over subjects of each repeat, [encoders x shares, R]."""
        of_subjects = scores.groupby(["encoder", "label_share", "repeat", "subject"], as_index=False)["dice"].mean()
        return self._table(of_subjects, "repeat").to_numpy().T

    def _table(self, scores: "pandas.DataFrame", rows: str) -> "pandas.DataFrame":
        means = scores.groupby([rows, "encoder", "label_share"])["dice"].mean().unstack(["encoder", "label_share"])
        return means[[*itertools.product(self.names, self.shares)]]


def _interval(values: np.ndarray) -> np.ndarray:
    """Ends of the interval of the means over subjects, [2, K], of [N, K]; nan where these are too few."""
    bootstrap = SubjectBootstrap(range(len(values)))
    ends = expanded_interval(bootstrap.crop_means(torch.from_numpy(values)), bootstrap.number)
    return np.full((2, values.shape[1]), math.nan) if ends is None else ends.numpy()


def _agrees(test: dict[str, float], sign: int, repeats: int) -> bool:
    """Whether a difference has this sign, and so many repeats: a test over subjects knows nothing of other seeds."""
    return np.sign(test["difference"]) == sign and test["repeats"] == repeats


def _percent(shares: list[float]) -> str:
    return ", ".join(f"{100 * share:g} %" for share in shares)
