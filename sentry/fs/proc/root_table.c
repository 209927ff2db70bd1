/* SPDX-License-Identifier: Apache-2.0 */
/* What there is in /proc besides processes. */
#include "sentry/fs/proc/root_files.h"
#include "sentry/fs/proc/task_files.h"

#include "abi/stat.h"

#define FILE_(mode_) .mode = LINUX_S_IFREG | (mode_)
#define SHOW(name_, mode_, show_)                                                                  \
	{                                                                                          \
		.name = (name_), FILE_(mode_), .show = (show_)                                     \
	}
#define CONSTANT(name_, text)                                                                      \
	{                                                                                          \
		.name = (name_), FILE_(0444), .show = task_show_constant,                          \
		.data = (uintptr_t)(text)                                                          \
	}
#define DIRECTORY(name_, directory_)                                                               \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFDIR | 0555, .directory = (directory_)           \
	}
#define LINK(name_, target_)                                                                       \
	{                                                                                          \
		.name = (name_), .mode = LINUX_S_IFLNK | 0777, .target = (target_)                 \
	}

static const struct proc_directory empty_directory;

static const struct proc_entry tty_entries[] = {
	CONSTANT("drivers", "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
			    "/dev/console         /dev/console    5       1 system:console\n"
			    "/dev/ptmx            /dev/ptmx       5       2 system\n"
			    "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
			    "pty_master           /dev/ptm      128 0-1048575 pty:master\n"),
	CONSTANT("ldiscs", "n_tty       0\n"),
};
static PROC_DIRECTORY(tty_directory, tty_entries);

static const struct proc_entry sysvipc_entries[] = {
	CONSTANT("msg", "       key      msqid perms      cbytes       qnum lspid lrpid   uid   "
			"gid  cuid  cgid      stime      rtime  "
			"    ctime\n"),
	CONSTANT("sem", "       key      semid perms      nsems   uid   gid  cuid  cgid      otime "
			"     ctime\n"),
	CONSTANT("shm", "       key      shmid perms                  size  cpid  lpid nattch   "
			"uid   gid  cuid  cgid      atime      "
			"dtime      ctime                   rss                  swap\n"),
};
static PROC_DIRECTORY(sysvipc_directory, sysvipc_entries);

static const struct proc_entry root_entries[] = {
	{.name = "self", .mode = LINUX_S_IFLNK | 0777, .inode_ops = &proc_self_operations},
	{.name = "thread-self",
		.mode = LINUX_S_IFLNK | 0777,
		.inode_ops = &proc_thread_self_operations},
	DIRECTORY("bus", &empty_directory),
	/* All in the one hierarchy of version 2. */
	CONSTANT("cgroups",
		"#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t0\t1\t1\ncpu\t0\t1\t1\n"
		"cpuacct\t0\t1\t1\nmemory\t0\t1\t1\npids\t0\t1\t1\n"),
	CONSTANT("cmdline", "BOOT_IMAGE=/boot/vmlinuz ro\n"),
	CONSTANT("consoles", ""),
	SHOW("cpuinfo", 0444, root_show_cpuinfo),
	CONSTANT("crypto", ""),
	SHOW("devices", 0444, root_show_devices),
	CONSTANT("diskstats", ""),
	CONSTANT("dma", " 4: cascade\n"),
	DIRECTORY("driver", &empty_directory),
	CONSTANT("execdomains", "0-0\tLinux           \t[kernel]\n"),
	CONSTANT("fb", ""),
	SHOW("filesystems", 0444, root_show_filesystems),
	DIRECTORY("fs", &empty_directory),
	SHOW("interrupts", 0444, root_show_interrupts),
	CONSTANT("iomem", ""),
	CONSTANT("ioports", ""),
	CONSTANT("kallsyms", ""),
	SHOW("key-users", 0444, root_show_key_users),
	SHOW("keys", 0444, root_show_keys),
	SHOW("loadavg", 0444, root_show_loadavg),
	SHOW("locks", 0444, root_show_locks),
	SHOW("meminfo", 0444, root_show_meminfo),
	CONSTANT("misc", ""),
	CONSTANT("modules", ""),
	LINK("mounts", "self/mounts"),
	LINK("net", "self/net"),
	CONSTANT("partitions", "major minor  #blocks  name\n\n"),
	SHOW("softirqs", 0444, root_show_softirqs),
	SHOW("stat", 0444, root_show_stat),
	CONSTANT("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
	DIRECTORY("sys", &sysctl_directory),
	DIRECTORY("sysvipc", &sysvipc_directory),
	DIRECTORY("tty", &tty_directory),
	SHOW("uptime", 0444, root_show_uptime),
	SHOW("version", 0444, root_show_version),
	SHOW("vmstat", 0444, root_show_vmstat),
};

/* subset=pid leaves processes and nothing else. */
static bool root_has(const struct proc_super *super, const struct proc_entry *entry)
{
	return !super->subset_pid || entry->inode_ops;
}

static const struct proc_directory root_directory = {
	.entries = root_entries,
	.count = array_count(root_entries),
	.lookup = proc_root_lookup,
	.iterate = proc_root_iterate,
	.has = root_has,
};

const struct proc_entry proc_root_entry = {
	.name = "/", .mode = LINUX_S_IFDIR | 0555, .directory = &root_directory};
