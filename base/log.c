/* SPDX-License-Identifier: Apache-2.0 */
/* The debug log and panic(). A record is one write(2), so that records of many threads never mix.
 */
#include "base/log.h"

#include <errno.h>
#include <execinfo.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORD_SIZE 1024

static int g_log_fd = -1;
static enum log_format g_log_format;
static enum log_level g_log_least;
static void (*g_panic_report)(const char *message);
static atomic_int g_lost;

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

void log_open(int fd, enum log_format format, enum log_level least)
{
	g_log_fd = fd;
	g_log_format = format;
	g_log_least = least;
}

bool log_enabled(enum log_level level)
{
	return g_log_fd >= 0 && level >= g_log_least;
}

/* Escapes what JSON does not allow in a string; cuts what does not fit. */
static void json_escape(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (; *text && used + 7 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			out[used++] = '\\';
		if (c < 0x20)
			used += (size_t)snprintf(out + used, size - used, "\\u%04x", c);
		else
			out[used++] = (char)c;
	}
	out[used] = '\0';
}

static void record_write(enum log_level level, const char *message)
{
	char record[2 * RECORD_SIZE + 128];
	struct timespec now;
	struct tm tm;
	char stamp[32];
	int size;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	if (g_log_format == LOG_FORMAT_JSON) {
		char escaped[2 * RECORD_SIZE];

		json_escape(message, escaped, sizeof(escaped));
		size = snprintf(record, sizeof(record),
			"{\"time\":\"%s.%06ldZ\",\"level\":\"%s\",\"msg\":\"%s\"}\n", stamp,
			now.tv_nsec / 1000, level_names[level], escaped);
	} else {
		size = snprintf(record, sizeof(record), "%s.%06ldZ %-7s %s\n", stamp,
			now.tv_nsec / 1000, level_names[level], message);
	}
	/* A full disk must not stop a guest: a lost record is acceptable, and told at the end. */
	if (write(g_log_fd, record, (size_t)size) < 0)
		atomic_store(&g_lost, errno);
}

int log_lost(void)
{
	return atomic_load(&g_lost);
}

void log_write(enum log_level level, const char *format, ...)
{
	char message[RECORD_SIZE];
	va_list arguments;

	if (!log_enabled(level))
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	record_write(level, message);
}

/* Into the debug log only: a user is not to see it. */
static void log_call_stack(void)
{
	void *frames[64];
	int count = backtrace(frames, array_count(frames));

	backtrace_symbols_fd(frames, count, g_log_fd);
}

void panic_set_report(void (*report)(const char *message))
{
	g_panic_report = report;
}

void panic(const char *format, ...)
{
	char message[RECORD_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (log_enabled(LOG_LEVEL_ERROR)) {
		record_write(LOG_LEVEL_ERROR, message);
		log_call_stack();
	}
	if (g_panic_report)
		g_panic_report(message);
	else
		dprintf(STDERR_FILENO, "csandbox: internal error: %s\n", message);
	_exit(125);
}
