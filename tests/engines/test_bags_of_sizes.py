"""Scans of different sizes in one step."""

import torch
from monai.data import DataLoader
from monai.transforms.croppad.batch import PadListDataCollate

from scripts.engines.batches import PrepareBag
from scripts.inferers.tiles import TileInferer
from scripts.losses.weak_label import WeakLabelLoss


def item(size, label):
    return {
        "image": torch.rand(1, *size),
        "seen": torch.ones(1, *size, dtype=torch.int16),
        "class_label": label,
        "scan": 0,
    }


def mean_loss(items):
    """Of one batch, by a network whose patches know their voxels alone."""
    loader = DataLoader(items, batch_size=len(items), collate_fn=PadListDataCollate(method="end", value=-1.0))
    image, target, others, _ = PrepareBag()(next(iter(loader)))

    def network(tiles):
        means = torch.nn.functional.avg_pool3d(tiles, 4)
        return torch.cat([means, 1 - means], 1)

    tiles = TileInferer([8, 8, 8], 4, lambda some, network: network(some))
    return WeakLabelLoss(min_attention=0.2)(tiles(image, network, *others), target)


def test_a_scan_is_told_as_it_is_by_itself_whatever_is_beside_it():
    items = [item((8, 16, 8), 1.0), item((24, 8, 16), 0.0), item((8, 8, 8), 1.0)]
    alone = [mean_loss([one]) for one in items]
    assert torch.isclose(mean_loss(items), torch.stack(alone).mean(), atol=1e-6)
