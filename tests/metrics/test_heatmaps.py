"""How well a map says where the lesion is, where the answer is known."""

import torch

from scripts.metrics.heatmaps import localisation

SEEN = torch.ones(2, 2, 3, dtype=torch.bool)
MARKED = torch.zeros(2, 2, 3, dtype=torch.bool)
MARKED[0, 0, :2] = True


def test_the_mask_itself_points_and_ranks_perfectly():
    assert localisation(MARKED.float(), MARKED, SEEN) == {"pointing_game": 1.0, "heatmap_auc": 1.0}


def test_a_map_that_says_nothing_points_by_chance():
    assert localisation(torch.ones(2, 2, 3), MARKED, SEEN) == {"pointing_game": 2 / 12, "heatmap_auc": 0.5}


def test_padding_is_not_pointed_at():
    heat, seen = MARKED.float(), SEEN.clone()
    heat[1], seen[1] = 5, False
    assert localisation(heat, MARKED, seen) == {"pointing_game": 1.0, "heatmap_auc": 1.0}
