"""What a mask says of its scan: the lesion's voxels, or what is wrong with it."""

import nibabel
import numpy as np
import pytest

from scripts.data.lesion_voxels import lesion_of_scan, read_mask
from scripts.data.mask_meaning import MaskMeaning
from scripts.errors import InputError

SHAPE = (9, 8, 7)
PLAIN = MaskMeaning()


@pytest.fixture
def scan(write_scan, tmp_path):
    return str(write_scan(tmp_path / "scan.nii.gz", shape=SHAPE))


@pytest.fixture
def mask(oblique, tmp_path):
    """A function: path of a mask of these voxels."""

    def write(voxels, name="mask.nii.gz", affine=None):
        affine = oblique(0) if affine is None else affine
        nibabel.save(nibabel.Nifti1Image(voxels, affine, dtype=voxels.dtype), tmp_path / name)
        return str(tmp_path / name)

    return write


def at(value, dtype=np.uint8, shape=SHAPE):
    """A mask that is 0 but for one voxel."""
    voxels = np.zeros(shape, dtype)
    voxels[(2, 3, 4, *[-1] * (len(shape) - 3))] = value
    return voxels


def found(lesion):
    return np.argwhere(lesion).tolist()


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(1, np.uint8), (255, np.uint8), (1, np.int16), (300, np.int32), (1, np.float32), (7, np.float64)],
)
def test_the_one_value_above_0_is_the_lesion(mask, scan, value, dtype):
    read = read_mask(mask(at(value, dtype)), scan, PLAIN)
    assert found(read.lesion) == [[2, 3, 4]] and read.values == {value} and not read.is_cut


def test_of_several_values_those_that_are_said_are_the_lesion(mask, scan):
    voxels = at(2)
    voxels[5:] = 1
    read = read_mask(mask(voxels), scan, MaskMeaning((2, 9)))
    assert found(read.lesion) == [[2, 3, 4]] and read.values == {1, 2}


def test_of_several_values_none_is_the_lesion_until_one_is_said(mask, scan):
    voxels = at(2)
    voxels[5:] = 1
    with pytest.raises(InputError, match=r"mask.nii.gz: Masks have several values above 0, 1, 2, .* \"\[2\]\""):
        lesion_of_scan(mask(voxels), scan, PLAIN)


@pytest.mark.parametrize("shape", [(*SHAPE, 1), (*SHAPE, 1, 1)])
def test_one_channel_is_no_channel(mask, scan, shape):
    assert found(lesion_of_scan(mask(at(1, shape=shape)), scan, PLAIN)) == [[2, 3, 4]]


@pytest.mark.parametrize("shape", [(*SHAPE, 2), (*SHAPE, 1, 2)])
def test_of_several_channels_the_one_that_is_said_has_the_lesion(mask, scan, shape):
    voxels = at(1, shape=shape)
    voxels[..., 0] = 1 - voxels[..., 1]  # the background, first
    assert found(lesion_of_scan(mask(voxels), scan, MaskMeaning(channel=1))) == [[2, 3, 4]]


def test_a_big_endian_mask_is_read_as_any(mask, scan):
    assert found(lesion_of_scan(mask(at(1, ">i2")), scan, PLAIN)) == [[2, 3, 4]]


def test_scale_factors_leave_whole_numbers_whole(scan, tmp_path):
    image = nibabel.Nifti1Image(at(2.0, np.float32), nibabel.load(scan).affine, dtype=np.int16)
    nibabel.save(image, tmp_path / "scaled.nii")  # 2 as 32767 times a factor
    read = read_mask(str(tmp_path / "scaled.nii"), scan, PLAIN)
    assert read.values == {2} and not read.is_cut


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ripples_of_interpolation_are_cut_at_a_half(mask, scan, dtype):
    voxels = at(0.98, dtype)
    voxels[2, 3, 5], voxels[2, 3, 6], voxels[1, 1, 1] = 0.5, 0.49, -0.02
    read = read_mask(mask(voxels), scan, PLAIN)
    assert found(read.lesion) == [[2, 3, 4], [2, 3, 5]] and read.is_cut and read.values == {1}


