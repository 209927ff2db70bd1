/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys/fs (proc_sys_fs(5)). Limits are what the kernel holds to; what can be set is kept and
 * has no effect. */
#include "sentry/fs/proc/sysctl.h"

#define ANY 0, INT32_MAX

static const struct proc_entry inotify_entries[] = {
	SYSCTL_NUMBER("max_queued_events", 16384, ANY),
	SYSCTL_NUMBER("max_user_instances", 128, ANY),
	SYSCTL_NUMBER("max_user_watches", 65536, ANY),
};
static PROC_DIRECTORY(inotify_directory, inotify_entries);

static const struct proc_entry epoll_entries[] = {
	SYSCTL_NUMBER("max_user_watches", 3517568, 0, INT64_MAX),
};
static PROC_DIRECTORY(epoll_directory, epoll_entries);

static const struct proc_entry mqueue_entries[] = {
	SYSCTL_NUMBER("msg_default", 10, 1, 65536),
	SYSCTL_NUMBER("msg_max", 10, 1, 65536),
	SYSCTL_NUMBER("msgsize_default", 8192, 128, 16777216),
	SYSCTL_NUMBER("msgsize_max", 8192, 128, 16777216),
	SYSCTL_NUMBER("queues_max", 256, ANY),
};
static PROC_DIRECTORY(mqueue_directory, mqueue_entries);

static const struct proc_directory binfmt_directory;

static const struct proc_entry entries[] = {
	SYSCTL_NUMBER("aio-max-nr", 65536, 0, INT64_MAX),
	SYSCTL_TEXT("aio-nr", "0"),
	SYSCTL_DIRECTORY("binfmt_misc", &binfmt_directory),
	SYSCTL_TEXT("dentry-state", "0\t0\t45\t0\t0\t0"),
	SYSCTL_NUMBER("dir-notify-enable", 1, 0, 1),
	SYSCTL_DIRECTORY("epoll", &epoll_directory),
	SYSCTL_NUMBER("file-max", 1048576, 0, INT64_MAX),
	SYSCTL_TEXT("file-nr", "0\t0\t1048576"),
	SYSCTL_TEXT("inode-nr", "0\t0"),
	SYSCTL_TEXT("inode-state", "0\t0\t0\t0\t0\t0\t0"),
	SYSCTL_DIRECTORY("inotify", &inotify_directory),
	SYSCTL_NUMBER("lease-break-time", 45, ANY),
	SYSCTL_NUMBER("leases-enable", 1, 0, 1),
	SYSCTL_TEXT("mount-max", "100000"),
	SYSCTL_DIRECTORY("mqueue", &mqueue_directory),
	SYSCTL_TEXT("nr_open", "1048576"),
	SYSCTL_TEXT("overflowgid", "65534"),
	SYSCTL_TEXT("overflowuid", "65534"),
	SYSCTL_TEXT("pipe-max-size", "1048576"),
	SYSCTL_NUMBER("pipe-user-pages-hard", 0, 0, INT64_MAX),
	SYSCTL_NUMBER("pipe-user-pages-soft", 16384, 0, INT64_MAX),
	SYSCTL_TEXT("protected_fifos", "0"),
	SYSCTL_TEXT("protected_hardlinks", "0"),
	SYSCTL_TEXT("protected_regular", "0"),
	SYSCTL_TEXT("protected_symlinks", "0"),
	SYSCTL_NUMBER("suid_dumpable", 0, 0, 2),
};

const struct proc_directory sysctl_fs_directory = {
	.entries = entries, .count = array_count(entries)};
