# `make demo` and `make test` need Python >= 3.10 and make, and nothing else.

PYTHON ?= python3
TORCH ?= torch==2.13.0
DEMO ?= demo
COMPARISON ?= comparison
VENV = .venv
RUN = $(CURDIR)/$(VENV)/bin/python -W ignore::UserWarning -m monai.bundle run --bundle_root $(CURDIR)/bundles/isimed_pretraining
CONFIGS = $(CURDIR)/bundles/isimed_pretraining/configs

.PHONY: demo test compare bench lint clean

demo: $(VENV)/ready  ## synthetic cohort, short pretraining, evaluation, report; all in the folder $(DEMO)
	$(RUN) --config_file "['$(CONFIGS)/train.json','$(CONFIGS)/demo.json']" --output_dir $(abspath $(DEMO)) --resume "$$(test -f $(abspath $(DEMO))/checkpoint.pt && echo true || echo false)"
	$(RUN) --config_file "['$(CONFIGS)/train.json','$(CONFIGS)/demo.json','$(CONFIGS)/evaluate.json']" --output_dir $(abspath $(DEMO))

test: $(VENV)/ready  ## tests; SCANS=folder also checks that the bundle's weights do on these scans what is claimed
	$(VENV)/bin/python -m pytest $(if $(SCANS),--scans=$(SCANS)) $(ARGS)

compare: $(VENV)/ready  ## DATA=scans RUNS="run run ...": evaluates training runs on the same crops, and puts them into one table and one page
	@test -n "$(DATA)" -a -n "$(RUNS)" || { echo 'Give scans and training runs: make compare DATA=/my/scans RUNS="/my/run /my/other/run"'; exit 1; }
	$(VENV)/bin/python -m scripts.comparable $(RUNS)
	@set -e; for run in $(abspath $(RUNS)); do \
	    $(RUN) --config_file "['$$run/config.json','$(CONFIGS)/evaluate.json']" --meta_file $(CONFIGS)/metadata.json --logging_file $(CONFIGS)/logging.conf \
	        --dataset_dir $(abspath $(DATA)) --encoder $$run/encoder.pt --output_dir $(abspath $(COMPARISON))/$$(basename $$run); done
	$(VENV)/bin/python -m scripts.comparison $(abspath $(COMPARISON)) $(addprefix $(abspath $(COMPARISON))/,$(notdir $(abspath $(RUNS))))

bench: $(VENV)/ready  ## speed, as ratios to a baseline of the same run; fairness of the synthetic cohort
	$(VENV)/bin/python tests/benchmarks/training.py
	$(VENV)/bin/python tests/benchmarks/losses.py
	$(VENV)/bin/python -W ignore tests/benchmarks/phantom_fairness.py

lint: $(VENV)/ready
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

$(VENV)/ready: setup.cfg
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'Python 3.10 or newer is needed: make PYTHON=python3.x')"
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -c "import torch" 2>/dev/null || $(VENV)/bin/python -m pip install --quiet $(TORCH)
	$(VENV)/bin/python -m pip install --quiet --editable ".[figures,statistics,tracking,dev]"
	touch $@

clean:
	rm -rf $(VENV) $(DEMO) $(COMPARISON) *.egg-info
