/* SPDX-License-Identifier: Apache-2.0 */
/* `csandbox install`: what makes podman, containerd, docker and Kubernetes know this runtime. */
#include "base/cleanup.h"
#include "runsc-c/oci/json_reader.h"
#include "runsc-c/oci/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct snippet {
	const char *engine, *path, *note, *format;
};

/* Drop-in files are whole files of ours; the others are merged, or shown where only a person can.
 */
static const struct snippet snippets[] = {
	{"podman", "/etc/containers/containers.conf.d/csandbox.conf",
		"podman --runtime csandbox run ...",
		"# Makes `podman --runtime csandbox` work.\n[engine.runtimes]\ncsandbox = "
		"[\"%s\"]\n"},
	{"containerd", "/etc/containerd/conf.d/csandbox.toml",
		"add imports = [\"/etc/containerd/conf.d/*.toml\"] to /etc/containerd/config.toml, "
		"once",
		"version = "
		"2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.csandbox]\n"
		"  runtime_type = \"io.containerd.runc.v2\"\n"
		"  pod_annotations = [\"org.csandbox.*\"]\n"
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.csandbox.options]\n"
		"  BinaryName = \"%s\"\n"},
	{"kubernetes", NULL, "kubectl apply -f -; pods say runtimeClassName: csandbox",
		"apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata:\n  name: "
		"csandbox\nhandler: csandbox\n"},
};

static void print(const struct snippet *snippet, const char *program)
{
	printf("# %s%s%s\n# %s\n", snippet->engine, snippet->path ? ": " : "",
		snippet->path ? snippet->path : "", snippet->note);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	printf(snippet->format, program);
#pragma GCC diagnostic pop
	putchar('\n');
}

static int write_file(const char *path, const char *text, struct failure *failure)
{
	char directory[PATH_MAX];
	auto_close int fd = -1;

	snprintf(directory, sizeof(directory), "%s", path);
	for (char *slash = strchr(directory + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(directory, 0755) && errno != EEXIST)
			return fail_errno(failure, errno, "install: cannot make %s", directory);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return fail_errno(failure, errno, "install: cannot write %s", path);
	printf("wrote %s\n", path);
	return 0;
}

static int install(const struct snippet *snippet, const char *program, const char *prefix,
	struct failure *failure)
{
	char *text, *path;
	int result;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (!snippet->path || asprintf(&text, snippet->format, program) < 0)
		return 0;
#pragma GCC diagnostic pop
	if (asprintf(&path, "%s%s", prefix, snippet->path) < 0) {
		free(text);
		return fail_errno(failure, ENOMEM, "install");
	}
	result = write_file(path, text, failure);
	if (!result)
		printf("%s: %s\n", snippet->engine, snippet->note);
	free(text);
	free(path);
	return result;
}

/* --- docker's one file is shared with its other settings --- */

static json_t *docker_settings(json_t *before, const char *program)
{
	json_t *settings = before ? before : json_object(),
	       *runtimes = json_object_get(settings, "runtimes");

	if (!json_is_object(runtimes)) {
		runtimes = json_object();
		(void)json_object_set_new(settings, "runtimes", runtimes);
	}
	(void)json_object_set_new(runtimes, "csandbox", json_pack("{s:s}", "path", program));
	return settings;
}

static int install_docker(const char *program, const char *prefix, struct failure *failure)
{
	json_t *before = NULL, *settings;
	char path[PATH_MAX];
	char *text;
	int result;

	snprintf(path, sizeof(path), "%s/etc/docker/daemon.json", prefix);
	if (!access(path, F_OK)) {
		before = json_load_path(AT_FDCWD, path, path, failure);
		if (!before)
			return -1;
	}
	settings = docker_settings(before, program);
	text = json_dumps(settings, JSON_INDENT(2));
	json_decref(settings);
	result = text ? write_file(path, text, failure) : fail_errno(failure, ENOMEM, "install");
	free(text);
	return result;
}

static void print_docker(const char *program)
{
	json_t *settings = docker_settings(NULL, program);

	puts("# docker: /etc/docker/daemon.json\n# docker run --runtime csandbox ...");
	(void)json_dumpf(settings, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(settings);
}

static bool is_wanted(const struct option_list *engines, const char *engine)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (!strcmp(engines->items[i], engine))
			return true;
	}
	return !engines->count;
}

int command_install(int argc, char **argv, struct failure *failure)
{
	auto_free const char **room = calloc((size_t)argc + 1, sizeof(*room));
	struct option_list engines = {.items = room};
	bool print_only = false;
	const char *prefix = "";
	const struct option_row rows[] = {
		{"print", NULL, OPTION_FLAG, &print_only, NULL, "print the pieces, write nothing"},
		{"engine", NULL, OPTION_LIST, &engines, "ENGINE",
			"podman, containerd, docker or kubernetes; may be given more than once"},
		{"prefix", NULL, OPTION_TEXT, &prefix, "DIR", "write below DIR instead of /"}};
	int at = options_take(argc, argv, rows, array_count(rows), "install [OPTION...]", failure);
	char program[PATH_MAX] = "";

	if (at != argc)
		return at > argc ? 0 : 1;
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0) {
		(void)fail_errno(failure, errno, "install: cannot find the program itself");
		return 1;
	}
	for (size_t i = 0; i < array_count(snippets); i++) {
		if (!is_wanted(&engines, snippets[i].engine))
			continue;
		if (print_only || !snippets[i].path)
			print(&snippets[i], program);
		else if (install(&snippets[i], program, prefix, failure))
			return 1;
	}
	if (is_wanted(&engines, "docker") && print_only)
		print_docker(program);
	else if (is_wanted(&engines, "docker") && install_docker(program, prefix, failure))
		return 1;
	return 0;
}
