/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong, for a person: what failed, on what, why, and what to try; with the status to
 * exit with. The front end passes one around instead of printing or exiting deep in a function.
 */
#pragma once

#include "base/compiler.h"

#define STATUS_INTERNAL	      125
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND      127

struct failure {
	int status;
	char message[512];
};

/* Fills failure, always returns -1, so that a caller can write `return fail(...)`. */
int fail(struct failure *failure, int status, const char *format, ...) format_(3, 4);
/* The same with ": strerror(error)" appended. */
int fail_errno(struct failure *failure, int error, const char *format, ...) format_(3, 4);
/* One line on standard error; control characters in it are made visible. */
void failure_print(const struct failure *failure);
