/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals (tty_ioctl(4), pty(7), termios(3)): a line discipline with a slave end that programs
 * use, and behind it either a pty's master or the caller's own terminal (console.c). Also: whose
 * controlling terminal it is.
 *
 * Locks: tty->lock (RANK_PIPE) guards everything in a tty. session->tty is guarded by
 * RANK_TASK_SET; it and tty->session change together, with both held.
 */
#pragma once

#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/fs/devpts/line_discipline.h"
#include "sentry/kernel/wait_queue.h"

#include <stdbool.h>
#include <stdint.h>

struct devpts;
struct file;
struct inode;
struct pid;
struct session;
struct super_block;
struct task;
struct tty;

/* What is behind a tty. Both are called with its lock held, and must not block. */
struct tty_driver {
	/* There is output to take. */
	void (*output)(struct tty *tty);
	/* There is room for input again. */
	void (*input_wanted)(struct tty *tty);
};

struct tty {
	struct refcount refs;
	const struct tty_driver *driver; /* set once */
	struct mutex lock;		 /* RANK_PIPE */
	struct line_discipline line;
	struct linux_winsize window;
	struct wait_queue slave_queue, master_queue;
	struct session *session;  /* a reference; whose controlling terminal it is */
	struct pid *foreground;	  /* a reference; process group */
	unsigned int slave_count; /* open slave ends */
	bool slave_seen;	  /* one was open once */
	bool master_open;
	bool hung_up;	/* slave ends opened so far are dead */
	bool locked;	/* TIOCSPTLCK */
	bool exclusive; /* TIOCEXCL */
	bool packet;	/* TIOCPKT */
	uint8_t packet_events;
	struct linux_termios locked_termios; /* TIOCSLCKTRMIOS: bits that TCSETS leaves alone */
	int index;			     /* set once */
	struct devpts *devpts;		     /* set once; NULL after the file system went */
	struct inode *inode; /* the slave's node; a reference, dropped with the master */
	void *private;	     /* the driver's; freed with the tty */
};

/* A tty of one reference with a fresh line discipline. */
must_check int tty_new(const struct tty_driver *driver, struct tty **out);
struct tty *tty_get(struct tty *tty);
void tty_put(struct tty *tty);

/* tty_slave.c: makes a file the slave end. -EIO: locked or hung up; -EBUSY. May make it the
 * opener's controlling terminal. */
must_check int tty_open_slave(struct tty *tty, struct file *file);
/* Bytes that somebody typed, with the lock held: how many were taken. Sends signals and wakes
 * readers. */
size_t tty_type_locked(struct tty *tty, const uint8_t *bytes, size_t size);
/* The terminal is gone: slave ends see the end of the file, the session leader gets SIGHUP and
 * SIGCONT. */
void tty_hang_up(struct tty *tty);
/* The window has another size: SIGWINCH to the foreground group. */
void tty_set_window(struct tty *tty, const struct linux_winsize *window);
uint32_t tty_poll_slave_locked(struct tty *tty);

/* tty_job_control.c */
void tty_job_control_init(void);
/* The calling process's controlling terminal with a reference, or NULL. */
struct tty *tty_current(void);
/* Makes tty the controlling terminal of the caller's session, whose leader the caller must be.
 * steal: from another session. */
must_check int tty_set_controlling(struct tty *tty, struct task *task, bool steal);
/* TIOCNOTTY. */
must_check int tty_drop_controlling(struct tty *tty, struct task *task);
/*
 * May the caller's process group use its controlling terminal? 0, or the group was sent the signal
 * (LINUX_SIGTTIN, _SIGTTOU) and -ERESTARTSYS, or -EIO. No lock held.
 */
must_check int tty_check_background(struct tty *tty, struct task *task, int signal);
must_check int64_t tty_get_foreground(struct tty *tty, struct task *task, bool from_master);
must_check int tty_set_foreground(struct tty *tty, struct task *task, int process_group);
/* The same without checks, for the sandbox's start. */
void tty_force_controlling(struct tty *tty, struct session *session, struct pid *foreground);
void tty_signal_foreground_locked(struct tty *tty, int signal);

/* tty_ioctl.c: for either end. */
int64_t tty_ioctl(struct tty *tty, bool from_master, struct file *file, struct task *task,
	uint32_t command, uint64_t argument);

/* tty_termios.c: of those, TCGET*, TCSET* and the two that lock. */
int64_t tty_get_termios(struct tty *tty, struct task *task, uint32_t command, uint64_t argument);
int64_t tty_set_termios(
	struct tty *tty, bool from_master, struct task *task, uint32_t command, uint64_t argument);
int64_t tty_get_locked_termios(struct tty *tty, struct task *task, uint64_t argument);
int64_t tty_set_locked_termios(struct tty *tty, struct task *task, uint64_t argument);

/* pty_master.c */
must_check int pty_open_master(struct devpts *devpts, struct file *file);
extern const struct tty_driver pty_driver;

/* devpts.c */
void devpts_register(void);
/* Gives a tty a number and a node in an instance. Takes a reference for as long as it is there.
 * -ENOSPC. */
must_check int devpts_add(struct devpts *devpts, struct tty *tty);
void devpts_remove(struct tty *tty);
/* A pty is being closed: the file system stays until its number is free, which is when both ends
 * are closed. */
void devpts_hold(struct tty *tty);
void devpts_free_number(struct tty *tty);
/* The tty whose slave end a node is, with a reference; NULL once its master was closed. */
struct tty *devpts_find(struct devpts *devpts, const struct inode *inode);
struct devpts *devpts_of(struct super_block *sb); /* NULL: another file system */
/* The slave end as a new file, for TIOCGPTPEER. */
must_check int devpts_open_peer(
	struct tty *tty, uint32_t flags, struct file *master, struct file **out);

/* tty_devices.c: /dev/tty, /dev/console, and the nodes of devpts. */
void tty_devices_register(void);

/* console.c: the caller's own terminal as a tty. host_fd becomes its own; it should not block. */
struct sandbox_console;
must_check int console_start(struct devpts *devpts, const struct sandbox_console *config);
struct tty *console_tty(void); /* borrowed; NULL when there is none */
/* The command has given the terminal back, or has it again. */
void console_pause(bool paused);
/* A line that is not the guest's, while its output is at the start of one; gone before more output.
 * "": none. */
void console_status(const char *text);
/* Writes out what is still on its way, for at most this long. */
void console_drain(int milliseconds);
/* Once no guest runs any more. */
void console_stop(void);
/* The same for terminals besides it: containers have one each. out: a reference, for
 * console_free(). */
must_check int console_new(
	struct devpts *devpts, const struct sandbox_console *config, struct tty **out);
void console_drain_tty(struct tty *tty, int milliseconds);
void console_free(struct tty *tty);
