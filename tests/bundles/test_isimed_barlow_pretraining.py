"""The two terms of this bundle, and its option of two heads."""

from pathlib import Path

import pytest
import torch
from monai.networks.nets import DenseNet121

BUNDLE = Path(__file__).parents[2] / "bundles" / "isimed_barlow_pretraining"


@pytest.mark.slow
@pytest.mark.parametrize(("overlays", "weight"), [((), 2000), (("two_heads",), 1000)])
def test_both_terms_are_in_the_history_and_add_up(train, history, overlays, weight):
    (row,) = history(train(BUNDLE, *overlays))
    terms = float(row["rms_error_mm"]) ** 2 + weight * float(row["barlow_loss"])
    assert float(row["validation_loss"]) == pytest.approx(terms, rel=1e-5)


@pytest.mark.slow
def test_heads_are_trained_and_are_not_in_the_encoder(train):
    run, encoder = train(BUNDLE, "two_heads"), DenseNet121(3, 1, 1024)
    checkpoint = torch.load(run / "checkpoint.pt", weights_only=True)
    assert checkpoint["loss"]["distance_head.weight"].shape == (512, 1024)
    assert checkpoint["loss"]["barlow.head.weight"].shape == (2048, 1024)
    assert len(checkpoint["optimizer"]["state"]) == len(list(encoder.parameters())) + len(checkpoint["loss"])
    encoder.load_state_dict(torch.load(run / "encoder.pt", weights_only=True))
