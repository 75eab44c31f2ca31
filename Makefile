# Two targets do everything: `make demo` and `make test`. Both build the environment first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

.PHONY: all env demo bench bench-authoring bench-endpoint bench-importing test torture check format lint types imports preview lock clean

all: env

env: $(VENV)/.ready

$(VENV)/.ready: requirements/uv.txt requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/dev.txt
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

## demo: issue 64, really sent to the example list through an embedded SMTP catcher
demo: env
	@$(BIN)/python tools/demo.py

## preview: the live page for an issue, make preview ISSUE=64
ISSUE ?= 64
preview: env
	$(BIN)/newsletter preview $(ISSUE)

## test: everything that this machine can run
# In the order of the folders: files with few tests are the slow ones here, and xdist would leave them to the end.
test: env
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

## torture: kill the sender at every commit and every network write, make torture SECONDS=600
SECONDS ?= 600
torture: env
	$(BIN)/python tests/torture/long_sweep.py $(SECONDS)

## check: format, lint, types and import rules
check: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## bench: every figure of benchmarks/README.md, side by side (about half an hour)
bench: env
	$(BIN)/python benchmarks/bench.py

## bench-authoring: from save to repaint, and how long a check takes
bench-authoring: env
	$(BIN)/python benchmarks/authoring.py

## bench-endpoint: one-click unsubscribes a second, and what a kill loses
bench-endpoint: env
	$(BIN)/python benchmarks/endpoint.py

## bench-importing: a million rows against ten thousand
bench-importing: env
	$(BIN)/python benchmarks/importing.py

## lock: pin the dependencies anew, with hashes and without any registry's address
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
lock: env
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --all-extras --group dev -o requirements/dev.txt

clean:
	rm -rf $(VENV) demo-out dist .newsletter .mypy_cache .ruff_cache .pytest_cache
