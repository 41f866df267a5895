"""A patch of a scan, cut where it was drawn, and no sooner."""

from collections.abc import Hashable, Mapping, Sequence

from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

__all__ = ["PatchAtd"]


class PatchAtd(MapTransform):
    """Cut the patch that begins at `corner`, [3], a voxel of the scan.

    `monai.transforms.SpatialCrop`, which takes five times as long, also keeps a record of how to undo it.

    Args:
        keys: of the scan's images, [C, X, Y, Z], all of which are cut alike.
        patch_size: voxels, [X, Y, Z].
        allow_missing_keys: as for `MapTransform`.
    """

    def __init__(self, keys: KeysCollection, patch_size: Sequence[int], allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.patch_size = patch_size

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict:
        """The item with a patch [C, *patch_size] in place of each image, a copy, with the affine of its place."""
        corner = [int(first) for first in data["corner"]]
        window = tuple(slice(first, first + size) for first, size in zip(corner, self.patch_size, strict=True))
        return {**data, **{key: _cut(data[key], window) for key in self.key_iterator(dict(data))}}


def _cut(image: MetaTensor, window: tuple[slice, ...]) -> MetaTensor:
    affine = image.affine.clone()
    affine[:3, 3] += affine[:3, :3] @ affine.new_tensor([axis.start for axis in window])
    return MetaTensor(image.as_tensor()[(slice(None), *window)].clone(), affine=affine)
