# allin1: the usual errands in one word each; CMake does the building. `make help` lists them.

MAKEFLAGS += --no-print-directory

BUILD = build
BUILD_TYPE = Release
PREFIX = /usr/local
JOBS = $(shell nproc 2>/dev/null || echo 2)
CMAKE_FLAGS =
FUZZ_SECONDS = 60

# Weights and reference data that lie beside the checkout are used where the caller names no others.
SHARED = $(or $(ALLIN1_SHARED),$(wildcard $(CURDIR)/../shared))
ifeq ($(ALLIN1_WEIGHTS),)
ifneq ($(and $(SHARED),$(wildcard $(SHARED)/weights)),)
export ALLIN1_WEIGHTS := $(abspath $(SHARED)/weights)
endif
endif

program = $(BUILD)/allin1
configure = cmake -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=$(BUILD_TYPE) $(CMAKE_FLAGS)
compile = cmake --build $(BUILD) --parallel $(JOBS)
benches = $(basename $(notdir $(wildcard bench/*.c)))
tools = $(basename $(notdir $(wildcard tools/*.c)))
fuzzers = $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))

.PHONY: build help demo models check check-neon tools bench fuzz sanitize install uninstall clean distclean
.DEFAULT_GOAL := build
.NOTPARALLEL:

build: ## Install the packages it needs, configure and build: the program is build/allin1
	@scripts/setup.sh build
	$(configure)
	$(compile)

demo: build ## Build, analyse the bundled song and show its structure: at once, nothing is downloaded
	@$(compile) --target render_demo
	@mkdir -p $(BUILD)/demo
	$(BUILD)/render_demo $(BUILD)/demo/demo.wav $(BUILD)/demo/demo_truth.json
	$(program) --model student --out-dir $(BUILD)/demo/struct $(BUILD)/demo/demo.wav
	@echo
	$(program) show $(BUILD)/demo/struct/demo.json
	@echo
	@echo "That was the quick model, which is part of the program. The full ones are better, and slower:"
	@printf '    %-25s %s\n' 'make models' 'fetches them once (about 110 MB)' \
	    '$(program) SONG' 'uses them from then on'

models: build ## Fetch the full models; the program uses them from then on
	@scripts/setup.sh fetch
	$(program) models fetch

check: ## Build, fetch the weights that the tests need, run all tests and count them
	@scripts/setup.sh build fetch test page
	$(configure) -DALLIN1_TESTS=ON
	$(compile) --target all render_demo
	@$(program) models fetch htdemucs || \
	    echo "check: the weights could not be fetched; the tests that need them will be skipped" >&2
	@ALLIN1_HTDEMUCS_ONNX=$$(scripts/htdemucs_onnx.sh) scripts/run_tests.sh $(BUILD)

check-neon: ## Run the kernels' and stages' tests as 64-bit Arm code, under emulation where needed
	@scripts/setup.sh neon
	@scripts/check_neon.sh $(BUILD)-neon

tools: build ## Build the programs of tools/ and bench/
	$(compile) --target $(tools) $(benches)

bench: build ## Measure every stage and kernel: a table, and bench/results/DATE.json
	$(compile) --target $(benches)
	@bench/run.sh $(BUILD)

fuzz: ## Build the fuzzers with clang and run each for FUZZ_SECONDS
	@scripts/setup.sh build fuzz
	cmake -S . -B $(BUILD)-fuzz -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	    -DALLIN1_TESTS=ON -DALLIN1_FUZZ=ON -DALLIN1_SANITIZE=address,undefined \
	    -DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link $(CMAKE_FLAGS)
	cmake --build $(BUILD)-fuzz --parallel $(JOBS) --target $(fuzzers) make_seeds
	@scripts/run_fuzzers.sh $(BUILD)-fuzz $(FUZZ_SECONDS) $(fuzzers)

sanitize: ## Run the tests once more with the address and undefined-behaviour sanitizers
	@$(MAKE) check BUILD=$(BUILD)-sanitize \
	    CMAKE_FLAGS="-DALLIN1_SANITIZE=address,undefined $(CMAKE_FLAGS)"

install: ## Install below PREFIX (/usr/local), or below DESTDIR for packagers; run `make` before
	@test -x $(program) || { echo "install: run make first" >&2; exit 1; }
	cmake -S . -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	cmake --install $(BUILD)

uninstall: ## Remove what the last install put in place
	@test -f $(BUILD)/install_manifest.txt || { echo "uninstall: nothing was installed from $(BUILD)" >&2; exit 1; }
	@while read -r file || [ -n "$$file" ]; do echo "removing $(DESTDIR)$$file"; rm -f "$(DESTDIR)$$file"; \
	    done <$(BUILD)/install_manifest.txt

clean: ## Remove what was compiled
	@test ! -f $(BUILD)/CMakeCache.txt || cmake --build $(BUILD) --target clean

distclean: ## Remove the build folders
	rm -rf $(BUILD) $(BUILD)-fuzz $(BUILD)-sanitize $(BUILD)-clang $(BUILD)-neon

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/    make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'
	@echo
	@echo "Variables: BUILD=$(BUILD) BUILD_TYPE=$(BUILD_TYPE) PREFIX=$(PREFIX) JOBS=$(JOBS) CMAKE_FLAGS=... CC=..."
