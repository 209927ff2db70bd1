/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox as its creator sees it: what to run, on what, and how it ended.
 *
 * The front end fills a sandbox_config and closes the jail; then kernel_start() makes everything
 * and kernel_wait() tells when the guest is done. All descriptors in a config belong to the kernel
 * afterwards.
 */
#pragma once

#include "abi/resource.h"
#include "abi/termios.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct platform;

enum sandbox_mount_type {
	SANDBOX_MOUNT_OVERLAY, /* host directory (source_fd), read-only, under a writable layer in
				  memory */
	SANDBOX_MOUNT_BIND,    /* host directory or file */
	SANDBOX_MOUNT_FS, /* a file system of ours by name: tmpfs, proc, sysfs, devtmpfs, devpts,
			     mqueue */
	/* Of containers only: steps on the tree as it is by then. */
	SANDBOX_MOUNT_INSIDE,  /* a bind of what is at source inside */
	SANDBOX_MOUNT_NODE,    /* a device or FIFO: mode, rdev, uid, gid */
	SANDBOX_MOUNT_SYMLINK, /* destination points to source */
	SANDBOX_MOUNT_MASK, /* what is there can neither be read nor seen; nothing there is fine */
	SANDBOX_MOUNT_REMOUNT,	 /* the mount at destination gets flags; with recursive those below
				    it, too */
	SANDBOX_MOUNT_READ_ONLY, /* the part of the tree at destination becomes read-only; nothing
				    there is fine */
	SANDBOX_MOUNT_PROPAGATION, /* flags: LINUX_MS_SHARED, _SLAVE, _PRIVATE, _UNBINDABLE */
};

struct sandbox_mount {
	enum sandbox_mount_type type;
	int source_fd;		       /* a directory or file, opened before the jail closed; -1 */
	const char *source;	       /* what /proc/mounts shows */
	const char *destination;       /* absolute, inside */
	const char *fs_type, *options; /* SANDBOX_MOUNT_FS */
	bool read_only;
	bool gives_owners; /* of a writable host tree: what guests make belongs to them (host.h) */
	bool exclusive;	   /* nobody else changes the tree: names and attributes are cached without
			      asking */
	bool recursive, copy_up; /* copy_up: a tmpfs begins with what it covers */
	unsigned long flags;	 /* further LINUX_MS_* (NOSUID, NODEV, NOEXEC...) */
	uint32_t mode, uid, gid; /* SANDBOX_MOUNT_NODE */
	uint64_t rdev;
};

struct sandbox_console {
	int fd; /* the caller's terminal; -1: none */
	uint16_t rows, columns;
	bool paused; /* the command runs in the background: kernel_continue() starts input and
			output */
	struct linux_termios2 termios; /* what the guest's terminal starts with: the caller's */
	bool fresh; /* or what a new terminal starts with: termios is not looked at */
};

/* What the sandbox as a whole may use; 0: as much as there is. sentry/kernel/limits.h carries it
 * out. */
struct sandbox_limits {
	uint64_t timeout_ns, grace_ns; /* wall time until SIGTERM, and from there to SIGKILL */
	uint64_t cpu_time_ns;
	uint64_t cpu_milli;	       /* processors, in thousandths */
	uint64_t memory, disk, output; /* bytes */
	uint64_t tasks;
	uint64_t file_size, open_files; /* of each process */
};

struct accounting;
struct sandbox_policy;

struct sandbox_config {
	const char *const *argv; /* NULL-terminated */
	const char *const *envp;
	const char *working_directory;
	const char *hostname, *domainname;
	uint32_t uid, gid;
	const uint32_t *groups;
	size_t group_count;
	uint64_t capabilities; /* of a root guest; others start with none */
	bool as_pid_1;
	/* Guest descriptors 0..stdio_count-1; -1: closed. Those that are the console's terminal
	 * become the guest's own tty. */
	const int *stdio;
	size_t stdio_count;
	const bool *stdio_is_console;
	struct sandbox_console console;
	const struct sandbox_mount *mounts; /* the first is the root */
	size_t mount_count;
	struct sandbox_limits sandbox_limits;
	bool list_changes; /* of the writable layers, at the end, to changes_fd (changes.h) */
	int changes_fd;
	int layer_fd;	      /* with that: the changes themselves go there; -1 */
	const int *layer_fds; /* archives that the writable layers begin with, lowest first */
	size_t layer_count;
	const struct sandbox_policy *policy; /* vfs/policy.h; NULL: none */
	bool progress;			     /* a status line on the console */
	struct accounting *accounting;	     /* accounting.h; NULL: nobody wants to know */
	uint32_t umask;
	struct linux_rlimit64 limits[LINUX_RLIM_NLIMITS];
	unsigned int host_ids; /* enum host_ids (fs/host/host.h) */
	int processors;	       /* shown to guests */
	int raw_channel;       /* where raw sockets come from (net/inet/raw_channel.h); 0: none */
};

/* How it ended. */
struct sandbox_result {
	int status; /* wait(2)'s encoding */
};

/* Events for the front end while the guest runs; called on threads of the sentry. */
struct sandbox_events {
	void (*stopped)(void *argument, int signal); /* the first process stopped (job control): the
							command should stop as well */
	void *argument;
};

/* Once, before the jail closes: memory file, clocks, platform-independent tables. */
must_check int kernel_prepare(const struct sandbox_config *config);
/* What kernel_start() was at when it failed. */
struct start_failure {
	enum start_step {
		START_KERNEL,	 /* itself */
		START_MOUNT,	 /* of config->mounts[mount] */
		START_DIRECTORY, /* the first process's working directory */
		START_PROGRAM,	 /* the sandbox is fine, and the program is not */
	} step;
	size_t mount;
};

/* After the jail closed: mounts, init, the first process. The guest runs when it returns 0. */
must_check int kernel_start(struct platform *platform, const struct sandbox_config *config,
	const struct sandbox_events *events, struct start_failure *failed);
/* Without a program (config->argv NULL): the kernel runs, and containers (container.h) may be made
 * in it until kernel_end(). */
void kernel_end(void);
/* Blocks a host thread (not a task's) until the sandbox has ended. */
void kernel_wait(struct sandbox_result *result);
/* From the front end: a signal to the first process (or with console: to the terminal's foreground
 * group), a new window size. */
void kernel_signal(int signal);
void kernel_console_resize(uint16_t rows, uint16_t columns);
/* The command was continued, with its terminal: so are the console and the first process's group.
 */
void kernel_continue(void);
/* After kernel_wait(): ends what is left and reports leaked references in debug builds; the number
 * of leaks. */
long kernel_shutdown(void);
