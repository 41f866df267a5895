"""One channel of a patch, in its place."""

import torch
from monai.data import MetaTensor

from scripts.transforms.one_modality import OneModalityd


def test_the_channel_that_was_drawn_is_left_with_its_place(oblique):
    image = MetaTensor(torch.rand(3, 4, 5, 6), affine=oblique())
    item = OneModalityd("image")({"image": image, "modality": 2, "cell": 7})
    assert torch.equal(item["image"].as_tensor(), image.as_tensor()[2:]) and item["cell"] == 7
    assert torch.equal(item["image"].affine, image.affine)
