/* SPDX-License-Identifier: Apache-2.0 */
/* Time namespaces as objects, and what their offsets mean. */
#include "sentry/time/time_namespace.h"

#include "abi/capability.h"
#include "abi/sched.h"
#include "abi/time.h"
#include "base/refcount.h"
#include "base/text_writer.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/time/clock.h"
#include "sentry/time/sleep.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Linux's KTIME_SEC_MAX, and what a clock may reach: half of it. */
#define SECONDS_MAX (INT64_MAX / NSEC_PER_SEC)

REFCOUNT_TYPE(time_namespace_refs, "time_namespace");

struct time_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* a reference; set once */
	uint64_t ino;			/* set once */
	pthread_mutex_t lock;		/* frozen; taken with no other */
	bool frozen;
	_Atomic int64_t monotonic_ns, boottime_ns; /* of no importance before it is frozen */
};

static struct time_namespace g_initial = {
	.ino = NAMESPACE_INODE_TIME, .lock = PTHREAD_MUTEX_INITIALIZER, .frozen = true};

int time_namespace_new(
	struct time_namespace *from, struct user_namespace *user_ns, struct time_namespace **out)
{
	struct time_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs, &time_namespace_refs);
	pthread_mutex_init(&ns->lock, NULL);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = namespace_inode_new();
	if (from) {
		atomic_init(&ns->monotonic_ns, atomic_load(&from->monotonic_ns));
		atomic_init(&ns->boottime_ns, atomic_load(&from->boottime_ns));
	}
	*out = ns;
	return 0;
}

struct time_namespace *time_namespace_get(struct time_namespace *ns)
{
	if (ns && ns != &g_initial)
		refcount_get(&ns->refs);
	return ns;
}

void time_namespace_put(struct time_namespace *ns)
{
	if (!ns || ns == &g_initial || !refcount_put(&ns->refs))
		return;
	user_namespace_put(ns->user_ns);
	pthread_mutex_destroy(&ns->lock);
	free(ns);
}

void time_namespace_freeze(struct time_namespace *ns)
{
	if (!ns)
		return;
	pthread_mutex_lock(&ns->lock);
	ns->frozen = true;
	pthread_mutex_unlock(&ns->lock);
}

/* --- as nsfs and setns(2) know them --- */

static void *operations_get(void *ns)
{
	return time_namespace_get(ns);
}

static void operations_put(void *ns)
{
	time_namespace_put(ns);
}

static int operations_create(void *from, struct user_namespace *user_ns, void **out)
{
	struct time_namespace *ns;
	int error = time_namespace_new(from, user_ns, &ns);

	if (!error)
		*out = ns;
	return error;
}

static void *operations_initial(void)
{
	return &g_initial;
}

static uint64_t operations_inode(void *ns)
{
	return ((struct time_namespace *)ns)->ino;
}

static struct user_namespace *operations_owner(void *ns)
{
	return ((struct time_namespace *)ns)->user_ns;
}

static const struct namespace_operations operations = {
	.get = operations_get,
	.put = operations_put,
	.create = operations_create,
	.initial = operations_initial,
	.inode = operations_inode,
	.owner = operations_owner,
};

__attribute__((constructor)) static void time_namespace_init(void)
{
	g_initial.user_ns = user_namespace_initial();
	nsproxy_register(LINUX_CLONE_NEWTIME, &operations);
}

/* --- offsets --- */

static bool is_in_range(int clock, int64_t offset_ns)
{
	int64_t then;

	return !__builtin_add_overflow(clock_now(clock), offset_ns, &then) && then >= 0 &&
	       then / NSEC_PER_SEC <= SECONDS_MAX / 2;
}

int time_namespace_set(struct time_namespace *ns, const struct time_offsets *offsets)
{
	int error = -EACCES;

	if (!is_in_range(LINUX_CLOCK_MONOTONIC, offsets->monotonic_ns) ||
		!is_in_range(LINUX_CLOCK_BOOTTIME, offsets->boottime_ns))
		return -ERANGE;
	pthread_mutex_lock(&ns->lock);
	if (!ns->frozen) {
		atomic_store(&ns->monotonic_ns, offsets->monotonic_ns);
		atomic_store(&ns->boottime_ns, offsets->boottime_ns);
		error = 0;
	}
	pthread_mutex_unlock(&ns->lock);
	return error;
}

