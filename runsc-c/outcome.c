/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out why a run ended, which status that is, and sees to it that it is written. */
#include "runsc-c/outcome.h"

#include "runsc-c/limits_options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_TIMEOUT 124
#define STATUS_KILLED  (128 + SIGKILL)

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000l + now.tv_nsec;
}

/* --- the beginning --- */

int outcome_open(const char *option, const char *name, int *fd, struct failure *failure)
{
	char *end;

	if (!strncmp(name, "fd:", 3)) {
		long number = strtol(name + 3, &end, 10);

		*fd = name[3] && !*end && number >= 0 ? fcntl((int)number, F_DUPFD_CLOEXEC, 3) : -1;
		if (*fd < 0)
			return fail(failure, STATUS_INTERNAL,
				"--%s %s: there is no such descriptor", option, name);
		return 0;
	}
	*fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (*fd < 0)
		return fail_errno(failure, errno, "--%s: cannot write %s", option, name);
	return 0;
}

static bool wants_accounting(const struct run_options *options)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		if (strcmp(limit_options[i].name, "grace") != 0 &&
			limit_value(&limit_options[i], &options->limits))
			return true;
	}
	return options->result || options->report || options->progress || options->learn;
}

static int make_page(struct outcome *outcome, struct failure *failure)
{
	outcome->page = mmap(NULL, sizeof(*outcome->page), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome->page != MAP_FAILED)
		return 0;
	outcome->page = NULL;
	return fail_errno(failure, errno, "no memory to count in");
}

int outcome_begin(
	struct outcome *outcome, const struct run_options *options, struct failure *failure)
{
	*outcome = (struct outcome){.options = options,
		.result_fd = -1,
		.report_fd = -1,
		.changes_fd = -1,
		.changes_out_fd = -1,
		.applied = -1};
	clock_gettime(CLOCK_REALTIME, &outcome->started);
	outcome->started_ns = outcome->ended_ns = now_ns();
	if (wants_accounting(options) && make_page(outcome, failure))
		return -1;
	if (options->result &&
		outcome_open("result", options->result, &outcome->result_fd, failure))
		return -1;
	if (options->report &&
		outcome_open("report", options->report, &outcome->report_fd, failure))
		return -1;
	if (options->changes_file &&
		outcome_open("changes", options->changes_file, &outcome->changes_out_fd, failure))
		return -1;
	if (options->changes && !options->changes_file)
		outcome->changes_out_fd = STDERR_FILENO;
	if (options->changes || options->result || options->report || layer_wanted(options)) {
		outcome->changes_fd = memfd_create("changes", MFD_CLOEXEC);
		if (outcome->changes_fd < 0)
			return fail_errno(failure, errno, "no memory for the list of changes");
	}
	return 0;
}

int64_t outcome_elapsed_ns(const struct outcome *outcome)
{
	return now_ns() - outcome->started_ns;
}

/* --- the end --- */

static int page_reason(const struct outcome *outcome)
{
	return outcome->page ? atomic_load(&outcome->page->reason) : END_NONE;
}

static bool ended_for_memory(const struct outcome *outcome)
{
	int status = outcome->wait_status;

	if (!outcome->page || !atomic_load(&outcome->page->memory_kills) || !outcome->has_status)
		return false;
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
	       (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_KILLED);
}

const char *outcome_reason(const struct outcome *outcome)
{
	if (outcome->failure.message[0] && outcome->failure.status == STATUS_INTERNAL)
		return "internal";
	switch (page_reason(outcome)) {
	case END_TIMEOUT:
		return "timeout";
	case END_CPU_TIME:
		return "cpu-time";
	case END_OUTPUT:
		return "output";
	default:
		break;
	}
	if (ended_for_memory(outcome))
		return "memory";
	return outcome->has_status && WIFSIGNALED(outcome->wait_status) ? "signal" : "exit";
}

int outcome_signal(const struct outcome *outcome, int status)
{
	if (outcome->has_status && WIFSIGNALED(outcome->wait_status))
		return WTERMSIG(outcome->wait_status);
	return 0;
}

int outcome_end(struct outcome *outcome, int status)
{
	outcome->ended_ns = now_ns();
	if (outcome->failure.message[0] && outcome->failure.status == STATUS_INTERNAL)
		return status;
	switch (page_reason(outcome)) {
	case END_TIMEOUT:
		return STATUS_TIMEOUT;
	case END_CPU_TIME:
	case END_OUTPUT:
		return STATUS_KILLED;
	default:
		return status;
	}
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000000ul + (uint64_t)time->tv_usec * 1000;
}

void outcome_note_usage(struct outcome *outcome, const struct rusage *usage)
{
	if (!outcome->page)
		return;
	atomic_store(&outcome->page->sentry_user_ns, timeval_ns(&usage->ru_utime));
	atomic_store(&outcome->page->sentry_system_ns, timeval_ns(&usage->ru_stime));
}

void outcome_read_changes(struct outcome *outcome)
{
	outcome->has_changes = outcome->changes_fd >= 0 &&
			       !changes_read(outcome->changes_fd, &outcome->changes) &&
			       !outcome->changes.error;
}

/* --- writing --- */

int outcome_write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t written = write(fd, text, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		text += written;
		size -= (size_t)written;
	}
	return 0;
}

static int write_json(const struct outcome *outcome, int status)
{
	json_t *object = result_json(outcome, status);
	char *text = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
	int error = text ? outcome_write_all(outcome->result_fd, text, strlen(text)) : -1;

	if (!text)
		errno = ENOMEM;
	else if (!error)
		error = outcome_write_all(outcome->result_fd, "\n", 1);
	free(text);
	json_decref(object);
	return error;
}

int outcome_write(struct outcome *outcome, int status, struct failure *failure)
{
	bool junit = outcome->options->result_junit;

	if (outcome->result_fd >= 0 &&
		(junit ? result_junit_write(outcome, status, outcome->result_fd)
		       : write_json(outcome, status)))
		return fail_errno(
			failure, errno, "--result: cannot write %s", outcome->options->result);
	if (outcome->report_fd >= 0 && report_write(outcome, status, outcome->report_fd))
		return fail_errno(
			failure, errno, "--report: cannot write %s", outcome->options->report);
	if (outcome->changes_out_fd >= 0 && outcome->has_changes &&
		changes_print(&outcome->changes, outcome->options->json, outcome->changes_out_fd))
		return fail_errno(failure, errno, "--changes: cannot write the list");
	return 0;
}
