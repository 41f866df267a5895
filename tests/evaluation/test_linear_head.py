"""Encoder and classifier that were apart say the same as one network."""

import numpy as np
import pytest
import torch
from monai.inferers import SimpleInferer
from monai.networks.nets import DenseNet121

from scripts.data.folds import SubjectFolds
from scripts.engines.batches import PrepareBatch
from scripts.evaluation.cross_validation import Probes
from scripts.evaluation.features import FrozenEncoder, crop_features
from scripts.evaluation.linear_head import fit_linear_head
from scripts.inferers.batch import BatchInferer
from scripts.networks.linear_classifier import LinearClassifier

pytest.importorskip("sklearn")
SETS = {"several": ["features.denseblock1:mean_sd", "class_layers.out"]}


def test_weights_of_encoder_and_probe_in_one_file_give_the_probes_scores(tmp_path):
    scans = [{"scan": number, "subject": f"S{number}", "class_label": 1.0} for number in range(6)]
    labels = torch.tensor([[0.0], [1.0]])
    batches = [
        {"image": torch.randn(2, 1, 32, 32, 32), "class_label": labels, "scan": torch.full((2,), number)}
        for number in range(6)
    ]
    run = BatchInferer(PrepareBatch(), SimpleInferer(), "cpu")
    encoder = FrozenEncoder("mine", DenseNet121(3, 1, 8), "untrained", run, SETS, "several")
    features, folds = crop_features(batches, scans, [], encoder), SubjectFolds(scans, 3, 0)
    new = LinearClassifier(DenseNet121(3, 1, 8), SETS, "several", [32, 32, 32])
    fit_linear_head(new, encoder, features, folds, 0, 1.0, [tmp_path / "model.pt"])

    network = LinearClassifier(DenseNet121(3, 1, 8), SETS, "several", [32, 32, 32])
    network.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    together = torch.cat([run(batch, network) for batch in batches]).flatten()
    apart = Probes(features, folds, "mine").fit(0, 1.0)(features.values["mine"])
    assert np.ptp(apart.numpy()) > 0.1
    torch.testing.assert_close(together.double(), apart, atol=1e-4, rtol=1e-4)
