/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runsc-c/oci/ - the command as an OCI runtime: config.json in, a container's life out.
 *
 * Global options stand before the subcommand, as engines write them. Each subcommand has a file of
 * its own; it gets its arguments with its own name as argv[0], and returns the status to exit with,
 * or fills the failure, which runtime_main() prints and logs.
 */
#pragma once

#include "base/compiler.h"
#include "runsc-c/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct runtime_options {
	char *root;	       /* the directory of all state */
	const char *log;       /* NULL: none */
	const char *debug_log; /* of sentries; NULL: none */
	bool log_json, systemd_cgroup;
	bool user_systemd; /* the caller is not root of the host: the user's systemd is asked */
	bool has_global;   /* any was given */
};
extern struct runtime_options g_runtime;

/* Takes global options off the front; how many arguments were used, or -1 with failure filled. */
int runtime_take_options(int argc, char **argv, struct failure *failure);
/* True if the subcommand is one of the runtime's; *status is what to exit with. */
bool runtime_main(int argc, char **argv, int *status);
/* For `--help`: the subcommands, and the global options. */
void runtime_print_commands(FILE *out);
/* To --log: a line of "level", "msg" and "time". */
void runtime_log(const char *level, const char *message);

/* Options of a subcommand, by a table; --name VALUE, --name=VALUE and -n. */
struct option_row {
	const char *name, *letter; /* letter NULL: none */
	enum { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_LIST } kind;
	void *value;		     /* bool *, const char **, int *, struct option_list * */
	const char *argument, *help; /* for --help; argument NULL: it takes none */
};
struct option_list {
	const char **items;
	size_t count;
};
/* The index of the first argument that is no option, or -1 with failure filled. --help answers and
 * returns argc + 1. */
int options_take(int argc, char **argv, const struct option_row *rows, size_t count,
	const char *usage, struct failure *failure);
/* The one argument that a subcommand takes. NULL, and failure is filled, if there is none or one
 * too many. */
const char *options_one(int argc, char **argv, int at, const char *what, struct failure *failure);

int command_create(int argc, char **argv, struct failure *failure);
int command_run_bundle(int argc, char **argv, struct failure *failure);
int command_start(int argc, char **argv, struct failure *failure);
int command_state(int argc, char **argv, struct failure *failure);
int command_kill(int argc, char **argv, struct failure *failure);
int command_delete(int argc, char **argv, struct failure *failure);
int command_exec(int argc, char **argv, struct failure *failure);
int command_ps(int argc, char **argv, struct failure *failure);
int command_list(int argc, char **argv, struct failure *failure);
int command_pause(int argc, char **argv, struct failure *failure);
int command_resume(int argc, char **argv, struct failure *failure);
int command_update(int argc, char **argv, struct failure *failure);
int command_events(int argc, char **argv, struct failure *failure);
int command_features(int argc, char **argv, struct failure *failure);
int command_spec(int argc, char **argv, struct failure *failure);
int command_wait(int argc, char **argv, struct failure *failure);
int command_checkpoint(int argc, char **argv, struct failure *failure);
int command_install(int argc, char **argv, struct failure *failure);
