"""The DrasCLR bundle: what is drawn of a scan, what a step makes of it, and the paper's ablations."""

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate

BUNDLE = Path(__file__).parents[2] / "bundles" / "drasclr_pretraining"
SUBJECTS = 3


def body(number):
    """A prepared scan of a bright ball, 80 mm wide."""
    grid = torch.meshgrid(*3 * [torch.linspace(-1.2, 1.2, 48)], indexing="ij")
    image = (torch.stack(grid).norm(dim=0) < 1) * (1 + 0.1 * torch.rand(48, 48, 48)) * 2 - 1
    origin = torch.full((3,), 47.0, dtype=torch.float64)
    known = {"scan": number, "subject": f"S{number}", "origin": origin}
    return {"image": MetaTensor(image[None], affine=torch.diag(torch.tensor([2.0, 2, 2, 1]))), **known}


def parsed(*overlays, **settings):
    """The configuration of a training on three balls of which small crops are cut."""
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", *overlays)])
    small = {"device": torch.device("cpu"), "crop_size": [8, 8, 8], "place_spacing": 20, "place_range": [50, 50, 50]}
    parser.update(small | {"crops_per_volume": 3, "amp": False, "train#places#scans": []} | settings)
    prepare = [parser.get_parsed_content(f"train#{name}") for name in ("subject_number", "places_in_body")]
    scans = [prepare[1](prepare[0](body(number))) for number in range(SUBJECTS)]
    parser["train#places#scans"] = scans
    parser.parse(reset=True)
    return parser, scans


def batch_of(parser, scans):
    """The same draws each time, in which subjects share some places."""
    draw = parser.get_parsed_content("train#preprocessing").set_random_state(0)
    return list_data_collate([item for scan in scans for item in draw(scan)])


def embedded(parser, scans):
    """Embeddings and target of a step."""
    prepare, inferer, network = map(parser.get_parsed_content, ("train#prepare_batch", "train#inferer", "network"))
    images, target, others, _ = prepare(batch_of(parser, scans))
    return inferer(images, network, *others), target


@pytest.fixture(scope="module")
def shipped():
    """The configuration as it is, and its scans."""
    return parsed()


def test_a_place_is_seen_as_query_with_two_neighbours_and_as_key(shipped):
    batch = batch_of(*shipped)
    assert batch["image"].shape == (9, 4, 1, 8, 8, 8) and batch["place"].shape == (9, 4, 3)
    assert torch.equal(batch["place"][:, 0], batch["place"][:, 3])
    assert {*batch["place"].abs().unique().tolist()} <= {0.0, *torch.tensor([0.4, 0.8]).tolist()}
    assert not torch.equal(batch["image"][:, 0], batch["image"][:, 3])


def test_neighbours_are_not_asked_without_a_regional_contrast():
    assert batch_of(*parsed("no_regional"))["image"].shape == (9, 2, 1, 8, 8, 8)


@pytest.mark.parametrize(("overlays", "depends"), [((), True), (("no_conditioning",), False)])
def test_what_the_network_says_depends_on_the_place_unless_its_convolutions_are_plain(overlays, depends):
    network, crop = parsed(*overlays)[0].get_parsed_content("network").eval(), torch.rand(1, 1, 8, 8, 8)
    first, other = (network(crop, torch.tensor([place])) for place in ([0.0, 0, 0], [1.0, -1, 1]))
    assert torch.equal(first, other) is not depends


def test_a_second_step_finds_the_keys_of_other_subjects_in_the_queue_of_its_places(shipped):
    parser, scans = shipped
    loss = parser.get_parsed_content("loss")
    first, second = (loss(*embedded(parser, scans)) for _ in range(2))
    second.backward()
    assert float(first.detach()) == 0 and float(second.detach()) > 0
    assert all(one.grad is not None for one in parser.get_parsed_content("optimizer").param_groups[0]["params"])


def test_a_queue_has_a_key_of_each_subject_and_no_more_than_its_setting(shipped):
    assert shipped[0].get_parsed_content("queues").size == SUBJECTS
    assert parsed(queue_size=2)[0].get_parsed_content("queues").size == 2


def test_a_checkpoint_has_queues_head_and_momentum_encoder_and_the_encoder_alone_is_the_best(shipped):
    parser, _ = shipped
    state = {name: parser.get_parsed_content(f"train#state#{name}").state_dict() for name in ("loss", "momentum")}
    encoder = parser.get_parsed_content("network").state_dict()
    assert {f"0.{name}" for name in encoder} < state["momentum"].keys()
    assert {"queues.keys", "queues.subjects", "queues.next", "head.0.weight"} < state["loss"].keys()
    assert parser["validate"]["save_best"]["network"] == "@network"


def test_validations_draw_the_same_places_and_views(shipped):
    parser, scans = shipped
    draw = parser.get_parsed_content("validate#draw")
    first, again = (list_data_collate(draw(scans[0])) for _ in range(2))
    assert all(torch.equal(first[key], again[key]) for key in ("image", "place", "place_number"))


def test_the_defaults_are_those_of_the_paper():
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", "paper")])
    settings = ("temperature", "beta", "neighbours", "key_momentum", "queue_size", "embedding_size", "max_epochs")
    assert [parser[key] for key in settings] == [0.2, 1.0, 2, 0.999, 4096, 128, 20]
    assert parser["batch_size"] * parser["crops_per_volume"] == 128 and parser["learning_rate"] == 0.01
    optimizer = {key: parser["optimizer"][key] for key in ("_target_", "momentum", "weight_decay")}
    assert optimizer == {"_target_": "torch.optim.SGD", "momentum": 0.9, "weight_decay": 1e-4}


def test_an_evaluation_asks_the_encoder_of_crops_and_no_momentum_encoder():
    parser = ConfigParser()
    parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", "evaluate")])
    assert parser["validate"]["inferer"] == "@crop_inferer"
    assert parser["evaluate"]["prepare_batch"]["inputs"] == "@network_inputs" and "place" in parser["network_inputs"]


def test_the_last_weights_are_kept_whatever_the_loss(shipped):
    keep = shipped[0].get_parsed_content("validate#evaluator#metric_cmp_fn")
    assert keep(4.0, 3.0) and keep(3.0, 4.0)
