# Everything a newcomer types. `make demo` and `make test` set themselves up on a fresh machine with Python 3.11+.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export HF_HUB_OFFLINE := 1

.PHONY: help setup demo test test-slow check crash fuzz attack hardening bench docs screenshots clean

help:
	@echo "make demo       the planted shop from pictures to demo/report.html"
	@echo "make test       the tests (under 10 minutes); make test-slow: those marked slow"
	@echo "make check      ruff, mypy and import-linter"
	@echo "make crash      kill, fill the disk, flip bits; make fuzz: odd inputs; make attack: hostile clients; make hardening: a short round of all"
	@echo "make bench      measure speed, as ratios in one run"
	@echo "make docs       check the pages: every link leads somewhere, every command can be typed"
	@echo "make screenshots  the pictures of docs/pages.md, of the demonstration (needs Chromium)"

setup: $(READY)

# torch comes first and pinned: left to pip, it would be a CUDA build of several gigabytes.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (about 2.3 GB, a minute or two) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

demo: $(READY)
	@$(BIN)/viral demo --out demo

test: $(READY)
	$(BIN)/python -m pytest -n 2 -m "not slow" $(TESTFLAGS)

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

crash: $(READY)
	$(BIN)/python -m hardening crash
	$(BIN)/python -m hardening disk
	$(BIN)/python -m hardening flips

hardening: $(READY)
	@for what in crash disk flips fuzz attack; do $(BIN)/python -m hardening $$what --short || exit 1; done

fuzz: $(READY)
	$(BIN)/python -m hardening fuzz

attack: $(READY)
	$(BIN)/python -m hardening attack

bench: $(READY)
	$(BIN)/python -m bench

docs: $(READY)
	$(BIN)/python -m pytest -q tests/unit/test_docs.py

screenshots: demo
	$(BIN)/viral compare demo/shop --out demo/comparison --models popularity,itemknn,bpr,lightgcn,viral --seeds 2 \
		--set train.max_epochs=30
	$(BIN)/viral ablate demo/shop --out demo/ablation --studies components,sources --seeds 2 \
		--set train.max_epochs=30
	$(BIN)/python -m bench.screenshots demo/runs/viral --dataset demo/shop --experiments demo/comparison \
		--experiments demo/ablation --picture demo/shop/images/p0051.jpg --out docs/images

clean:
	rm -rf demo runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
