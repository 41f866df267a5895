"""Some of an item survives."""

from monai.transforms import Lambdad, SelectItemsd

from scripts.transforms.kept import Kept


def test_keys_that_a_selection_drops_are_kept():
    kept = Kept([Lambdad("image", lambda value: value + 1), SelectItemsd("image")], ["shares"])
    assert kept({"image": 1, "shares": 2, "label": 3}) == {"image": 2, "shares": 2}


def test_keys_that_an_item_lacks_are_not_made():
    assert Kept([SelectItemsd("image")], ["shares"])({"image": 1}) == {"image": 1}
