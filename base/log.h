/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The debug log and the end of everything.
 *
 * The log goes to the descriptor given to log_open(), a line or a JSON object a record; without
 * one, nothing is formatted. panic() is how the sentry fails closed: it is for broken invariants
 * and host errors that leave the state of a guest unknown, never for something that a guest can ask
 * for.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Takes the descriptor over; -1 turns the log off. Called before there are threads. */
void log_open(int fd, enum log_format format, enum log_level least);
bool log_enabled(enum log_level level);
/* The errno for which a record was lost; 0: none was. */
int log_lost(void);
void log_write(enum log_level level, const char *format, ...) format_(2, 3);

#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (unlikely(log_enabled(LOG_LEVEL_DEBUG)))                                        \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                   \
	} while (0)
#define log_info(...)                                                                              \
	do {                                                                                       \
		if (unlikely(log_enabled(LOG_LEVEL_INFO)))                                         \
			log_write(LOG_LEVEL_INFO, __VA_ARGS__);                                    \
	} while (0)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

/*
 * Reports and ends the process with status 125; the pid namespace takes all guests along.
 * panic_set_report() names who passes the message on to the user (it must be safe from any thread).
 */
noreturn_ cold_ void panic(const char *format, ...) format_(1, 2);
void panic_set_report(void (*report)(const char *message));

#define panic_if(condition, ...)                                                                   \
	do {                                                                                       \
		if (unlikely(condition))                                                           \
			panic(__VA_ARGS__);                                                        \
	} while (0)
