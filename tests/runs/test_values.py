"""A setting is what its user meant, or is refused by name."""

import pytest
from monai.bundle import ConfigParser

from scripts.errors import InputError
from scripts.runs.values import settle_values

KINDS = {
    "dataset_dir": "path or null; of scans",
    "output_dir": "path; of results",
    "ckpt_dir": "path; of weights",
    "rate": "number > 0; of learning",
    "spacing": "three numbers > 0; mm",
    "title": "text; of the report",
    "margin": "number >= 0 or null; mm",
    "columns": "list of text or null; of a table",
}
DEFAULTS = {"dataset_dir": None, "output_dir": "out", "ckpt_dir": "$@output_dir + '/models'", "rate": 0.1}
DEFAULTS |= {"spacing": [1, 1, 1], "title": "A run", "margin": 10.0, "columns": ["a"]}


def settled(**overrides):
    """What components of a configuration get, by the name of the setting that they refer to."""
    described = {}
    for key, value in (DEFAULTS | overrides).items():
        described |= {f"_desc_{key}_": KINDS[key], key: value}
    parser = ConfigParser(described | {"used": {key: f"@{key}" for key in KINDS}})
    parser.parse()
    settle_values(parser)
    return parser.get_parsed_content("used")


def test_settings_that_are_as_they_should_be_are_left_alone():
    assert settled() == DEFAULTS | {"ckpt_dir": "out/models"}


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "0.0001", "+1e-4"])
def test_a_number_that_a_file_has_as_a_word_is_a_number(text):
    assert settled(rate=text)["rate"] == 1e-4


def test_numbers_of_a_list_may_be_words_as_well():
    assert settled(spacing=[1, "2.5", "1e0"])["spacing"] == [1, 2.5, 1.0]


def test_null_of_a_command_line_is_nothing_where_nothing_is_allowed():
    got = settled(margin="null", columns="null")
    assert got["margin"] is None and got["columns"] is None


def test_null_is_a_word_in_a_text_in_a_list_and_in_a_path_whose_reader_knows_it():
    got = settled(title="null", columns=["null"], dataset_dir="null")
    assert (got["title"], got["columns"], got["dataset_dir"]) == ("null", ["null"], "null")


def test_null_is_no_number_where_one_has_to_be():
    with pytest.raises(InputError, match='rate is "null": give a number > 0'):
        settled(rate="null")


@pytest.mark.parametrize("text", ["fast", "", "1e", "nan", "inf", "1,5"])
def test_another_word_is_no_number(text):
    with pytest.raises(InputError, match=f'rate is "{text}": give a number > 0'):
        settled(rate=text)


@pytest.mark.parametrize("path", ["/a#b", "/a b", "/a@b", "/a$b", "a#1/#2", "./@b", "./$b"])
def test_a_path_may_have_any_letter(path):
    assert settled(dataset_dir=path, output_dir=path) == DEFAULTS | {
        "dataset_dir": path,
        "output_dir": path,
        "ckpt_dir": path + "/models",
    }


def test_a_folder_that_has_two_colons_in_its_name_is_that_folder(tmp_path):
    (tmp_path / "a::b").mkdir()
    assert settled(dataset_dir=str(tmp_path / "a::b"))["dataset_dir"] == str(tmp_path / "a::b")


def test_what_is_read_otherwise_than_monai_has_it_is_said(caplog):
    settled(output_dir="a#b")
    assert "a::b is read as a#b" in caplog.text


def test_a_number_sign_stays_in_a_text():
    assert settled(title="Run #3")["title"] == "Run #3"


@pytest.mark.parametrize("key", ["dataset_dir", "output_dir"])
@pytest.mark.parametrize("number", [7, 2024, 1.1])
def test_a_folder_that_is_a_number_to_the_command_line_is_asked_for_as_a_path(key, number):
    with pytest.raises(InputError, match=rf"{key} is {number}: give a path .*such as \./{number}, which is no number"):
        settled(**{key: number})


@pytest.mark.parametrize("path", ["$HOME/scans", "@scans", "$scans of mine"])
def test_a_path_that_begins_as_an_expression_does_is_named(path):
    with pytest.raises(InputError) as caught:
        settled(dataset_dir=path)
    text = str(caught.value)
    assert text.startswith(f"dataset_dir is {path}, which MONAI takes for an expression (")
    assert text.endswith(f"is written ./{path}.")


def test_an_expression_that_makes_no_path_is_refused():
    with pytest.raises(InputError, match="dataset_dir is 3: give a path"):
        settled(dataset_dir="$1 + 2")
