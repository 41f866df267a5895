"""Which values of a mask are the lesion is said in numbers or names, or asked."""

import json

import pytest

from scripts.data.mask_meaning import BINARY, MaskMeaning, mask_meaning
from scripts.errors import InputError

DECATHLON = {"0": "background", "1": "liver", "2": "cancer"}
NNUNET = {"background": 0, "liver": 1, "cancer": 2}


@pytest.fixture
def folder(tmp_path):
    """A function: folder of a data set that names its values so."""

    def write(labels):
        (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
        return tmp_path

    return write


def test_numbers_need_no_data_set():
    assert mask_meaning([2, 3]).values == (2, 3) and mask_meaning(["2"], dataset_dir="/no/such").names == ()


@pytest.mark.parametrize("labels", [DECATHLON, NNUNET])
def test_names_are_those_of_the_data_set(folder, labels):
    meaning = mask_meaning(["cancer"], dataset_dir=folder(labels))
    assert meaning.values == (2,) and dict(meaning.names) == {"background": 0, "liver": 1, "cancer": 2}


def test_a_region_has_several_values(folder):
    regions = {"background": 0, "kidney": [1, 2, 3], "masses": [2, 3], "tumour": 2}
    assert mask_meaning(["masses"], dataset_dir=folder(regions)).values == (2, 3)


def test_the_file_of_the_data_set_will_do(folder):
    assert mask_meaning(["cancer"], dataset_dir=folder(DECATHLON) / "dataset.json").values == (2,)


def test_a_name_that_is_not_there_is_answered_with_those_that_are(folder):
    with pytest.raises(InputError, match=r"lesion_values has tumour, .* names background, liver, cancer\. Give"):
        mask_meaning(["tumour"], dataset_dir=folder(DECATHLON))


def test_a_name_without_a_data_set_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"lesion_values has tumour, .* it has no dataset\.json with names\. Give"):
        mask_meaning(["tumour"], dataset_dir=tmp_path)


@pytest.mark.parametrize("nowhere", [None, "null"])
def test_a_data_set_where_the_process_happens_to_run_is_not_asked(folder, monkeypatch, nowhere):
    monkeypatch.chdir(folder(DECATHLON))
    assert mask_meaning(dataset_dir=nowhere) == BINARY


@pytest.mark.parametrize("values", [[], [0], [0, 1], [-1]])
def test_the_background_is_no_lesion(values):
    with pytest.raises(InputError, match="give whole numbers above 0"):
        mask_meaning(values)


@pytest.mark.parametrize("text", ["[1, 2", '{"labels": ["liver"]}', "[]", '{"labels": {"liver": null}}'])
def test_a_data_set_that_names_nothing_has_no_names(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text, encoding="utf-8")
    assert mask_meaning(dataset_dir=tmp_path) == BINARY


@pytest.mark.parametrize("values", [[], [1], [255]])
def test_one_value_above_0_needs_no_word(values):
    assert BINARY.question(values) is None


def test_several_values_are_asked_about_with_their_names(folder):
    question = mask_meaning(dataset_dir=folder(DECATHLON)).question([1, 2])
    assert "several values above 0, 1 (liver), 2 (cancer)," in question
    assert question.endswith('give lesion_values, for example --lesion_values "[2]".')


def test_several_names_are_asked_about_where_masks_have_one_of_them(folder):
    assert "1 (liver), 2 (cancer)" in mask_meaning(dataset_dir=folder(DECATHLON)).question([1])


def test_what_was_said_is_not_asked():
    assert MaskMeaning(values=(2,)).question([1, 2, 3]) is None
