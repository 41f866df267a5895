"""What the bundles with a pretext task have in common."""

import json
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate

BUNDLES = sorted(
    path.parents[1]
    for path in (Path(__file__).parents[2] / "bundles").glob("*/configs/train.json")
    if "control" in json.loads(path.read_text(encoding="utf-8"))
)
CLASSES = [
    path for path in BUNDLES if "head_size" in json.loads((path / "configs" / "train.json").read_text(encoding="utf-8"))
]
PAPERS = [path for path in BUNDLES if (path / "configs" / "paper.json").is_file()]
# what the authors' code has in a batch: crops, regions or pairs of patches
PAPER = {"rotation": 4, "jigsaw": 8, "relative_location": 32, "cpc": 32, "exemplar": 2}
# settings of the tasks, each with another value than it has
CHANGED = {
    **{
        "region_size": [8, 8, 8],
        "patch_size": [5, 5, 5],
        "cells": [5, 3, 3],
        "jitter": [1, 1, 1],
        "control": "borders",
    },
    **{"normalize_cells": False, "rotations": "cube", "permutations": 7, "pairs": "all", "answer": "mm"},
    **{"directions": "both", "temperature": 0.2, "margin": 0.5, "negatives": "hardest", "head_dropout": 0.1},
    **{"head_size": 10, "code_size": 9, "context_size": 9, "projection_size": 9, "batch_size": 3},
    **{"crops_per_volume": 5, "view": "@unchanged", "modality_of": "region", "iterations": 5},
    **{"gumbel_noise": 1.0, "empty_spread": 0.2},
}
# of these, a bundle takes those that it has; regions of at most 18 voxels a side
SMALL = {"region_size": [16, 16, 16], "patch_size": [4, 4, 4], "crop_size": [16, 16, 16], "embedding_size": 4}
SMALL |= {"head_size": 8, "code_size": 8, "context_size": 8, "projection_size": 8}


@pytest.fixture(params=BUNDLES, ids=lambda path: path.name)
def bundle(request):
    return request.param


def parsed(bundle, *overlays, **settings):
    parser = ConfigParser()
    parser.read_config([bundle / "configs" / f"{name}.json" for name in ("train", *overlays)])
    small = {key: value for key, value in SMALL.items() if key in parser.config}
    parser.update({"device": torch.device("cpu"), **small, **settings})
    return parser


def prepared(number, images=("image",)):
    """A scan as it is before anything is drawn of it."""
    generator = torch.Generator().manual_seed(number)
    item = {key: MetaTensor(torch.rand(1, 20, 19, 18, generator=generator), affine=torch.eye(4)) for key in images}
    item["present"] = torch.tensor([True])  # as a case of one modality
    return {**item, "scan": number, "subject": f"S{number}", "origin": torch.zeros(3, dtype=torch.float64)}


def test_validation_asks_the_same_each_time_and_training_does_not(bundle):
    parser = parsed(bundle)
    validate, train = map(parser.get_parsed_content, ("validate#draw", "train#draw"))
    same = [[item["image"] for i in range(2) for item in validate(prepared(0), i)] for _ in range(2)]
    other = [[item["image"] for item in train(prepared(0))] for _ in range(2)]
    assert all(map(torch.equal, *same)) and not all(map(torch.equal, *other))


def test_scans_may_have_other_images_than_the_network_takes(bundle):
    parser = parsed(bundle, images=["image", "t2"])
    draw, prepare, loss = map(parser.get_parsed_content, ("train#draw", "train#prepare_batch", "loss"))
    batch = list_data_collate([draw(prepared(number, ("image", "t2"))) for number in range(2)])
    images, target, _, _ = prepare(batch)
    assert loss(torch.randn(len(images), 4), target).isfinite() and "t2" not in target


