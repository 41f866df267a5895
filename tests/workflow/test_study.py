"""The study's plan: what is run for which settings, and what is not run again."""

import json
import os
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

cli = pytest.importorskip("snakemake.cli")
yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
METHODS = ("isimed", "isimed_barlow", "barlow_twins", "simclr")


@pytest.fixture
def study(tmp_path):
    """Folder of a study, with a blank in its path."""
    return tmp_path / "my study"


@pytest.fixture
def snakemake(study, forked):
    """A function: what Snakemake prints with these options and settings."""

    def output(*options, status=0, **settings):
        words = ["--snakefile", ROOT / "workflow" / "Snakefile", "--directory", study, *options]
        words += ["--config", *(f"{key}={value}" for key, value in settings.items())]
        (done,) = forked(lambda: cli.main([*map(str, words)]))
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return output


@pytest.fixture
def plan(snakemake):
    """A function: the shell commands that would be run now, in no order."""

    def commands(*options, **settings):
        text = snakemake("-n", "--printshellcmds", *options, **settings).partition("Job stats:\n")[2]
        jobs = text.split("Shell command: ")[1:]
        return [job.partition("\n\n")[0] for job in jobs if not job.startswith("None")]

    return commands


def of(commands, *words):
    """Those of the commands that have all of these words."""
    return [command for command in commands if all(word in command for word in words)]


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A function: what runs in place of MONAI's bundles, with `options` and the run's `folder`."""
    module = tmp_path / "stand_in" / "monai" / "bundle" / "__main__.py"
    module.parent.mkdir(parents=True)
    for package in (module.parent, module.parent.parent):
        (package / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "stand_in"))
    return lambda code: module.write_text(STAND_IN + code, encoding="utf-8")


STAND_IN = """
import sys, time
from pathlib import Path

options = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[2:])
folder = Path(options["output_dir"])
folder.mkdir(parents=True, exist_ok=True)
(folder / "encoder.pt").touch()
"""


def finish(study, *left_out, methods=METHODS):
    """Leave the files of a study that has ended, the older ones first, less some of them."""
    arms = [*methods, "untrained", "scratch", "isimed_fine_tuned"]
    files = ["cohort/.snakemake_timestamp", *(f"seed_0/{method}/pretrained" for method in methods), "seed_0/split.json"]
    files += [*(f"seed_0/{method}/metrics.json" for method in methods)]
    files += [*(f"seed_0/folds/{arm}/scores.csv" for arm in arms), "seed_0/study.html"]
    for age, file in enumerate(reversed(files)):
        path = study / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    os.utime(study / "cohort", (1e9 - len(files), 1e9 - len(files)))
    for file in left_out:
        (study / file).unlink()


def test_all_methods_are_pretrained_evaluated_and_cross_validated(plan):
    commands = plan()
    for method in METHODS:
        pretrainings = of(commands, f"/{method}_pretraining/", "lesion_free.json")
        assert sorted("evaluate.json" in command for command in pretrainings) == [False, True]
    arms = of(commands, "lesion_classification", "cross_validate.json")
    assert len(arms) == 7 and len(of(arms, "linear_probe.json")) == 5
    assert len(of(arms, "--encoder=untrained")) == len(of(arms, "--encoder=scratch")) == 1


def test_some_methods_seeds_and_arms_are_studied_alone(plan):
    commands = plan(methods="[simclr,isimed]", seeds="[3,4]", arms="[frozen,scratch]")
    assert {method: len(of(commands, f"/{method}_pretraining/")) for method in METHODS} == {
        "isimed": 4,
        "isimed_barlow": 0,
        "barlow_twins": 0,
        "simclr": 4,
    }
    assert len(of(commands, "lesion_classification", "--seed=3")) == 3
    assert len(of(commands, "scripts.reports.study", "seed_4/study.html")) == 1


def test_own_scans_are_studied_with_the_configuration_of_their_data_set(plan, tmp_path):
    scans = tmp_path / "my scans"
    scans.mkdir()
    commands = plan("--configfile", ROOT / "workflow/config/scans.yaml", data=scans, overlay="brats")
    assert not of(commands, "make_cohort") and not of(commands, "--val_size")
    runs = of(commands, "monai.bundle")
    assert len(runs) == 15 == len(of(runs, "brats.json", f"'--dataset_dir={scans}'"))


def test_segmentations_begin_with_each_encoder_beside_an_untrained_one_and_scratch(plan, tmp_path):
    words = ("--configfile", *(ROOT / "workflow" / "config" / f"{name}.yaml" for name in ("scans", "equal_cost")))
    commands = plan(*words, data=tmp_path, methods="[isimed,simclr]", repeats="[0,7]")
    segmentations = of(commands, "organ_segmentation", "few_labels.json", "--pretraining_split=seed_0/split.json")
    assert len(segmentations) == 4 * 2 * 2
    for encoder in ("seed_0/isimed/encoder.pt", "seed_0/simclr/encoder.pt", "untrained", "scratch"):
        assert len(of(segmentations, f"--encoder={encoder}", "--label_share=0.05", "--seed=7")) == 1
    assert len(of(commands, "_pretraining/", "unet_encoder.json", "--max_seconds=600")) == 4
    (page,) = of(commands, "scripts.reports.study")
    assert "--folds" not in page and page.count("seed_0/segmentation/isimed/") == 4


@pytest.mark.parametrize("bundle", sorted((ROOT / "bundles").glob("*_pretraining")), ids=lambda bundle: bundle.name)
def test_at_equal_cost_the_learning_rate_of_each_method_is_constant(bundle):
    options = yaml.safe_load((ROOT / "workflow" / "config" / "equal_cost.yaml").read_text(encoding="utf-8"))
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "train.json")
    assert all(key in parser for key in options["pretraining"])  # none is added that nothing uses
    parser.update(options["pretraining"] | {"optimizer": torch.optim.SGD([torch.zeros(1)], lr=0.5)})
    scheduler = parser.get_parsed_content("lr_scheduler")
    scheduler.optimizer.step(), scheduler.step()
    assert scheduler.get_last_lr() == [0.5]


def test_classifiers_have_the_encoder_that_methods_have(plan):
    commands = of(plan(network="unet"), "lesion_classification")
    assert len(of(commands, "unet_encoder.json", "linear_probe.json")) == 5
    assert len(of(commands, "unet_classifier.json", "train.json")) == 2 and len(commands) == 7


def test_what_is_done_is_not_done_again(plan, study):
    finish(study)
    assert plan() == []


def test_what_was_deleted_is_done_again_with_all_that_is_made_of_it(plan, study):
    finish(study, "seed_0/folds/simclr/scores.csv", "seed_0/barlow_twins/pretrained")
    commands = plan()
    assert len(of(commands, "/barlow_twins_pretraining/")) == 2
    assert len(of(commands, "--encoder=seed_0/barlow_twins/")) == len(of(commands, "--encoder=seed_0/simclr/")) == 1
    assert len(of(commands, "scripts.reports.study")) == 1 and len(commands) == 5


def test_a_method_more_is_added_to_a_study_that_has_ended(plan, study):
    finish(study, methods=("isimed", "simclr"))
    commands = plan(methods="[isimed,simclr,barlow_twins]")
    assert len(commands) == 4 == len(of(commands, "barlow_twins"))


def test_an_encoder_that_is_told_places_is_probed_with_them(plan):
    commands = of(plan(methods="[isimed,drasclr]"), "linear_probe.json")
    assert of(commands, "drasclr_encoder.json") == of(commands, "--encoder=seed_0/drasclr/encoder.pt")
    assert len(of(commands, "drasclr_encoder.json")) == 1


def test_tables_are_given_to_the_method_that_learns_with_them(plan, tmp_path):
    commands = plan(methods="[isimed,contig]", arms="[frozen]")
    assert of(commands, "--tables=") == of(
        commands, "/contig_pretraining/", "'--tables=['\"'\"'cohort/bodies.csv'\"'\"']'"
    )
    given = plan(methods="[isimed,contig]", arms="[frozen]", data=tmp_path, tables="[/my/blood.csv]")
    assert len(of(given, "/contig_pretraining/", "/my/blood.csv")) == 2 == len(of(given, "--tables="))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"methods": "[isimde]"}, "There is no method isimde: give methods of barlow_twins, contig"),
        ({"epochs": 3}, "'epochs' was unexpected"),
        ({"data": "scans"}, "'scans' does not match"),
        ({"arms": "[]"}, "There is no task: give arms, or label_shares"),
        ({"label_shares": "[0.1]"}, "begins with the encoder of a U-Net: set network to unet"),
        ({"methods": "[drasclr]", "fine_tuned": "[drasclr]"}, "drasclr takes places, and is not trained further"),
        (
            {"methods": "[isimed,drasclr]", "network": "unet", "arms": "[]", "label_shares": "[0.1]"},
            "drasclr cannot be that of a U-Net: leave it out",
        ),
        ({"methods": "[isimed,jigsaw,simclr,cpc]"}, "The encoder of jigsaw, cpc is that of a U-Net"),
        ({"methods": "[isimed,multimodal_puzzle]"}, "multimodal_puzzle has no lesion_free.json: leave it out"),
        (
            {"methods": "[contig]", "data": ROOT},
            "contig learns with tables of the persons: give tables a list of files",
        ),
        ({"data": "/no/such/scans"}, "There is no /no/such/scans: give data a folder of scans"),
    ],
)
def test_settings_that_nothing_uses_are_refused(snakemake, settings, sentence):
    assert sentence in snakemake("-n", status=1, **settings)


def test_a_method_of_cases_says_before_all_else_what_it_needs(snakemake, tmp_path):
    settings = {"methods": "[multimodal_puzzle]", "network": "unet"}
    configs = [ROOT / "workflow" / "config" / f"{name}.yaml" for name in ("config", "scans")]
    text = snakemake("-n", "--configfile", *configs, status=1, **settings)
    assert "takes cases of several images, such as T1 and CT, of which the synthetic cohort has none" in text
    for number in range(2):
        (tmp_path / f"P{number}_t1.nii.gz").touch()
    text = snakemake("--cores", 1, "--configfile", *configs, status=1, data=tmp_path, **settings)
    assert "takes cases of several images. Fewer than two modalities" in text and "Error in rule" not in text


def test_a_study_is_not_resumed_with_other_settings(snakemake, study):
    study.mkdir()
    snakemake("--touch", "--quiet", "all")
    begun = json.loads((study / "settings.json").read_text(encoding="utf-8"))
    sentence = 'begun with overlay "lesion_free", not "brats": give the former, or another folder'
    assert begun["overlay"] == "lesion_free" and sentence in snakemake("-n", status=1, overlay="brats")


def test_a_study_that_was_begun_before_there_were_segmentations_goes_on(snakemake, study):
    begun = yaml.safe_load((ROOT / "workflow" / "config" / "config.yaml").read_text(encoding="utf-8"))
    del begun["network"], begun["segmentation"], begun["configs"]["segmentation"]
    study.mkdir()
    (study / "settings.json").write_text(json.dumps(begun), encoding="utf-8")
    snakemake("-n", segmentation="{max_epochs: 3}")


def test_a_pretraining_that_was_stopped_resumes_from_its_checkpoint(snakemake, study, stand_in):
    stand_in("(folder / 'checkpoint.pt').touch(); sys.exit(options['resume'] == 'false')")
    target, run = "seed_0/isimed/pretrained", study / "seed_0" / "isimed"
    snakemake(target, status=1, data=ROOT)
    assert (run / "checkpoint.pt").is_file() and (run / "encoder.pt").is_file() and not (run / "pretrained").exists()
    snakemake(target, data=ROOT)
    assert (run / "pretrained").is_file()


def test_on_one_machine_nothing_computes_beside_a_training(snakemake, study, stand_in):
    results = ["seed_0/isimed/metrics.json", "seed_0/folds/isimed/scores.csv"]
    finish(study, *results)
    stand_in(
        "Path('busy').mkdir(); time.sleep(0.5); Path('busy').rmdir();"
        " [(folder / name).touch() for name in ('metrics.json', 'scores.csv')]"
    )
    pretrainings = ["seed_0/rotation/pretrained", "seed_0/cpc/pretrained"]
    snakemake("--cores", "64", *results, *pretrainings, network="unet", methods="[isimed,rotation,cpc]")
