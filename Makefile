# The verbs of this repository. Everything runs from the root, over all modules of go.work.

MODULES  := pkg gateway worker launcher deploy
PACKAGES := $(patsubst %,./%/...,$(MODULES))

# How long `make fuzz` runs each target.
FUZZTIME ?= 10s
# Which benchmarks `make bench` runs, and how often; feed two outputs to benchstat to compare.
BENCH ?= .
BENCHCOUNT ?= 1

.DEFAULT_GOAL := help
.PHONY: help check fmt vet staticcheck modules test race bench fuzz e2e conformance

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

test: ## all tests; they use redis-server when it is installed, and say what is not covered when it is not
	go test $(PACKAGES)

race: ## all tests under the race detector
	CGO_ENABLED=1 go test -race $(PACKAGES)

bench: ## benchmarks (BENCH=pattern, BENCHCOUNT=n)
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCHCOUNT) $(PACKAGES)

fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; grep -rE '^func Fuzz[A-Za-z0-9_]*\(' --include='*_test.go' $(MODULES) | \
		sed -E 's|/[^/]*:func (Fuzz[A-Za-z0-9_]*)\(.*| \1|' | sort -u | \
		while read -r folder target; do \
			echo "$$folder $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "./$$folder"; done

e2e: ## the system as a user runs it: containers brought up, played through, taken down (needs Docker)
	CIRCLES_E2E=1 go test -count=1 -v ./deploy/e2e/...

conformance: ## the script corpus against the reference's recorded answers
	go test -count=1 -v -run Conformance ./pkg/rhai/...
