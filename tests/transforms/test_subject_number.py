"""A subject has one number, and no other has it."""

from monai.data import list_data_collate

from scripts.transforms.subject_number import SubjectNumber


def test_scans_of_a_subject_have_one_number_and_those_of_others_have_another():
    names = ["Ann", "Ben", "Ann", "Ann "]
    one, other, again, third = (SubjectNumber()({"subject": name})["subject_number"] for name in names)
    assert one == again and len({one, other, third}) == 3


def test_a_batch_keeps_the_number_as_it_is():
    item = SubjectNumber()({"subject": "Ann", "scan": 3})
    assert list_data_collate([item])["subject_number"].tolist() == [item["subject_number"]]


def test_it_is_the_same_in_every_process():
    assert SubjectNumber()({"subject": "Ann"})["subject_number"] == 64605277259342711
