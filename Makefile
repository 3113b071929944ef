# `make run` starts the dashboard, `make test` runs every check, `make bench` measures. All work in .venv, made on first use.
# Another Python: make run PYTHON=python3.12. Another package registry: PIP_INDEX_URL, as pip itself reads it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Stamps: newer than the requirements they installed, so that a second run installs nothing.
RUN_READY := $(VENV)/.installed-run
TEST_READY := $(VENV)/.installed-test

.PHONY: run test bench clean
.DELETE_ON_ERROR:

run: $(RUN_READY)
	$(BIN)/streamlit run app.py

test: $(TEST_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: $(TEST_READY)
	$(BIN)/python -m pytest tests/benchmarks -m benchmark -s

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON): install Python 3.11 or newer, or name one with PYTHON=…" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11: install a newer one, or name one with PYTHON=…" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module: apt install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)

$(RUN_READY): requirements.txt | $(BIN)/python
	$(call install,-r requirements.txt)
	@touch $@

$(TEST_READY): requirements.txt tests/requirements.txt | $(BIN)/python
	$(call install,-r requirements.txt -r tests/requirements.txt)
	@touch $@ $(RUN_READY)

define install
$(BIN)/python -m pip install --quiet --disable-pip-version-check $(1) || \
	{ echo "pip could not install the packages: it needs network access to a package registry (PIP_INDEX_URL names another)." >&2; exit 1; }
endef