@pytest.mark.parametrize("bundle", CLASSES, ids=lambda path: path.name)
def test_a_class_head_keeps_its_layers_under_torchrun(bundle, monkeypatch):
    """Where there is a GPU, it is normalised over all processes, and its weights have the same names."""
    alone = parsed(bundle).get_parsed_content("loss")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    on_cpus = parsed(bundle, "multi_gpu_train").get_parsed_content("loss")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    on_gpus = parsed(bundle, "multi_gpu_train").get_parsed_content("loss")
    assert list(map(type, on_cpus.head)) == list(map(type, alone.head))
    assert sum(isinstance(layer, torch.nn.SyncBatchNorm) for layer in on_gpus.head) == 2
    assert alone.state_dict().keys() == on_cpus.state_dict().keys() == on_gpus.state_dict().keys()


@pytest.fixture
def compare(tmp_path):
    """A function: compare the settings of an evaluation with those of a training that had some of another value."""

    def compare(bundle, **changed):
        trained = parsed(bundle).config | changed
        (tmp_path / "config.json").write_text(json.dumps(trained, default=str), encoding="utf-8")
        parser = parsed(bundle, "evaluate", run_dir=str(tmp_path), network_def=trained["network_def"])
        step = next(i for i, one in enumerate(parser["run"]) if "check_settings" in str(one))
        parser.get_parsed_content(f"run#{step}")

    return compare


def _changed(bundle, setting):
    own = parsed(bundle)[setting]
    return not own if isinstance(own, bool) else CHANGED[setting]


@pytest.mark.parametrize("setting", CHANGED)
def test_an_evaluation_asks_what_the_training_asked(bundle, setting, compare):
    if setting not in parsed(bundle).config:
        pytest.skip("no setting of this bundle")
    with pytest.raises(RuntimeError) as raised:
        compare(bundle, **{setting: _changed(bundle, setting)})
    assert f"{setting} is" in str(raised.value.__cause__)


def test_what_the_task_does_not_depend_on_may_differ_in_an_evaluation(bundle, compare):
    compare(bundle, max_epochs=2, learning_rate=0.5, validation_draws=2, seed=3, device="cuda:1", num_workers=2)


def test_an_evaluation_without_torchrun_takes_a_training_with_it(bundle, compare):
    several = parsed(bundle, "multi_gpu_train")
    compare(bundle, loss=several["loss"], train=several["train"])


@pytest.mark.parametrize("bundle", PAPERS, ids=lambda path: path.name)
def test_a_step_of_the_paper_has_as_many_items_as_a_batch_of_its_code(bundle):
    paper = parsed(bundle, "paper")
    assert paper["batch_size"] * paper["crops_per_volume"] == PAPER[bundle.name.removesuffix("_pretraining")]


def test_a_training_begins_with_a_look_at_how_much_of_its_regions_would_be_padding(bundle):
    scans = [prepared(number) for number in range(2)]
    split = {"train": scans, "validate": []}
    parser = parsed(bundle, split=split, region_size=[64, 64, 64], patch_size=[40, 40, 40])
    parser["train"]["deterministic_transforms"] = []
    step = next(i for i, one in enumerate(parser["run"]) if "check_padding" in str(one))
    assert step < next(i for i, one in enumerate(parser["run"]) if "lock_folder" in str(one))
    with pytest.raises(RuntimeError) as raised:
        parser.get_parsed_content(f"run#{step}")
    assert "is padding in the median of 2 scans. Give a smaller" in str(raised.value.__cause__)


def test_a_validation_asks_several_times_about_each_scan_as_often_as_a_step_does_each_time(bundle):
    parser = parsed(bundle, split={"train": [], "validate": [prepared(0), prepared(1)]}, validation_draws=3)
    parser["train"]["deterministic_transforms"] = []
    draws = parser.get_parsed_content("validate#dataset")
    items = len(parser.get_parsed_content("train#draw")(prepared(0)))
    assert [len(draws[i]) for i in range(len(draws))] == 2 * 3 * [items]


@pytest.mark.parametrize(("scans", "dropped"), [(3, False), (4, False), (5, True)])
def test_a_last_step_of_few_scans_is_left_out_where_there_is_another(bundle, scans, dropped):
    parser = parsed(bundle, split={"train": [prepared(number) for number in range(scans)]}, batch_size=4)
    parser["train"]["dataset"] = {"_target_": "Dataset", "data": "$@split['train']"}
    assert parser.get_parsed_content("train#dataloader").drop_last is dropped
