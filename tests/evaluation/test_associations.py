"""What features have to do with columns: found where it is there, corrected for all tests, beside other models."""

import csv
import json

import numpy as np
import pytest
import torch

from scripts.data.columns_to_test import ColumnsToTest
from scripts.errors import InputError
from scripts.evaluation.association_tables import COLUMNS, write_associations
from scripts.evaluation.associations import Associations, find_associations, require_tests
from scripts.probes.association import Association
from scripts.reports.association_figures import chance_figure, place_of, places_figure
from scripts.reports.association_page import write_association_page

stats = pytest.importorskip("scipy.stats")
PERSONS, VARIANTS = 200, 60
RANDOM = np.random.RandomState(0)
GENOTYPES = RANDOM.binomial(2, 0.3, (PERSONS, VARIANTS)).astype(np.float32)
PLACES = [f"chr{1 + i % 3}:{1000 * (VARIANTS - i)}_A" for i in range(VARIANTS)]
SUBJECTS = [f"s{i:03}" for i in range(PERSONS)]


def columns(values=GENOTYPES, covariates=None, names=PLACES):
    covariates = np.empty((len(values), 0)) if covariates is None else covariates
    return ColumnsToTest(SUBJECTS[: len(values)], ["genes"] * values.shape[1], list(names), values, covariates)


def features(of=(3, 17)):
    """Of an encoder whose strongest features are what some variants act on, and of one that knows nothing."""
    acted = [GENOTYPES[:, [i]] + 0.5 * RANDOM.randn(PERSONS, 1) for i in of]
    mine = np.concatenate([value + 0.3 * RANDOM.randn(PERSONS, 8) for value in acted], 1)
    return {"mine": torch.from_numpy(mine), "size": torch.from_numpy(RANDOM.randn(PERSONS, 4))}


@pytest.fixture(scope="module")
def found():
    return find_associations(features(), columns(), components=5)


def test_what_features_show_is_found_and_nothing_else_is(found):
    sure = np.flatnonzero((found["mine"].p_bonferroni <= 0.05).any(1))
    assert sure.tolist() == [3, 17] and found["mine"].found(found["mine"].p_bonferroni) == 2
    assert found["size"].found(found["size"].p_bonferroni) == 0
    assert found["mine"].number == VARIANTS * 5 and found["size"].number == VARIANTS * 4


def test_in_other_persons_nothing_is_found():
    other = find_associations(features(), columns(RANDOM.permutation(GENOTYPES)), components=5)["mine"]
    assert other.found(other.p_bonferroni) == 0 and other.inflation == pytest.approx(1, abs=0.3)


def test_components_are_those_of_a_singular_value_decomposition():
    values = torch.from_numpy(RANDOM.randn(PERSONS, 6) @ np.diag([5.0, 3, 1, 1, 1, 1]) @ RANDOM.randn(6, 6))
    one = find_associations({"mine": values}, columns(), 2, normal=False)["mine"]
    standard = (values - values.mean(0)) / values.std(0)
    u, s, _ = torch.linalg.svd(standard, full_matrices=False)
    expected = np.corrcoef(GENOTYPES.T, u[:, 0])[-1, :-1]
    t = expected * np.sqrt((PERSONS - 2) / (1 - expected**2))
    np.testing.assert_allclose(np.abs(one.tests.t[:, 0]), np.abs(t), rtol=1e-6)
    assert one.held == pytest.approx(float(s[:2].square().sum() / s.square().sum()))


def test_a_person_far_out_decides_less_where_ranks_are_normal():
    far = torch.from_numpy(RANDOM.randn(PERSONS, 1))
    rare = np.zeros((PERSONS, 1), np.float32)
    rare[0], far[0] = 1, 7.0
    raw, normal = (
        find_associations({"mine": far}, columns(rare), 1, normal)["mine"].tests.p[0, 0] for normal in (0, 1)
    )
    assert raw < 1e-9 and normal > 1e-4


def test_corrections_are_those_of_all_tests():
    p = np.array([[0.001, 0.3], [np.nan, np.nan], [0.02, 0.03]])
    blank = np.full_like(p, np.nan)
    one = Associations(Association(blank, blank, blank, p, np.ones(3), np.array(["", "alike for all", ""])), 1.0)
    assert one.number == 4
    np.testing.assert_allclose(one.p_bonferroni, [[0.004, 1], [np.nan, np.nan], [0.08, 0.12]])
    np.testing.assert_allclose(one.q, [[0.004, 0.3], [np.nan, np.nan], [0.04, 0.04]])
    assert one.found(one.p_bonferroni) == 1 and one.found(one.q) == 2


