/* SPDX-License-Identifier: Apache-2.0 */
/* The jail, but for its filter of system calls. */
#include "runsc-c/jail.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "sentry/fs/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

static int read_small_file(const char *path, char *text, size_t size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	text[got > 0 ? got : 0] = '\0';
	return got < 0 ? -1 : 0;
}

static int write_small_file(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

int jail_check_host(struct failure *failure)
{
	char text[32];

	if (!read_small_file("/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text)) &&
		text[0] >= '2')
		return fail(failure, STATUS_INTERNAL,
			"the host forbids ptrace (kernel.yama.ptrace_scope is %c); "
			"set it to 1: sysctl kernel.yama.ptrace_scope=1",
			text[0]);
	if (access("/proc/self/ns/user", F_OK))
		return fail(failure, STATUS_INTERNAL,
			"the host has no user namespaces, or /proc is not mounted; "
			"csandbox needs a kernel with CONFIG_USER_NS and /proc");
	return 0;
}

int jail_explain_clone(int error, struct failure *failure)
{
	if (error == EPERM)
		return fail(failure, STATUS_INTERNAL,
			"the host lets this user make no user namespace; allow it (sysctl "
			"kernel.unprivileged_userns_clone=1, or a container's seccomp profile), or "
			"run as root");
	if (error == ENOSPC || error == EUSERS)
		return fail(failure, STATUS_INTERNAL,
			"no more namespaces: raise user.max_user_namespaces and its siblings in "
			"sysctl");
	return fail_errno(failure, error, "cannot make the sandbox's namespaces%s",
		error == EAGAIN ? " under the caller's limit of processes (ulimit -u)" : "");
}

/* What our own namespace has mapped, mapped one to one again: all that may be given on. */
static int identity_map(const char *ours, char *text, size_t size)
{
	char lines[4096];
	size_t used = 0;

	if (read_small_file(ours, lines, sizeof(lines)))
		return -1;
	for (char *save = NULL, *line = strtok_r(lines, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		unsigned long inside, outside, count;

		if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) != 3)
			return -1;
		used += (size_t)snprintf(
			text + used, size - used, "%lu %lu %lu\n", inside, inside, count);
		if (used >= size)
			return -1;
	}
	return 0;
}

static int map_file(pid_t sentry, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", sentry, file);
	return write_small_file(path, text);
}

static unsigned int own_inside(unsigned int id)
{
	return id == HOST_OVERFLOW_ID ? HOST_MOVED_ID : id;
}

int jail_map_ids(pid_t sentry, unsigned int *host_ids, struct failure *failure)
{
	char uids[4096], gids[4096];

	*host_ids = 0;
	if (!identity_map("/proc/self/uid_map", uids, sizeof(uids)) &&
		!identity_map("/proc/self/gid_map", gids, sizeof(gids)) &&
		!map_file(sentry, "uid_map", uids) && !map_file(sentry, "gid_map", gids))
		return 0;
	*host_ids = HOST_IDS_UNMAPPED_ARE_ROOT |
		    (geteuid() == HOST_OVERFLOW_ID ? HOST_IDS_OWN_UID_MOVED : 0) |
		    (getegid() == HOST_OVERFLOW_ID ? HOST_IDS_OWN_GID_MOVED : 0);
	snprintf(uids, sizeof(uids), "%u %u 1\n", own_inside(geteuid()), geteuid());
	snprintf(gids, sizeof(gids), "%u %u 1\n", own_inside(getegid()), getegid());
	if (map_file(sentry, "uid_map", uids) && errno != EPERM)
		return fail_errno(failure, errno, "cannot map the user id into the sandbox");
	if (map_file(sentry, "setgroups", "deny") || map_file(sentry, "gid_map", gids))
		return fail_errno(failure, errno, "cannot map the group id into the sandbox");
	return 0;
}

int jail_map_given_ids(pid_t sentry, const char *uids, const char *gids, struct failure *failure)
{
	if (map_file(sentry, "uid_map", uids))
		return fail_errno(failure, errno, "linux.uidMappings: the host refuses them");
	if (!map_file(sentry, "gid_map", gids))
		return 0;
	/* Who has no privilege may map groups when none can be dropped. */
	if (map_file(sentry, "setgroups", "deny") || map_file(sentry, "gid_map", gids))
		return fail_errno(failure, errno, "linux.gidMappings: the host refuses them");
	return 0;
}

/* linux/mount.h and sys/mount.h of this libc exclude each other. */
struct mount_attributes {
	uint64_t set, clear, propagation, userns_fd;
};
#define ATTRIBUTE_RDONLY 0x1
#define ATTRIBUTE_NOSUID 0x2
#define ATTRIBUTE_NODEV	 0x4

bool jail_may_open_trees(void)
{
	auto_close int fd =
		(int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self", OPEN_TREE_CLONE | O_CLOEXEC);

	return fd >= 0;
}

int jail_open_tree(const char *path, bool writable, bool recursive, struct failure *failure)
{
	struct mount_attributes attributes = {.set = ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV};
	auto_close int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path,
		OPEN_TREE_CLONE | O_CLOEXEC | (recursive ? AT_RECURSIVE : 0));

	if (fd < 0)
		return fail_errno(failure, errno, "cannot show %s to the sandbox", path);
	if (!writable)
		attributes.set |= ATTRIBUTE_RDONLY;
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
		    sizeof(attributes)))
		return fail_errno(
			failure, errno, "cannot make %s %s", path, writable ? "safe" : "read-only");
	return steal_fd(&fd);
}

