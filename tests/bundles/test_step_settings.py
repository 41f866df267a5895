"""Overlays that change how a step is computed, and not what is learned."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

from scripts.inferers.grad_cache import GradCacheInferer

BUNDLES = sorted(path.parents[1] for path in (Path(__file__).parents[2] / "bundles").glob("*/configs/grad_cache.json"))


def parsed(bundle, *configs, **settings):
    parser = ConfigParser()
    parser.read_config([bundle / "configs" / f"{name}.json" for name in configs])
    parser.update({"device": torch.device("cpu"), **settings})
    return parser


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_crops_that_have_a_gradient_go_through_in_chunks(bundle):
    parser = parsed(bundle, "train", "grad_cache", chunk_size=5)
    key = "train#inferer#inferer" if bundle.name == "drasclr_pretraining" else "train#inferer"
    inferer = parser.get_parsed_content(key)
    assert isinstance(inferer, GradCacheInferer) and inferer.chunk_size == 5


def test_every_pretraining_has_the_overlay():
    assert {*BUNDLES} >= {*BUNDLES[0].parent.glob("*_pretraining")}
