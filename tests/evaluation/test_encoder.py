"""What an encoder is worth, where the answer is known."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from monai.inferers import SimpleInferer
from monai.transforms import Compose
from torch import nn

from scripts.atomic import save_atomically
from scripts.data.structures import Structures
from scripts.engines.batches import PrepareBatch
from scripts.errors import InputError
from scripts.evaluation.drawn_metrics import draw_metrics, metrics_of_draws
from scripts.evaluation.embedding import embed
from scripts.evaluation.encoder import evaluate_encoder
from scripts.evaluation.predictions import baseline_predictions, encoder_predictions
from scripts.evaluation.pretext_task import PretextTask
from scripts.evaluation.structure_shares import StructureShares
from scripts.inferers.batch import BatchInferer
from scripts.losses.class_head import ClassHeadLoss
from scripts.metrics.location import Crops, physical_pairs
from scripts.metrics.subject_bootstrap import SubjectBootstrap
from scripts.probes.principal_components import PrincipalComponents
from scripts.transforms.histogram import octant_histograms

RUN = BatchInferer(PrepareBatch(), SimpleInferer(), "cpu")
SUBJECTS = {"train": ["T1", "T1", "T2", "T3"], "validate": ["V1", "V2"], "test": ["P1", "P1", "P2"]}
SPLIT = {
    part: [{"subject": subject, "scan": first + i} for i, subject in enumerate(SUBJECTS[part])]
    for part, first in (("train", 0), ("validate", 4), ("test", 6))
}


def draw(number, embed):
    """Crops of two scans with an embedding that is computed from their locations."""
    location = 40 * torch.randn(number, 3)
    scan = torch.arange(number) % 2
    return Crops(embed(location), location, scan, torch.randn(number, 20))


def three(embed):
    return {part: draw(number, embed) for part, number in (("train", 200), ("validate", 80), ("test", 100))}


def measure(said, test, subjects=range(5)):
    """Metrics of crops, that are those of so many subjects in turn."""
    draws = SubjectBootstrap([subjects[i % len(subjects)] for i in range(len(test.scan))], repeats=50)
    return metrics_of_draws(draw_metrics(said, test, draws), draws)


def encoder_metrics(**crops):
    return measure({"": encoder_predictions(**crops)}, crops["test"])


def baseline_metrics(**crops):
    return measure({"": encoder_predictions(**crops)} | baseline_predictions(**crops), crops["test"])


def isometric(location):
    return nn.functional.pad(location, (0, 5)) + 3


def noise(location):
    return torch.randn(len(location), 8)


def test_an_isometric_encoder_has_no_errors():
    metrics = encoder_metrics(**three(isometric))
    for name in ("location_error_mm", "distance_error_mm", "distance_error_mm_within_scans"):
        assert metrics[name] < 0.05
    assert max(metrics["location_error_mm_axes"]) < 0.05
    assert min(metrics["location_r2"] + metrics["pca3_location_r2"]) > 0.999


def test_an_encoder_of_noise_is_no_better_than_the_mean_position():
    crops = three(noise)
    metrics, baselines = encoder_metrics(**crops), baseline_metrics(**crops)
    assert metrics["location_error_mm"] > 0.95 * baselines["location_error_mm_mean_position"]
    assert max(metrics["location_r2"]) < 0.1


def test_a_scaled_encoder_knows_the_place_but_not_the_distance():
    metrics = encoder_metrics(**three(lambda location: isometric(location) / 2))
    assert metrics["location_error_mm"] < 0.05
    crops = three(lambda location: isometric(location) / 2)
    expected = float(torch.pdist(crops["test"].location).mean()) / 2
    assert encoder_metrics(**crops)["distance_error_mm"] == pytest.approx(expected, rel=1e-4)


def test_what_three_components_do_not_hold_is_not_in_their_score():
    def hidden(location):  # the place is in the directions that vary least
        return torch.cat([1000 * torch.randn(len(location), 3), location], 1)

    metrics = encoder_metrics(**three(hidden))
    assert min(metrics["location_r2"]) > 0.99 and max(metrics["pca3_location_r2"]) < 0.2


def test_baselines_know_the_mean_position_and_the_mean_distance_of_training():
    crops = three(noise)
    baselines = baseline_metrics(**crops)
    train, test = crops["train"].location, crops["test"].location
    position = (train.mean(0) - test).square().sum(1).sqrt().mean()
    distance = (torch.pdist(train).mean() - torch.pdist(test)).abs().mean()
    assert baselines["location_error_mm_mean_position"] == pytest.approx(float(position))
    assert baselines["distance_error_mm_mean_distance"] == pytest.approx(float(distance))


def test_the_baseline_of_raw_intensities_sees_what_they_show():
    crops = three(noise)
    for part in crops.values():
        part.intensities[:, 4:7] = part.location
    assert baseline_metrics(**crops)["location_error_mm_intensities"] < 0.05


def test_distances_within_scans_have_an_error_of_their_own():
    crops = three(isometric)
    crops["test"].embedding[crops["test"].scan == 1] += 1000  # distances within scans stay right
    metrics = encoder_metrics(**crops)
    assert metrics["distance_error_mm_within_scans"] < 0.05 < 100 < metrics["distance_error_mm"]


def test_either_distance_error_stands_beside_that_of_the_mean_distance():
    crops = three(noise)
    crops["train"].location[crops["train"].scan == 1] += 500
    baselines = baseline_metrics(**crops)
    (known, same_known), (physical, same) = physical_pairs(crops["train"]), physical_pairs(crops["test"])
    everywhere = float((known.mean() - physical).abs().mean())
    within = float((known[same_known].mean() - physical[same]).abs().mean())
    assert baselines["distance_error_mm_mean_distance"] == pytest.approx(everywhere)
    assert baselines["distance_error_mm_within_scans_mean_distance"] == pytest.approx(within)
    assert everywhere > 2 * within


def test_intervals_are_of_each_metric_and_its_axes_and_hold_it():
    metrics = baseline_metrics(**three(noise))
    low, high = metrics["intervals"]["location_error_mm_intensities"]
    assert low < metrics["location_error_mm_intensities"] < high
    for (low, high), value in zip(metrics["intervals"]["location_r2"], metrics["location_r2"], strict=True):
        assert low < value < high


def test_an_encoder_is_compared_with_each_baseline_in_the_same_draws():
    crops = three(noise)
    said, same = encoder_predictions(**crops), ("location_error_mm_same", "distance_error_mm_same")
    metrics = measure({"": said, "_same": said} | baseline_predictions(**crops), crops["test"])
    assert [metrics["differences"][name] for name in same] == [[0, 0], [0, 0]]
    low, high = metrics["differences"]["distance_error_mm_mean_distance"]
    assert low < metrics["distance_error_mm"] - metrics["distance_error_mm_mean_distance"] < high


def test_few_subjects_have_figures_and_no_intervals():
    crops = three(isometric)
    metrics = measure({"": encoder_predictions(**crops)} | baseline_predictions(**crops), crops["test"], "ABCD")
    assert metrics["location_error_mm"] < 0.05 and not metrics["intervals"] and not metrics["differences"]


def tiny_network():
    return nn.Sequential(nn.Flatten(), nn.Linear(8**3, 4))


@pytest.fixture
def loaders():
    """Crops whose first three voxels are their location."""

    def batches(number, first_scan):
        for i in range(number):
            image, location = torch.randn(10, 1, 8, 8, 8), 40 * torch.randn(10, 3)
            image.flatten(1)[:, :3] = location
            yield {"image": image, "location": location, "scan": torch.full((10,), first_scan + i)}

    return {
        "train": list(batches(4, 0)),
        "validate": list(batches(2, 4)),
        "test": list(batches(3, 6)),
    }


@pytest.fixture
def encoder(tmp_path):
    """Weights that read the location."""
    network = tiny_network()
    nn.init.zeros_(network[1].weight)
    with torch.no_grad():
        network[1].weight[:3, :3] = torch.eye(3)
    save_atomically(network.state_dict(), tmp_path / "encoder.pt")
    return tmp_path / "encoder.pt"


@pytest.fixture
def evaluated(loaders, encoder, tmp_path):
    evaluate_encoder(tiny_network(), str(encoder), loaders, RUN, SPLIT, str(tmp_path / "out"))
    return tmp_path / "out"


@pytest.fixture
def metrics(evaluated):
    return json.loads((evaluated / "metrics.json").read_text(encoding="utf-8"))


LAYER_SETS = {"output": ["output"], "raw": ["0"]}
SHARES = StructureShares(Structures(("one", "two"), ((1,), (2,))), "output", ())


def measured(loaders, encoder, folder, layer_sets=LAYER_SETS, **settings):
    """metrics.json of an evaluation with sets of layers, whose untrained encoder is always the same."""
    torch.manual_seed(3)
    evaluate_encoder(tiny_network(), str(encoder), loaders, RUN, SPLIT, str(folder), layer_sets, **settings)
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_what_layers_know_stands_beside_their_untrained_twins_and_changes_no_other_figure(loaders, encoder, tmp_path):
    metrics = measured(loaders, encoder, tmp_path / "without", {})
    found = measured(loaders, encoder, tmp_path / "with")
    layers = found.pop("layers")
    assert metrics.pop("layers") == {} and found == metrics
    for name in ("location_error_mm", "location_error_mm_random_encoder"):
        assert layers["output"][name] == pytest.approx(metrics[name])
    assert layers["raw"]["location_error_mm_random_encoder"] == layers["raw"]["location_error_mm"]


def test_structure_shares_are_measured_where_crops_have_them(loaders, encoder, tmp_path):
    for batch in (batch for part in ("train", "test") for batch in loaders[part]):
        batch["structure_shares"] = batch["location"][:, None, :2].repeat(1, 2, 1) / 100 + 1
        batch["box_share"] = torch.rand(10, 3)
    found = measured(loaders, encoder, tmp_path, shares=SHARES)
    assert found["structure_share_r2"] > 0.99 > 0.95 > found["structure_share_r2_random_encoder"]
    assert found["layers"]["output"]["structure_share_r2"] == found["structure_share_r2"]
    assert (tmp_path / "structure_shares.csv").is_file()


def test_without_label_maps_there_are_no_structure_shares_nor_those_of_before(loaders, encoder, tmp_path):
    figure = tmp_path / "figures" / "structure_shares.png"
    figure.parent.mkdir()
    for path in (figure, tmp_path / "structure_shares.csv"):
        path.touch()
    found = measured(loaders, encoder, tmp_path, shares=SHARES)
    assert not [name for name in found if name.startswith("structure")]
    assert not (tmp_path / "structure_shares.csv").exists() and not figure.exists()


def test_a_set_of_layers_that_is_not_there_is_refused(loaders, encoder, tmp_path):
    with pytest.raises(InputError, match="There are no layers middle: give one of output, raw"):
        measured(loaders, encoder, tmp_path, shares=StructureShares(SHARES.structures, "middle"))


def test_without_structures_no_set_of_layers_is_asked_for(loaders, encoder, tmp_path):
    assert measured(loaders, encoder, tmp_path, {}, shares=StructureShares(Structures(), "several"))["layers"] == {}


def test_all_metrics_are_written(metrics):
    assert metrics.keys() >= {
        "location_error_mm",
        "location_error_mm_random_encoder",
        "location_error_mm_mean_position",
        "location_error_mm_intensities",
        "location_r2",
        "distance_error_mm",
        "distance_error_mm_random_encoder",
        "pca3_location_r2",
        "pca3_location_r2_random_encoder",
        "rankme",
        "subjects",
        "crops",
    }
    assert (metrics["subjects"], metrics["scans"], metrics["crops"]) == (2, 3, 30)
    assert metrics["parts"]["train"] == {"subjects": 3, "scans": 4}


def test_the_spread_of_embeddings_is_measured(metrics, evaluated):
    with np.load(evaluated / "embeddings.npz") as stored:
        assert metrics["embedding_std"] == pytest.approx(float(stored["embedding"].std(0).mean()), rel=1e-4)


def test_the_metrics_in_each_draw_are_written_the_metrics_themselves_first(metrics, evaluated):
    with np.load(evaluated / "draws.npz") as stored:
        for name in ("distance_error_mm_random_encoder", "pca3_location_r2", "location_error_mm_mean_position"):
            np.testing.assert_allclose(stored[name][0], metrics[name], rtol=1e-5)
        assert stored["location_r2"].shape[1:] == (3,)


def test_an_encoder_that_has_collapsed_is_called_so(loaders, encoder, tmp_path, caplog):
    state = torch.load(encoder, weights_only=True)
    save_atomically(
        {name: 0 * tensor + 1e-6 * tensor.sign() + name.endswith("bias") for name, tensor in state.items()}, encoder
    )
    evaluate_encoder(tiny_network(), str(encoder), loaders, RUN, SPLIT, str(tmp_path / "out"))
    assert "The encoder has collapsed: all crops have nearly the same embedding" in caplog.text


def test_the_trained_encoder_is_compared_with_an_untrained_one(metrics):
    assert metrics["distance_error_mm"] < 0.01 < 1 < metrics["distance_error_mm_random_encoder"]


def test_embeddings_of_the_test_crops_are_written(evaluated, loaders):
    location = torch.cat([batch["location"] for batch in loaders["test"]]).numpy()
    with np.load(evaluated / "embeddings.npz") as stored:
        np.testing.assert_allclose(stored["location"], location)
        np.testing.assert_allclose(stored["embedding"] - stored["embedding"][0], pad(location - location[0]), atol=1e-3)
        assert stored["scan"].tolist() == [6] * 10 + [7] * 10 + [8] * 10
        assert stored["subject"].tolist() == ["P1"] * 20 + ["P2"] * 10
        assert stored["intensities"].shape == (30, 272)
        np.testing.assert_allclose(stored["predicted_location"], location, atol=0.05)
        assert stored["embedding_random_encoder"].shape == (30, 4)


def pad(location):
    return np.pad(location, ((0, 0), (0, 1)))


def test_the_components_are_those_of_the_written_basis(evaluated):
    basis = PrincipalComponents.load(evaluated / "basis.npz")
    with np.load(evaluated / "embeddings.npz") as stored:
        expected = basis(torch.from_numpy(stored["embedding"])).numpy()
        np.testing.assert_allclose(stored["components"], expected)


@pytest.fixture
def task(encoder):
    """A task of two classes whose head.pt lies beside the encoder."""
    loss = ClassHeadLoss(nn.Linear(4, 2), 2, "class")
    save_atomically(loss.state_dict(), encoder.parent / "head.pt")

    def items(scan):
        return [{"image": torch.full((1, 8, 8, 8), 1.0 * asked), "class": asked, **scan} for asked in (0, 1)]

    items = Compose([items])
    return PretextTask(loss, lambda scan: {"scan": scan["scan"]}, items, ["image"], "none", RUN, 4, 2, steps=2)


def test_the_pretext_task_is_among_the_metrics_and_their_draws(loaders, encoder, task, tmp_path):
    metrics = measured(loaders, encoder, tmp_path / "out", pretext=task)
    with np.load(tmp_path / "out" / "draws.npz") as stored:
        for name in ("pretext_accuracy", "pretext_accuracy_random_encoder", "location_error_mm_mean_position"):
            assert stored[name][0] == pytest.approx(metrics[name])
        gain = stored["pretext_accuracy_fitted_head"] - stored["pretext_accuracy_random_encoder"]
        np.testing.assert_allclose(stored["pretext_accuracy_gain"], gain, atol=1e-6)


def test_a_head_that_does_not_fit_is_told_before_anything_is_computed(encoder, task):
    torch.save({"head.weight": torch.zeros(3, 4), "head.bias": torch.zeros(3)}, encoder.parent / "head.pt")
    with pytest.raises(InputError, match=r"head\.pt do not fit"):
        evaluate_encoder(tiny_network(), str(encoder), untouched(), RUN, SPLIT, "nowhere", pretext=task)


def test_what_is_known_without_the_pretext_task_is_written_before_it(loaders, encoder, task, tmp_path):
    def refuse(scan):
        raise InputError("a late refusal")

    late = dataclasses.replace(task, preparation=refuse)
    with pytest.raises(InputError, match="a late refusal"):
        measured(loaders, encoder, tmp_path / "out", pretext=late)
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"metrics.json", "draws.npz", "embeddings.npz"}


def untouched():
    """Loaders of which no crop may be asked."""

    def never():
        pytest.fail("a crop was loaded")
        yield

    return {part: never() for part in ("train", "validate", "test")}


def test_missing_weights_are_told_before_anything_is_computed(tmp_path):
    with pytest.raises(InputError, match="no weights"):
        evaluate_encoder(tiny_network(), str(tmp_path / "gone.pt"), untouched(), RUN, SPLIT, str(tmp_path))


def test_networks_are_in_evaluation_mode_and_keep_no_gradients(loaders):
    network = nn.Sequential(tiny_network(), nn.Dropout(0.5))
    (first,), (second,) = (embed([network], loaders["test"], RUN) for _ in range(2))
    assert torch.equal(first.embedding, second.embedding) and not first.embedding.requires_grad


def test_intensities_are_histograms_of_octants():
    batch = {"image": torch.randn(2, 1, 8, 8, 8), "location": torch.zeros(2, 3), "scan": torch.zeros(2)}
    (crops,) = embed([nn.Flatten()], [batch], RUN)
    assert torch.equal(crops.intensities[1], octant_histograms(batch["image"][1]))
