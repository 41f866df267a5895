"""A setting that is not what it may be is refused, by name, before anything is read."""

import pytest
import torch

from scripts.errors import InputError
from scripts.runs.kinds import check_kinds, fits, settings_of

GOOD = [
    ("whole number >= 1", 3),
    ("number > 0", 1e-4),
    ("number > 0", 2),
    ("number >= 0 and <= 1", 1.0),
    ("number >= 0 and < 1", 0),
    ("three numbers > 0", [1.5, 2, 3]),
    ("three whole numbers >= 1", (32, 32, 32)),
    ("list of number > 0 and <= 1", []),
    ("lists of text by name", {"tumour": ["core", "oedema"]}),
    ("list of number > 0 and <= 1", [0.1, 1]),
    ("true or false", False),
    ("true or false", "true"),
    ("one of all, within", "within"),
    ("path", "/my/scans"),
    ("path or null", None),
    ("text", 7),
    ("list of whole number or text or null", [2, "cancer"]),
    ("list of whole number or text or null", None),
    ("share or whole number", 0.1),
    ("share or whole number", 3),
    ("device", "cuda:1"),
]
BAD = [
    ("whole number >= 1", 0),
    ("whole number >= 1", 2.5),
    ("whole number >= 1", "ten"),
    ("whole number >= 1", True),
    ("number > 0", 0),
    ("number > 0", "1e-4"),
    ("number > 0", float("nan")),
    ("number > 0", float("inf")),
    ("number >= 0 and <= 1", 1.1),
    ("number >= 0 and < 1", 1),
    ("three numbers > 0", 2),
    ("three numbers > 0", [2, 2]),
    ("three numbers > 0", [2, 2, 0]),
    ("three numbers > 0", "2,2,2"),
    ("three whole numbers >= 1", [32, 32, 32.5]),
    ("list of number > 0 and <= 1", 0.5),
    ("lists of text by name", ["core"]),
    ("lists of text by name", {"tumour": "core"}),
    ("list of number > 0 and <= 1", [2]),
    ("true or false", "yes"),
    ("true or false", 2),
    ("one of all, within", "some"),
    ("path", 2024),
    ("path", ""),
    ("path", None),
    ("list of whole number or text or null", 2),
    ("list of whole number or text or null", "cancer"),
    ("list of whole number or text or null", [2.5]),
    ("list of whole number or text or null", [True]),
    ("share or whole number", 1.5),
    ("share or whole number", 0),
    ("device", "gpu"),
    ("device", 0),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_a_value_of_its_kind_fits(kind, value):
    assert fits(kind, value)


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_a_value_of_another_kind_does_not(kind, value):
    assert not fits(kind, value)


def test_a_kind_that_there_is_not_is_a_mistake_of_the_configuration():
    with pytest.raises(ValueError, match="no kind of setting 'numbr > 0'"):
        fits("numbr > 0", 1)


def test_a_setting_is_what_has_a_description_before_it():
    config = {"_desc_": "about", "_desc_rate_": "number > 0; of learning", "rate": 1, "other": 2, "_desc_gone_": "x"}
    assert [(one.name, one.value, one.kind, one.description) for one in settings_of(config)] == [
        ("rate", 1, "number > 0", "of learning")
    ]


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("three numbers > 0; mm", 2, r"size is 2: give three numbers > 0 \(mm\)\."),
        ("whole number >= 1", "ten", r'size is "ten": give a whole number >= 1\.'),
        ("true or false", "yes", 'size is "yes": give true or false'),
        ("path", 2024, r"size is 2024: give a path, such as \./2024, which is no number to a command line\."),
        ("path", True, r"size is true: give a path\."),
    ],
)
def test_the_sentence_names_the_setting_its_value_and_what_is_allowed(kind, value, sentence):
    with pytest.raises(InputError, match=sentence):
        check_kinds({"_desc_size_": kind, "size": value})


def test_an_expression_is_not_checked():
    check_kinds({"_desc_size_": "whole number >= 1", "size": "$2 * @other"})


def test_a_gpu_that_there_is_not_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="device is cuda, but torch finds no GPU here: give cpu"):
        check_kinds({"_desc_device_": "device; where it runs", "device": "cuda"})
