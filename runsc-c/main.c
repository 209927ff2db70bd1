/* SPDX-License-Identifier: Apache-2.0 */
/* The command `csandbox`: finds the subcommand. Each has a file of its own. */
#include "runsc-c/command.h"

#include <stdio.h>
#include <string.h>

struct subcommand {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
	{"run", "run a program in a new sandbox", command_run},
};

static void print_help(FILE *out)
{
	fprintf(out, "Usage: csandbox COMMAND [OPTION...] [ARGUMENT...]\n"
		     "Runs programs on a Linux kernel of their own, in user space.\n\nCommands:\n");
	for (size_t i = 0; i < array_count(subcommands); i++)
		fprintf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
	fprintf(out, "\nOptions:\n"
		     "  --help     this text; `csandbox COMMAND --help` for one command\n"
		     "  --version  the version\n\nThe manual page csandbox(1) has it all.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return STATUS_INTERNAL;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("csandbox %s\n", CSANDBOX_VERSION);
		return 0;
	}
	for (size_t i = 0; i < array_count(subcommands); i++) {
		if (!strcmp(argv[1], subcommands[i].name))
			return subcommands[i].run(argc - 1, argv + 1);
	}
	struct failure failure;

	(void)fail(&failure, STATUS_INTERNAL,
		"there is no command %s; try `csandbox --help`, or `csandbox run -- %s`", argv[1], argv[1]);
	failure_print(&failure);
	return failure.status;
}
