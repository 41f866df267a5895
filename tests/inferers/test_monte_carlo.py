"""Monte-Carlo dropout over images: as often as asked, from a seed, and on to each scan's own grid."""

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedEvaluator
from monai.inferers import SimpleInferer, SlidingWindowInferer
from torch import nn

from scripts.errors import InputError
from scripts.inferers.monte_carlo import MonteCarloInferer
from scripts.inferers.passes import over_passes
from scripts.networks.monte_carlo import active_dropout

MAPS = ["scores", "probability", "entropy", "mutual_information"]
IMAGE = torch.randn(1, 1, 9, 8, 7, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def network():
    return nn.Sequential(nn.Conv3d(1, 8, 3, padding=1), nn.BatchNorm3d(8), nn.Dropout(0.3), nn.Conv3d(8, 3, 1))


@pytest.fixture
def windows():
    return SlidingWindowInferer([4, 4, 4], 2, 0.25)


def same(some, other):
    return all(torch.equal(some[key], other[key]) for key in MAPS)


def test_passes_are_those_of_the_inferer_it_has(network, windows):
    found = MonteCarloInferer(windows, 4, seed=5)(IMAGE, network)
    torch.manual_seed(5)
    with active_dropout(network), torch.no_grad():
        expected = over_passes([windows(IMAGE, network) for _ in range(4)])
    for key in MAPS[1:]:
        assert torch.equal(found[key], getattr(expected, key))
    assert torch.equal(found["scores"], expected.probability) and found["mutual_information"].max() > 1e-3


@pytest.mark.parametrize(("rule", "sums"), [("majority", [0.75, 0.25, 0]), ("union", [0, 1, 0])])
def test_passes_are_combined_by_the_rule_that_is_asked_for(rule, sums):
    passes = iter([[9.0, 0, 0]] * 3 + [[0, 9.0, 0]])  # one of four finds the first structure
    infer = MonteCarloInferer(lambda image, network: torch.tensor(next(passes)).reshape(1, 3, 1, 1, 1), 4, rule)
    assert infer(IMAGE, nn.Dropout(0.5))["scores"].flatten().tolist() == pytest.approx(sums, abs=1e-3)


def test_a_seed_says_the_same_whatever_was_drawn_before_and_another_seed_does_not(network, windows):
    first = MonteCarloInferer(windows, 3, seed=1)(IMAGE, network)
    torch.rand(17)
    assert same(first, MonteCarloInferer(windows, 3, seed=1)(IMAGE, network))
    assert not same(first, MonteCarloInferer(windows, 3, seed=2)(IMAGE, network))


def test_what_others_draw_is_not_disturbed(network, windows):
    torch.manual_seed(0)
    undisturbed = torch.rand(3)
    torch.manual_seed(0)
    MonteCarloInferer(windows, 2, seed=1)(IMAGE, network)
    assert torch.equal(torch.rand(3), undisturbed)


def test_windows_of_a_pass_draw_apart(windows):
    network = nn.Sequential(nn.Dropout3d(0.5), nn.Conv3d(1, 2, 1))  # a window is dropped whole, or not at all
    nn.init.constant_(network[1].weight, 1.0)
    nn.init.zeros_(network[1].bias)
    outputs = []
    apart = SlidingWindowInferer([4, 4, 4], 8, 0)  # all in one batch

    def recorded(image, network):
        outputs.append(apart(image, network))
        return outputs[-1]

    MonteCarloInferer(recorded, 1)(torch.ones(1, 1, 8, 8, 8), network)
    assert outputs[0].unique().tolist() == [0, 2]


def test_where_windows_overlap_passes_differ_less_and_gaussian_weights_keep_most_of_it():
    network = nn.Sequential(nn.Conv3d(1, 8, 1), nn.Dropout(0.3), nn.Conv3d(8, 3, 1))
    network[2].weight.data *= 4

    def information(overlap, mode):
        windows = SlidingWindowInferer([8, 8, 8], 8, overlap, mode=mode)
        found = MonteCarloInferer(windows, 10)(torch.ones(1, 1, 16, 16, 16), network)["mutual_information"]
        return found[..., 4:12, 4:12, 4:12].mean().item()

    apart = information(0, "constant")
    assert information(0.5, "constant") < 0.3 * apart
    assert 0.5 * apart < information(0.5, "gaussian") < 0.9 * apart


def test_no_gradients_are_kept(network):
    assert not MonteCarloInferer(SimpleInferer(), 2)(IMAGE, network)["scores"].requires_grad


def test_maps_have_the_images_metadata_each_of_its_own(network):
    found = MonteCarloInferer(SimpleInferer(), 2)(MetaTensor(IMAGE, meta={"is": "here"}), network)
    assert all(found[key].meta["is"] == "here" for key in MAPS)
    found["entropy"].meta["is"] = "gone"
    assert found["mutual_information"].meta["is"] == "here"


def test_a_network_without_dropout_is_refused(windows):
    with pytest.raises(InputError, match="has no dropout"):
        MonteCarloInferer(windows)(IMAGE, nn.Conv3d(1, 2, 1))


@pytest.mark.parametrize("passes", [0, 1001, 2.5, True, "ten"])
def test_a_number_of_passes_that_is_none_is_refused(windows, passes):
    with pytest.raises(InputError, match=f"passes is {passes}: give a whole number from 1 to 1000"):
        MonteCarloInferer(windows, passes)


def test_a_rule_that_is_not_known_is_refused(windows):
    with pytest.raises(InputError, match="combine is borda: give one of mean, majority, union"):
        MonteCarloInferer(windows, combine="borda")


CONFIG = {
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image", "ensure_channel_first": True},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS", "labels": None},
            {"_target_": "Spacingd", "keys": "image", "pixdim": [3.0, 3.0, 3.0]},
            {
                "_target_": "CropForegroundd",
                "keys": "image",
                "source_key": "image",
                "select_fn": "$lambda image: image > 50",
            },
        ],
    },
    "inferer": {
        "_target_": "scripts.inferers.monte_carlo.MonteCarloInferer",
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [8, 8, 8], "sw_batch_size": 4, "overlap": 0.25},
        "passes": 3,
    },
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "FlattenSubKeysd", "keys": "pred"},
            {
                "_target_": "Invertd",
                "keys": MAPS,
                "transform": "@preprocessing",
                "orig_keys": "image",
                "nearest_interp": False,
            },
            {"_target_": "CopyItemsd", "keys": "scores", "names": "pred"},
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
        ],
    },
    "handlers": [
        {"_target_": "scripts.handlers.save_uncertainty.SaveUncertainty", "output_dir": "@output_dir"},
    ],
}


