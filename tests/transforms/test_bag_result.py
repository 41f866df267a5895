"""What is answered of a scan."""

import json

import pytest
import torch

from scripts.data.structures import Structures
from scripts.networks.bag_scores import bag_of
from scripts.transforms.bag_result import BagResultd

TWO = Structures(("no lesion", "lesion"), ((1,), (2,)))


def test_scores_are_those_of_the_bag_before_and_after_as_json():
    logits, seen = torch.randn(2, 2, 2, 2), torch.ones(2, 2, 2, dtype=torch.bool)
    ignored = torch.zeros(2, 2, 2)
    ignored[0] = 1
    before, bag = bag_of(logits, seen), bag_of(logits, seen, ignore=ignored)
    result = json.loads(json.dumps(BagResultd(TWO)({"bag": bag, "before": before})["result"]))
    assert result["scores"] == {"no lesion": pytest.approx(1 - bag.score.item()), "lesion": bag.score.item()}
    assert result["before"]["lesion"] == before.score.item() != result["scores"]["lesion"]
    assert result["class"] == max(result["scores"], key=result["scores"].get) and result["patches"] == 8
    assert result["attended"] == pytest.approx(logits[1, 1].sigmoid().sum().item(), abs=1e-5)
