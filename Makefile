# `make demo` and `make test` need Python >= 3.10 and make, and nothing else.

PYTHON ?= python3
TORCH ?= torch==2.13.0
DEMO ?= demo
COMPARISON ?= comparison
STUDY ?= study
EFFICIENCY ?= efficiency
KILLS ?= 200
COMMA = ,
VENV = .venv
CORE = .venv-core
LABEL = .venv-label
LABEL_PYTHON ?= $(PYTHON)
BUNDLE = $(CURDIR)/bundles/isimed_pretraining
CONFIGS = $(BUNDLE)/configs
RUN = $(VENV)/bin/python -W ignore::UserWarning -m monai.bundle run --bundle_root $(BUNDLE)
# two processes of one thread each, files in their order: those of whole runs come first
PYTEST = OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo help test compare study efficiency configs dist clients bench fuzz kills hosts lint clean

demo: $(VENV)/ready  ## synthetic cohort, short pretraining, evaluation, report; all in the folder $(DEMO)
	$(RUN) --config_file "['$(CONFIGS)/train.json','$(CONFIGS)/demo.json']" --output_dir $(abspath $(DEMO)) --resume "$$(test -f $(abspath $(DEMO))/checkpoint.pt && echo true || echo false)"
	$(RUN) --config_file "['$(CONFIGS)/train.json','$(CONFIGS)/demo.json','$(CONFIGS)/evaluate.json']" --output_dir $(abspath $(DEMO))

help:  ## what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: $(VENV)/dev  ## tests; SCANS=folder also checks that the bundle's weights do on these scans what is claimed, SCHEMA=file the metadata
	$(PYTEST) $(if $(SCANS),--scans=$(SCANS)) $(if $(SCHEMA),--schema=$(SCHEMA)) $(ARGS)

compare: $(VENV)/ready  ## DATA=scans RUNS="run run ...": evaluates training runs on the same crops, and puts them into one table and one page
	@test -n "$(DATA)" -a -n "$(RUNS)" || { echo 'Give scans and training runs: make compare DATA=/my/scans RUNS="/my/run /my/other/run"'; exit 1; }
	$(VENV)/bin/python -m scripts.runs.comparable_runs $(RUNS)
	@set -e; for run in $(abspath $(RUNS)); do \
	    $(RUN) --config_file "['$$run/config.json','$(CONFIGS)/evaluate.json']" --meta_file $(CONFIGS)/metadata.json --logging_file $(CONFIGS)/logging.conf \
	        --dataset_dir $(abspath $(DATA)) --encoder $$run/encoder.pt --output_dir $(abspath $(COMPARISON))/$$(basename $$run); done
	$(VENV)/bin/python -m scripts.reports.compare_encoders $(abspath $(COMPARISON)) $(addprefix $(abspath $(COMPARISON))/,$(notdir $(abspath $(RUNS))))

study: $(VENV)/workflow  ## pretrains methods, and says what they are worth for a task with masks: of DATA, or of a synthetic cohort; ARGS=-n shows the plan
	data=$(if $(DATA),"$$(realpath "$(DATA)")") && $(VENV)/bin/snakemake --snakefile workflow/Snakefile --directory "$(STUDY)" \
	    --configfile workflow/config/$(if $(DATA),scans,config).yaml $(CONFIGFILE) --config "data=$$data" $(if $(OVERLAY),overlay=$(OVERLAY)) $(CONFIG) $(ARGS)

efficiency: $(VENV)/workflow  ## DATA=scans with label maps RUNS="run run ...": segmentation with few labels from each encoder; ARGS=-n shows the plan
	@test -n "$(DATA)" || { echo 'Give scans with label maps, and pretrainings with unet_encoder.json: make efficiency DATA=/my/scans RUNS="/my/run /my/other/run"'; exit 1; }
	$(VENV)/bin/snakemake --snakefile workflow/label_efficiency.smk --directory "$(EFFICIENCY)" $(if $(CONFIGFILE),--configfile $(CONFIGFILE)) \
	    --config "data=$$(realpath "$(DATA)")" "runs=[$(subst $(EMPTY) $(EMPTY),$(COMMA),$(abspath $(RUNS)))]" $(CONFIG) $(ARGS)

configs: $(VENV)/ready  ## bundles/*/configs, composed of tools/configs
	$(VENV)/bin/python -W ignore -m tools.compose

