/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floating-point and vector state of a guest thread: an XSAVE image in the standard format,
 * which stays in the stub thread until somebody asks for it.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* Large enough for every component there is, AMX tiles included. */
#define PROBE_SIZE 65536

/* The legacy area and the header of an XSAVE image; Intel SDM volume 1, 13.4. */
#define FCW_OFFSET	  0
#define MXCSR_OFFSET	  24
#define MXCSR_MASK_OFFSET 28
#define SOFTWARE_OFFSET	  464 /* Linux puts the mask of all components here */
#define XSTATE_BV_OFFSET  512
#define FCW_INITIAL	  0x037f
#define MXCSR_INITIAL	  0x1f80
#define FEATURE_PKRU	  9
#define FEATURE_AMX_TILES 18
#define XSAVE_LEAF	  0xd
/* Linux's default: key 0 may do all, the others nothing. */
#define PKRU_INITIAL 0x55555554u

static int transfer(
	struct stub_thread *thread, int request, void *buffer, size_t size, size_t *done)
{
	struct iovec iov = {.iov_base = buffer, .iov_len = size};

	if (ptrace(request, thread->tid, (void *)NT_X86_XSTATE, &iov)) {
		panic_if(errno != EINVAL && errno != EIO && errno != EFAULT,
			"stub thread %d: floating-point state: %s", thread->tid, strerror(errno));
		return -EINVAL;
	}
	if (done)
		*done = iov.iov_len;
	return 0;
}

static uint64_t load_u64(const char *image, size_t offset)
{
	uint64_t value;

	memcpy(&value, image + offset, sizeof(value));
	return value;
}

/* Where the last of the components ends; the first two are the legacy area's. */
static size_t end_of(uint64_t features, size_t size)
{
	size_t end = XSTATE_BV_OFFSET + 64;

	for (unsigned int i = 2; i < 63; i++) {
		unsigned int length, offset, c, d;

		if ((features >> i & 1) &&
			__get_cpuid_count(XSAVE_LEAF, i, &length, &offset, &c, &d))
			end = max_u64(end, (uint64_t)offset + length);
	}
	return min_u64(end, size);
}

/* PKRU alone starts with something other than its processor's initial value. */
static void set_initial_pkru(char *image, size_t size, uint64_t features)
{
	unsigned int length, offset, c, d;
	uint64_t present = 1ull << FEATURE_PKRU;
	uint32_t pkru = PKRU_INITIAL;

	if (!(features & present) ||
		!__get_cpuid_count(XSAVE_LEAF, FEATURE_PKRU, &length, &offset, &c, &d) ||
		offset + sizeof(pkru) > size)
		return;
	memcpy(image + offset, &pkru, sizeof(pkru));
	memcpy(image + XSTATE_BV_OFFSET, &present, sizeof(present));
}

static void *make_initial(const char *probe, size_t size, uint64_t features)
{
	char *image = calloc(1, size);
	uint16_t fcw = FCW_INITIAL;
	uint32_t mxcsr = MXCSR_INITIAL;

	if (!image)
		return NULL;
	memcpy(image + FCW_OFFSET, &fcw, sizeof(fcw));
	memcpy(image + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
	memcpy(image + MXCSR_MASK_OFFSET, probe + MXCSR_MASK_OFFSET, sizeof(uint32_t));
	memcpy(image + SOFTWARE_OFFSET, &features, sizeof(features));
	set_initial_pkru(image, size, features);
	return image;
}

/* Measures on the template, and gives it the state that all of its clones start with. */
int fpstate_init(struct ptrace_platform *platform, struct stub_thread *thread)
{
	auto_free char *probe = calloc(1, PROBE_SIZE);
	uint64_t features;
	size_t size;
	int r;

	if (!probe)
		return -ENOMEM;
	r = transfer(thread, PTRACE_GETREGSET, probe, PROBE_SIZE, &size);
	if (r || size < XSTATE_BV_OFFSET + 64) {
		log_error("ptrace platform: this processor has no XSAVE");
		return -ENOTSUP;
	}
	features = load_u64(probe, SOFTWARE_OFFSET);
	platform->platform.fpstate_size = size;
	/* Tiles need a permission that stubs never ask for. */
	platform->platform.fpstate_features = features & ~(1ull << FEATURE_AMX_TILES);
	platform->platform.fpstate_used = end_of(platform->platform.fpstate_features, size);
	platform->initial_fpstate = make_initial(probe, size, features);
	if (!platform->initial_fpstate)
		return -ENOMEM;
	platform->run_list = stub_code_at(platform,
		features & 1ull << FEATURE_PKRU ? stub_code_run_list_pku : stub_code_run_list);
	fpstate_reset(thread);
	return 0;
}

void fpstate_reset(struct stub_thread *thread)
{
	struct ptrace_platform *platform = thread->process->platform;

	panic_if(transfer(thread, PTRACE_SETREGSET, platform->initial_fpstate,
			 platform->platform.fpstate_size, NULL),
		"stub thread %d: refuses the initial floating-point state", thread->tid);
	thread->used = false;
}

int ptrace_context_get_fpstate(
	struct context *context, struct address_space *as, void *buffer, size_t size)
{
	struct ptrace_context *self = ptrace_context_of(context);
	size_t want = self->platform->platform.fpstate_size;
	struct stub_thread *thread;
	size_t done;
	int r;

	if (size < want)
		return -EINVAL;
	r = context_bind(self, ptrace_address_space_of(as), &thread);
	if (r)
		return r;
	r = transfer(thread, PTRACE_GETREGSET, buffer, want, &done);
	panic_if(r || done != want, "stub thread %d: floating-point state of %zu bytes, not %zu",
		thread->tid, done, want);
	return 0;
}

int ptrace_context_set_fpstate(
	struct context *context, struct address_space *as, const void *buffer, size_t size)
{
	struct ptrace_context *self = ptrace_context_of(context);
	struct stub_thread *thread;
	int r;

	if (size != self->platform->platform.fpstate_size)
		return -EINVAL;
	r = context_bind(self, ptrace_address_space_of(as), &thread);
	if (r)
		return r;
	thread->used = true;
	return transfer(thread, PTRACE_SETREGSET, (void *)(uintptr_t)buffer, size, NULL);
}
