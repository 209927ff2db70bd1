/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the command line of `csandbox run` with argp, whose table also makes --help. */
#include "runsc-c/run_options.h"

#include "runsc-c/limits_options.h"
#include "runsc-c/policy.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	KEY_ROOT = 0x100,
	KEY_BIND,
	KEY_TMPFS,
	KEY_WORKDIR,
	KEY_ENV,
	KEY_CLEAR_ENV,
	KEY_HOSTNAME,
	KEY_USER,
	KEY_PLATFORM,
	KEY_DEBUG_LOG,
	KEY_LOG_FORMAT,
	KEY_AS_PID_1,
	KEY_DEBUG_JAIL,
	KEY_STRACE,
	KEY_LIMIT, /* and one more for each of limit_options */
	KEY_LIMIT_LAST = KEY_LIMIT + LIMIT_COUNT - 1,
	KEY_SHOW_LIMITS,
	KEY_HOST_CGROUPS,
	KEY_RESULT,
	KEY_RESULT_FORMAT,
	KEY_REPORT,
	KEY_PROGRESS,
	KEY_CHANGES,
	KEY_JSON,
	KEY_EXPORT_CHANGES,
	KEY_APPLY_CHANGES,
	KEY_KEEP_CHANGES,
	KEY_LAYER,
	KEY_POLICY,
	KEY_PROFILE,
	KEY_LEARN,
	KEY_HELP,
	KEY_VERSION,
};

static const struct argp_option table[] = {
	{"root", KEY_ROOT, "DIR", 0, "Show DIR as / instead of the host's /", 1},
	{"bind", KEY_BIND, "SRC[:DST][:ro|rw]", 0,
		"Show the host's SRC at DST (default: the same place, ro)", 1},
	{"tmpfs", KEY_TMPFS, "DST", 0, "An empty file system in memory at DST", 1},
	{"workdir", KEY_WORKDIR, "DIR", 0, "Start in DIR (default: the caller's directory)", 2},
	{"env", KEY_ENV, "NAME[=VALUE]", 0, "Set NAME, or pass the caller's on", 2},
	{"clear-env", KEY_CLEAR_ENV, NULL, 0, "Start from an empty environment", 2},
	{"hostname", KEY_HOSTNAME, "NAME", 0, "The name that the guest's kernel has", 2},
	{"user", KEY_USER, "UID[:GID]", 0, "Run as this user and group (numbers)", 2},
	{"as-pid-1", KEY_AS_PID_1, NULL, 0, "CMD is process 1, with no init above it", 2},
	{"platform", KEY_PLATFORM, "NAME", 0, "How guest code runs: ptrace", 3},
	{"debug-log", KEY_DEBUG_LOG, "FILE", 0, "Write what the kernel does to FILE", 3},
	{"log-format", KEY_LOG_FORMAT, "text|json", 0, "The format of the debug log", 3},
	{"strace", KEY_STRACE, "FILE", OPTION_ARG_OPTIONAL,
		"Write each system call, signal and end to standard error, or FILE; `csandbox "
		"trace` has more",
		3},
	{"debug-jail", KEY_DEBUG_JAIL, NULL, 0, "Print what holds the sentry, on standard error",
		3},
	{"timeout", KEY_LIMIT, "TIME", 0, "End everything after TIME (90s, 5m, 1.5h)", 4},
	{"grace", KEY_LIMIT + 1, "TIME", 0, "With --timeout: from SIGTERM to SIGKILL (default 10s)",
		4},
	{"cpu-time", KEY_LIMIT + 2, "TIME", 0, "Kill everything once it computed for TIME", 4},
	{"cpus", KEY_LIMIT + 3, "NUMBER", 0, "As many processors, as 0.5 or 2", 4},
	{"memory", KEY_LIMIT + 4, "SIZE", 0, "Hold at most SIZE of the host's memory (512M, 1.5G)",
		4},
	{"pids", KEY_LIMIT + 5, "NUMBER", 0, "At most NUMBER processes and threads at once", 4},
	{"file-size", KEY_LIMIT + 6, "SIZE", 0, "No file larger than SIZE", 4},
	{"open-files", KEY_LIMIT + 7, "NUMBER", 0, "At most NUMBER descriptors for each process",
		4},
	{"disk", KEY_LIMIT + 8, "SIZE", 0, "At most SIZE in the writable layer and all tmpfs", 4},
	{"output-limit", KEY_LIMIT + 9, "SIZE", 0, "At most SIZE on standard output and error", 4},
	{"show-limits", KEY_SHOW_LIMITS, NULL, 0,
		"Print the limits and what carries them out; run nothing", 4},
	{"host-cgroups", KEY_HOST_CGROUPS, NULL, 0,
		"Wait for the host's cgroup behind memory, pids and cpus before anything runs", 4},
	{"result", KEY_RESULT, "FILE|fd:N", 0, "Write how it ended and what it used, as JSON", 5},
	{"result-format", KEY_RESULT_FORMAT, "json|junit", 0, "The format of the result", 5},
	{"report", KEY_REPORT, "FILE", 0,
		"Write a page to look at: processes over time, system calls, files", 5},
	{"progress", KEY_PROGRESS, NULL, 0,
		"A status line on the terminal, between the lines of output", 5},
	{"changes", KEY_CHANGES, "FILE", OPTION_ARG_OPTIONAL,
		"List what was changed in the writable layer (default: on standard error)", 5},
	{"json", KEY_JSON, NULL, 0, "The list of changes, or a trace, as JSON", 5},
	{"export-changes", KEY_EXPORT_CHANGES, "FILE|fd:N", 0,
		"Write the writable layer as an OCI layer (tar)", 5},
	{"apply-changes", KEY_APPLY_CHANGES, "PATH", OPTION_ARG_OPTIONAL,
		"After status 0, copy what was changed (at PATH) to the host, unless it changed "
		"there meanwhile",
		5},
	{"keep-changes", KEY_KEEP_CHANGES, "DIR", 0, "Keep the writable layer in DIR, for --layer",
		5},
	{"layer", KEY_LAYER, "DIR|FILE", 0,
		"Start with a kept layer or an OCI layer; the lowest first", 5},
	{"policy", KEY_POLICY, "FILE", 0,
		"Limits, binds, environment, paths and addresses from FILE (TOML, JSON)", 6},
	{"profile", KEY_PROFILE, "NAME", 0,
		"A policy that comes with csandbox: strict, build, test", 6},
	{"learn", KEY_LEARN, "FILE", 0, "Write the smallest policy that CMD needed", 6},
	{"help", KEY_HELP, NULL, 0, "This text", 7},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, 7},
	{"version", KEY_VERSION, NULL, 0, "The version", 7},
	{0},
};

