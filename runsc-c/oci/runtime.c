/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's global options, its subcommands, and how it tells of errors. */
#include "runsc-c/oci/runtime.h"

#include "base/cleanup.h"
#include "runsc-c/oci/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct runtime_options g_runtime;

static const struct subcommand {
	const char *name, *summary;
	int (*run)(int argc, char **argv, struct failure *failure);
} subcommands[] = {
	{"create", "make a container from a bundle; nothing runs yet", command_create},
	{"start", "run the program of a created container", command_start},
	{"state", "print the state of a container", command_state},
	{"kill", "send a signal to a container", command_kill},
	{"delete", "remove what a container leaves", command_delete},
	{"exec", "start a further process in a container", command_exec},
	{"ps", "list the processes of a container", command_ps},
	{"list", "list the containers", command_list},
	{"pause", "keep a container's processes from running", command_pause},
	{"resume", "let a paused container go on", command_resume},
	{"update", "change a container's limits", command_update},
	{"events", "print a container's use of resources", command_events},
	{"wait", "wait for a container's end; exits with its status", command_wait},
	{"features", "print what this runtime can do", command_features},
	{"spec", "write a config.json to begin with", command_spec},
	{"checkpoint", "not supported", command_checkpoint},
	{"restore", "not supported", command_checkpoint},
	{"install", "make container engines know this runtime", command_install},
};

/* --- errors --- */

static int open_log(void)
{
	return open(g_runtime.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
}

void runtime_log(const char *level, const char *message)
{
	auto_close int fd = g_runtime.log ? open_log() : -1;
	time_t now = time(NULL);
	auto_free char *text = NULL;
	struct tm tm;
	char when[40];

	if (fd < 0)
		return;
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (g_runtime.log_json) {
		json_t *line =
			json_pack("{s:s, s:s, s:s}", "level", level, "msg", message, "time", when);

		text = json_dumps(line, JSON_COMPACT);
		json_decref(line);
	} else if (asprintf(&text, "time=\"%s\" level=%s msg=\"%s\"", when, level, message) < 0) {
		text = NULL;
	}
	if (text)
		dprintf(fd, "%s\n", text);
}

/* --- global options --- */

static int take_rootless(const char *value, struct failure *failure)
{
	if (!strcmp(value, "auto") || !strcmp(value, "true") || !strcmp(value, "false"))
		return 0;
	return fail(failure, STATUS_INTERNAL, "--rootless %s: it is auto, true or false", value);
}

/* Root of a user namespace alone, as rootless engines have it, is the user who made that. */
static bool is_real_root(void)
{
	char line[64] = "";
	auto_close int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned int inside, outside, count;

	if (geteuid() != 0)
		return false;
	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0 ||
		sscanf(line, "%u %u %u", &inside, &outside, &count) != 3)
		return true;
	return inside == outside && count == UINT32_MAX;
}

static int set_root(const char *path, struct failure *failure)
{
	const char *user = getenv("XDG_RUNTIME_DIR");
	char *root = NULL;

	if (path)
		root = path[0] == '/' ? strdup(path) : NULL;
	else if (!user || user[0] != '/' || is_real_root())
		root = strdup("/run/csandbox");
	else if (asprintf(&root, "%s/csandbox", user) < 0)
		root = NULL;
	if (path && path[0] != '/') {
		char here[PATH_MAX];

		if (!getcwd(here, sizeof(here)) || asprintf(&root, "%s/%s", here, path) < 0)
			root = NULL;
	}
	free(g_runtime.root);
	g_runtime.root = root;
	return root ? 0 : fail_errno(failure, errno ? errno : ENOMEM, "--root");
}

/* What the command line says, where g_runtime does not hold it. */
static struct {
	const char *root, *format, *rootless, *ignored;
	bool flag;
} given = {.format = "text", .rootless = "auto"};

static const struct option_row global_rows[] = {
	{"root", NULL, OPTION_TEXT, &given.root, "DIR",
		"where the state of containers is (default: /run/csandbox)"},
	{"log", NULL, OPTION_TEXT, &g_runtime.log, "FILE", "append errors and warnings to FILE"},
	{"log-format", NULL, OPTION_TEXT, &given.format, "text|json", "the format of that"},
	{"debug-log", NULL, OPTION_TEXT, &g_runtime.debug_log, "FILE",
		"append what kernels of sandboxes do to FILE"},
	{"systemd-cgroup", NULL, OPTION_FLAG, &g_runtime.systemd_cgroup, NULL,
		"paths of cgroups are SLICE:PREFIX:NAME"},
	{"rootless", NULL, OPTION_TEXT, &given.rootless, "auto|true|false",
		"whether the user's systemd is asked, not the system's"},
	{"log-level", NULL, OPTION_TEXT, &given.ignored, "LEVEL", "accepted, without effect"},
	{"debug", NULL, OPTION_FLAG, &given.flag, NULL, "accepted, without effect"},
	{"criu", NULL, OPTION_TEXT, &given.ignored, "PATH", "accepted, without effect"},
};

static int check_log(struct failure *failure)
{
	auto_close int fd = g_runtime.log ? open_log() : -1;

	return g_runtime.log && fd < 0
		       ? fail_errno(failure, errno, "--log: cannot write %s", g_runtime.log)
		       : 0;
}

int runtime_take_options(int argc, char **argv, struct failure *failure)
{
	int used = options_take(argc, argv, global_rows, array_count(global_rows), NULL, failure);

	if (used < 0)
		return -1;
	g_runtime.has_global = used > 1;
	g_runtime.log_json = !strcmp(given.format, "json");
	if (!g_runtime.log_json && strcmp(given.format, "text") != 0)
		return fail(failure, STATUS_INTERNAL, "--log-format %s: it is text or json",
			given.format);
	if (take_rootless(given.rootless, failure) || set_root(given.root, failure) ||
		check_log(failure))
		return -1;
	g_runtime.user_systemd =
		given.rootless[0] == 't' || (given.rootless[0] == 'a' && !is_real_root());
	return used;
}

