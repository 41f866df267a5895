"""What inference leaves of scans on a disk."""

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator
from monai.inferers import SimpleInferer
from monai.transforms import Compose, CropForegroundd, LoadImaged, Orientationd, SelectItemsd, Spacingd

from scripts.atomic import savez_atomically
from scripts.errors import InputError
from scripts.handlers.save_embeddings import SaveEmbeddings
from scripts.inferers.grid import GridInferer
from scripts.probes.principal_components import PrincipalComponents
from scripts.transforms.foreground import body_mask

CROP, STRIDE = [6, 5, 4], 3


class Moments(torch.nn.Module):
    """Embeds a crop as three numbers that tell of its intensities."""

    def forward(self, crops):
        crops = crops.flatten(1)
        return torch.stack([crops.mean(1), crops.amax(1), crops.std(1)], 1)


@pytest.fixture
def infer(tmp_path):
    """A function: run inference on scans (path, subject), as the bundle does, into a folder."""

    def run(scans, output="out", basis="out/basis.npz", box=True):
        transforms = [
            LoadImaged("image", ensure_channel_first=True),
            Orientationd("image", axcodes="RAS", labels=None),
        ]
        if box:
            transforms += [
                Spacingd("image", pixdim=[2.0, 2.0, 2.0]),
                CropForegroundd("image", "image", select_fn=body_mask, allow_smaller=True),
            ]
        transform = Compose([*transforms, SelectItemsd(["image", "subject"])])
        items = [{"image": str(path), "subject": subject} for path, subject in scans]
        SupervisedEvaluator(
            device=torch.device("cpu"),
            val_data_loader=DataLoader(Dataset(items, transform), batch_size=1),
            network=Moments(),
            inferer=GridInferer(CROP, STRIDE, 64, SimpleInferer()),
            decollate=False,
            val_handlers=[SaveEmbeddings(str(tmp_path / output), str(tmp_path / basis), CROP, STRIDE)],
        ).run()
        return tmp_path / output

    return run


@pytest.fixture
def scans(tmp_path, write_scan):
    """Two scans with their own oblique grids."""
    return [
        (write_scan(tmp_path / "in" / f"{name}.nii.gz", shape, seed=seed), name)
        for seed, (name, shape) in enumerate({"first": (26, 20, 18), "second": (22, 21, 17)}.items())
    ]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_scan_has_its_embeddings_and_its_map(infer, scans):
    assert names(infer(scans)) == [
        "basis.npz",
        "first_components.nii.gz",
        "first_embeddings.npz",
        "second_components.nii.gz",
        "second_embeddings.npz",
    ]


def test_embeddings_lie_where_they_are_said_to_in_scanner_coordinates(infer, tmp_path, write_scan, oblique):
    affine, shape = oblique(2), (14, 12, 10)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    scan = write_scan(tmp_path / "x.nii.gz", voxels=nib.affines.apply_affine(affine, index)[..., 0], affine=affine)
    with np.load(infer([(scan, "x")], box=False) / "x_embeddings.npz") as stored:
        # voxels are their x coordinate: the mean of a crop is that of its centre
        np.testing.assert_allclose(stored["embedding"][:, 0], stored["centre_mm"][:, 0], atol=1e-3)
        assert stored["embedding"].shape == (np.prod(stored["grid_shape"]), 3)
        grid = np.stack(np.meshgrid(*map(np.arange, stored["grid_shape"]), indexing="ij"), -1).reshape(-1, 3)
        np.testing.assert_allclose(nib.affines.apply_affine(stored["grid_affine"], grid), stored["centre_mm"])


def test_a_map_lies_on_the_voxels_of_its_scan(infer, scans):
    folder = infer(scans)
    for path, name in scans:
        scan, image = nib.load(path), nib.load(folder / f"{name}_components.nii.gz")
        assert image.shape == (*scan.shape, 3)
        np.testing.assert_allclose(image.affine, scan.affine, atol=1e-4)


def test_a_map_is_between_0_and_1(infer, scans):
    folder = infer(scans)
    values = [nib.load(folder / f"{name}_components.nii.gz").get_fdata() for _, name in scans]
    assert min(map(np.min, values)) == 0 and 0.9 < max(map(np.max, values)) <= 1


def test_a_map_is_zero_outside_the_body(infer, scans):
    values = nib.load(infer(scans) / "first_components.nii.gz").get_fdata()
    edges = [values[0], values[-1], values[:, 0], values[:, -1], values[:, :, 0], values[:, :, -1]]
    assert not any(edge.any() for edge in edges)
    assert (values[5:-5, 5:-5, 5:-5].max(-1) > 0).all()


def test_one_basis_is_fitted_to_all_scans(infer, scans):
    folder = infer(scans)
    embeddings = [np.load(folder / f"{name}_embeddings.npz")["embedding"] for _, name in scans]
    expected = PrincipalComponents(torch.from_numpy(np.concatenate(embeddings)))
    stored = PrincipalComponents.load(folder / "basis.npz")
    assert torch.allclose(stored.directions, expected.directions) and torch.allclose(stored.mean, expected.mean)


def test_a_basis_that_is_there_is_used_and_kept(infer, scans):
    infer(scans[:1])
    basis = infer(scans[:1]) / "basis.npz"
    before = basis.read_bytes()
    with_first = nib.load(infer(scans[1:], "more") / "second_components.nii.gz").get_fdata()
    own = nib.load(infer(scans[1:], "own", "own/basis.npz") / "second_components.nii.gz").get_fdata()
    assert basis.read_bytes() == before and "basis.npz" not in names(basis.parent.parent / "more")
    assert not np.allclose(with_first, own)


@pytest.mark.parametrize("subjects", [["P1", "P2", "P3"], ["P1"] * 3])
def test_scans_of_the_same_name_do_not_overwrite_each_other(infer, tmp_path, write_scan, subjects):
    scans = [(write_scan(tmp_path / str(i) / "t1.nii.gz", seed=i), subject) for i, subject in enumerate(subjects)]
    found = names(infer(scans))
    assert sum(name.endswith("_embeddings.npz") for name in found) == 3
    assert sum(name.endswith("_components.nii.gz") for name in found) == 3


def test_a_basis_of_another_encoder_is_refused(infer, scans, tmp_path):
    infer(scans)
    basis = next(tmp_path.rglob("basis.npz"))
    with np.load(basis) as stored:
        arrays = dict(stored)
    savez_atomically(basis, **arrays | {"encoder": arrays["encoder"] + 1})
    with pytest.raises(InputError, match="are of another encoder"):
        infer(scans)
