# The verbs of this repository. Everything runs from the root, over all modules of go.work.

MODULES  := pkg gateway worker launcher deploy
PACKAGES := $(patsubst %,./%/...,$(MODULES))

# How long `make fuzz` runs each target.
FUZZTIME ?= 10s
# Which benchmarks `make bench` runs, and how often; feed two outputs to benchstat to compare.
BENCH ?= .
BENCHCOUNT ?= 1
# How often `make bench-system` measures in turn what is compared, how long each time, and where its profiles go.
BENCH_ROUNDS ?= 5
BENCH_SLICE ?= 1s
BENCH_PROFILES ?= bin/profiles

.DEFAULT_GOAL := help
.PHONY: help check fmt vet staticcheck modules test race uncovered bench bench-system bench-engine fuzz e2e chaos conformance differ adversaries

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

check: fmt vet staticcheck modules ## gofmt, go vet, staticcheck, and each module tidy and building alone

fmt:
	@bad=$$(gofmt -l $(MODULES)); if [ -n "$$bad" ]; then \
		echo "not formatted; run gofmt -w on:" >&2; echo "$$bad" >&2; exit 1; fi

vet:
	go vet $(PACKAGES)

staticcheck:
	go tool staticcheck $(PACKAGES)

# The Dockerfiles build without the workspace, so each module has to be complete by itself.
modules:
	@set -e; for module in $(MODULES); do \
		echo "$$module: go mod tidy -diff, go build"; \
		(cd $$module && GOWORK=off go mod tidy -diff && GOWORK=off go build ./...); done

# Not from the cache: the tests in deploy/ read files outside of their module, whose changes the cache does not see.
test: uncovered ## all tests; they use redis-server and chromium when these are installed
	go test -count=1 $(PACKAGES)

race: uncovered ## all tests under the race detector
	CGO_ENABLED=1 go test -count=1 -race $(PACKAGES)

# What this machine can't test is said before the tests run: they themselves say it only under -v.
uncovered:
	@command -v redis-server >/dev/null || echo "redis-server is not installed: the tests run on an embedded Redis." \
		"Not covered: persistence, restarts that keep data, memory limits, real expiry of keys, Redis's own Lua."
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		echo "chromium is not installed. Not covered: the web console in a browser."
	@[ -n "$$CIRCLES_E2E" ] || echo "Not covered here: the containers; that is make e2e."

bench: ## benchmarks (BENCH=pattern, BENCHCOUNT=n)
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCHCOUNT) $(PACKAGES)

bench-system: ## the whole system against the floor and others, into deploy/e2e/BENCHMARKS.md (BENCH_ROUNDS=n, BENCH_SLICE=1s)
	BENCH_COMMAND="make bench-system" go run ./deploy/e2e/bench -rounds $(BENCH_ROUNDS) -slice $(BENCH_SLICE) \
		-profiles $(BENCH_PROFILES) -out deploy/e2e/BENCHMARKS.md

# The reference is built here when there is cargo, and left out of the table when there is not.
REFERENCE := deploy/bench/engine/reference
ROUNDS ?= 11

bench-engine: ## ours, the reference and other script engines, compared; writes pkg/rhai/BENCHMARKS.md (ROUNDS=n)
	@set -e; if command -v cargo >/dev/null; then \
		cargo build --release --locked --quiet --manifest-path $(REFERENCE)/Cargo.toml --target-dir $(REFERENCE)/target; \
		set -- -reference $(REFERENCE)/target/release/reference; \
	else echo "cargo is not installed: the reference is left out."; fi; \
	go run ./deploy/bench/engine -rounds $(ROUNDS) -o pkg/rhai/BENCHMARKS.md "$$@"

fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; grep -rE '^func Fuzz[A-Za-z0-9_]*\(' --include='*_test.go' $(MODULES) | \
		sed -E 's|/[^/]*:func (Fuzz[A-Za-z0-9_]*)\(.*| \1|' | sort -u | \
		while read -r folder target; do \
			echo "$$folder $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "./$$folder"; done

e2e: ## the system as a user runs it: containers brought up, played through, taken down (needs Docker)
	CIRCLES_E2E=1 go test -count=1 -timeout 30m -v ./deploy/e2e

chaos: ## processes killed, Redis crashed, connections cut, under load (CHAOS_DURATION=2h, CHAOS_SCHEDULES=n, CHAOS_SEED=n)
	CHAOS_SCHEDULES=$${CHAOS_SCHEDULES:-3} go test -count=1 -v -timeout 0 ./deploy/e2e/chaos

# The reference is a cargo project: this needs Rust.
differ: ## random scripts compared with the reference (DIFFER_N=scripts, DIFFER_SEED=n, DIFFER_MOST=differences); needs cargo
	cd pkg && go run ./rhai/internal/differ -n $${DIFFER_N:-100000} -seed $${DIFFER_SEED:-$$(date +%s)} -most $${DIFFER_MOST:-20}

adversaries: ## all scripts that try to take what they can get, and the most memory that the process took
	RHAI_ADVERSARIES=all go test ./pkg/rhai -count=1 -v -run '^TestAdversaries$$' -timeout 60m

conformance: ## the script corpus against the reference's recorded answers
	go test -count=1 -v -run Conformance ./pkg/rhai/...
