# SPDX-License-Identifier: Apache-2.0
# include sandbox.mk: `make sandbox-TARGET` makes TARGET in a sandbox; what it writes stays there.
CSANDBOX ?= csandbox
SANDBOX_LIMITS ?= --timeout 10m --memory 2G --pids 500 --disk 4G

sandbox-%:
	$(CSANDBOX) run $(SANDBOX_LIMITS) --result $@.json -- $(MAKE) $*
