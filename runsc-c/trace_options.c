/* SPDX-License-Identifier: Apache-2.0 */
/* `csandbox trace`: the options that say which events, in which form, and where to. */
#include "runsc-c/trace_options.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
	KEY_OUTPUT = 'o',
	KEY_EVENTS = 'e',
	KEY_SUMMARY = 'c',
	KEY_TIMESTAMPS = 0x200,
};

static const struct argp_option table[] = {
	{"output", KEY_OUTPUT, "FILE", 0, "Write the trace to FILE instead of standard error", 5},
	{"events", KEY_EVENTS, "LIST", 0,
		"Only these: names of system calls and %classes with commas between (! in front: "
		"all but these); signal=LIST; "
		"status=failed|successful",
		5},
	{"summary", KEY_SUMMARY, NULL, 0, "Only a table of counts and times, at the end", 5},
	{"timestamps", KEY_TIMESTAMPS, NULL, 0,
		"The time of day before each line, and how long a call took after it", 5},
	{0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct trace_options *options = state->input;

	if (key > 0 && key <= KEY_TIMESTAMPS)
		options->next = state->next;
	switch (key) {
	case KEY_OUTPUT:
		options->file = argument;
		return 0;
	case KEY_EVENTS:
		return trace_filter_add(&options->config.filter, argument, options->error,
			       sizeof(options->error))
			       ? 0
			       : EINVAL;
	case KEY_SUMMARY:
		options->config.summary = true;
		return 0;
	case KEY_TIMESTAMPS:
		options->config.timestamps = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp trace_argp = {.options = table, .parser = parse_option};

int trace_options_open(struct trace_options *options, struct failure *failure)
{
	options->config.fd = -1;
	if (!options->on)
		return 0;
	if (options->file)
		options->config.fd =
			open(options->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	else
		options->config.fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (options->config.fd < 0)
		return fail_errno(failure, errno, "cannot write a trace to %s",
			options->file ? options->file : "standard error");
	return 0;
}
