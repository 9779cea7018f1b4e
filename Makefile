# Makefile
#    The whole vocabulary of this repository.  The extension is built by extension/pgxs.mk, because PGXS has a
#    target named "check" of its own; the gateway is built by gateway/Makefile.

PG_CONFIG ?= pg_config
PGXS_MAKE  = $(MAKE) -f extension/pgxs.mk PG_CONFIG=$(PG_CONFIG)

all:                    # the extension and the gateway
	+@$(PGXS_MAKE) all
	@$(MAKE) -C gateway all

install: all            # the extension, into the PostgreSQL that pg_config names
	+@$(PGXS_MAKE) install

installcheck:           # SQL and isolation tests on the running server that psql finds, which preloads spooled
	@test/run-regress --running
	@test/run-isolation --running

up:                     # a private PostgreSQL and a gateway, under .run/
	@scripts/up

down:                   # stop both; the data stays
	@scripts/down

check:                  # every suite
	@scripts/check

demo:                   # real input through the running pair
	@scripts/demo

bench:                  # beside other queues; bench/README.md tells the options
	@scripts/install-packages bench
	@$(MAKE) -C gateway all
	@bench/run

format:                 # every C file, by .clang-format
	@scripts/format

clean:
	+@$(PGXS_MAKE) clean
	@$(MAKE) -C gateway clean

.PHONY: all install installcheck up down check demo bench format clean
