/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys/fs (proc_sys_fs(5)). Limits are what the kernel holds to; what can be set is kept and
 * has no effect. */
#include "sentry/fs/proc/sysctl.h"

#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/aio.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/protected.h"

#include <errno.h>
#include <stddef.h>

#define ANY 0, INT32_MAX

static const struct proc_entry inotify_entries[] = {
	SYSCTL_NUMBER("max_queued_events", 16384, ANY),
	SYSCTL_NUMBER("max_user_instances", 128, ANY),
	SYSCTL_NUMBER("max_user_watches", 65536, ANY),
};
static PROC_DIRECTORY(inotify_directory, inotify_entries);

static const struct proc_entry fanotify_entries[] = {
	SYSCTL_NUMBER_AT("max_queued_events", &g_fanotify_limits[FANOTIFY_QUEUED_EVENTS]),
	SYSCTL_NUMBER_AT("max_user_groups", &g_fanotify_limits[FANOTIFY_USER_GROUPS]),
	SYSCTL_NUMBER_AT("max_user_marks", &g_fanotify_limits[FANOTIFY_USER_MARKS]),
};
static PROC_DIRECTORY(fanotify_directory, fanotify_entries);

static const struct proc_entry epoll_entries[] = {
	SYSCTL_NUMBER("max_user_watches", 3517568, 0, INT64_MAX),
};
static PROC_DIRECTORY(epoll_directory, epoll_entries);

/* --- leases --- */

static int64_t store_setting(
	atomic_int *setting, const char *text, size_t size, int64_t least, int64_t most)
{
	int64_t value, error = proc_parse_integer(text, least, most, &value);

	if (error)
		return error;
	atomic_store(setting, (int)value);
	return (int64_t)size;
}

static int show_break_time(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%d\n", g_lease_break_time);
	return 0;
}

static int64_t store_break_time(const struct proc_context *context, const char *text, size_t size)
{
	return store_setting(&g_lease_break_time, text, size, 0, INT32_MAX);
}

static int show_leases_enable(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%d\n", g_leases_enable);
	return 0;
}

static int64_t store_leases_enable(
	const struct proc_context *context, const char *text, size_t size)
{
	return store_setting(&g_leases_enable, text, size, 0, 1);
}

/* --- what is protected in sticky directories --- */

static int show_protected(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%d\n", g_protected[context->entry->data]);
	return 0;
}

static int64_t store_protected(const struct proc_context *context, const char *text, size_t size)
{
	bool links = context->entry->data == PROTECTED_HARDLINKS ||
		     context->entry->data == PROTECTED_SYMLINKS;

	return store_setting(&g_protected[context->entry->data], text, size, 0, links ? 1 : 2);
}

#define PROTECTED(name_, which_)                                                                   \
	{                                                                                          \
		SYSCTL_BASE(name_, 0644), .show = show_protected, .store = store_protected,        \
					  .data = (which_)                                         \
	}

/* --- mqueue: of the caller's ipc namespace --- */

static atomic_int *mqueue_setting(const struct proc_context *context)
{
	struct mqueue_settings *settings;

	if (!current || mqueue_settings_current(&settings))
		return NULL;
	return (atomic_int *)((char *)settings + context->entry->data);
}

static int show_mqueue(const struct proc_context *context, struct text_writer *out)
{
	atomic_int *setting = mqueue_setting(context);

	if (!setting)
		return -ENOMEM;
	text_printf(out, "%d\n", atomic_load(setting));
	return 0;
}

static int64_t store_mqueue(const struct proc_context *context, const char *text, size_t size,
	int64_t least, int64_t most)
{
	atomic_int *setting = mqueue_setting(context);
	int64_t value, error = proc_parse_integer(text, least, most, &value);

	if (error || !setting)
		return error ? error : -ENOMEM;
	atomic_store(setting, (int)value);
	return (int64_t)size;
}

