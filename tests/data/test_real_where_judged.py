"""Synthetic images are trained on, and nobody is judged by them."""

import logging

from scripts.data.real_where_judged import real_where_judged


def case(subject, *names, synthetic=()):
    images = {name: f"{subject}_{name}.nii.gz" for name in names}
    return {"image": images[names[0]], "modalities": images, "subject": subject, "synthetic": sorted(synthetic)}


SPLIT = {
    "train": [case("A", "t1", "ct", synthetic=["ct"])],
    "validate": [case("B", "t1", "ct"), case("C", "ct", "t1", synthetic=["ct"])],
    "test": [case("D", "ct", synthetic=["ct"]), case("E", "t1")],
}


def test_who_is_trained_on_keeps_them_and_others_keep_what_is_real():
    real = real_where_judged(SPLIT)
    assert real["train"] == SPLIT["train"] and real["validate"][0] == SPLIT["validate"][0]
    assert [list(one["modalities"]) for one in real["validate"]] == [["t1", "ct"], ["t1"]]
    assert real["validate"][1]["image"] == "C_t1.nii.gz" and real["validate"][1]["synthetic"] == []


def test_a_case_of_synthetic_images_alone_judges_nobody():
    assert [one["subject"] for one in real_where_judged(SPLIT)["test"]] == ["E"]


def test_the_log_counts_them_and_says_nothing_where_there_are_none(caplog):
    with caplog.at_level(logging.INFO):
        real_where_judged({"train": [case("A", "t1")], "validate": [], "test": []})
        assert not caplog.text
        real_where_judged(SPLIT)
    assert "1 synthetic images of training subjects are trained on; 2 of those who validate" in caplog.text