/* --- options of subcommands --- */

static const struct option_row *find_row(
	const struct option_row *rows, size_t count, const char *argument, const char **value)
{
	const char *name = argument + 1 + (argument[1] == '-');
	size_t length = strcspn(name, "=");

	*value = name[length] ? name + length + 1 : NULL;
	for (size_t i = 0; i < count; i++) {
		if ((!strncmp(rows[i].name, name, length) && !rows[i].name[length]) ||
			(rows[i].letter && argument[1] != '-' &&
				!strncmp(rows[i].letter, name, length) && !rows[i].letter[length]))
			return &rows[i];
	}
	return NULL;
}

static int take_number(const char *name, const char *text, int *value, struct failure *failure)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (!*text || *end || number < 0 || number > INT_MAX)
		return fail(failure, STATUS_INTERNAL, "--%s %s: not a number", name, text);
	*value = (int)number;
	return 0;
}

static int take_value(const struct option_row *row, const char *text, struct failure *failure)
{
	struct option_list *list = row->value;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)row->value = !text || strcmp(text, "false") != 0;
		return 0;
	case OPTION_TEXT:
		*(const char **)row->value = text;
		return 0;
	case OPTION_NUMBER:
		return take_number(row->name, text, row->value, failure);
	default:
		list->items[list->count++] = text;
		return 0;
	}
}

static void print_rows(FILE *out, const struct option_row *rows, size_t count)
{
	char text[64];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), "%s%s%s--%s%s%s", rows[i].letter ? "-" : "",
			rows[i].letter ?: "", rows[i].letter ? ", " : "    ", rows[i].name,
			rows[i].argument ? " " : "", rows[i].argument ?: "");
		fprintf(out, "  %-34s %s\n", text, rows[i].help);
	}
}

static void print_help(
	const char *command, const char *usage, const struct option_row *rows, size_t count)
{
	printf("Usage: csandbox %s\n", usage);
	for (size_t i = 0; i < array_count(subcommands); i++) {
		if (!strcmp(subcommands[i].name, command))
			printf("\n%s\n", subcommands[i].summary);
	}
	printf("%s", count ? "\nOptions:\n" : "");
	print_rows(stdout, rows, count);
}

int options_take(int argc, char **argv, const struct option_row *rows, size_t count,
	const char *usage, struct failure *failure)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
		const struct option_row *row;
		const char *value;

		if (!strcmp(argv[at], "--"))
			return at + 1;
		if (usage && (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h"))) {
			print_help(argv[0], usage, rows, count);
			return argc + 1;
		}
		row = find_row(rows, count, argv[at], &value);
		if (!row && !usage)
			return at; /* the caller knows what else there is */
		if (!row)
			return fail(failure, STATUS_INTERNAL,
				"%s is not an option of %s; try `csandbox %s --help`", argv[at],
				argv[0], argv[0]);
		if (row->kind != OPTION_FLAG && !value) {
			if (at + 1 == argc)
				return fail(
					failure, STATUS_INTERNAL, "%s lacks its value", argv[at]);
			value = argv[++at];
		}
		if (take_value(row, value, failure))
			return -1;
	}
	return at;
}

const char *options_one(int argc, char **argv, int at, const char *what, struct failure *failure)
{
	if (at == argc - 1)
		return argv[at];
	(void)fail(failure, STATUS_INTERNAL, "%s: %s, please; try `csandbox %s --help`", argv[0],
		what, argv[0]);
	return NULL;
}

/* --- subcommands --- */

void runtime_print_commands(FILE *out)
{
	for (size_t i = 0; i < array_count(subcommands); i++)
		fprintf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
	fprintf(out, "\nOptions of these, before the command:\n");
	print_rows(out, global_rows, array_count(global_rows));
}

static int run(const struct subcommand *subcommand, int argc, char **argv)
{
	struct failure failure = {0};
	int status = subcommand->run(argc, argv, &failure);

	if (!failure.message[0])
		return status;
	failure_print(&failure);
	runtime_log("error", failure.message);
	return failure.status != STATUS_INTERNAL ? failure.status : status > 0 ? status : 1;
}

/* `run` is of two kinds: with options of the runtime's, before or after it, it is the runtime's. */
static bool is_run_of_bundle(int argc, char **argv)
{
	static const char *const options[] = {"--bundle", "-b", "--pid-file", "--console-socket",
		"--detach", "-d", "--no-pivot", "--no-new-keyring", "--no-subreaper", "--keep",
		"--preserve-fds"};

	if (strcmp(argv[0], "run") != 0)
		return false;
	if (g_runtime.has_global)
		return true;
	for (int i = 1; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++) {
		for (size_t j = 0; j < array_count(options); j++) {
			if (!strncmp(argv[i], options[j], strlen(options[j])) &&
				strchr("=", argv[i][strlen(options[j])]))
				return true;
		}
	}
	return false;
}

bool runtime_main(int argc, char **argv, int *status)
{
	static const struct subcommand run_bundle = {.name = "run", .run = command_run_bundle};

	if (is_run_of_bundle(argc, argv)) {
		*status = run(&run_bundle, argc, argv);
		return true;
	}
	for (size_t i = 0; i < array_count(subcommands); i++) {
		if (!strcmp(subcommands[i].name, argv[0])) {
			*status = run(&subcommands[i], argc, argv);
			return true;
		}
	}
	return false;
}
