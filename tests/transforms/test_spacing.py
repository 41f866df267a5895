"""What stands beside an image stays as it is where the image is resampled."""

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, LoadImaged, Spacingd

from scripts.transforms.spacing import KeysOnlySpacingd


@pytest.fixture
def request_of_a_server(write_scan, tmp_path):
    """A scan as a server loads it: its metadata and path beside it."""
    path = write_scan(tmp_path / "scan.nii.gz")
    data = {"image": str(path), "image_path": str(path)}
    return LoadImaged("image", ensure_channel_first=True, image_only=False)(data)


def test_monais_own_fails_on_a_path_beside_the_image(request_of_a_server):
    with pytest.raises(AttributeError):
        Spacingd("image", (2, 2, 2))(request_of_a_server)


def test_a_path_and_metadata_beside_the_image_stay_as_they_were(request_of_a_server):
    before = {key: request_of_a_server[key] for key in ("image_path", "image_meta_dict")}
    affine = before["image_meta_dict"]["affine"].clone()
    done = KeysOnlySpacingd("image", (2, 2, 2))(request_of_a_server)
    assert all(done[key] is before[key] for key in before)
    assert torch.equal(done["image_meta_dict"]["affine"], affine)


def test_the_image_is_resampled_as_by_monai_and_back(oblique):
    def scan():
        image = torch.arange(12 * 10 * 8, dtype=torch.float32).reshape(1, 12, 10, 8)
        return {"image": MetaTensor(image, affine=torch.from_numpy(oblique(1)))}

    ours, monais = Compose([KeysOnlySpacingd("image", (2, 2, 2))]), Spacingd("image", (2, 2, 2))
    resampled = ours(scan())
    assert torch.equal(resampled["image"], monais(scan())["image"])
    back = ours.inverse(resampled)["image"]
    assert back.shape == (1, 12, 10, 8) and torch.allclose(back.affine, scan()["image"].affine, atol=1e-5)
