/* SPDX-License-Identifier: Apache-2.0 */
/* The command `csandbox`: finds the subcommand. Each has a file of its own. */
#include "runsc-c/command.h"
#include "runsc-c/oci/runtime.h"
#include "runsc-c/oci/spec.h"

#include <stdio.h>
#include <string.h>

struct subcommand {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
	{"run", "run a program in a new sandbox", command_run},
	{"trace", "the same, and write down what it does", command_run},
};

static void print_help(FILE *out)
{
	fprintf(out, "Usage: csandbox COMMAND [OPTION...] [ARGUMENT...]\n"
		     "Runs programs on a Linux kernel of their own, in user space.\n\nCommands:\n");
	for (size_t i = 0; i < array_count(subcommands); i++)
		fprintf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
	fprintf(out, "\nAs the OCI runtime of podman, containerd, docker, Kubernetes; see also "
		     "docs/oci.md:\n");
	runtime_print_commands(out);
	fprintf(out, "\nOptions:\n"
		     "  -h, --help  this text; `csandbox COMMAND --help` for one command\n"
		     "  --version   the version\n\nThe manual page csandbox(1) has it all.\n");
}

/* With the prefixes that engines look for. */
static void print_version(void)
{
	printf("csandbox %s\nrunc version %s\ncommit: %s\nspec: %s\n", CSANDBOX_VERSION,
		CSANDBOX_VERSION, CSANDBOX_VERSION, OCI_VERSION);
}

static int run_subcommand(int argc, char **argv)
{
	struct failure failure;
	int status;

	if (runtime_main(argc, argv, &status))
		return status;
	for (size_t i = 0; i < array_count(subcommands); i++) {
		if (!strcmp(argv[0], subcommands[i].name))
			return subcommands[i].run(argc, argv);
	}
	(void)fail(&failure, STATUS_INTERNAL,
		"there is no command %s; try `csandbox --help`, or `csandbox run -- %s`", argv[0],
		argv[0]);
	failure_print(&failure);
	return failure.status;
}

int main(int argc, char **argv)
{
	struct failure failure = {0};
	int used = runtime_take_options(argc, argv, &failure);

	if (used < 0) {
		failure_print(&failure);
		return failure.status;
	}
	if (used >= argc) {
		print_help(stderr);
		return STATUS_INTERNAL;
	}
	if (!strcmp(argv[used], "--help") || !strcmp(argv[used], "-h") ||
		!strcmp(argv[used], "help")) {
		print_help(stdout);
		return 0;
	}
	if (!strcmp(argv[used], "--version") || !strcmp(argv[used], "-v")) {
		print_version();
		return 0;
	}
	return run_subcommand(argc - used, argv + used);
}