dist: $(VENV)/ready  ## dist/NAME_vVERSION.zip of every bundle that has weights, to publish; RELEASE=owner/repository/tag also writes dist/model_info.json
	$(VENV)/bin/python -m tools.release $(patsubst %/models/model.pt,%,$(wildcard bundles/*/models/model.pt)) $(if $(RELEASE),--release "$(RELEASE)")

clients: $(VENV)/dev $(CORE)/ready $(LABEL)/ready  ## every bundle: the zips in environments of their own: the core packages alone, MONAI Label (8 GB, Python <= 3.11); exports, tracking, federated learning; ZOO=its checkout SCHEMA=file: the Model Zoo's CI
	$(VENV)/bin/python -m pytest tests/clients --core=$(CORE)/bin/python --label=$(LABEL)/bin $(if $(ZOO),--zoo=$(ZOO)) $(if $(SCHEMA),--schema=$(SCHEMA))
	$(PYTEST) tests/bundles -m "one_of_a_kind or one_of_all" --every-bundle

bench: $(VENV)/dev  ## speed, as ratios to a baseline of the same run; fairness of the synthetic cohort
	$(VENV)/bin/python tests/benchmarks/training.py
	$(VENV)/bin/python -W ignore -m tests.benchmarks.loop isimed_pretraining
	$(VENV)/bin/python tests/benchmarks/losses.py
	$(VENV)/bin/python tests/benchmarks/conditional_conv.py
	$(VENV)/bin/python tests/benchmarks/inference.py
	$(VENV)/bin/python -W ignore tests/benchmarks/loading.py
	$(VENV)/bin/python -W ignore tests/benchmarks/phantom_fairness.py
	$(VENV)/bin/python -m pytest tests/benchmarks

fuzz: $(VENV)/dev  ## 20 000 files as no scanner writes them, through the audit and the transforms behind it; ARGS="--kept folder" keeps what fails
	$(VENV)/bin/python -W ignore tests/benchmarks/fuzz_scans.py $(ARGS)

kills: $(VENV)/dev  ## kills runs of all kinds 200 times, starts them again, and compares what they leave with runs that nothing stopped
	OMP_NUM_THREADS=1 $(VENV)/bin/python -W ignore tests/benchmarks/kill_runs.py --kills $(KILLS)

hosts: $(VENV)/dev  ## trains over two hosts, of which one is lost: network namespaces of this machine; as root, on Linux, 5 minutes
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest tests/bundles/test_two_hosts.py --two-hosts

lint: $(VENV)/dev  ## errors, form and types; `pre-commit install` runs the same before each commit
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/ready: setup.cfg
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'Python 3.10 or newer is needed: make PYTHON=python3.x')"
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -c "import torch" 2>/dev/null || $(VENV)/bin/python -m pip install --quiet $(TORCH)
	$(VENV)/bin/python -m pip install --quiet --editable ".[evaluation,figures,tracking]"
	touch $@

$(VENV)/workflow: $(VENV)/ready setup.cfg
	$(VENV)/bin/python -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Snakemake needs Python 3.11 or newer: make study VENV=.venv-study PYTHON=python3.11')"
	$(VENV)/bin/python -m pip install --quiet --editable ".[workflow]"
	touch $@

$(VENV)/dev: $(VENV)/ready setup.cfg
	$(VENV)/bin/python -m pip install --quiet --editable ".[dev,export,mlflow,workflow]"
	touch $@

$(CORE)/ready: setup.cfg
	$(PYTHON) -m venv $(CORE)
	$(CORE)/bin/python -m pip install --quiet $(TORCH)
	$(CORE)/bin/python -m pip install --quiet monai nibabel pytorch-ignite fire numpy
	touch $@

# older releases of DICOM packages: those of today do not go with MONAI Label 0.8.5
$(LABEL)/ready:
	$(LABEL_PYTHON) -c "import sys; sys.exit(sys.version_info >= (3, 12) and 'MONAI Label needs Python 3.11 or older: make clients LABEL_PYTHON=python3.11')"
	$(LABEL_PYTHON) -m venv $(LABEL)
	$(LABEL)/bin/python -m pip install --quiet "monailabel==0.8.5" "pydicom<3" "pynetdicom<3" "dicomweb-client<0.60"
	touch $@

clean:  ## takes away environments, zips, and the results of demo and compare
	rm -rf $(VENV) $(CORE) $(LABEL) dist $(DEMO) $(COMPARISON) *.egg-info
