"""The folded network is the encoder with the classifier behind it."""

import torch
from monai.networks.nets import DenseNet121

from scripts.evaluation.linear_head import fold_into
from scripts.probes.logistic import LogisticProbe


def test_its_output_is_the_probes_logit():
    encoder, classifier = DenseNet121(3, 1, 16).eval(), DenseNet121(3, 1, 1).eval()
    embedding, labels = torch.randn(40, 16) * 5 + 3, torch.arange(40).float() % 2
    probe = LogisticProbe(embedding, labels, embedding, labels)
    classifier.load_state_dict(fold_into(encoder.state_dict(), probe, "class_layers.out"))
    crops = torch.randn(3, 1, 32, 32, 32)
    with torch.no_grad():
        assert torch.allclose(classifier(crops)[:, 0].double(), probe(encoder(crops)), atol=1e-5)
