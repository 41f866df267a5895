"""Regions are unions of classes."""

import pytest

from scripts.data.regions import regions_of_classes
from scripts.data.structures import Structures
from scripts.errors import InputError

TUMOUR = Structures(("necrosis", "oedema", "enhancing"), ((1,), (2,), (4,)))


def test_a_region_has_the_numbers_of_its_classes_and_not_their_values():
    regions = regions_of_classes(TUMOUR, {"core": ["necrosis", "enhancing"], "enhancing": ["enhancing"]})
    assert (regions.names, regions.values) == (("core", "enhancing"), ((1, 3), (3,)))


def test_without_regions_each_class_is_one():
    regions = regions_of_classes(TUMOUR, {})
    assert (regions.names, regions.values) == (TUMOUR.names, ((1,), (2,), (3,)))


@pytest.mark.parametrize("names", [["edema"], [], "oedema", ["oedema", "edema"]])
def test_a_class_that_there_is_not_is_refused_with_those_that_there_are(names):
    with pytest.raises(InputError, match=r"as swelling: .* names of classes, of necrosis, oedema, enhancing\."):
        regions_of_classes(TUMOUR, {"swelling": names})


def test_a_class_that_is_named_twice_is_refused():
    with pytest.raises(InputError, match="as swelling, a class of which is there twice: name each once"):
        regions_of_classes(TUMOUR, {"swelling": ["oedema", "oedema"]})