struct parse {
	struct run_options *options;
	struct failure *failure;
	bool failed, answered;
	int next; /* the first argument that was not understood yet */
};

static error_t give_up(struct parse *parse)
{
	parse->failed = true;
	return EINVAL;
}

static error_t environment_put(struct run_options *options, char *assignment)
{
	size_t name_size = strcspn(assignment, "=") + 1;
	char **larger;

	for (size_t i = 0; i < options->environment_count; i++) {
		if (!strncmp(options->environment[i], assignment, name_size)) {
			options->environment[i] = assignment;
			return 0;
		}
	}
	larger =
		reallocarray(options->environment, options->environment_count + 2, sizeof(*larger));
	if (!larger)
		return ENOMEM;
	options->environment = larger;
	options->environment[options->environment_count++] = assignment;
	options->environment[options->environment_count] = NULL;
	return 0;
}

static error_t parse_env(struct parse *parse, char *argument)
{
	char *value, *assignment;

	if (!*argument || *argument == '=') {
		fail(parse->failure, STATUS_INTERNAL, "--env %s: no name; write --env NAME=VALUE",
			argument);
		return give_up(parse);
	}
	if (strchr(argument, '='))
		return environment_put(parse->options, argument);
	value = getenv(argument);
	if (!value)
		return 0;
	if (asprintf(&assignment, "%s=%s", argument, value) < 0)
		return ENOMEM;
	return environment_put(parse->options, assignment);
}

