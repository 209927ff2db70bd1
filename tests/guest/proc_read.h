/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the files of /proc and /sys, for the tests of them. */
#pragma once

#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <stdarg.h>

#define PROC_TEXT_MAX (1 << 20)

/* A whole file, NUL-terminated; -1 and errno when it cannot be opened or read. */
__attribute__((unused)) static ssize_t proc_try_read(const char *name, char *text, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t got = 0;

	if (fd < 0)
		return -1;
	while (done < size - 1 && (got = read(fd, text + done, size - 1 - done)) > 0)
		done += (size_t)got;
	if (done == 0 && got < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	close(fd);
	text[done] = '\0';
	return (ssize_t)done;
}

/* The text of a file that must be there; good until the next call. */
__attribute__((unused, format(printf, 1, 2))) static char *proc_text(const char *format, ...)
{
	static char text[PROC_TEXT_MAX];
	char name[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	if (proc_try_read(name, text, sizeof(text)) < 0)
		FAIL("%s: %s", name, strerror(errno));
	return text;
}

/* What follows "name" at the start of a line, white space skipped; NULL when there is no such line.
 */
__attribute__((unused)) static char *proc_field(char *text, const char *name)
{
	size_t length = strlen(name);

	for (char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, name, length) == 0)
			return line + length + strspn(line + length, " \t");
	}
	return NULL;
}

__attribute__((unused)) static long long proc_number(char *text, const char *name)
{
	char *value = proc_field(text, name);

	if (!value)
		FAIL("there is no %s", name);
	return strtoll(value, NULL, 0);
}

/* Field of /proc/PID/stat by its number in proc_pid_stat(5), from 3 on. */
__attribute__((unused)) static long long proc_stat_field(char *text, int number)
{
	char *at = strrchr(text, ')');

	CHECK(at);
	for (at += 2; number > 3; number--) {
		at = strchr(at, ' ');
		CHECK(at);
		at++;
	}
	return strtoll(at, NULL, 10);
}

__attribute__((unused)) static char proc_state(pid_t pid)
{
	return strrchr(proc_text("/proc/%d/stat", pid), ')')[2];
}

/* Waits, within reason, until a process is in a state. */
__attribute__((unused)) static void proc_wait_for_state(pid_t pid, char state)
{
	for (int i = 0; i < 2000 && proc_state(pid) != state; i++)
		sleep_ms(2);
	CHECK_EQ(proc_state(pid), state);
}

__attribute__((unused)) static const char *proc_link(const char *name)
{
	static char target[4096];
	ssize_t length = readlink(name, target, sizeof(target) - 1);

	if (length < 0)
		FAIL("%s: %s", name, strerror(errno));
	target[length] = '\0';
	return target;
}
