"""What all workflows do alike: how a bundle is run, on scans that are there, and with the settings of before."""

import json
import sys
from pathlib import Path

ROOT = Path(workflow.basedir).parent
BEGUN = Path("settings.json")
if config["data"] and not Path(config["data"]).exists():
    raise WorkflowError(f"There is no {config['data']}: give data a folder of scans, or a list of them.")


def settings(besides, later=()):
    """The settings that have to be those with which this folder was begun: all but these.

    In a folder that does not know a task which came `later`, nothing was made with the settings of that task.
    """
    found = {key: config[key] for key in sorted(config) if key not in besides}
    begun = json.loads(BEGUN.read_text()) if BEGUN.is_file() else found
    for task in later:
        if task not in begun:
            begun |= {task: found[task], "configs": begun["configs"] | {task: found["configs"][task]}}
    for key in found:
        for before, now in differences(begun.get(key), found[key]):
            raise WorkflowError(
                f"{BEGUN.resolve()} says that this study was begun with {key} {json.dumps(before)}, not "
                f"{json.dumps(now)}: give the former, or another folder (or delete this file, if nothing was done)."
            )
    return found


def differences(before, now):
    """What a setting was and what it is, by option where it has some, if these differ."""
    if not isinstance(now, dict):
        return [(before, now)] if before != now else []
    before, now = given(before or {}), given(now)
    changed = [option for option in sorted({*before, *now}) if before.get(option) != now.get(option)]
    return [({option: before.get(option)}, {option: now.get(option)}) for option in changed]


def given(options):
    """Options that are not null, which `--config` takes for a text."""
    return {name: value for name, value in options.items() if value not in (None, "null")}


def bundle(name, *configs, **options):
    """The words that run a bundle with these of its configurations."""
    folder = ROOT / "bundles" / name
    files = [str(folder / "configs" / f"{one}.json") for one in configs]
    options = {"dataset_dir": config["data"] or "cohort", **config["common"], **options}
    words = [f"--{key}={value}" for key, value in given(options).items()]
    run = [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run"]
    return [*run, f"--bundle_root={folder}", f"--config_file={files}", *words]


# a training of organ_segmentation, which is resumed; but not one of other weights of that name; of a word, such as
# scratch, there is a folder
SEGMENT = (
    "folder=$(dirname {output})\n"
    "if test -f {params.encoder:q} && test {params.encoder:q} -nt $folder/checkpoint.pt;"
    " then rm -f $folder/checkpoint.pt; fi\n"
    "{params.run:q} --encoder={params.encoder:q} --label_share={wildcards.share} --seed={wildcards.repeat}"
    " --output_dir=$folder --resume=$(test -f $folder/checkpoint.pt && echo true || echo false)"
)