def test_a_configuration_brings_segmentation_and_maps_to_the_scans_own_grid(network, write_scan, tmp_path):
    scan = write_scan(tmp_path / "scan.nii.gz", (30, 24, 18))
    parser = ConfigParser({**CONFIG, "output_dir": str(tmp_path / "out")})
    parts = {key: parser.get_parsed_content(key) for key in ("preprocessing", "inferer", "postprocessing", "handlers")}
    evaluator = SupervisedEvaluator(
        torch.device("cpu"),
        DataLoader(Dataset([{"image": str(scan), "subject": "A"}], parts["preprocessing"])),
        network,
        inferer=parts["inferer"],
        postprocessing=parts["postprocessing"],
        val_handlers=parts["handlers"],
    )
    evaluator.run()
    (found,) = evaluator.state.output
    assert {key: tuple(found[key].shape) for key in ("pred", *MAPS)} == {
        "pred": (1, 30, 24, 18),
        "scores": (3, 30, 24, 18),
        "probability": (3, 30, 24, 18),
        "entropy": (1, 30, 24, 18),
        "mutual_information": (1, 30, 24, 18),
    }
    assert torch.equal(found["pred"][0], found["scores"].argmax(0))
    assert found["mutual_information"].max() > 0 and (found["mutual_information"] <= found["entropy"] + 1e-5).all()
    assert found["entropy"][0, 15, 12, 9] > 0 and found["entropy"][0, 0, 0, 0] == 0  # outside the body's box
    assert (tmp_path / "out" / "scan_entropy.nii.gz").is_file()
