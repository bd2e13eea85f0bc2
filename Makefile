# One virtual environment, made on first use, serves every target.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SITE   := _build/html/index.html

# Small matrices everywhere: one thread a process is faster, and repeatable.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

.PHONY: help book book-by-sphinx test coverage mutation test-site test-notebooks test-extended test-cpus margins lint format test-gpu proofs evidence bench serve clean distclean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## ?/\1\t/' | expand -t 16

$(READY): requirements.txt $(wildcard requirements/*.txt) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $(READY)

book: $(READY)  ## build the site with warnings as errors
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "The book: $(CURDIR)/$(SITE)"

book-by-sphinx: $(READY)  ## build the site without Jupyter Book's command, from the configuration that it writes
	$(BIN)/jupyter-book config sphinx .
	PYTHONPATH="$(CURDIR)/book/_ext" $(BIN)/sphinx-build -W -n --keep-going -q -b html . _build/sphinx; \
	  status=$$?; rm -f conf.py; exit $$status

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

coverage: $(READY)  ## run the tests and count lines and branches: at least 95% of the package
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov

mutation: $(READY)  ## break the code in a tenth of all places (SHARE=1: all), see which breaks the tests notice
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/mutation.txt
	$(BIN)/python tests/mutation.py --share $(or $(SHARE),0.1)

test-extended: $(READY)  ## over 5,000 random designs (it prints how many), kills at 32 moments (minutes)
	HYPOTHESIS_PROFILE=extended $(BIN)/python -m pytest tests/linear tests/interruption -n 2 --dist worksteal

test-cpus: $(READY)  ## tests that train or factorize, and the chapters, on other makes of CPU (half an hour)
	$(BIN)/python tests/cpus.py

margins: $(READY)  ## the room of each chapter's assertions on trained networks, over eight moved initializations
	$(BIN)/python tests/perturbed.py

test-site: $(READY)  ## check the built site, in a browser where there is one
	@test -f $(SITE) || { echo "build the book first: make book"; exit 2; }
	$(BIN)/python -m pytest -m site tests/book tests/live -n 2 --dist worksteal

test-notebooks: $(READY)  ## run every notebook of the built site from an empty folder in a fresh environment
	@test -f $(SITE) || { echo "build the book first: make book"; exit 2; }
	$(BIN)/python -m pytest -m notebooks tests/book -n 2 --dist worksteal

test-gpu: $(READY)  ## check and time everything on the CUDA GPU of this machine, in one go
	$(BIN)/python -m pytest -m gpu tests

proofs: $(READY)  ## compile the proofs with Coq, and see that their variants fail
	$(BIN)/python -m pytest -m proofs tests/test_proofs.py

evidence: $(READY)  ## certify printed numbers and search for counterexamples again, and keep what is found (minutes)
	$(BIN)/python -m tests.evidence

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## let ruff lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## measure speed and keep the table for the book (ten minutes)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	$(BIN)/python -m pytest -m benchmark tests/benchmarks --store

serve: $(READY)  ## look at the built site on http://localhost:8000
	@test -f $(SITE) || $(MAKE) book
	$(BIN)/python -m http.server --bind localhost --directory _build/html 8000

clean:  ## remove what was built
	rm -rf _build jupyter_execute

distclean: clean  ## remove the virtual environment and what npm installed too
	rm -rf $(VENV) book/_static/vendor book/_static/live node_modules
