"""The plan of label efficiency: which trainings there are, alike but for encoder, share and seed."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

cli = pytest.importorskip("snakemake.cli")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pretrained(tmp_path):
    """A function: the folder of a pretraining that has ended."""

    def make(name):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "encoder.pt").touch()
        os.utime(folder / "encoder.pt", (1e9, 1e9))
        return folder

    return make


@pytest.fixture
def said(tmp_path, forked):
    """A function: what Snakemake says that it would run now, with these settings."""

    def plan(runs, *settings, status=0):
        words = ["--snakefile", ROOT / "workflow" / "label_efficiency.smk", "--directory", tmp_path / "my efficiency"]
        words += ["-n", "--printshellcmds", "--config", f"data={tmp_path}", f"runs=[{','.join(map(str, runs))}]"]
        (done,) = forked(lambda: cli.main([*map(str, words), *settings]))
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return plan


@pytest.fixture
def trainings(said):
    """A function: the commands of the trainings that would be run now, with these settings."""
    return lambda runs, *settings: re.findall(r"^.*monai\.bundle.*$", said(runs, *settings), re.MULTILINE)


def option(command, name):
    return re.search(rf"--{name}=(\S+)", command)[1]


def test_trainings_differ_in_encoder_share_and_seed_alone(trainings, pretrained):
    runs = [pretrained("isimed"), pretrained("simclr")]
    commands = trainings(runs, "common={max_epochs: 3}")
    of = {tuple(option(command, name) for name in ("encoder", "label_share", "seed")) for command in commands}
    assert {encoder for encoder, _, _ in of} == {"scratch", "untrained", *(f"{run}/encoder.pt" for run in runs)}
    assert len(commands) == len(of) == 4 * 5 * 3
    assert {share for _, share, _ in of} == {"0.05", "0.1", "0.25", "0.5", "1"}
    for name in ("encoder", "label_share", "seed"):
        commands = [command.replace(f"--{name}={option(command, name)}", "") for command in commands]
    assert len(set(commands)) == 1 and option(commands[0], "pretraining_split") == f"{runs[0]}/split.json"
    # an option of one's own stands beside those of the workflow
    assert (option(commands[0], "max_epochs"), option(commands[0], "volumes_per_epoch")) == ("3", "64")


def test_a_folder_that_was_begun_with_other_options_is_gone_on_with_as_the_sentence_says(said, pretrained, tmp_path):
    run, begun = pretrained("isimed"), tmp_path / "my efficiency" / "settings.json"
    begun.parent.mkdir()
    begun.write_text(json.dumps({"data": str(tmp_path), "overlays": [], "common": {}}), encoding="utf-8")
    sentence = 'begun with common {"volumes_per_epoch": null}, not {"volumes_per_epoch": 64}: give the former'
    assert sentence in said([run], status=1)
    assert "--volumes_per_epoch" not in said([run], "common={volumes_per_epoch: null}")


def test_what_is_done_is_not_done_again_where_more_is_asked_for(trainings, pretrained, tmp_path):
    for encoder in ("isimed", "scratch", "untrained"):
        folder = tmp_path / "my efficiency" / encoder / "0.1" / "seed_0"
        folder.mkdir(parents=True)
        (folder / "metrics.json").touch()
    commands = trainings([pretrained("isimed")], "label_shares=[0.1]", "seeds=[0,4]")
    assert len(commands) == 3 and {option(command, "seed") for command in commands} == {"4"}


def test_a_training_begins_anew_where_its_weights_are_newer_and_not_where_a_folder_has_the_name_of_a_word(
    said, pretrained, tmp_path
):
    run, where = pretrained("isimed"), tmp_path / "my efficiency"
    text = said([run], "label_shares=[1]", "seeds=[0]")
    before = {name: lines for lines, name in re.findall(r"(folder=\S* (\w+)/1/seed_0/.*\n.*rm -f.*)\n", text)}
    assert before.keys() == {"isimed", "scratch", "untrained"}

    def kept(name, written):
        checkpoint = where / name / "1" / "seed_0" / "checkpoint.pt"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.touch()
        os.utime(checkpoint, (written, written))
        subprocess.run(["bash", "-euo", "pipefail", "-c", before[name]], cwd=where, check=True)
        return checkpoint.exists()

    assert kept("scratch", 1e9) and kept("untrained", 1e9)  # in folders that are newer
    assert kept("isimed", 1e9 + 1) and not kept("isimed", 1e9 - 1)