def test_masks_of_a_scan_are_united(mask, scan):
    paths = [mask(at(1), "one.nii.gz"), mask(np.roll(at(1), 1, axis=0), "two.nii.gz")]
    assert found(lesion_of_scan(paths, scan, PLAIN)) == [[2, 3, 4], [3, 3, 4]]


def test_masks_that_are_united_have_one_meaning(mask, scan):
    with pytest.raises(InputError, match="several values above 0, 1, 2,"):
        lesion_of_scan([mask(at(1), "one.nii.gz"), mask(at(2), "two.nii.gz")], scan, PLAIN)


FAULTS = {
    "channels": (at(1, shape=(*SHAPE, 2)), PLAIN, "has 2 channels: give lesion_channel"),
    "no such channel": (at(1, shape=(*SHAPE, 2)), MaskMeaning(channel=2), "has 2 channels, but lesion_channel is 2"),
    "no channel": (at(1), MaskMeaning(channel=1), "has 1 channel, but lesion_channel is 1"),
    "time and channels": (at(1, shape=(*SHAPE, 2, 2)), PLAIN, r"is not 3D \(shape 9x8x7x2x2\)"),
    "fewer voxels": (
        at(1)[:, :, :6],
        PLAIN,
        r"is not in the grid of .*scan.nii.gz \(9x8x6 voxels, not 9x8x7\): resample",
    ),
    "a slice": (at(1)[:, :, 4], PLAIN, r"is not in the grid of .* \(9x8 voxels, not 9x8x7\)"),
    "NaN": (at(np.nan, np.float32), PLAIN, "has 1 voxels that are NaN or infinite"),
    "below 0": (at(-1, np.int16), PLAIN, r"has values below 0 \(-1\)"),
    "not whole": (at(2.4, np.float32), PLAIN, r"has numbers that are not whole \(2.4\)"),
    "one odd number": (at(1 / 255, np.float64), PLAIN, r"has 0.003922 as its one number but another"),
    "complex": (at(1, np.complex64), PLAIN, "has voxels that are colours or complex numbers"),
}


@pytest.mark.parametrize(("voxels", "meaning", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_mask_is_refused_by_name(mask, scan, voxels, meaning, sentence):
    with pytest.raises(InputError, match=f"mask.nii.gz {sentence}"):
        lesion_of_scan(mask(voxels), scan, meaning)


def test_a_mask_that_lies_elsewhere_is_refused(mask, scan, oblique):
    with pytest.raises(InputError, match=r"is not in the grid of .*scan.nii.gz \(.* voxels apart\): resample it"):
        lesion_of_scan(mask(at(1), affine=oblique(1)), scan, PLAIN)


@pytest.mark.parametrize(("kept", "sentence"), [(500, "is truncated"), (30, "cannot be read")])
def test_a_mask_that_is_cut_off_is_refused(mask, scan, kept, sentence, tmp_path):
    path = mask(np.random.RandomState(0).randint(0, 2, SHAPE).astype(np.int16), "cut.nii")
    content = (tmp_path / "cut.nii").read_bytes()
    (tmp_path / "cut.nii").write_bytes(content[:kept])
    with pytest.raises(InputError, match=rf"cut.nii {sentence}"):
        lesion_of_scan(path, scan, PLAIN)


def test_a_mask_whose_voxels_changed_on_the_way_is_refused(mask, scan, tmp_path, damage):
    path = mask(np.random.RandomState(0).randint(0, 2, SHAPE).astype(np.int16))
    damage(tmp_path / "mask.nii.gz")
    with pytest.raises(InputError, match=r"mask.nii.gz is damaged \(CRC check failed"):
        lesion_of_scan(path, scan, PLAIN)


def test_a_mask_that_is_not_there_is_named(scan):
    with pytest.raises(InputError, match=r"gone.nii.gz is not there"):
        lesion_of_scan("gone.nii.gz", scan, PLAIN)