/* SRC[:DST][:ro|rw] */
static error_t parse_bind(struct parse *parse, const char *argument)
{
	struct run_options *options = parse->options;
	struct bind_option *bind = &options->binds[options->bind_count];
	char *text = strdup(argument), *rest, *last;

	if (!text)
		return ENOMEM;
	if (options->bind_count == RUN_BINDS_MAX) {
		fail(parse->failure, STATUS_INTERNAL, "--bind: more than %d of them",
			RUN_BINDS_MAX);
		return give_up(parse);
	}
	last = strrchr(text, ':');
	if (last && (!strcmp(last, ":rw") || !strcmp(last, ":ro"))) {
		bind->writable = last[2] == 'w';
		*last = '\0';
	}
	rest = strchr(text, ':');
	if (rest)
		*rest++ = '\0';
	/* A third part that is neither ro nor rw is a slip of the pen, not a part of DST. */
	if (!*text || (rest && (*rest != '/' || strchr(rest, ':')))) {
		fail(parse->failure, STATUS_INTERNAL,
			"--bind %s: not of the form SRC[:DST][:ro|rw] with an absolute DST",
			argument);
		return give_up(parse);
	}
	bind->source = text;
	bind->destination = rest ? rest : realpath(text, NULL);
	if (!bind->destination) {
		fail_errno(parse->failure, errno, "--bind: cannot use %s", text);
		return give_up(parse);
	}
	options->bind_count++;
	return 0;
}

static bool parse_id(const char *text, char **end, uint32_t *id)
{
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, end, 10);
	if (errno || value >= UINT32_MAX)
		return false;
	*id = (uint32_t)value;
	return true;
}

static error_t parse_user(struct parse *parse, const char *argument)
{
	struct run_options *options = parse->options;
	char *end;

	if (!parse_id(argument, &end, &options->uid))
		goto bad;
	options->has_user = true;
	if (*end == ':') {
		if (!parse_id(end + 1, &end, &options->gid))
			goto bad;
		options->has_group = true;
	}
	if (!*end)
		return 0;
bad:
	fail(parse->failure, STATUS_INTERNAL, "--user %s: not of the form UID[:GID] in numbers",
		argument);
	return give_up(parse);
}

static error_t parse_tmpfs(struct parse *parse, const char *argument)
{
	struct run_options *options = parse->options;

	if (*argument != '/' || options->tmpfs_count == RUN_BINDS_MAX) {
		fail(parse->failure, STATUS_INTERNAL,
			"--tmpfs %s: not an absolute path, or too many", argument);
		return give_up(parse);
	}
	options->tmpfs[options->tmpfs_count++] = argument;
	return 0;
}

static error_t parse_log_format(struct parse *parse, const char *argument)
{
	if (!strcmp(argument, "json")) {
		parse->options->log_format = LOG_FORMAT_JSON;
		return 0;
	}
	if (!strcmp(argument, "text"))
		return 0;
	fail(parse->failure, STATUS_INTERNAL, "--log-format %s: it is text or json", argument);
	return give_up(parse);
}

static error_t parse_result_format(struct parse *parse, const char *argument)
{
	parse->options->result_junit = !strcmp(argument, "junit");
	if (parse->options->result_junit || !strcmp(argument, "json"))
		return 0;
	fail(parse->failure, STATUS_INTERNAL, "--result-format %s: it is json or junit", argument);
	return give_up(parse);
}

static error_t parse_hostname(struct parse *parse, const char *argument)
{
	if (strlen(argument) > 64 || !*argument) {
		fail(parse->failure, STATUS_INTERNAL, "--hostname: 1 to 64 bytes, please");
		return give_up(parse);
	}
	parse->options->hostname = argument;
	return 0;
}

static error_t add_text(struct parse *parse, const char *option, const char **list, size_t *count,
	size_t most, const char *text)
{
	if (*count == most) {
		fail(parse->failure, STATUS_INTERNAL, "--%s: more than %zu of them", option, most);
		return give_up(parse);
	}
	list[(*count)++] = text;
	return 0;
}

