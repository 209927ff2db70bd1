/* SPDX-License-Identifier: Apache-2.0 */
/* `csandbox exec`: a further process in a container. */
#include "runsc-c/oci/exec.h"

#include "base/cleanup.h"
#include "runsc-c/console.h"
#include "runsc-c/oci/channel.h"
#include "runsc-c/oci/create.h"
#include "runsc-c/oci/lifecycle.h"
#include "runsc-c/oci/relay.h"
#include "runsc-c/oci/runtime.h"
#include "sentry/fs/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A descriptor of our own for what a process is to have, or an empty one where it has none. */
static int own_descriptor(int fd)
{
	struct stat status;

	if (fstat(fd, &status))
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	return host_stdio_prepare(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

int exec_start(const struct exec_request *request, struct failure *failure)
{
	const struct terminal *terminal = &request->terminal;
	auto_close int socket = sentry_connect(request->state, failure);
	int fds[CHANNEL_DESCRIPTORS_MAX];
	size_t count = 0;
	json_t *answer;

	if (socket < 0)
		return -1;
	if (request->preserved > CHANNEL_DESCRIPTORS_MAX - 8)
		return fail(failure, STATUS_INTERNAL, "--preserve-fds: too many");
	fds[count++] = document_file(request->process);
	if (terminal->fd >= 0)
		fds[count++] = host_stdio_prepare(fcntl(terminal->fd, F_DUPFD_CLOEXEC, 3));
	for (int fd = terminal->fd >= 0 ? 3 : 0; fd < 3 + request->preserved; fd++)
		fds[count++] = own_descriptor(fd == 0 && request->input ? request->input : fd);
	answer = sentry_call(socket,
		json_pack("{s:s, s:s, s:b, s:i, s:i}", "do", "exec", "id", request->state->id,
			"terminal", terminal->fd >= 0, "rows", terminal->rows, "columns",
			terminal->columns),
		fds, count, 0, failure);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	if (!answer)
		return -1;
	json_decref(answer);
	return steal_fd(&socket);
}

int exec_and_wait(const struct exec_request *request, struct failure *failure)
{
	auto_close int socket = exec_start(request, failure);
	json_t *message;
	int status;

	if (socket < 0)
		return -1;
	message = channel_receive(socket, NULL, NULL);
	status = message ? relay_exit_status(
				   (int)json_integer_value(json_object_get(message, "exited")))
			 : STATUS_INTERNAL;
	json_decref(message);
	return status;
}

/* --- the command --- */

struct exec_options {
	const char *process, *pid_file, *console_socket, *cwd, *user, *ignored;
	struct option_list environment, capabilities, groups;
	bool detached, terminal, no_new_privileges, ignore_paused, flag;
	int preserved;
};

static int set_user(json_t *process, const char *text, struct failure *failure)
{
	unsigned int uid, gid = 0;
	char rest;
	int count = sscanf(text, "%u:%u%c", &uid, &gid, &rest);

	if (count != 2 && (count != 1 || strchr(text, ':')))
		return fail(failure, STATUS_INTERNAL,
			"--user %s: not of the form UID[:GID] in numbers", text);
	(void)json_object_set_new(process, "user",
		json_pack("{s:I, s:I}", "uid", (json_int_t)uid, "gid", (json_int_t)gid));
	return 0;
}

static json_t *member_array(json_t *object, const char *name)
{
	json_t *array = json_object_get(object, name);

	if (!json_is_array(array)) {
		array = json_array();
		(void)json_object_set_new(object, name, array);
	}
	return array;
}

static void add_capabilities(json_t *process, const struct option_list *list)
{
	static const char *const sets[] = {"bounding", "effective", "permitted"};
	json_t *capabilities = json_object_get(process, "capabilities");

	if (!list->count)
		return;
	if (!json_is_object(capabilities)) {
		capabilities = json_object();
		(void)json_object_set_new(process, "capabilities", capabilities);
	}
	for (size_t i = 0; i < array_count(sets); i++) {
		for (size_t j = 0; j < list->count; j++)
			(void)json_array_append_new(
				member_array(capabilities, sets[i]), json_string(list->items[j]));
	}
}

/* The container's own process, changed as the options say. */
static int from_options(
	json_t *process, const struct exec_options *options, char **args, struct failure *failure)
{
	json_t *list = json_array(), *groups;

	for (; *args; args++)
		(void)json_array_append_new(list, json_string(*args));
	(void)json_object_set_new(process, "args", list);
	(void)json_object_set_new(process, "terminal", json_boolean(options->terminal));
	(void)json_object_del(process, "consoleSize");
	if (options->user && set_user(process, options->user, failure))
		return -1;
	if (options->cwd)
		(void)json_object_set_new(process, "cwd", json_string(options->cwd));
	if (options->no_new_privileges)
		(void)json_object_set_new(process, "noNewPrivileges", json_true());
	for (size_t i = 0; i < options->environment.count; i++)
		(void)json_array_append_new(
			member_array(process, "env"), json_string(options->environment.items[i]));
	add_capabilities(process, &options->capabilities);
	groups = options->groups.count
			 ? member_array(json_object_get(process, "user"), "additionalGids")
			 : NULL;
	for (size_t i = 0; i < options->groups.count; i++)
		(void)json_array_append_new(groups, json_integer(atoll(options->groups.items[i])));
	return 0;
}

static json_t *make_process(const struct state *state, const struct exec_options *options,
	char **args, struct failure *failure)
{
	json_t *process;

	if (options->process)
		return json_load_path(AT_FDCWD, options->process, options->process, failure);
	if (!*args) {
		(void)fail(failure, STATUS_INTERNAL,
			"exec: what shall run? Write `csandbox exec ID CMD`");
		return NULL;
	}
	process = json_deep_copy(json_object_get(state->json, "process"));
	if (!process || from_options(process, options, args, failure)) {
		if (!process)
			(void)fail(failure, STATUS_INTERNAL, "container not running");
		json_decref(process);
		return NULL;
	}
	return process;
}

static int open_terminal(
	struct exec_request *request, const struct exec_options *options, struct failure *failure)
{
	json_t *size = json_object_get(request->process, "consoleSize");

	request->terminal.fd = -1;
	if (!json_is_true(json_object_get(request->process, "terminal")) && !options->terminal)
		return 0;
	if (options->detached && !options->console_socket)
		return fail(failure, STATUS_INTERNAL,
			"exec: a detached process needs --console-socket for its terminal");
	return terminal_open(&request->terminal, options->console_socket,
		(uint32_t)json_integer_value(json_object_get(size, "height")),
		(uint32_t)json_integer_value(json_object_get(size, "width")), failure);
}

/* Stands for the process as long as it lives, or makes who does. */
static int follow(int socket, int signals, const struct exec_request *request,
	const struct exec_options *options, struct failure *failure)
{
	const struct terminal *terminal = &request->terminal;
	struct sandbox_console console;
	int pid;

	if (options->detached) {
		if (relay_detach(socket, signals, terminal->fd, NULL, &pid, failure) ||
			pid_file_write(options->pid_file, pid, failure))
			return 1;
		return 0;
	}
	if (pid_file_write(options->pid_file, getpid(), failure))
		return 1;
	if (terminal->is_callers)
		(void)console_open(STDIN_FILENO, &console);
	return relay_run(socket, signals, terminal->fd, terminal->is_callers);
}

static int run(struct state *state, const struct exec_options *options, char **args,
	struct failure *failure)
{
	struct exec_request request = {.state = state, .preserved = options->preserved};
	enum container_status status = state_status(state);
	auto_close int signals = -1, socket = -1;
	int result;

	if (status == CONTAINER_STOPPED)
		return fail(failure, STATUS_INTERNAL,
			"cannot exec in a stopped container: container not running");
	if (status == CONTAINER_PAUSED && !options->ignore_paused)
		return fail(failure, STATUS_INTERNAL,
			"cannot exec in a paused container (use --ignore-paused to override)");
	request.process = make_process(state, options, args, failure);
	if (!request.process || open_terminal(&request, options, failure)) {
		json_decref(request.process);
		return -1;
	}
	signals = relay_take_signals();
	socket = exec_start(&request, failure);
	result = socket < 0 ? -1 : follow(socket, signals, &request, options, failure);
	json_decref(request.process);
	return result;
}

int command_exec(int argc, char **argv, struct failure *failure)
{
	auto_free const char **room = calloc(3 * (size_t)argc + 3, sizeof(*room));
	struct exec_options options = {.environment.items = room,
		.capabilities.items = room + argc,
		.groups.items = room + 2 * argc};
	const struct option_row rows[] = {
		{"process", "p", OPTION_TEXT, &options.process, "FILE",
			"the process as in config.json; nothing else is needed then"},
		{"detach", "d", OPTION_FLAG, &options.detached, NULL, "return as soon as it runs"},
		{"pid-file", NULL, OPTION_TEXT, &options.pid_file, "FILE",
			"write the number of its process on the host there"},
		{"console-socket", NULL, OPTION_TEXT, &options.console_socket, "SOCKET",
			"where the terminal's other end is sent to"},
		{"tty", "t", OPTION_FLAG, &options.terminal, NULL, "on a terminal"},
		{"cwd", NULL, OPTION_TEXT, &options.cwd, "DIR", "the directory that it starts in"},
		{"env", "e", OPTION_LIST, &options.environment, "NAME=VALUE",
			"set a variable; may be given more than once"},
		{"user", "u", OPTION_TEXT, &options.user, "UID[:GID]",
			"run as this user and group"},
		{"additional-gids", "g", OPTION_LIST, &options.groups, "GID",
			"one more group; may be given more than once"},
		{"cap", "c", OPTION_LIST, &options.capabilities, "CAPABILITY",
			"one more capability; may be given more than once"},
		{"no-new-privs", NULL, OPTION_FLAG, &options.no_new_privileges, NULL,
			"no program gives it more privileges"},
		{"preserve-fds", NULL, OPTION_NUMBER, &options.preserved, "N",
			"pass N more descriptors on, from 3"},
		{"ignore-paused", NULL, OPTION_FLAG, &options.ignore_paused, NULL,
			"start it in a paused container, too"},
		{"no-subreaper", NULL, OPTION_FLAG, &options.flag, NULL,
			"accepted, without effect"},
		{"apparmor", NULL, OPTION_TEXT, &options.ignored, "PROFILE",
			"accepted, without effect"},
		{"process-label", NULL, OPTION_TEXT, &options.ignored, "LABEL",
			"accepted, without effect"},
		{"cgroup", NULL, OPTION_TEXT, &options.ignored, "PATH", "accepted, without effect"},
	};
	int at = options_take(argc, argv, rows, array_count(rows),
		    "exec [OPTION...] ID CMD [ARGUMENT...]\n       csandbox exec --process FILE "
		    "[OPTION...] ID",
		    failure),
	    result;
	struct state state;

	if (at < 0 || at >= argc) {
		if (at == argc)
			(void)fail(
				failure, STATUS_INTERNAL, "exec: the id of one container, please");
		return at > argc ? 0 : 255;
	}
	if (state_open(&state, argv[at], false, failure))
		return 255;
	at++;
	if (at < argc && !strcmp(argv[at], "--"))
		at++;
	result = run(&state, &options, argv + at, failure);
	state_close(&state);
	return result < 0 ? 255 : result;
}
