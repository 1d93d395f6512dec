# Milkwise: `make serve` and `make test` are all you need. Both install first.
# On Linux without a GPU, `make serve CPU=1` takes torch's CPU build and spares gigabytes of CUDA packages.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
CPU ?=
TORCH_INDEX := $(if $(CPU),--extra-index-url https://download.pytorch.org/whl/cpu)

.PHONY: help install serve test lint docs bench clean

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make install   a virtual environment with everything in it
install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Milkwise needs Python 3.11 or newer: make PYTHON=python3.11 ...')"
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet $(TORCH_INDEX) -c constraints.txt torch
	$(PIP) install --quiet -c constraints.txt -e ".[dev]"
	touch $@

## make serve     build the index if needed and serve the chat page on http://127.0.0.1:7860
serve: install
	$(BIN)/milkwise serve

## make test      every test; those of the page too where a Chromium is found
test: install
	$(BIN)/python -m pytest

## make lint      formatting, style and types
lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

## make docs      the documentation as a site, in site/
docs: install
	$(BIN)/zensical build --strict --clean

## make bench     measure speed and safety, and write docs/RESULTS.md
bench: install
	$(BIN)/python -m tests.bench.results

## make clean     remove the virtual environment and the index
clean:
	rm -rf $(VENV) .milkwise site .cache