/* What becomes of the writable layer. */
static error_t parse_layer_option(struct parse *parse, int key, char *argument)
{
	struct run_options *options = parse->options;

	switch (key) {
	case KEY_EXPORT_CHANGES:
		options->export_changes = argument;
		return 0;
	case KEY_KEEP_CHANGES:
		options->keep_changes = argument;
		return 0;
	case KEY_POLICY:
	case KEY_PROFILE:
		return 0; /* the first pass took them */
	case KEY_LEARN:
		options->learn = argument;
		return 0;
	case KEY_LAYER:
		return add_text(parse, "layer", options->layers, &options->layer_count,
			RUN_LAYERS_MAX, argument);
	case KEY_APPLY_CHANGES:
		options->apply_changes = true;
		return argument ? add_text(parse, "apply-changes", options->apply_paths,
					  &options->apply_count, RUN_BINDS_MAX, argument)
				: 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What is told of the run, and its limits. */
static error_t parse_outcome_option(struct parse *parse, int key, char *argument)
{
	struct run_options *options = parse->options;

	if (key >= KEY_LIMIT && key <= KEY_LIMIT_LAST) {
		if (limit_option_set(&options->limits, key - KEY_LIMIT, argument, parse->failure))
			return give_up(parse);
		return 0;
	}
	switch (key) {
	case KEY_SHOW_LIMITS:
		options->show_limits = true;
		return 0;
	case KEY_HOST_CGROUPS:
		options->host_cgroups = true;
		return 0;
	case KEY_RESULT:
		options->result = argument;
		return 0;
	case KEY_RESULT_FORMAT:
		return parse_result_format(parse, argument);
	case KEY_REPORT:
		options->report = argument;
		return 0;
	case KEY_PROGRESS:
		options->progress = true;
		return 0;
	case KEY_CHANGES:
		options->changes = true;
		options->changes_file = argument;
		return 0;
	case KEY_JSON:
		options->trace.config.json = true;
		options->json = true;
		return 0;
	default:
		return parse_layer_option(parse, key, argument);
	}
}

/* What a policy may set as well. */
static error_t set_option(struct parse *parse, int key, char *argument)
{
	struct run_options *options = parse->options;

	switch (key) {
	case KEY_ROOT:
		options->root = argument;
		return 0;
	case KEY_BIND:
		return parse_bind(parse, argument);
	case KEY_TMPFS:
		return parse_tmpfs(parse, argument);
	case KEY_WORKDIR:
		options->workdir = argument;
		return 0;
	case KEY_ENV:
		return parse_env(parse, argument);
	case KEY_CLEAR_ENV:
		options->environment_count = 0;
		options->environment[0] = NULL;
		return 0;
	case KEY_HOSTNAME:
		return parse_hostname(parse, argument);
	case KEY_USER:
		return parse_user(parse, argument);
	case KEY_AS_PID_1:
		options->as_pid_1 = true;
		return 0;
	case KEY_PLATFORM:
		options->platform = argument;
		return 0;
	case KEY_DEBUG_LOG:
		options->debug_log = argument;
		return 0;
	case KEY_LOG_FORMAT:
		return parse_log_format(parse, argument);
	case KEY_STRACE:
		options->trace.on = true;
		options->trace.file = argument;
		return 0;
	case KEY_DEBUG_JAIL:
		options->debug_jail = true;
		return 0;
	default:
		return parse_outcome_option(parse, key, argument);
	}
}

/* Options point into it from now on. */
static char *keep_text(struct run_options *options, const char *text)
{
	char **larger = reallocarray(options->texts, options->text_count + 1, sizeof(*larger));

	if (!larger)
		return NULL;
	options->texts = larger;
	larger[options->text_count] = strdup(text);
	return larger[options->text_count++];
}

static const struct argp_option *option_of(int key)
{
	const struct argp_option *option = table;

	while (option->key != key)
		option++;
	return option;
}

/* --changes FILE is a list on standard error and a command called FILE. */
static const char *bare_option(const char *before)
{
	for (const struct argp_option *option = table; option->name || option->key; option++) {
		if (option->flags & OPTION_ARG_OPTIONAL && !strncmp(before, "--", 2) &&
			!strcmp(before + 2, option->name))
			return option->name;
	}
	return NULL;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct run_options *options = parse->options;

	if (key >= KEY_ROOT && key <= KEY_VERSION)
		parse->next = state->next;
	switch (key) {
	case ARGP_KEY_INIT:
		if (state->root_argp->children)
			state->child_inputs[0] = &options->trace;
		return 0;
	case KEY_HELP:
	case 'h':
		/* Not argp_state_help(): that is silent where argp's own errors are. */
		argp_help(state->root_argp, stdout, ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK,
			(char *)(options->trace.on ? "csandbox trace" : "csandbox run"));
		parse->answered = true;
		return EINVAL;
	case KEY_VERSION:
		printf("csandbox %s\n", CSANDBOX_VERSION);
		parse->answered = true;
		return EINVAL;
	case ARGP_KEY_ARG:
		/* CMD: everything from here on is its own. */
		options->command = state->argv + state->next - 1;
		options->bare = bare_option(options->command[-1]);
		state->next = state->argc;
		return 0;
	default:
		if (key >= KEY_ROOT && key <= KEY_VERSION)
			option_places_forget(&options->places, option_of(key)->name);
		return set_option(parse, key, argument);
	}
}

int run_option_set(struct run_options *options, const char *name, const char *value,
	const char *place, struct failure *failure)
{
	struct parse parse = {.options = options, .failure = failure};
	char *copy = value ? keep_text(options, value) : NULL;
	const struct argp_option *option = table;

	while (option->name && strcmp(option->name, name) != 0)
		option++;
	if (!option->name || (value && !copy) ||
		!option_places_add(&options->places, option->name, copy, place))
		return fail_errno(failure, option->name ? ENOMEM : EINVAL, "%s", name);
	if (!set_option(&parse, option->key, copy))
		return 0;
	return parse.failed ? -1 : fail_errno(failure, ENOMEM, "%s", name);
}

/* Policies come first, wherever they stand: what else is on the command line wins over them. */
static error_t parse_policy_option(int key, char *argument, struct argp_state *state)
{
	static struct trace_options ignored;
	struct parse *parse = state->input;
	int error = 0;

	switch (key) {
	case ARGP_KEY_INIT:
		if (state->root_argp->children)
			state->child_inputs[0] = &ignored;
		return 0;
	case KEY_POLICY:
		error = policy_apply_file(parse->options, argument, parse->failure);
		break;
	case KEY_PROFILE:
		error = policy_apply_profile(parse->options, argument, parse->failure);
		break;
	case ARGP_KEY_ARG:
		state->next = state->argc;
		return 0;
	default:
		return 0;
	}
	return error ? give_up(parse) : 0;
}

/* After an error: where the result is to go that tells of it, as far as that can be understood. */
static error_t parse_result_option(int key, char *argument, struct argp_state *state)
{
	static struct trace_options ignored;
	struct parse *parse = state->input;

	if (key == ARGP_KEY_INIT && state->root_argp->children)
		state->child_inputs[0] = &ignored;
	else if (key == KEY_RESULT)
		parse->options->result = argument;
	else if (key == KEY_RESULT_FORMAT)
		parse->options->result_junit = !strcmp(argument, "junit");
	else if (key == ARGP_KEY_ARG) {
		parse->options->command = state->argv + state->next - 1;
		state->next = state->argc;
	}
	return 0;
}

#define EXIT_STATUS                                                                                \
	"\vExit status: CMD's own; 128+N if signal N killed it; 127 if CMD was not found, 126 if " \
	"it "                                                                                      \
	"cannot be run, 125 for an error of csandbox itself; 124 past --timeout, 137 past "        \
	"--cpu-time, "                                                                             \
	"--memory and --output-limit."

static const struct argp run_parser = {
	.options = table,
	.parser = parse_option,
	.args_doc = "[--] CMD [ARGUMENT...]",
	.doc = "Runs CMD in a new sandbox and exits with its status." EXIT_STATUS,
};

static const struct argp_child trace_children[] = {{&trace_argp, 0, "Tracing:", 5}, {0}};

static const struct argp trace_parser = {
	.options = table,
	.parser = parse_option,
	.args_doc = "[--] CMD [ARGUMENT...]",
	.doc = "Runs CMD in a new sandbox and writes down what it does: system calls, signals, new "
	       "processes, ends." EXIT_STATUS,
	.children = trace_children,
};

static const struct argp run_policy_parser = {.options = table, .parser = parse_policy_option};
static const struct argp trace_policy_parser = {
	.options = table, .parser = parse_policy_option, .children = trace_children};
static const struct argp run_result_parser = {.options = table, .parser = parse_result_option};
static const struct argp trace_result_parser = {
	.options = table, .parser = parse_result_option, .children = trace_children};

/* A long option's row by its name or an unambiguous beginning of it, as getopt_long(3) finds it;
 * *several if there is more than one. */
static const struct argp_option *find_option(
	const struct argp_option *rows, const char *name, size_t size, bool *several)
{
	const struct argp_option *found = NULL;

	for (; rows->name || rows->key; rows++) {
		if (!rows->name || strncmp(rows->name, name, size) != 0)
			continue;
		if (!rows->name[size])
			return rows;
		*several = *several || found;
		found = rows;
	}
	return found;
}

/* argp complains about unknown options in several lines of its own; this is one line of ours. */
static int explain_usage(
	const struct run_options *options, const char *culprit, struct failure *failure)
{
	const char *command = options->trace.on ? "trace" : "run", *name = culprit + 2;
	size_t size = strncmp(culprit, "--", 2) ? 0 : strcspn(name, "=");
	const struct argp_option *option = NULL;
	bool several = false;

	if (options->trace.error[0])
		return fail(failure, STATUS_INTERNAL, "-e: %s", options->trace.error);
	if (size)
		option = find_option(table, name, size, &several);
	if (size && !option && options->trace.on)
		option = find_option(trace_argp.options, name, size, &several);
	if (several && strlen(option->name) != size)
		return fail(failure, STATUS_INTERNAL,
			"%s may be more than one option; try `csandbox %s --help`", culprit,
			command);
	if (option && !option->arg)
		return fail(failure, STATUS_INTERNAL, "--%s takes no value", option->name);
	if (option || (options->trace.on && (!strcmp(culprit, "-e") || !strcmp(culprit, "-o"))))
		return fail(failure, STATUS_INTERNAL,
			"%s lacks its value; try `csandbox %s --help`", culprit, command);
	return fail(failure, STATUS_INTERNAL, "%s is not an option; try `csandbox %s --help`",
		culprit, command);
}

#define PARSER_FLAGS (ARGP_IN_ORDER | ARGP_NO_HELP | ARGP_NO_EXIT | ARGP_NO_ERRS)

static int parse_all(struct run_options *options, int argc, char **argv, struct failure *failure)
{
	struct parse parse = {.options = options, .failure = failure, .next = 1};
	size_t count = 0;

	*options = (struct run_options){.platform = "ptrace", .limits.grace_ns = 10 * 1000000000ul};
	options->trace.on = !strcmp(argv[0], "trace");
	while (environ[count])
		count++;
	options->environment = calloc(count + 1, sizeof(char *));
	if (!options->environment)
		return fail_errno(failure, ENOMEM, "cannot read the environment");
	memcpy(options->environment, environ, count * sizeof(char *));
	options->environment_count = count;

	/* Other errors are the second pass's to explain. */
	(void)argp_parse(options->trace.on ? &trace_policy_parser : &run_policy_parser, argc, argv,
		PARSER_FLAGS, NULL, &parse);
	if (parse.failed)
		return -1;
	if (argp_parse(options->trace.on ? &trace_parser : &run_parser, argc, argv, PARSER_FLAGS,
		    NULL, &parse)) {
		if (parse.answered)
			return 1;
		if (parse.next < options->trace.next)
			parse.next = options->trace.next;
		return parse.failed
			       ? -1
			       : explain_usage(options,
					 argv[parse.next < argc ? parse.next : argc - 1], failure);
	}
	if (options->show_limits) {
		limits_show(&options->limits);
		return 1;
	}
	if (!options->command && !options->debug_jail)
		return fail(failure, STATUS_INTERNAL,
			"what shall run? Write `csandbox %s [OPTION...] -- CMD [ARGUMENT...]`",
			argv[0]);
	if (strcmp(options->platform, "ptrace"))
		return fail(failure, STATUS_INTERNAL, "there is no platform %s; there is: ptrace",
			options->platform);
	return 0;
}

int run_options_parse(struct run_options *options, int argc, char **argv, struct failure *failure)
{
	int parsed = parse_all(options, argc, argv, failure);
	struct parse parse = {.options = options, .failure = failure};

	if (parsed < 0)
		(void)argp_parse(options->trace.on ? &trace_result_parser : &run_result_parser,
			argc, argv, PARSER_FLAGS, NULL, &parse);
	return parsed;
}