def test_inflation_is_one_by_chance_and_more_where_all_differ():
    def of(chi2):
        p = stats.chi2.sf(chi2, 1)[:, None]
        return Associations(Association(p, p, p, p, np.ones(len(p)), np.full(len(p), "")), 1.0).inflation

    chi2 = np.random.RandomState(0).chisquare(1, 100_000)
    assert of(chi2) == pytest.approx(1, abs=0.02) and of(1.7 * chi2) == pytest.approx(1.7, abs=0.04)


def test_too_few_persons_are_refused_before_anything_is_embedded():
    with pytest.raises(InputError, match="8 persons are too few for a test with 2 covariates, which needs 9"):
        require_tests(columns(GENOTYPES[:8], RANDOM.randn(8, 2)))


def test_columns_none_of_which_can_be_tested_are_refused():
    with pytest.raises(InputError, match="No column can be tested: the first is alike for all"):
        find_associations(features(), columns(np.ones((PERSONS, 2))), 2)


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_tests_are_written_the_surest_first(found, tmp_path, caplog):
    caplog.set_level("INFO")
    write_associations(found, columns(), {"mine": "several"}, tmp_path)
    table = rows(tmp_path / "association.csv")
    assert tuple(table[0]) == COLUMNS and len(table) == found["mine"].number
    p = [float(row["p"]) for row in table]
    assert p == sorted(p) and {table[0]["column"], table[1]["column"]} <= {PLACES[3], PLACES[17]}
    assert float(table[0]["beta"]) / float(table[0]["standard_error"]) == pytest.approx(float(table[0]["t"]), rel=1e-4)
    assert table[0]["table"] == "genes" and table[0]["persons"] == str(PERSONS)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert {
        "persons": PERSONS,
        "columns": VARIANTS,
        "left_out": 0,
        "tests": 300,
        "tests_size": 240,
    }.items() <= metrics.items()
    assert metrics["found_bonferroni"] == 2 and metrics["found_bonferroni_size"] == 0
    assert "mine (several): 2 columns of 60 found (300 tests of 200 persons" in caplog.text
    assert "no more than" not in caplog.text


def test_a_model_that_finds_no_more_than_another_is_told(found, tmp_path, caplog):
    write_associations({"other": found["size"], "mine": found["mine"]}, columns(), {}, tmp_path)
    assert "other finds 0 columns, no more than mine (2)" in caplog.text


def test_columns_that_are_left_out_are_told(tmp_path, caplog):
    values = np.column_stack([GENOTYPES[:, :2], np.ones(PERSONS)])
    given = columns(values, names=["rs1", "rs2", "rs3"])
    write_associations(find_associations(features(), given, 2), given, {}, tmp_path)
    assert "1 columns are alike for all of those tested, and left out: rs3" in caplog.text
    assert {row["column"] for row in rows(tmp_path / "association.csv")} == {"rs1", "rs2"}


def test_genotypes_are_drawn_by_chromosome_and_position(found):
    figure = places_figure(found["mine"], columns().table, columns().column)
    order = sorted(range(VARIANTS), key=lambda i: place_of(PLACES[i]))
    expected = -np.log10(found["mine"].tests.p[order].min(1))
    np.testing.assert_allclose(figure.data["minus_log10_p"], expected)
    assert figure.data["group"].tolist() == [0] * 20 + [1] * 20 + [2] * 20


def test_chance_is_the_diagonal(found):
    figure = chance_figure(found["size"])
    assert figure.data["chance"][0] == pytest.approx(-np.log10(0.5 / 240))
    assert np.abs(figure.data["chance"] - figure.data["minus_log10_p"])[60:].max() < 0.3


def test_the_page_says_what_is_found(found, tmp_path):
    pytest.importorskip("matplotlib")
    write_association_page(found, columns(), {"mine": "several"}, tmp_path)
    page = (tmp_path / "association.html").read_text(encoding="utf-8")
    assert "<b>mine</b> finds 2 of 60 columns; size 0." in page
    assert PLACES[3] in page and PLACES[17] in page and PLACES[5] not in page
    assert (tmp_path / "figures" / "places.png").is_file() and (tmp_path / "figures" / "chance.csv").is_file()