int64_t time_namespace_offset(struct task *task, int clock)
{
	struct time_namespace *ns = task->nsproxy ? task->nsproxy->time : NULL;

	if (!ns)
		return 0;
	switch (clock) {
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_MONOTONIC_COARSE:
		return atomic_load(&ns->monotonic_ns);
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return atomic_load(&ns->boottime_ns);
	default:
		return 0;
	}
}

int64_t time_namespace_to_kernel(struct task *task, int clock, int64_t time_ns)
{
	int64_t offset = time_namespace_offset(task, clock), result;

	/* None, and for ever, is the same everywhere. */
	if (!offset || time_ns == INT64_MAX)
		return time_ns;
	if (__builtin_sub_overflow(time_ns, offset, &result))
		return offset < 0 ? INT64_MAX : 0;
	return result < 0 ? 0 : result;
}

/* --- /proc/PID/timens_offsets --- */

/* A reference; NULL: the first one, or the task has ended. */
static struct time_namespace *for_children(struct task *task)
{
	struct nsproxy *nsproxy = task_get_nsproxy(task);
	struct time_namespace *ns = nsproxy ? time_namespace_get(nsproxy->time_for_children) : NULL;

	nsproxy_put(nsproxy);
	return ns;
}

static void show_one(struct text_writer *out, const char *clock, int64_t offset_ns)
{
	struct linux_timespec offset = timespec_from_ns(offset_ns);

	if (offset.tv_nsec < 0) {
		offset.tv_nsec += NSEC_PER_SEC;
		offset.tv_sec--;
	}
	text_printf(
		out, "%-10s %10lld %9ld\n", clock, (long long)offset.tv_sec, (long)offset.tv_nsec);
}

void time_namespace_show(struct task *task, struct text_writer *out)
{
	struct time_namespace *ns = for_children(task);

	show_one(out, "monotonic", ns ? atomic_load(&ns->monotonic_ns) : 0);
	show_one(out, "boottime", ns ? atomic_load(&ns->boottime_ns) : 0);
	time_namespace_put(ns);
}

/* A line: CLOCK SECONDS NANOSECONDS. */
static int parse_line(const char *line, struct time_offsets *offsets)
{
	long long seconds;
	unsigned long nanoseconds;
	char clock[10];
	int64_t *offset;

	if (sscanf(line, "%9s %lld %lu", clock, &seconds, &nanoseconds) != 3 ||
		nanoseconds >= NSEC_PER_SEC)
		return -EINVAL;
	if (!strcmp(clock, "monotonic") || !strcmp(clock, "1"))
		offset = &offsets->monotonic_ns;
	else if (!strcmp(clock, "boottime") || !strcmp(clock, "7"))
		offset = &offsets->boottime_ns;
	else
		return -EINVAL;
	if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX ||
		__builtin_add_overflow(seconds * NSEC_PER_SEC, (int64_t)nanoseconds, offset))
		return -ERANGE;
	return 0;
}

static int parse(const char *text, struct time_offsets *offsets)
{
	int range = 0;

	for (int i = 0; i < 2 && (!i || *text); i++) {
		int error = parse_line(text, offsets);

		/* Nonsense is told before permissions are looked at, what is out of range after. */
		if (error == -EINVAL)
			return error;
		range = error ? error : range;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return range;
}

int time_namespace_store(struct task *task, const struct cred *cred, const char *text)
{
	struct time_namespace *ns = for_children(task);
	struct time_namespace *named = ns ? ns : &g_initial;
	struct time_offsets offsets = {.monotonic_ns = atomic_load(&named->monotonic_ns),
		.boottime_ns = atomic_load(&named->boottime_ns)};
	int error = parse(text, &offsets);

	if (error != -EINVAL && !cred_capable_in(cred, named->user_ns, LINUX_CAP_SYS_TIME))
		error = -EPERM;
	if (!error)
		error = time_namespace_set(named, &offsets);
	time_namespace_put(ns);
	return error;
}
