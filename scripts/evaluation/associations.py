"""What features of scans have to do with columns of tables: tests of their principal components, as of a genome."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from ..data.columns_to_test import ColumnsToTest
from ..errors import InputError
from ..probes.association import Association, associate, inverse_normal, require_persons
from ..probes.standardise import Standardise
from ..probes.thin_svd import thin_svd

__all__ = ["SURE", "Associations", "find_associations", "require_tests"]

SURE = 0.05  # largest corrected p, or q, of what is found
MEDIAN = 0.4549364  # of chi² with one degree of freedom


@dataclass(frozen=True)
class Associations:
    """Tests of C columns with the K components of one model.

    Attributes:
        tests: not corrected.
        held: share of the features' variance that the components hold.
    """

    tests: Association
    held: float

    @property
    def number(self) -> int:
        """Of tests, all of which are corrected for."""
        return int(np.isfinite(self.tests.p).sum())

    @cached_property
    def p_bonferroni(self) -> np.ndarray:
        """[C, K]; the chance of any false one among those below a level is that level at most."""
        return np.minimum(self.tests.p * self.number, 1)

    @cached_property
    def q(self) -> np.ndarray:
        """[C, K]; of those below a level, so many are false in the mean (Benjamini and Hochberg, 1995)."""
        from scipy.stats import false_discovery_control

        tested, q = np.isfinite(self.tests.p), np.full_like(self.tests.p, np.nan)
        q[tested] = false_discovery_control(self.tests.p[tested])
        return q

    @property
    def inflation(self) -> float:
        """Median chi² of all tests over that of chance: above 1, persons differ by more than what is tested, as by
        ancestry, or much is found (Devlin and Roeder, "Genomic Control for Association Studies", Biometrics 55, 1999).
        """
        from scipy.stats import chi2

        return float(chi2.isf(np.nanmedian(self.tests.p), 1) / MEDIAN)

    def found(self, corrected: np.ndarray) -> int:
        """Columns of which one test at least is sure, by p or q that are corrected, [C, K]."""
        return int((corrected <= SURE).any(axis=1).sum())


def require_tests(columns: ColumnsToTest) -> None:
    """Raise an `InputError` unless there are as many persons as tests need."""
    require_persons(len(columns.subject), columns.covariates)


def find_associations(
    features: Mapping[str, torch.Tensor], columns: ColumnsToTest, components: int, normal: bool = True
) -> dict[str, Associations]:
    """Test components of each model's features with each column, by the model's name.

    Components are those of the tested persons' own features, standardised: one line a person, tables have no part in
    them, and so a test of a column that says nothing of scans is as seldom positive as it says. Nobody whom the encoder
    saw in its training should be among them.

    Args:
        features: [S, D] by the model's name; persons in the order of the columns'.
        columns: that are tested, and their covariates.
        components: of each model, those that hold the most; all, where a model has fewer.
        normal: whether they are transformed to normal quantiles of their ranks.

    Raises:
        InputError: there are too few persons, or no column can be tested.
    """
    found = {}
    for name, values in features.items():
        scores, held = _components(values, components)
        tests = associate(inverse_normal(scores) if normal else scores, columns.values, columns.covariates)
        if not (tests.left_out == "").any():
            raise InputError(f"No column can be tested: the first is {tests.left_out[0]}. Give tables that say more.")
        found[name] = Associations(tests, held)
    return found


def _components(features: torch.Tensor, number: int) -> tuple[np.ndarray, float]:
    """Scores [S, K] of the components of features [S, D], and the share of their variance that these hold."""
    standard = Standardise(features)(features)
    u, s, _ = thin_svd(standard - standard.mean(0))
    order = s.argsort(descending=True)[:number]
    scores = (u * s)[:, order]
    # a sign has no meaning; this choice makes it the same each time
    largest = scores.gather(0, scores.abs().argmax(0, keepdim=True))
    return (scores * largest.sign()).numpy(), float(s[order].square().sum() / s.square().sum())
