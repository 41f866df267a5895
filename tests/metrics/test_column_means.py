"""Means of columns over those who have them."""

import torch

from scripts.metrics.column_means import column_means
from scripts.metrics.subject_bootstrap import SubjectBootstrap, expanded_interval


def test_where_all_have_a_value_it_is_the_interval_of_the_house():
    values = torch.randn(12, 3)
    means, ends = column_means(values)
    draws = SubjectBootstrap(range(12)).crop_means(values)
    torch.testing.assert_close(means, values.double().mean(0))
    torch.testing.assert_close(ends, expanded_interval(draws, 12))


def test_who_has_none_does_not_count():
    values = torch.cat([torch.full((8, 1), 2.0), torch.full((4, 1), torch.nan)])
    means, ends = column_means(values)
    assert means.tolist() == [2] and ends.tolist() == [[2], [2]]


def test_of_fewer_than_five_there_is_no_interval():
    values = torch.cat([torch.randn(4, 1), torch.full((8, 1), torch.nan)])
    means, ends = column_means(values)
    assert means.isfinite().all() and ends.isnan().all()


def test_many_columns_are_as_few_are():
    values = torch.randn(6, 700)
    few, many = column_means(values[:, 600:]), column_means(values)
    torch.testing.assert_close(few[1], many[1][:, 600:])