int jail_prepare_network(struct failure *failure)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char group[32];

	if (fd < 0)
		return errno == EAFNOSUPPORT
			       ? 0
			       : fail_errno(failure, errno,
					 "cannot make a socket for the loopback interface");
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		return fail_errno(failure, errno, "cannot bring the loopback interface up");
	/* The sentry has no capability, but its guests' kernel decides who may bind a low port. */
	(void)write_small_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	/* Echo requests to the loopback need no raw socket. */
	(void)snprintf(group, sizeof(group), "%u %u", getegid(), getegid());
	(void)write_small_file("/proc/sys/net/ipv4/ping_group_range", group);
	return 0;
}

int jail_empty_root(struct failure *failure)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail_errno(failure, errno, "cannot make the mount namespace private");
	if (mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    "size=0,nr_inodes=1,mode=0555"))
		return fail_errno(failure, errno, "cannot mount an empty root");
	if (chdir("/proc") || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
		chdir("/"))
		return fail_errno(failure, errno, "cannot enter the empty root");
	if (mount(NULL, "/", NULL,
		    MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return fail_errno(failure, errno, "cannot make the empty root read-only");
	return 0;
}

static int g_oom_score; /* the sentry's own, that it goes back to */

int jail_prefer_children_to_die(void)
{
	auto_close int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || pwrite(fd, "1000", 4, 0) != 4)
		return -1;
	g_oom_score = atoi(text);
	return steal_fd(&fd);
}

void jail_prefer_no_more(int file)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", g_oom_score);

	/* Nobody is denied to go back to the score that it began with. */
	if (file >= 0 && pwrite(file, text, (size_t)size, 0) != size)
		log_warning("the host's OOM killer may take the sandbox's kernel first");
	if (file >= 0)
		(void)close(file);
}

int jail_drop_capabilities(uint64_t kept, struct failure *failure)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {
		{.effective = (uint32_t)kept, .permitted = (uint32_t)kept}};

	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0))
			return fail_errno(failure, errno, "cannot drop capability %d", capability);
	}
	if (prctl(PR_SET_SECUREBITS,
		    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
			    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
		    0, 0, 0))
		return fail_errno(failure, errno, "cannot lock the secure bits");
	if (syscall(SYS_capset, &header, sets))
		return fail_errno(failure, errno, "cannot drop all capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail_errno(failure, errno, "cannot set no_new_privs");
	/* A change of credentials cleared it, and without it nobody may attach the stubs. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		return fail_errno(failure, errno, "cannot stay dumpable");
	return 0;
}

static const char *const namespace_names[6] = {"user", "pid", "mnt", "net", "ipc", "uts"};

void jail_read_namespaces(char namespaces[6][64])
{
	for (size_t i = 0; i < array_count(namespace_names); i++) {
		char path[64];
		ssize_t size;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace_names[i]);
		size = readlink(path, namespaces[i], 63);
		namespaces[i][size > 0 ? size : 0] = '\0';
	}
}

struct report {
	char *text;
	size_t size, used;
	bool holds;
};

static void finding(struct report *report, bool holds, const char *what)
{
	int size = snprintf(report->text + report->used, report->size - report->used, "%-4s %s\n",
		holds ? "yes" : "NO", what);

	if (size > 0 && (size_t)size < report->size - report->used)
		report->used += (size_t)size;
	report->holds &= holds;
}

static bool has_no_capability(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (syscall(SYS_capget, &header, data))
		return false;
	return !(data[0].permitted | data[1].permitted | data[0].effective | data[1].effective |
		 data[0].inheritable | data[1].inheritable);
}

static bool root_is_empty(void)
{
	char entries[1024];
	auto_close int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* "." and ".." take 24 bytes each. */
	return fd >= 0 && syscall(SYS_getdents64, fd, entries, sizeof(entries)) <= 48;
}

bool jail_report(const struct jail_evidence *evidence, char *text, size_t size)
{
	struct report report = {.text = text, .size = size, .holds = true};
	struct stat unused;

	for (size_t i = 0; i < array_count(namespace_names); i++) {
		char line[64 + 32];

		snprintf(line, sizeof(line), "%s namespace of its own: %s", namespace_names[i],
			evidence->namespaces[i]);
		finding(&report,
			evidence->namespaces[i][0] &&
				strcmp(evidence->namespaces[i], evidence->outside[i]) != 0,
			line);
	}
	finding(&report, getpid() == 1, "process 1 of its pid namespace: all stubs end with it");
	finding(&report, root_is_empty() && stat("/etc", &unused) < 0, "empty root");
	finding(&report, mkdirat(AT_FDCWD, "/x", 0700) < 0, "root is read-only");
	finding(&report, has_no_capability(), "no capability in any set");
	finding(&report, prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0,
		"none in the bounding set");
	finding(&report, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs");
	finding(&report, prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2, "system call filter loaded");
	return report.holds;
}
