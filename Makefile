# `make demo` and `make test` need Python >= 3.10 and make, and nothing else.

PYTHON ?= python3
TORCH ?= torch==2.13.0
DEMO ?= demo
COMPARISON ?= comparison
STUDY ?= study
VENV = .venv
CORE = .venv-core
LABEL = .venv-label
LABEL_PYTHON ?= $(PYTHON)
# two processes of one thread each, files in their order: those of whole runs come first
PYTEST = OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
RUN = $(CURDIR)/$(VENV)/bin/python -W ignore::UserWarning -m monai.bundle run --bundle_root $(CURDIR)/bundles/isimed_pretraining
CONFIGS = $(CURDIR)/bundles/isimed_pretraining/configs

.PHONY: demo test compare study dist clients bench lint clean

demo: $(VENV)/ready  ## synthetic cohort, short pretraining, evaluation, report; all in the folder $(DEMO)
	$(RUN) --config_file "['$(CONFIGS)/train.json','$(CONFIGS)/demo.json']" --output_dir $(abspath $(DEMO)) --resume "$$(test -f $(abspath $(DEMO))/checkpoint.pt && echo true || echo false)"
	$(RUN) --config_file "['$(CONFIGS)/train.json','$(CONFIGS)/demo.json','$(CONFIGS)/evaluate.json']" --output_dir $(abspath $(DEMO))

test: $(VENV)/dev  ## tests; SCANS=folder also checks that the bundle's weights do on these scans what is claimed, SCHEMA=file the metadata
	$(PYTEST) $(if $(SCANS),--scans=$(SCANS)) $(if $(SCHEMA),--schema=$(SCHEMA)) $(ARGS)

compare: $(VENV)/ready  ## DATA=scans RUNS="run run ...": evaluates training runs on the same crops, and puts them into one table and one page
	@test -n "$(DATA)" -a -n "$(RUNS)" || { echo 'Give scans and training runs: make compare DATA=/my/scans RUNS="/my/run /my/other/run"'; exit 1; }
	$(VENV)/bin/python -m scripts.runs.comparable_runs $(RUNS)
	@set -e; for run in $(abspath $(RUNS)); do \
	    $(RUN) --config_file "['$$run/config.json','$(CONFIGS)/evaluate.json']" --meta_file $(CONFIGS)/metadata.json --logging_file $(CONFIGS)/logging.conf \
	        --dataset_dir $(abspath $(DATA)) --encoder $$run/encoder.pt --output_dir $(abspath $(COMPARISON))/$$(basename $$run); done
	$(VENV)/bin/python -m scripts.reports.compare_encoders $(abspath $(COMPARISON)) $(addprefix $(abspath $(COMPARISON))/,$(notdir $(abspath $(RUNS))))

# The study: every step leaves a file, and is done once. DATA: scans with masks, or else a synthetic cohort is made.
METHODS = isimed isimed_barlow barlow_twins simclr
OVERLAY ?= $(if $(DATA),,lesion_free)
PARTS ?= $(if $(DATA),,--val_size 4 --test_size 36)
EPOCHS ?= $(if $(DATA),50,12)
FINE_TUNE ?= $(if $(DATA),--max_epochs 25,--max_epochs 3 --batch_size 1)
FINE_TUNED ?= isimed
ARMS = $(METHODS) untrained scratch $(addsuffix _fine_tuned,$(FINE_TUNED))
S = $(abspath $(STUDY))
COHORT = $(if $(DATA),$(abspath $(DATA)),$(S)/cohort)
SETTINGS = DATA=$(DATA) OVERLAY=$(OVERLAY) PARTS=$(PARTS) EPOCHS=$(EPOCHS) FINE_TUNE=$(FINE_TUNE)
ifneq (,$(word 2,$(STUDY))$(word 2,$(DATA)))
$(error Neither STUDY nor DATA can have a blank)
endif
comma = ,
space = $(subst ,, )
files = "[$(subst $(space),$(comma),$(patsubst %,'$(CURDIR)/bundles/$(1)/configs/%.json',$(2)))]"
bundle = $(CURDIR)/$(VENV)/bin/python -W ignore -m monai.bundle run --bundle_root $(CURDIR)/bundles/$(1) \
    --config_file $(call files,$(1),$(strip $(2))) --dataset_dir $(COHORT)
# autopet and brats are of lesion_classification too
classify = $(call bundle,lesion_classification,train cross_validate $(1) $(filter autopet brats,$(OVERLAY))) \
    --pretraining_split $(S)/isimed/split.json --output_dir $(@D)
SHARES = --label_shares "[0.05,0.1,0.25,0.5]"

study: $(S)/study.html  ## pretrains all methods, and says what they are worth for a task with masks; stop it and go on as you like

