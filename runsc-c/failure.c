/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of the front end, and the one line that a user gets to see. */
#include "runsc-c/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int fail(struct failure *failure, int status, const char *format, ...)
{
	va_list arguments;

	failure->status = status;
	va_start(arguments, format);
	vsnprintf(failure->message, sizeof(failure->message), format, arguments);
	va_end(arguments);
	return -1;
}

int fail_errno(struct failure *failure, int error, const char *format, ...)
{
	va_list arguments;
	size_t used;

	failure->status = STATUS_INTERNAL;
	va_start(arguments, format);
	vsnprintf(failure->message, sizeof(failure->message), format, arguments);
	va_end(arguments);
	used = strlen(failure->message);
	snprintf(failure->message + used, sizeof(failure->message) - used, ": %s", strerror(error));
	return -1;
}

void failure_print(const struct failure *failure)
{
	char line[sizeof(failure->message) + 16];
	int size = snprintf(line, sizeof(line), "csandbox: %s", failure->message);

	if (size >= (int)sizeof(line) - 1)
		size = sizeof(line) - 2;
	/* The message may quote a name from outside: it must not steer the terminal. */
	for (int i = 0; i < size; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
	line[size++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)size) < 0)
		return;
}
