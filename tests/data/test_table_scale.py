"""Tables are scaled by persons who train, and by nobody else, then and later."""

import numpy as np
import pytest

from scripts.data.person_table import PersonTable
from scripts.data.table_scale import fit_scales, read_scales, scale_tables, write_scales
from scripts.errors import InputError

PERSONS = [f"P{i}" for i in range(12)]


@pytest.fixture
def table():
    values = np.random.default_rng(0).normal([5, -3, 100], [1, 10, 0.1], (12, 3)).astype(np.float32)
    values[2, 0] = np.nan
    return PersonTable("blood", list(PERSONS), ["iron", "sodium", "zinc"], values)


@pytest.fixture
def split():
    scans = [{"subject": name, "person": i} for i, name in enumerate(PERSONS)]
    return {"train": scans[:8], "validate": scans[8:10], "test": scans[10:]}


def scaled(table, split):
    return scale_tables([table], fit_scales([table], split), split)["blood"].numpy()


def test_those_who_train_have_a_mean_of_0_and_a_deviation_of_1(table, split):
    values = scaled(table, split)[:8]
    assert np.allclose(np.nanmean(values, 0), 0, atol=1e-4) and np.allclose(np.nanstd(values, 0), 1, atol=1e-3)


def test_who_tests_is_scaled_by_those_who_train(table, split):
    before = scaled(table, split)
    table.values[10:] += [1, 10, 0.1]
    assert np.array_equal(scaled(table, split)[:10], before[:10], equal_nan=True)
    assert (scaled(table, split)[10:] > before[10:] + 0.5).all()


def test_a_number_that_is_far_out_is_clipped(table, split):
    table.values[11] = [1e6, -1e6, 100]
    assert scaled(table, split)[11, :2].tolist() == [8, -8]


def test_what_is_missing_stays_missing(table, split):
    values = scaled(table, split)
    assert np.argwhere(np.isnan(values)).tolist() == [[2, 0]]


def test_rows_are_those_of_the_numbers_of_persons_and_empty_where_a_table_lacks_them(table, split):
    last = PersonTable("blood", PERSONS[:0:-1], table.columns, table.values[:0:-1])
    scales = fit_scales([table], split)
    found = scale_tables([last], scales, split)["blood"].numpy()
    assert np.isnan(found[0]).all()
    assert np.array_equal(found[1:], scale_tables([table], scales, split)["blood"].numpy()[1:], equal_nan=True)


def test_a_column_that_is_alike_for_all_who_train_is_left_out_and_told(table, split, caplog):
    table.values[:8, 1] = 7
    with caplog.at_level("INFO"):
        assert fit_scales([table], split)["blood"].columns == ["iron", "zinc"]
    assert "blood: 1 columns are alike for all who train and are left out: sodium." in caplog.text


def test_a_column_of_which_nothing_is_known_in_training_is_left_out(table, split):
    table.values[:8, 1] = np.nan
    assert fit_scales([table], split)["blood"].columns == ["iron", "zinc"]


def test_a_table_that_says_nothing_of_those_who_train_is_refused(table, split):
    table.values[:8] = 1
    with pytest.raises(InputError, match="Nothing in blood differs among the 8 persons of it who train"):
        fit_scales([table], split)


def test_scales_of_a_run_scale_as_the_run_did(table, split, tmp_path):
    scales = fit_scales([table], split)
    write_scales(scales, tmp_path / "tables.json")
    assert read_scales(tmp_path / "tables.json") == scales


def test_a_run_is_not_resumed_with_other_tables(table, split, tmp_path):
    write_scales(fit_scales([table], split), tmp_path / "tables.json")
    (tmp_path / "checkpoint.pt").touch()
    write_scales(fit_scales([table], split), tmp_path / "tables.json")
    table.values[0, 1] += 1
    with pytest.raises(InputError, match=r"tables\.json has other columns, means or deviations than the tables now"):
        write_scales(fit_scales([table], split), tmp_path / "tables.json")


def test_a_validation_in_which_nobody_can_be_found_is_refused(table, split):
    halves = [
        PersonTable(name, table.persons[i::2], table.columns, table.values[i::2])
        for i, name in enumerate(["blood", "genes"])
    ]
    assert fit_scales([table, *halves], split)
    with pytest.raises(InputError, match="No two persons who validate are in one table: raise val_size"):
        fit_scales(halves, split)


def test_other_columns_than_those_of_the_run_are_refused(table, split):
    other = PersonTable("blood", table.persons, ["iron", "sodium", "lead"], table.values)
    with pytest.raises(InputError, match="blood has no column zinc, and that of the run has"):
        scale_tables([other], fit_scales([table], split), split)


def test_a_kind_that_nobody_is_of_is_what_all_are_not(split):
    sites = np.eye(3, dtype=np.float32)[np.arange(12) % 3]
    sites[11] = np.nan
    scales = fit_scales([PersonTable("people", PERSONS, ["site=A", "site=B", "site=C"], sites)], split)
    here = PersonTable("people", PERSONS, ["site=A", "site=C", "site=D"], sites)
    values, scale = scale_tables([here], scales, split)["people"], scales["people"]
    assert np.allclose(values[:11, 1], -scale.mean[1] / scale.deviation[1]) and np.isnan(values[11]).all()


def test_other_tables_than_those_of_the_run_are_refused(table, split):
    other = PersonTable("genes", table.persons, table.columns, table.values)
    with pytest.raises(InputError, match="tables are genes, and those of the run are blood"):
        scale_tables([other], fit_scales([table], split), split)


def test_an_encoder_of_a_run_without_tables_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is no tables\.json of a run"):
        read_scales(tmp_path / "tables.json")
