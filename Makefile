# What there is to do: make help

GO      ?= go
BIN     := bin
PREFIX  ?= /usr/local
FUZZTIME ?= 10s
MUTATIONS ?= 10000
REPORT  ?= bench-report
STORM   ?= 1m
# What the tests compare with, as Debian packages. One that is missing costs its tests, which say so.
# (jesred is fetched by its test: as a package it would put another Squid in the place of this one.)
PEERS   := squid-openssl squid-langpack squidguard calamaris sarg lightsquid goaccess logrotate curl chromium libnss3-tools openssl perl php-cli python3 ruby \
	libdbd-sqlite3-perl slapd sasl2-bin tdb-tools winbind krb5-admin-server krb5-kdc krb5-user \
	iproute2 nftables iptables haproxy nginx apache2-bin tinyproxy trafficserver dnsmasq-base unbound
# What "make lint" runs. The module proxy has them; go.mod does not, since no package imports them.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
NILNESS     := golang.org/x/tools/go/analysis/passes/nilness/cmd/nilness@v0.52.0
DEADCODE    := golang.org/x/tools/cmd/deadcode@v0.52.0
# The packages whose tests play in memory, which "make check" runs once more with the tag canary.
INMEMORY := ./engine/... ./helper ./dnsasync ./compat ./compat/access ./compat/decision ./compat/headers ./compat/logs ./compat/redirector
# Where requests are taken and which redirector is asked by "make run".
LISTEN  ?= 127.0.0.1:3128
REDIRECTOR ?= $(BIN)/redirector

build: ## bin/exaproxy and the example redirector, static
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/exaproxy ./cmd/exaproxy
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/redirector ./contrib/redirectors/go

run: build ## serve on 127.0.0.1:3128 with a built-in configuration and an example redirector
	@$(BIN)/exaproxy --try=$(abspath $(REDIRECTOR)) -a $(LISTEN)

test: peers ## install what the tests compare with, then every test
	@$(MAKE) --no-print-directory check

check: format lint ## gofmt, the linters, then every test, with the race detector, in random order
	$(GO) test -race -shuffle=on -timeout 25m ./...
	$(GO) test -tags canary -shuffle=on -skip '^TestPoison$$' $(INMEMORY)
	$(GO) test -tags canary -shuffle=on ./cmd/exaproxy -run Scenario

format:
	@unformatted=$$(gofmt -l cmd compat contrib dnsasync engine helper); \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:" $$unformatted; exit 1; fi

lint: ## go vet, staticcheck (staticcheck.conf), nil dereferences, functions that nothing calls
	$(GO) vet ./...
	$(GO) vet -tags profile ./cmd/exaproxy
	$(GO) vet -tags canary ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(NILNESS) ./...
	GO=$(GO) contrib/setup/unused $(DEADCODE)

peers: ## install the programs that tests run beside ours
	@contrib/setup/peers $(PEERS)

scenarios: ## whole transactions as dialogues, in memory
	$(GO) test -shuffle=on ./cmd/exaproxy -run Scenario

canary: ## every test, built so that memory is marked when it is given back: nobody may see a mark
	$(GO) test -tags canary -shuffle=on -timeout 25m ./...

compare: ## the built binary beside Squid, squidGuard, jesred, curl, Chromium
	$(GO) test -v ./cmd/exaproxy/acceptance ./compat/...

mutations: ## MUTATIONS forms of what is blocked for each redirector, beside Squid ("make test": 1,000)
	$(GO) test -v -timeout 1h ./cmd/exaproxy/acceptance -run NoFormOfWhatIsBlocked -args -mutations $(MUTATIONS)

storm: ## every kind of bad peer at once, beside 20 good clients; each of its scenes takes STORM
	$(GO) test -count=1 -v -timeout 0 ./cmd/exaproxy/acceptance -run '^TestStorm$$' -storm $(STORM)

fuzz: ## each fuzz target for FUZZTIME
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done

cover: ## how much of each package the tests run
	$(GO) test -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out | tail -n 1

bench: ## exaproxy beside its peers, in one run; a table and a picture in REPORT
	@contrib/setup/peers haproxy squid-openssl nginx trafficserver tinyproxy wrk python3
	$(GO) run ./contrib/bench -out $(REPORT)

profile: ## measure anew what the compiler optimises for: cmd/exaproxy/default.pgo
	@contrib/setup/peers nginx wrk python3
	$(GO) run ./contrib/bench -rounds 1 -seconds 8 -profile cmd/exaproxy/default.pgo

microbench: ## Go benchmarks of the parts; the output is for benchstat
	$(GO) test -run '^$$' -bench . -benchmem ./...

golden: ## write the golden files anew; look at the difference before you keep it
	$(GO) test ./compat ./compat/conf ./compat/errpage ./dnsasync -args -update

install: build ## into PREFIX/sbin
	install -D -m 755 $(BIN)/exaproxy $(DESTDIR)$(PREFIX)/sbin/exaproxy

clean: ## remove what was built
	rm -rf $(BIN) cover.out

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

.PHONY: build run test check format lint peers scenarios canary compare mutations storm fuzz cover bench profile microbench golden install clean help
