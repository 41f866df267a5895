"""Label efficiency: segmentation from each encoder, with each share of the labels, again with other seeds, on one page.

Paths are in a folder of its own: snakemake --snakefile workflow/label_efficiency.smk --directory FOLDER
What a resume needs (checkpoint.pt) is nobody's output, since Snakemake deletes those of a stopped job.
"""

from snakemake.utils import min_version, validate

min_version("8.20")


configfile: f"{workflow.basedir}/config/label_efficiency.yaml"


validate(config, f"{workflow.basedir}/config/label_efficiency.schema.yaml")


include: "common.smk"


PRETRAINED = {Path(run).name: Path(run) / "encoder.pt" for run in config["runs"]}
if len({"scratch", "untrained", *PRETRAINED}) < len(config["runs"]) + 2:
    raise WorkflowError("Encoders are called as the folders of their runs: give each a name of its own.")
for encoder in PRETRAINED.values():
    if not encoder.is_file():
        raise WorkflowError(f"There is no {encoder}: give runs the folders of pretrainings that have ended.")
OPTIONS = {"pretraining_split": Path(run) / "split.json" for run in config["runs"][:1]} | config["common"]
TRAININGS = expand(
    "{encoder}/{share}/seed_{repeat}/metrics.json",
    encoder=[*PRETRAINED, "scratch", "untrained"],
    share=[f"{float(share):g}" for share in config["label_shares"]],
    repeat=config["seeds"],
)
SETTINGS = settings(besides=("runs", "label_shares", "seeds"))  # of which more may follow


onstart:
    BEGUN.write_text(json.dumps(SETTINGS, indent=4))


wildcard_constraints:
    encoder="[^/]+",


localrules:
    all,
    page,


rule all:
    input:
        "label_efficiency.html",
        TRAININGS,


# without the subjects of the first encoder's pretraining
rule train:
    input:
        lambda wildcards: PRETRAINED.get(wildcards.encoder, []),
    output:
        "{encoder}/{share}/seed_{repeat}/metrics.json",
    params:
        run=bundle("organ_segmentation", "train", *config["overlays"], **OPTIONS),
        encoder=lambda wildcards: PRETRAINED.get(wildcards.encoder, wildcards.encoder),
    threads: 8
    resources:
        mem_mb=16000,
        runtime="1d",
        trainings=1,
    shell:
        SEGMENT


rule page:
    input:
        TRAININGS,
    output:
        "label_efficiency.html",
    shell:
        "PYTHONPATH={ROOT:q} {sys.executable:q} -W ignore -m scripts.reports.label_efficiency $(dirname {output})"
        " $(dirname {input:q})"