static int64_t store_messages(const struct proc_context *context, const char *text, size_t size)
{
	return store_mqueue(context, text, size, 1, 65536);
}

static int64_t store_size(const struct proc_context *context, const char *text, size_t size)
{
	return store_mqueue(context, text, size, 128, 16 << 20);
}

static int64_t store_queues(const struct proc_context *context, const char *text, size_t size)
{
	return store_mqueue(context, text, size, ANY);
}

#define MQUEUE(field, store_)                                                                      \
	{                                                                                          \
		SYSCTL_BASE(#field, 0644), .show = show_mqueue, .store = (store_),                 \
					   .data = offsetof(struct mqueue_settings, field)         \
	}

static const struct proc_entry mqueue_entries[] = {
	MQUEUE(msg_default, store_messages),
	MQUEUE(msg_max, store_messages),
	MQUEUE(msgsize_default, store_size),
	MQUEUE(msgsize_max, store_size),
	MQUEUE(queues_max, store_queues),
};
static PROC_DIRECTORY(mqueue_directory, mqueue_entries);

/* --- aio --- */

static int show_aio(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%lu\n", aio_requests());
	return 0;
}

static int show_aio_max(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%lu\n", aio_requests_max());
	return 0;
}

static int64_t store_aio_max(const struct proc_context *context, const char *text, size_t size)
{
	int64_t value, error = proc_parse_integer(text, 0, INT64_MAX, &value);

	if (error)
		return error;
	aio_set_requests_max((uint64_t)value);
	return (int64_t)size;
}

/* --- the rest --- */

static const struct proc_directory binfmt_directory;

static const struct proc_entry entries[] = {
	SYSCTL_FILE("aio-max-nr", 0644, show_aio_max, store_aio_max),
	SYSCTL_FILE("aio-nr", 0444, show_aio, NULL),
	SYSCTL_DIRECTORY("binfmt_misc", &binfmt_directory),
	SYSCTL_TEXT("dentry-state", "0\t0\t45\t0\t0\t0"),
	SYSCTL_NUMBER("dir-notify-enable", 1, 0, 1),
	SYSCTL_DIRECTORY("epoll", &epoll_directory),
	SYSCTL_DIRECTORY("fanotify", &fanotify_directory),
	SYSCTL_NUMBER("file-max", 1048576, 0, INT64_MAX),
	SYSCTL_TEXT("file-nr", "0\t0\t1048576"),
	SYSCTL_TEXT("inode-nr", "0\t0"),
	SYSCTL_TEXT("inode-state", "0\t0\t0\t0\t0\t0\t0"),
	SYSCTL_DIRECTORY("inotify", &inotify_directory),
	SYSCTL_FILE("lease-break-time", 0644, show_break_time, store_break_time),
	SYSCTL_FILE("leases-enable", 0644, show_leases_enable, store_leases_enable),
	SYSCTL_TEXT("mount-max", "100000"),
	SYSCTL_DIRECTORY("mqueue", &mqueue_directory),
	SYSCTL_TEXT("nr_open", "1048576"),
	SYSCTL_TEXT("overflowgid", "65534"),
	SYSCTL_TEXT("overflowuid", "65534"),
	SYSCTL_TEXT("pipe-max-size", "1048576"),
	SYSCTL_NUMBER("pipe-user-pages-hard", 0, 0, INT64_MAX),
	SYSCTL_NUMBER("pipe-user-pages-soft", 16384, 0, INT64_MAX),
	PROTECTED("protected_fifos", PROTECTED_FIFOS),
	PROTECTED("protected_hardlinks", PROTECTED_HARDLINKS),
	PROTECTED("protected_regular", PROTECTED_REGULAR),
	PROTECTED("protected_symlinks", PROTECTED_SYMLINKS),
	SYSCTL_NUMBER("suid_dumpable", 0, 0, 2),
};

const struct proc_directory sysctl_fs_directory = {
	.entries = entries, .count = array_count(entries)};
