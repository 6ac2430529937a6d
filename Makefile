# `make demo` and `make test` do all of their own set-up; Python 3.11 or later is all they need.
# Tests of Azure storage run where npm (Node 20 or later) is there too, else they are skipped.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests and the demo start many processes, which would compile the package anew each.
export PYTHONDONTWRITEBYTECODE :=
# Older versions ignore `startFrom`, by which delta-rs lists a log.
AZURITE := azurite@3.37.0
AZURITE_READY := $(VENV)/azurite/.ready-$(AZURITE)

.PHONY: demo test soak check bench azurite

demo: $(READY)
	$(BIN)/overwatch demo

test: $(READY) azurite
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# A month of the made-up company, of three seeds: a quarter of an hour.
soak: $(READY)
	$(BIN)/python -m pytest -m soak -n 2

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m benchmarks

azurite: $(AZURITE_READY)

$(AZURITE_READY): | $(READY)
	@if command -v npm >/dev/null \
	    && npm install --prefix $(VENV)/azurite --no-package-lock --ignore-scripts --no-audit \
	        --no-fund --loglevel=error $(AZURITE); then \
	    touch $@; \
	elif [ "$$CI" = true ]; then \
	    echo "$(AZURITE) could not be installed: npm (Node 20 or later) has to be there" >&2; exit 1; \
	else \
	    echo "$(AZURITE) could not be installed (is npm there?): tests of Azure are skipped"; \
	fi

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)
