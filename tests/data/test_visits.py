"""Images of one occasion come together."""

from scripts.data.visits import Image, visits_of


def image(path, modality, rest="", visit=(), synthetic=False, subject="P1"):
    return Image(path, subject, modality, frozenset(visit), rest, synthetic)


def paths(visits):
    return [{name: image.path for name, image in sorted(visit.items())} for visit in visits]


def test_subjects_and_visits_are_apart():
    images = [image("a", "t1"), image("b", "t2", subject="P2"), image("c", "t2", visit=["ses2"])]
    assert paths(visits_of(images)[0]) == [{"t1": "a"}, {"t2": "c"}, {"t2": "b"}]


def test_names_that_differ_in_the_modality_alone_are_a_visit_each():
    images = [image(f"{rest}{name}", name, rest) for rest in "xy" for name in ("t1", "t2")]
    assert paths(visits_of(images)[0]) == [{"t1": "xt1", "t2": "xt2"}, {"t1": "yt1", "t2": "yt2"}]


def test_an_image_without_partner_is_of_the_first_visit_that_lacks_its_modality():
    images = [image("xt1", "t1", "x"), image("xt2", "t2", "x"), image("zpet", "pet", "z")]
    assert paths(visits_of(images)[0]) == [{"pet": "zpet", "t1": "xt1", "t2": "xt2"}]


def test_a_further_image_of_a_modality_is_named():
    images = [image("b", "t1", "b"), image("a", "t1", "a"), image("c", "t2", "c")]
    visits, others = visits_of(images)
    assert paths(visits) == [{"t1": "a", "t2": "c"}] and [other.path for other in others] == ["b"]


def test_a_real_image_is_taken_before_a_synthetic_one():
    images = [image("a", "ct", "x", synthetic=True), image("b", "ct", "x"), image("c", "t1", "x")]
    visits, others = visits_of(images)
    assert paths(visits) == [{"ct": "b", "t1": "c"}] and not others
