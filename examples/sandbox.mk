# SPDX-License-Identifier: Apache-2.0
# include sandbox.mk: `make sandbox-TARGET` makes TARGET in a sandbox; what it writes stays there, but for SANDBOX_OUTPUT, a list of files and directories.
# `make sandbox-setup.layer` makes the target `setup` so and keeps what it did: with SANDBOX_LAYER=sandbox-setup.layer others start from there.
CSANDBOX ?= csandbox
SANDBOX_LIMITS ?= --timeout 10m --memory 2G --pids 500 --disk 4G
SANDBOX_LAYER ?=
SANDBOX_OUTPUT ?=

sandbox-%.layer:
	$(CSANDBOX) run $(SANDBOX_LIMITS) --keep-changes $@ -- $(MAKE) $*

sandbox-%:
	$(CSANDBOX) run $(SANDBOX_LIMITS) $(SANDBOX_LAYER:%=--layer %) $(SANDBOX_OUTPUT:%=--apply-changes=%) --result $@.json -- $(MAKE) $*
