/* SPDX-License-Identifier: Apache-2.0 */
/* The platform that runs no code: contexts, scripts and the table of operations. */
#include "platform/null/null_platform.h"

#include "platform/null/null_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEBUG_REGISTERS 8
/* The legacy area and the header of XSAVE, and room for AVX. */
#define FPSTATE_SIZE	 832
#define FPSTATE_FEATURES 7

struct null_context {
	struct context context;
	struct null_platform *platform;
	null_guest guest;
	void *data;
	atomic_bool interrupted;
	uint64_t debug_registers[DEBUG_REGISTERS];
	unsigned char fpstate[FPSTATE_SIZE];
};

static struct null_context *null_context_of(struct context *context)
{
	return container_of(context, struct null_context, context);
}

int null_platform_failure(struct null_platform *platform)
{
	if (!platform->failing_calls)
		return 0;
	platform->failing_calls--;
	return platform->failure;
}

static int null_context_new(struct platform *platform, struct context **out)
{
	struct null_platform *self = null_platform_of(platform);
	struct null_context *context;
	int r = null_platform_failure(self);

	if (r)
		return r;
	context = calloc(1, sizeof(*context));
	if (!context)
		return -ENOMEM;
	context->context.ops = platform->ops;
	context->platform = self;
	atomic_fetch_add(&self->live, 1);
	*out = &context->context;
	return 0;
}

static void null_context_free(struct context *context)
{
	atomic_fetch_sub(&null_context_of(context)->platform->live, 1);
	free(null_context_of(context));
}

static int null_context_switch(struct context *context, struct address_space *as,
	struct linux_user_regs *registers, unsigned int flags, struct context_exit *out)
{
	struct null_context *self = null_context_of(context);
	null_guest guest = self->guest ? self->guest : self->platform->guest;
	void *data = self->guest ? self->data : self->platform->data;
	int r = null_address_space_flush(as);

	if (r)
		return r;
	*out = (struct context_exit){.reason = EXIT_INTERRUPTED};
	if (atomic_exchange(&self->interrupted, false) || !guest)
		return 0;
	return guest(data, context, as, registers, flags, out);
}

static void null_context_release(struct context *context)
{
	struct null_context *self = null_context_of(context);

	memset(self->fpstate, 0, sizeof(self->fpstate));
	memset(self->debug_registers, 0, sizeof(self->debug_registers));
}

static int null_address_space_reset_all(struct address_space *as, struct context *context)
{
	int r = null_address_space_reset(as);

	if (!r)
		null_context_release(context);
	return r;
}

static void null_context_interrupt(struct context *context)
{
	atomic_store(&null_context_of(context)->interrupted, true);
}

static int null_context_get_fpstate(
	struct context *context, struct address_space *as unused_, void *buffer, size_t size)
{
	if (size < FPSTATE_SIZE)
		return -EINVAL;
	memcpy(buffer, null_context_of(context)->fpstate, FPSTATE_SIZE);
	return 0;
}

static int null_context_set_fpstate(
	struct context *context, struct address_space *as unused_, const void *buffer, size_t size)
{
	if (size != FPSTATE_SIZE)
		return -EINVAL;
	memcpy(null_context_of(context)->fpstate, buffer, FPSTATE_SIZE);
	return 0;
}

static bool is_debug_register(unsigned int index)
{
	return index < DEBUG_REGISTERS && index != 4 && index != 5;
}

static int null_context_get_debug_register(struct context *context,
	struct address_space *as unused_, unsigned int index, uint64_t *value)
{
	if (!is_debug_register(index))
		return -EIO;
	*value = null_context_of(context)->debug_registers[index];
	return 0;
}

static int null_context_set_debug_register(struct context *context,
	struct address_space *as unused_, unsigned int index, uint64_t value)
{
	if (!is_debug_register(index))
		return -EIO;
	null_context_of(context)->debug_registers[index] = value;
	return 0;
}

static const struct platform_operations operations = {
	.name = "null",
	.address_space_new = null_address_space_new,
	.address_space_free = null_address_space_free,
	.address_space_map = null_address_space_map,
	.address_space_protect = null_address_space_protect,
	.address_space_unmap = null_address_space_unmap,
	.address_space_populate = null_address_space_populate,
	.address_space_reset = null_address_space_reset_all,
	.address_space_flush = null_address_space_flush,
	.context_new = null_context_new,
	.context_free = null_context_free,
	.context_switch = null_context_switch,
	.context_release = null_context_release,
	.context_interrupt = null_context_interrupt,
	.context_get_fpstate = null_context_get_fpstate,
	.context_set_fpstate = null_context_set_fpstate,
	.context_get_debug_register = null_context_get_debug_register,
	.context_set_debug_register = null_context_set_debug_register,
};

int platform_null_new(struct platform **out)
{
	struct null_platform *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->platform.ops = &operations;
	self->platform.fpstate_size = self->platform.fpstate_used = FPSTATE_SIZE;
	self->platform.fpstate_features = FPSTATE_FEATURES;
	*out = &self->platform;
	return 0;
}

void null_platform_free(struct platform *platform)
{
	if (platform)
		free(null_platform_of(platform));
}

void null_platform_set_guest(struct platform *platform, null_guest guest, void *data)
{
	null_platform_of(platform)->guest = guest;
	null_platform_of(platform)->data = data;
}

void null_context_set_guest(struct context *context, null_guest guest, void *data)
{
	null_context_of(context)->guest = guest;
	null_context_of(context)->data = data;
}

void null_platform_fail(struct platform *platform, unsigned int calls, int error)
{
	null_platform_of(platform)->failing_calls = calls;
	null_platform_of(platform)->failure = error;
}

unsigned int null_platform_live(struct platform *platform)
{
	return atomic_load(&null_platform_of(platform)->live);
}
