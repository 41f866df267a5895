"""Bags of crops have one answer, whether their mean decides or some crops do."""

import pytest
import torch
from monai.metrics import compute_roc_auc

from scripts.probes.logistic import LogisticProbe
from scripts.probes.pooled import AttentionPoolingProbe, GatedAttention, MeanPoolingProbe

PROBES = [MeanPoolingProbe, AttentionPoolingProbe]


def bags(number, shift=3.0, crops=6, seed=0):
    """Bags whose crops show the label on average."""
    generator = torch.Generator().manual_seed(seed)
    labels = (torch.arange(number) % 2).float()
    return torch.randn(number, crops, 8, generator=generator) + shift * labels[:, None, None], labels


@pytest.mark.parametrize("probe", PROBES)
def test_what_the_mean_shows_is_learned(probe):
    test, labels = bags(40, 1.5, seed=2)
    assert compute_roc_auc(probe(*bags(80, 1.5), *bags(30, 1.5, seed=1))(test), labels) > 0.9


@pytest.mark.parametrize("probe", PROBES)
def test_rows_of_nan_change_nothing(probe):
    train, validate, (test, _) = bags(40), bags(20, seed=1), bags(20, seed=2)
    filled = [torch.cat([part[0], torch.full((len(part[0]), 3, 8), torch.nan)], 1) for part in (train, validate)]
    plain = probe(*train, *validate)(test)
    assert torch.allclose(probe(filled[0], train[1], filled[1], validate[1])(test), plain, atol=1e-4)


def test_the_mean_is_classified_as_crops_are():
    train, validate, (test, _) = bags(40), bags(20, seed=1), bags(20, seed=2)
    crops = LogisticProbe(train[0].mean(1), train[1], validate[0].mean(1), validate[1])
    assert torch.allclose(MeanPoolingProbe(*train, *validate)(test), crops(test.mean(1)))


def test_attention_is_ilses():
    network, bag = GatedAttention(8), torch.randn(1, 5, 8)
    crops = [crop[None] for crop in bag[0]]
    inner = [torch.tanh(network.content(crop)) * torch.sigmoid(network.gate(crop)) for crop in crops]
    weight = torch.cat([network.attention(one).exp() for one in inner])
    weight = (weight / weight.sum())[:, 0]
    pooled = sum(one * crop for one, crop in zip(weight, crops, strict=True))
    assert torch.allclose(network.weights(bag)[0], weight, atol=1e-6)
    assert torch.allclose(network(bag), network.classifier(pooled)[0], atol=1e-6)


def test_attention_finds_the_one_crop_that_counts():
    """Every crop is of one of two kinds; in positive bags, one crop has a mark that the mean hides."""

    def marked(number, seed):
        values, labels = bags(number, 0, crops=20, seed=seed)
        values[:, :, 0] = 3 * values[:, :, 0]
        values[labels > 0, 7, 1] += 8
        return values, labels

    test, labels = marked(60, 2)
    aucs = [compute_roc_auc(probe(*marked(100, 0), *marked(40, 1))(test), labels) for probe in PROBES]
    assert aucs[0] < 0.85 < 0.9 < aucs[1]


def test_the_same_data_give_the_same_classifier_whatever_was_drawn_before():
    train, validate, (test, _) = bags(40), bags(20, seed=1), bags(20, seed=2)
    first = AttentionPoolingProbe(*train, *validate)(test)
    state = torch.random.get_rng_state()
    torch.randn(7)
    torch.random.set_rng_state(state)
    assert torch.equal(AttentionPoolingProbe(*train, *validate)(test), first)
    assert torch.equal(torch.random.get_rng_state(), state)
