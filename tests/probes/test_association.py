"""Each column is tested as if it were the only one, in the persons of whom it is known."""

import time

import numpy as np
import pytest

from scripts.errors import InputError
from scripts.probes.association import CONSTANT, EXPLAINED, FEW, associate, inverse_normal

stats = pytest.importorskip("scipy.stats")
RANDOM = np.random.RandomState(0)
PERSONS = 60
COMPONENTS = RANDOM.randn(PERSONS, 3)
AGE_SEX_SITES = np.column_stack(
    [RANDOM.uniform(20, 80, PERSONS), RANDOM.randint(2, size=PERSONS), np.eye(3)[RANDOM.randint(3, size=PERSONS)]]
)


def genotypes(columns, missing=0.1, persons=PERSONS, seed=1):
    random = np.random.RandomState(seed)
    values = random.binomial(2, 0.3, (persons, columns)).astype(np.float32)
    values[random.rand(*values.shape) < missing] = np.nan
    return values


def slowly(component, column, covariates):
    """Coefficient, standard error, t and p of an ordinary regression in the persons of whom the column is known."""
    known = ~np.isnan(column)
    design = np.column_stack([column, np.ones(len(column)), covariates])[known].astype(float)
    solution, _, rank, _ = np.linalg.lstsq(design, component[known], rcond=None)
    freedom = known.sum() - rank
    variance = np.square(component[known] - design @ solution).sum() / freedom * np.linalg.pinv(design.T @ design)[0, 0]
    t = solution[0] / np.sqrt(variance)
    return solution[0], np.sqrt(variance), t, 2 * stats.t.sf(abs(t), freedom)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("covariates", [AGE_SEX_SITES, np.empty((PERSONS, 0))], ids=["covariates", "none"])
def test_tests_are_those_of_ordinary_regressions(missing, covariates):
    values = genotypes(20, missing)
    found = associate(COMPONENTS, values, covariates)
    expected = [[slowly(y, x, covariates) for y in COMPONENTS.T] for x in values.T]
    fields = np.stack([found.beta, found.standard_error, found.t, found.p], -1)
    np.testing.assert_allclose(fields, np.array(expected), rtol=1e-8, atol=1e-12)
    assert found.persons.tolist() == (~np.isnan(values)).sum(0).tolist()


def test_a_covariate_that_only_persons_without_the_column_differ_in_counts_for_nothing():
    site = (np.arange(PERSONS) < 5).astype(float)[:, None]
    column = np.where(site[:, 0] == 1, np.nan, genotypes(1, 0)[:, 0])[:, None]
    found = associate(COMPONENTS, column, site)
    assert found.p[0] == pytest.approx([slowly(y, column[:, 0], np.empty((PERSONS, 0)))[3] for y in COMPONENTS.T])


def test_units_of_columns_and_covariates_do_not_matter():
    values = genotypes(5)
    first = associate(COMPONENTS, values, AGE_SEX_SITES)
    other = associate(COMPONENTS, values * 1e3 + 5e3, AGE_SEX_SITES * 1e6 - 1e5)
    np.testing.assert_allclose(other.p, first.p, rtol=1e-6)
    np.testing.assert_allclose(other.beta * 1e3, first.beta, rtol=1e-6)


def test_a_confounder_is_taken_out():
    age = RANDOM.randn(400)
    component, column = (age + 0.5 * RANDOM.randn(400) for _ in range(2))
    alone, with_age = (
        associate(component[:, None], column[:, None], known) for known in (np.empty((400, 0)), age[:, None])
    )
    assert alone.p[0, 0] < 1e-20 and with_age.p[0, 0] > 1e-3


def test_columns_that_cannot_be_tested_are_told_from_others():
    few = np.full(PERSONS, np.nan)
    few[:8] = np.arange(8)
    columns = [np.full(PERSONS, 1 / 3), 2 * AGE_SEX_SITES[:, 0] + 1, few, np.full(PERSONS, np.nan), COMPONENTS[:, 0]]
    found = associate(COMPONENTS, np.column_stack(columns).astype(np.float64), AGE_SEX_SITES)
    assert found.left_out.tolist() == [CONSTANT, EXPLAINED, FEW, FEW, ""]
    assert np.isnan(found.p[:4]).all() and found.p[4, 0] < 1e-30


def test_too_few_persons_are_refused():
    with pytest.raises(InputError, match="10 persons are too few for a test with 4 covariates, which needs 11"):
        associate(COMPONENTS[:10], genotypes(2)[:10], AGE_SEX_SITES[:10])


def test_p_of_chance_are_even():
    found = associate(inverse_normal(np.exp(COMPONENTS)), genotypes(3000, seed=2), AGE_SEX_SITES)
    assert stats.kstest(found.p[:, 0], "uniform").pvalue > 0.01


def test_ranks_become_normal():
    found = inverse_normal(np.array([[3.0, 1], [1, 1], [50, 0]]))
    assert found[:, 0].tolist() == pytest.approx(stats.norm.ppf([0.5, 0.625 / 3.25, 2.625 / 3.25]).tolist())
    assert found[0, 1] == found[1, 1] > found[2, 1]


def test_a_genome_takes_seconds():
    random, began = np.random.RandomState(0), time.monotonic()
    values = genotypes(20_000, 0.02, 500)
    found = associate(random.randn(500, 10), values, random.randn(500, 5))
    assert found.p.shape == (20_000, 10) and time.monotonic() - began < 60
