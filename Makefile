# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs in .venv first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
RATINGS := .data/vaderSentiment-2.5.tar.gz
SOUNDS := .data/sounds/.ready

.PHONY: demo test test-all test-machines check docs bench soak data setup clean

setup: $(READY)

# One resolution for torch and torchvision together: wheels of two different builds do not load each other's operators.
$(READY): pyproject.toml constraints.txt requirements/bundled.txt requirements/data.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements/bundled.txt --requirement requirements/data.txt
	touch $@

data: $(READY) $(RATINGS) $(SOUNDS)

$(RATINGS): | $(READY)
	mkdir -p .data
	$(BIN)/python -m pip download --quiet --no-deps --no-binary :all: --dest .data vaderSentiment==2.5

# Spoken words of two Italians. Where there is no apt-get, or it does not find them, tests that need them are skipped.
$(SOUNDS):
	mkdir -p .data/sounds
	@if command -v apt-get >/dev/null; then \
		cd .data/sounds && apt-get download --quiet asterisk-core-sounds-it-wav asterisk-prompt-it-menardi-wav \
			&& touch .ready || echo "the Italian words were not found: tests that need them are skipped"; \
	else echo "no apt-get: tests that need the Italian words are skipped"; fi

demo: data
	$(BIN)/python examples/demo.py

# Two at once, file by file: what a file makes once for its tests is not made twice; the longest first (tests/conftest.py).
# A run that is stuck is ended.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: data
	timeout --foreground --kill-after=30s 40m $(PYTEST)

test-all: data
	timeout --foreground --kill-after=30s 120m $(PYTEST) -m ''

# The same tests as other processors calculate them, in other orders, two suites at once: an hour and a half.
test-machines: data
	$(BIN)/python tests/machines.py

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Pages that are made from the code, and of all pages a site in build/site, which needs no network.
docs: $(READY)
	$(BIN)/python docs/methods.py > docs/methods.md.new && mv docs/methods.md.new docs/methods.md
	$(BIN)/python docs/architecture.py > docs/images/new.svg && mv docs/images/new.svg docs/images/architecture.svg
	$(BIN)/python docs/gallery.py > docs/gallery.md.new && mv docs/gallery.md.new docs/gallery.md
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "build/site/index.html"

bench: data
	for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# A thousand fits killed at random moments: half an hour.
soak: $(READY)
	$(BIN)/python tests/soak.py

clean:
	rm -rf .venv .data demo-out build dist *.egg-info
