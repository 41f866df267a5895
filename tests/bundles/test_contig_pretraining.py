"""The ContIG bundle: which person a crop is of, what is trained, and what is kept of persons."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor, list_data_collate

BUNDLE = Path(__file__).parents[2] / "bundles" / "contig_pretraining"
SCANS = [{"image": f"S{i}.nii", "subject": f"S{i}", "scan": i} for i in range(8)]


@pytest.fixture
def parsed(tmp_path):
    """A function: a configuration, of eight persons of whom seven are in a table."""
    (tmp_path / "blood.csv").write_text(
        "subject,iron,sex\n" + "".join(f"S{i},{i}.5,{'FM'[i % 2]}\n" for i in range(7)), encoding="utf-8"
    )

    def parse(*overlays, **settings):
        parser = ConfigParser()
        parser.read_config([BUNDLE / "configs" / f"{name}.json" for name in ("train", *overlays)])
        small = {"device": torch.device("cpu"), "embedding_size": 6, "hidden_size": 8, "projection_size": 5}
        split = {
            "val_size": 2,
            "test_size": 2,
            "tables": [str(tmp_path / "blood.csv")],
            "cohort": SCANS,
            "scans": SCANS,
        }
        parser.update(small | split | {"output_dir": str(tmp_path / "run")} | settings)
        return parser

    return parse


def prepared(number):
    """A scan as it is before crops are cut out of it."""
    image = MetaTensor(torch.rand(1, 40, 40, 40, generator=torch.Generator().manual_seed(number)), affine=torch.eye(4))
    return {"image": image, "scan": number, "person": number, "origin": torch.zeros(3, dtype=torch.float64)}


def test_each_crop_has_the_number_of_its_person(parsed):
    parser = parsed()
    crops, kept, view, prepare = map(
        parser.get_parsed_content, ("train#crops", "train#kept", "view", "train#prepare_batch")
    )
    batch = list_data_collate([[view(kept(crop)) for crop in crops(prepared(number))] for number in (3, 5)])
    image, target, _, _ = prepare(batch)
    assert image.shape == (8, 1, 32, 32, 32) and target["person"].tolist() == 4 * [3] + 4 * [5]


def test_an_evaluation_reads_tables_before_scans(parsed):
    parser = parsed("evaluate", tables=["nowhere.csv"], scans="$1 / 0")
    with pytest.raises(RuntimeError) as failure:
        parser.get_parsed_content("run#4")
    assert str(failure.value.__cause__).startswith("nowhere.csv is no table that can be read")


def test_who_is_in_no_table_takes_no_part(parsed):
    split = parsed().get_parsed_content("split")
    assert {scan["subject"] for part in split.values() for scan in part} == {f"S{i}" for i in range(7)}


def test_one_optimizer_trains_the_encoder_and_all_heads_once(parsed):
    parser = parsed()
    optimizer, network, loss = map(parser.get_parsed_content, ("optimizer", "network", "loss"))
    trained = [id(one) for group in optimizer.param_groups for one in group["params"]]
    assert sorted(trained) == sorted(id(one) for one in (*network.parameters(), *loss.parameters()))


def test_a_validation_is_of_all_persons_at_once_however_they_fall_into_batches(parsed):
    parser = parsed()
    loss, metric = map(parser.get_parsed_content, ("loss", "validate#loss"))
    top1 = parser.get_parsed_content("validate#additional_metrics#retrieval_top1")
    embedding, person = torch.randn(6, 6), torch.tensor([0, 1, 2, 3, 3, 6])
    for part in (slice(0, 4), slice(4, 6)):
        metric.update((embedding[part], person[part]))
        top1.update((embedding[part], person[part]))
    assert metric.compute() == loss.value(embedding, person) > 0
    assert top1.compute() in [pytest.approx(found / 5) for found in range(6)]


@pytest.mark.parametrize("key", ["loss", "additional_metrics#retrieval_top1"])
def test_a_validation_compares_where_the_heads_are(parsed, key):
    metric = parsed(device=torch.device("meta")).get_parsed_content(f"validate#{key}")
    metric.compute_fn = lambda *compared: [tensor.device.type for tensor in compared]
    metric.update((torch.randn(4, 6), torch.arange(4)))
    assert metric.compute() == ["meta", "meta"]


def test_a_checkpoint_has_no_line_of_anybody(parsed):
    parser = parsed()
    lines = parser.get_parsed_content("heads").lines(0, torch.arange(7))
    assert parser["train#state#loss"] == parser["validate#save_head#network"] == "@loss" and lines.shape == (7, 3)
    kept = parser.get_parsed_content("loss").state_dict().values()
    assert not [tensor for tensor in kept if tensor.shape == lines.shape]


def test_left_and_right_are_never_exchanged(parsed):
    view, crop = parsed().get_parsed_content("view").set_random_state(0), torch.zeros(1, 32, 32, 32)
    crop[:, :16] = 1
    assert all(
        made[:, :8].mean() > made[:, -8:].mean() + 0.3 for made in (view({"image": crop})["image"] for _ in range(30))
    )


def test_a_slice_is_turned_in_its_plane_alone(parsed):
    turn = parsed("axial_slices").get_parsed_content("turn")
    made = [turn({"image": torch.randn(1, 64, 64, 1)})["image"] for _ in range(5)]
    assert all(one.std(dim=(1, 2)).min() > 0.1 for one in made)  # one that was tilted is constant along an axis


def test_the_rate_of_the_papers_code_never_falls(parsed):
    parser = parsed("paper")
    optimizer, scheduler = map(parser.get_parsed_content, ("optimizer", "lr_scheduler"))
    for _ in range(5):
        optimizer.step()
        scheduler.step()
    assert type(optimizer) is torch.optim.Adam and scheduler.get_last_lr() == [0.001]


def test_shuffled_tables_give_nobody_their_own_line(parsed):
    own, others = (parsed(*overlay).get_parsed_content("heads") for overlay in ((), ("shuffled_tables",)))
    differ = own.lines(0, torch.arange(7))[:, 0] != others.lines(0, torch.arange(7))[:, 0]
    assert differ.all()


@pytest.mark.slow
def test_an_evaluation_seeks_persons_by_the_scales_of_the_training(run, train, small_for, cohort_for, tmp_path):
    folder = train(BUNDLE)
    scales = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    assert len(scales["bodies"]["columns"]) == len(scales["bodies"]["mean"]) == 34
    settings = small_for(BUNDLE) | {"dataset_dir": cohort_for(BUNDLE), "encoder": folder / "encoder.pt"}
    settings |= {"evaluation_crops": 2, "map_stride": 32, "output_dir": tmp_path}
    output = run(BUNDLE, "train", "evaluate", **settings)
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["persons"] == 2 and metrics["retrieval_chance"] == 0.5
    assert {f"retrieval_top1_bodies{ending}" for ending in ("", "_ridge", "_random_encoder", "_size")} < metrics.keys()
    assert "Of 2 test persons, " in output
    assert "Persons and their tables" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("liver_size", "error: bodies has no column liver_ml, and that of the run has"),
        (None, "error: No tables are given: give tables a list of CSV or TSV files"),
    ],
)
def test_other_tables_than_those_of_the_training_are_refused(
    run, train, small_for, cohort_for, tmp_path, text, sentence
):
    folder = train(BUNDLE)
    settings = small_for(BUNDLE) | {"dataset_dir": cohort_for(BUNDLE), "encoder": folder / "encoder.pt"}
    lines = Path(settings["tables"][0]).read_text(encoding="utf-8")
    (tmp_path / "bodies.csv").write_text(lines.replace("liver_ml", str(text)), encoding="utf-8")
    settings |= {"tables": [str(tmp_path / "bodies.csv")] if text else "null", "output_dir": tmp_path / "evaluation"}
    output = run(BUNDLE, "train", "evaluate", status=1, **settings)
    assert sentence in output and "Traceback" not in output


@pytest.mark.slow
def test_a_run_is_explained_beside_its_control(run, train, small_for, cohort_for, tmp_path):
    folder, control = train(BUNDLE), tmp_path / "control"
    shutil.copytree(folder, control)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings["person_tables"] = {"_target_": "scripts.data.tables.shuffled_tables"}
    (control / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    settings = small_for(BUNDLE) | {"dataset_dir": cohort_for(BUNDLE), "encoder": folder / "encoder.pt"}
    settings |= {"beside": control, "explained": 1, "steps": 2, "map_stride": 64, "output_dir": tmp_path / "explained"}
    output = run(BUNDLE, "train", "explain", **settings)
    metrics = json.loads((tmp_path / "explained" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["persons"] == 2 and {"explained_similarity", "explained_similarity_shuffled"} < metrics.keys()
    assert "voxels add" in output and "Scans of 2 test persons are" in output
    assert len(list((tmp_path / "explained").glob("*_explained*.nii.gz"))) == 2
    assert "Which columns" in (tmp_path / "explained" / "explained.html").read_text(encoding="utf-8")
    output = run(BUNDLE, "train", "explain", status=1, **settings | {"beside": folder, "output_dir": tmp_path / "none"})
    assert "was trained without shuffled_tables.json" in output and not (tmp_path / "none" / "metrics.json").exists()