$(S)/study.html: $(METHODS:%=$(S)/%/metrics.json) $(ARMS:%=$(S)/folds/%/scores.csv)
	$(VENV)/bin/python -m scripts.reports.study $(S) --encoders $(METHODS:%=$(S)/%) --folds $(ARMS:%=$(S)/folds/%)

.PHONY: $(S)/settings
$(S)/settings: | $(VENV)/ready
	@mkdir -p $(@D); test -f $@ || echo '$(SETTINGS)' > $@
	@echo '$(SETTINGS)' | cmp -s - $@ || { echo "error: $(S) was begun with $$(cat $@): give these, or another STUDY (or delete $@, if nothing was done)."; exit 1; }

$(S)/cohort/dataset.json: | $(S)/settings
	$(VENV)/bin/python -c "from scripts.data.phantom import make_cohort; make_cohort('$(@D)', 80, lesions='large')"

$(METHODS:%=$(S)/%/pretrained): $(S)/%/pretrained: | $(S)/settings $(if $(DATA),,$(S)/cohort/dataset.json)
	$(call bundle,$*_pretraining,train $(OVERLAY)) --output_dir $(@D) --max_epochs $(EPOCHS) $(PARTS) \
	    --resume "$$(test -f $(@D)/checkpoint.pt && echo true || echo false)"
	touch $@

$(METHODS:%=$(S)/%/metrics.json): $(S)/%/metrics.json: $(S)/%/pretrained
	$(call bundle,$*_pretraining,train $(OVERLAY) evaluate) --output_dir $(@D) $(PARTS)

$(S)/folds/untrained/scores.csv: $(S)/isimed/pretrained
	$(call classify,frozen) --encoder untrained $(SHARES)

# folds of encoders that were trained anew since are not gone on with
$(S)/folds/scratch/scores.csv: $(S)/isimed/pretrained
	test ! $< -nt $(@D)/folds || rm -rf $(@D)/folds
	$(call classify) --encoder scratch $(FINE_TUNE)

$(FINE_TUNED:%=$(S)/folds/%_fine_tuned/scores.csv): $(S)/folds/%_fine_tuned/scores.csv: $(S)/%/pretrained $(S)/isimed/pretrained
	test ! $< -nt $(@D)/folds || rm -rf $(@D)/folds
	$(call classify) --encoder $(S)/$*/encoder.pt --name $*_fine_tuned $(FINE_TUNE)

$(METHODS:%=$(S)/folds/%/scores.csv): $(S)/folds/%/scores.csv: $(S)/%/pretrained $(S)/isimed/pretrained
	$(call classify,frozen) --encoder $(S)/$*/encoder.pt --name $* $(SHARES)

dist: $(VENV)/ready  ## dist/NAME_vVERSION.zip of every bundle, to publish; RELEASE=owner/repository/tag also writes dist/model_info.json
	$(VENV)/bin/python -m tools.release bundles/* $(if $(RELEASE),--release "$(RELEASE)")

clients: $(VENV)/dev $(CORE)/ready $(LABEL)/ready  ## every bundle: the zips in environments of their own: the core packages alone, MONAI Label (8 GB, Python <= 3.11); exports, tracking, federated learning; ZOO=its checkout SCHEMA=file: the Model Zoo's CI
	$(VENV)/bin/python -m pytest tests/clients --core=$(CORE)/bin/python --label=$(LABEL)/bin $(if $(ZOO),--zoo=$(ZOO)) $(if $(SCHEMA),--schema=$(SCHEMA))
	$(PYTEST) tests/bundles -m "one_of_a_kind or one_of_all" --every-bundle

bench: $(VENV)/dev  ## speed, as ratios to a baseline of the same run; fairness of the synthetic cohort
	$(VENV)/bin/python tests/benchmarks/training.py
	$(VENV)/bin/python tests/benchmarks/losses.py
	$(VENV)/bin/python tests/benchmarks/inference.py
	$(VENV)/bin/python -W ignore tests/benchmarks/phantom_fairness.py

lint: $(VENV)/dev
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

$(VENV)/ready: setup.cfg
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'Python 3.10 or newer is needed: make PYTHON=python3.x')"
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -c "import torch" 2>/dev/null || $(VENV)/bin/python -m pip install --quiet $(TORCH)
	$(VENV)/bin/python -m pip install --quiet --editable ".[figures,statistics,tracking]"
	touch $@

$(VENV)/dev: $(VENV)/ready setup.cfg
	$(VENV)/bin/python -m pip install --quiet --editable ".[dev,export,mlflow]"
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

clean:
	rm -rf $(VENV) $(CORE) $(LABEL) dist $(DEMO) $(COMPARISON) *.egg-info
