# `make` alone lists the targets. It needs Python 3.11 or newer, pip and make; uv is used if it is there.

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test

# The first interpreter that is new enough, unless the command line names one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; \
  done; echo python3)
CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
WORKERS ?= 2
UV ?= uv
# Packages in ~/.local are no part of the locked environment.
export PYTHONNOUSERSITE := 1
# Extra arguments for Snakemake or pytest: `make demo ARGS="--configfile config/paper.yaml"`.
ARGS ?=

# The download takes gigabytes: show its progress, except in CI.
QUIET := $(if $(CI),--quiet)
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check $(QUIET) install --require-hashes
UV_PIP := $(UV) pip install $(QUIET) --python $(VENV)/bin/python --require-hashes
# uv installs the same files as pip, several times faster; the hashes hold for both. It does not read
# pip's settings, such as a mirror: where it fails, pip is tried.
HAS_UV := $(shell command -v $(UV) 2>/dev/null)
install = $(if $(HAS_UV),$(UV_PIP) -r $(1) || { \
  echo "==> uv could not install; trying pip"; $(PIP) -r $(1); },$(PIP) -r $(1))

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
  --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-fast test-slurm lint format generated lock report clean python

help:
	@echo 'make demo       install into $(VENV), then train, translate, score: tables and a picture'
	@echo 'make test       install the test tools too, then run the tests'
	@echo 'make test-fast  run the tests that are not slow'
	@echo 'make test-slurm run the workflow on a Slurm cluster that the test sets up (root, Debian)'
	@echo 'make lint       check style and workflow (ruff, snakefmt, snakemake --lint)'
	@echo 'make format     rewrite the code in that style'
	@echo 'make generated  write docs/methods.md and the schemas again, after a change of the code'
	@echo 'make report     write report.html with the tables and figures of the last demo'
	@echo 'make lock       resolve pyproject.toml again into requirements*.lock (needs uv)'
	@echo 'make clean      remove $(VENV), caches and builds; results/ and data/ stay'
	@echo 'Settings: PYTHON=$(PYTHON) CORES=$(CORES) WORKERS=$(WORKERS) ARGS='

# Check the interpreter before using it, and report a problem in one sentence.
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: '$(PYTHON)' is missing or older than Python 3.11: install Python 3.11 or" \
	    "newer, or name one with 'make PYTHON=/path/to/python3.12 …'" >&2; exit 1; }

# The stamp is written last, so that the next make repeats an interrupted install. A changed lock
# gives a new environment, so that no old package stays in it.
$(RUN_STAMP): requirements.lock | python
	@echo "==> Installing the locked versions into $(VENV) (some minutes, several GB: torch)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { echo "error: '$(PYTHON) -m venv' failed: install the venv" \
	  "module (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@$(call install,requirements.lock)
	@touch $@

$(TEST_STAMP): requirements-test.lock $(RUN_STAMP)
	@echo "==> Installing the test tools into $(VENV)"
	@$(call install,requirements-test.lock)
	@touch $@

demo: $(RUN_STAMP)
	@echo "==> Running the workflow on $(CORES) cores; only missing or outdated results are computed"
	@echo "==> Live progress of the trainings: tail -f results/logs/*.train.log"
	@PATH="$(BIN):$$PATH" snakemake --cores $(CORES) $(ARGS)
	@echo "==> Tables:  results/tables/"
	@echo "==> Figures: results/figures/"
	@echo "==> Page:    results/site/index.html"
	@echo "==> 'make report' writes tables and figures into one file, report.html"

report: $(RUN_STAMP)
	@PATH="$(BIN):$$PATH" snakemake --report report.html $(ARGS)
	@echo "==> Report: report.html"

test: $(TEST_STAMP)
	@echo "==> Running the tests in $(WORKERS) processes"
	@PATH="$(BIN):$$PATH" OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

test-fast: override ARGS += -m "not slow"
test-fast: test

# A real cluster on this machine: it needs root, slurm-wlm, munge and Snakemake's plugin for Slurm.
test-slurm: $(TEST_STAMP)
	@PATH="$(BIN):$$PATH" OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -m slurm tests/slurm $(ARGS)

lint: $(TEST_STAMP)
	@echo "==> Checking style and workflow"
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/snakefmt --check -l 100 Snakefile workflow
	@PATH="$(BIN):$$PATH" snakemake --lint

format: $(TEST_STAMP)
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/snakefmt -l 100 Snakefile workflow

# What the code prints and the repository keeps; tests compare both.
generated: $(TEST_STAMP)
	@$(VENV)/bin/python -m cut methods --write docs/methods.md
	@$(VENV)/bin/python -m cut record --write-schemas docs/schemas
	@$(VENV)/bin/python -m cut config --schema > docs/schemas/config.schema.json

# The run lock constrains the test lock, so that the test tools never change a version of the run.
lock:
	@command -v $(UV) >/dev/null || { echo "error: 'make lock' needs uv:" \
	  "pip install uv, or name it with 'make lock UV=/path/to/uv'" >&2; exit 1; }
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade pyproject.toml --extra test -c requirements.lock -o requirements-test.lock
	@echo "==> Now copy pins and bounds to environment.yml: make test lists those that differ"

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
