/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a run ended and what it used, as the command knows it: from the sentry's last message, and
 * from the page of accounting that both share. Nothing in that page is trusted.
 */
#pragma once

#include "runsc-c/changes.h"
#include "runsc-c/failure.h"
#include "runsc-c/run_options.h"
#include "sentry/kernel/accounting.h"

#include <jansson.h>
#include <sys/resource.h>
#include <time.h>

struct outcome {
	const struct run_options *options;
	struct accounting *page;  /* NULL: neither limits nor a result were asked for */
	int result_fd, report_fd; /* -1: none, as the next two */
	int changes_fd;		  /* the sentry's to write */
	int changes_out_fd;	  /* --changes */
	struct changes changes;
	bool has_changes;
	struct timespec started;      /* CLOCK_REALTIME */
	int64_t started_ns, ended_ns; /* CLOCK_MONOTONIC */
	bool has_status;
	int64_t applied;	/* changes on the host; -1: none were to be */
	int wait_status;	/* of the first process, wait(2)'s encoding */
	struct failure failure; /* message empty: none */
};

/* Opens what will be written and makes the page. -1: failure is filled, and what was opened is to be
 * written all the same. */
must_check int outcome_begin(
	struct outcome *outcome, const struct run_options *options, struct failure *failure);
/* Since then, in nanoseconds. */
int64_t outcome_elapsed_ns(const struct outcome *outcome);
/* The sandbox is gone: the status to exit with. */
int outcome_end(struct outcome *outcome, int status);
/* The sentry had no time to say what it used. */
void outcome_note_usage(struct outcome *outcome, const struct rusage *usage);
/* What the sandbox changed. */
void outcome_read_changes(struct outcome *outcome);
/* Writes what was asked for. -1: failure is filled. */
must_check int outcome_write(struct outcome *outcome, int status, struct failure *failure);

/* What outcome.c finds out and the writers tell. */
const char *outcome_reason(const struct outcome *outcome);
int outcome_signal(const struct outcome *outcome, int status); /* 0: none */

/* The writers: the result as an object, owned by the caller; NULL when there is no memory. */
json_t *result_json(const struct outcome *outcome, int status);
/* Text that is not UTF-8 becomes it. */
json_t *result_text(const char *text);
/* 0, or -1: errno says why. */
must_check int result_junit_write(const struct outcome *outcome, int status, int fd);
must_check int report_write(const struct outcome *outcome, int status, int fd);
/* A file to be written for an option, or fd:N. */
must_check int outcome_open(const char *option, const char *name, int *fd, struct failure *failure);
/* All of it. */
must_check int outcome_write_all(int fd, const char *text, size_t size);
