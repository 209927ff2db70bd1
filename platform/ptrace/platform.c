/* SPDX-License-Identifier: Apache-2.0 */
/* The ptrace platform's table of operations, and its start. */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void context_block_begin_(struct context *context)
{
	placement_block_begin(&ptrace_context_of(context)->placement);
}

static void context_block_end_(struct context *context)
{
	placement_block_end(&ptrace_context_of(context)->placement);
}

static void context_wake_near_(struct context *context)
{
	placement_wake_near(&ptrace_context_of(context)->placement);
}

static const struct platform_operations operations = {
	.name = "ptrace",
	.address_space_new = ptrace_address_space_new,
	.address_space_free = ptrace_address_space_free,
	.address_space_map = ptrace_address_space_map,
	.address_space_protect = ptrace_address_space_protect,
	.address_space_unmap = ptrace_address_space_unmap,
	.address_space_populate = ptrace_address_space_populate,
	.address_space_reset = ptrace_address_space_reset,
	.address_space_flush = ptrace_address_space_flush,
	.context_new = ptrace_context_new,
	.context_free = ptrace_context_free,
	.context_switch = ptrace_context_switch,
	.context_release = ptrace_context_release,
	.context_interrupt = ptrace_context_interrupt,
	.context_take_cpu_time = ptrace_context_take_cpu_time,
	.context_cpu_time_left = ptrace_context_cpu_time_left,
	.context_get_fpstate = ptrace_context_get_fpstate,
	.context_set_fpstate = ptrace_context_set_fpstate,
	.context_get_debug_register = ptrace_context_get_debug_register,
	.context_set_debug_register = ptrace_context_set_debug_register,
	.context_block_begin = context_block_begin_,
	.context_block_end = context_block_end_,
	.context_wake_near = context_wake_near_,
};

/*
 * Every stop would send a SIGCHLD to the sentry otherwise. Not SIG_IGN: the host would then reap
 * stubs before anybody learns that they died.
 */
static void quiet_stops(void)
{
	const struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};

	(void)sigaction(SIGCHLD, &action, NULL);
}

int platform_ptrace_new(struct platform **out)
{
	struct ptrace_platform *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return -ENOMEM;
	self->platform.ops = &operations;
	self->list_fd = -1;
	self->pid = getpid();
	mutex_init(&self->template_lock, RANK_STUB_TEMPLATE, "stub template");
	stub_pool_init(self);
	placement_init();
	quiet_stops();
	/* Without it nobody may attach the clones of this process. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		log_warning("ptrace platform: PR_SET_DUMPABLE: %s", strerror(errno));
	r = watch_init(self);
	if (!r)
		r = stub_template_new(self);
	if (r) {
		/* A stub that was made ends with this thread; the caller has nothing to go on with.
		 */
		free(self);
		return r;
	}
	*out = &self->platform;
	return 0;
}
