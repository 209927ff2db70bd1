/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's own terminal as the guest's first tty. The command keeps the host's terminal in raw
 * mode, so that every byte comes here as it was typed, and goes out as the guest's line discipline
 * made it.
 */
#include "sentry/fs/devpts/tty.h"

#include "abi/epoll.h"
#include "sentry/kernel/host_poll.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/limits.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[K"

struct console {
	struct tty *tty; /* a reference */
	int fd;
	bool paused; /* guarded by the tty's lock: the caller's shell has the terminal */
	bool input_ended;
	bool status_shown, mid_line; /* likewise: what is at the cursor */
	struct host_poll_source source;
};

static struct tty *g_console; /* set once, at start */

struct tty *console_tty(void)
{
	return g_console;
}

static bool is_ready(int fd, short events)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents;
}

/* The status line goes before anything else is written where it is. */
static bool erase_status(struct console *console)
{
	if (console->status_shown && write(console->fd, ERASE_LINE, strlen(ERASE_LINE)) < 0)
		return false;
	console->status_shown = false;
	return true;
}

void console_status(const char *text)
{
	struct tty *tty = g_console;
	struct console *console;
	char line[160];
	int size, room;

	if (!tty)
		return;
	console = tty->private;
	mutex_lock(&tty->lock);
	if (console->paused || console->mid_line || line_discipline_output_size(&tty->line) ||
		!is_ready(console->fd, POLLOUT))
		goto out;
	/* One that wraps would not be erased. */
	room = tty->window.ws_col ? tty->window.ws_col - 1 : (int)sizeof(line);
	size = snprintf(line, sizeof(line), ERASE_LINE "%.*s", room, text);
	if (!*text)
		(void)erase_status(console);
	else if (write(console->fd, line, min_u64((uint64_t)size, sizeof(line) - 1)) > 0)
		console->status_shown = true;
out:
	mutex_unlock(&tty->lock);
}

static void console_output(struct tty *tty)
{
	struct console *console = tty->private;
	uint8_t bytes[4096];
	bool sent = false;
	size_t size;

	while (!console->paused &&
		(size = line_discipline_peek_output(&tty->line, bytes, sizeof(bytes)))) {
		bool ready = is_ready(console->fd, POLLOUT) && erase_status(console);
		uint64_t taken = ready ? limits_output_take(size) : 0;
		ssize_t written = taken ? write(console->fd, bytes, taken) : -1;

		if (taken)
			limits_output_done(size, taken, written > 0 ? (uint64_t)written : 0);
		if (written <= 0)
			break;
		line_discipline_drop_output(&tty->line, (size_t)written);
		console->mid_line = bytes[written - 1] != '\n';
		sent = true;
	}
	if (sent)
		wait_queue_wake(&tty->slave_queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
}

/* Takes what was typed, as much as there is room for. False at the terminal's end. */
static bool pull_input(struct tty *tty)
{
	struct console *console = tty->private;

	while (!console->paused && !console->input_ended) {
		uint8_t bytes[1024];
		size_t room = min_u64(line_discipline_room(&tty->line), sizeof(bytes));
		ssize_t got;

		if (!room || !is_ready(console->fd, POLLIN))
			return true;
		got = read(console->fd, bytes, room);
		if (got == 0 || (got < 0 && errno == EIO)) {
			console->input_ended = true;
			return false;
		}
		if (got < 0)
			return true;
		(void)tty_type_locked(tty, bytes, (size_t)got);
	}
	return true;
}

/* A reader's call, with the lock held: the end of the input is the reactor's to tell. */
static void console_input_wanted(struct tty *tty)
{
	(void)pull_input(tty);
}

static const struct tty_driver console_driver = {
	.output = console_output,
	.input_wanted = console_input_wanted,
};

static void on_host_events(struct host_poll_source *source, uint32_t events)
{
	struct tty *tty = container_of(source, struct console, source)->tty;
	bool alive;

	mutex_lock(&tty->lock);
	alive = pull_input(tty);
	console_output(tty);
	mutex_unlock(&tty->lock);
	if (!alive || events & LINUX_EPOLLHUP)
		tty_hang_up(tty);
}

void console_pause(bool paused)
{
	struct tty *tty = g_console;
	struct console *console;

	if (!tty)
		return;
	console = tty->private;
	mutex_lock(&tty->lock);
	console->paused = paused;
	(void)pull_input(tty);
	console_output(tty);
	mutex_unlock(&tty->lock);
}

void console_drain_tty(struct tty *tty, int milliseconds)
{
	int64_t deadline = clock_monotonic() + milliseconds * (NSEC_PER_SEC / 1000);
	struct console *console = tty->private;
	size_t left;

	do {
		struct pollfd poll_fd = {.fd = console->fd, .events = POLLOUT};

		(void)poll(&poll_fd, 1, 10);
		if (poll_fd.revents & (POLLHUP | POLLERR))
			break;
		mutex_lock(&tty->lock);
		console_output(tty);
		left = line_discipline_output_size(&tty->line);
		mutex_unlock(&tty->lock);
	} while (left && clock_monotonic() < deadline);
}

void console_drain(int milliseconds)
{
	if (g_console)
		console_drain_tty(g_console, milliseconds);
}

int console_new(struct devpts *devpts, const struct sandbox_console *config, struct tty **out)
{
	struct console *console = calloc(1, sizeof(*console));
	struct tty *tty = NULL;
	int error = console ? tty_new(&console_driver, &tty) : -ENOMEM;

	if (error) {
		free(console);
		return error;
	}
	console->tty = tty;
	console->fd = config->fd;
	console->paused = config->paused;
	console->source.fd = config->fd;
	console->source.callback = on_host_events;
	tty->private = console;
	if (!config->fresh)
		line_discipline_set_termios(&tty->line, &config->termios);
	tty->window.ws_row = config->rows;
	tty->window.ws_col = config->columns;
	error = devpts_add(devpts, tty);
	if (!error) {
		error = host_poll_add(&console->source);
		if (error)
			devpts_remove(tty);
	}
	if (error) {
		tty->private = NULL;
		free(console);
		tty_put(tty);
		return error;
	}
	*out = tty;
	return 0;
}

void console_free(struct tty *tty)
{
	struct console *console = tty->private;

	host_poll_remove(&console->source);
	tty_hang_up(tty);
	devpts_remove(tty);
	mutex_lock(&tty->lock);
	/* Files of guests may hold the terminal longer: nothing is behind it any more. */
	console->paused = true;
	(void)close(console->fd);
	console->fd = -1;
	mutex_unlock(&tty->lock);
	tty_put(tty);
}

int console_start(struct devpts *devpts, const struct sandbox_console *config)
{
	return console_new(devpts, config, &g_console);
}

void console_stop(void)
{
	if (g_console)
		console_free(steal_pointer(&g_console));
}
