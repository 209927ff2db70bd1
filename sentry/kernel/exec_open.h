/* SPDX-License-Identifier: Apache-2.0 */
/* exec's own: opening what is to be run, down to the ELF file behind scripts, and reading its
 * headers. */
#pragma once

#include "loader/loader.h"
#include "sentry/kernel/exec.h"

struct file;

/* An ELF file with its headers. */
struct exec_elf {
	struct file *file; /* a reference, write access denied */
	struct loader_header header;
	struct loader_image image;
};

/* The program that a request comes to in the end, scripts followed. */
must_check int exec_open_program(
	struct task *task, const struct exec_request *request, struct exec_elf *elf);
/* The interpreter of a dynamic program. elf->file stays NULL if it has none. */
must_check int exec_open_interpreter(
	struct task *task, const struct exec_elf *program, struct exec_elf *elf);
void exec_elf_close(struct exec_elf *elf);
