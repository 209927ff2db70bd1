/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack that a program starts on. From the top down: eight zero bytes, the path, the strings of
 * envp and argv, the platform's name, 16 random bytes; then, aligned to 16 at its low end: the
 * auxiliary vector, the pointers of envp and argv, argc. (fs/binfmt_elf.c: create_elf_tables)
 */
#include "loader/loader.h"

#include "abi/elf.h"
#include "abi/rseq.h"
#include "abi/time.h"
#include "base/compiler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STACK_END_SIZE	  sizeof(uint64_t)
#define STACK_RANDOM_SIZE 8192
#define AUXV_MAX	  24

static const char platform_name[] = "x86_64";

/* Guest addresses of the parts, filled from the top down. */
struct stack_layout {
	uint64_t path, envp, argv, platform, random, vector;
	struct linux_auxv auxv[AUXV_MAX];
	size_t auxv_count;
};

static void auxv_add(struct stack_layout *layout, uint64_t type, uint64_t value)
{
	layout->auxv[layout->auxv_count++] = (struct linux_auxv){type, value};
}

/* Linux's entries in Linux's order. */
static void fill_auxv(const struct loader_stack_request *request, struct stack_layout *layout)
{
	if (request->vdso)
		auxv_add(layout, LINUX_AT_SYSINFO_EHDR, request->vdso);
	auxv_add(layout, LINUX_AT_MINSIGSTKSZ, request->minsigstksz);
	auxv_add(layout, LINUX_AT_HWCAP, request->hwcap);
	auxv_add(layout, LINUX_AT_PAGESZ, PAGE_SIZE);
	auxv_add(layout, LINUX_AT_CLKTCK, LINUX_USER_HZ);
	auxv_add(layout, LINUX_AT_PHDR, request->phdr_address);
	auxv_add(layout, LINUX_AT_PHENT, sizeof(struct linux_elf64_phdr));
	auxv_add(layout, LINUX_AT_PHNUM, request->phdr_count);
	auxv_add(layout, LINUX_AT_BASE, request->interpreter_base);
	auxv_add(layout, LINUX_AT_FLAGS, request->preserve_argv0 ? 1 : 0);
	auxv_add(layout, LINUX_AT_ENTRY, request->entry);
	auxv_add(layout, LINUX_AT_UID, request->uid);
	auxv_add(layout, LINUX_AT_EUID, request->euid);
	auxv_add(layout, LINUX_AT_GID, request->gid);
	auxv_add(layout, LINUX_AT_EGID, request->egid);
	auxv_add(layout, LINUX_AT_SECURE, request->secure);
	auxv_add(layout, LINUX_AT_RANDOM, layout->random);
	auxv_add(layout, LINUX_AT_HWCAP2, request->hwcap2);
	auxv_add(layout, LINUX_AT_EXECFN, layout->path);
	auxv_add(layout, LINUX_AT_PLATFORM, layout->platform);
	auxv_add(layout, LINUX_AT_RSEQ_FEATURE_SIZE, LINUX_RSEQ_FEATURE_SIZE);
	auxv_add(layout, LINUX_AT_RSEQ_ALIGN, LINUX_RSEQ_ALIGN);
	auxv_add(layout, LINUX_AT_NULL, 0);
}

static uint64_t vector_words(const struct loader_arguments *arguments)
{
	return 1 + arguments->argv.count + 1 + arguments->envp.count + 1;
}

static int lay_out(const struct loader_stack_request *request, struct stack_layout *layout)
{
	const struct loader_arguments *arguments = request->arguments;
	const size_t path_size = strlen(arguments->path) + 1;
	/* An upper bound: all strings obey LINUX_MAX_ARG_SIZE, so the sum does not wrap. */
	const uint64_t needed = STACK_END_SIZE + path_size + arguments->envp.size +
				arguments->argv.size + STACK_RANDOM_SIZE + PAGE_SIZE +
				vector_words(arguments) * sizeof(uint64_t) + sizeof(layout->auxv);
	uint64_t position = request->stack_top;

	if (needed > position)
		return -E2BIG;
	position -= STACK_END_SIZE + path_size;
	layout->path = position;
	position -= arguments->envp.size;
	layout->envp = position;
	position -= arguments->argv.size;
	layout->argv = position;
	position = (position - request->random % STACK_RANDOM_SIZE) & ~15ULL;
	position -= sizeof(platform_name);
	layout->platform = position;
	position -= sizeof(request->random_bytes);
	layout->random = position;
	fill_auxv(request, layout);
	position -= layout->auxv_count * sizeof(struct linux_auxv);
	layout->vector = (position - vector_words(arguments) * sizeof(uint64_t)) & ~15ULL;
	return 0;
}

/*
 * Writes the addresses of strings that begin at address, and a null pointer; returns what follows.
 */
static uint64_t *write_pointers(
	uint64_t *words, const struct loader_strings *strings, uint64_t address)
{
	size_t offset = 0;

	for (size_t i = 0; i < strings->count; i++) {
		*words++ = address + offset;
		offset += strlen(strings->bytes + offset) + 1;
	}
	*words++ = 0;
	return words;
}

static void copy_strings(uint8_t *destination, const struct loader_strings *strings)
{
	if (strings->size)
		memcpy(destination, strings->bytes, strings->size);
}

int loader_build_stack(const struct loader_stack_request *request, struct loader_stack *stack)
{
	const struct loader_arguments *arguments = request->arguments;
	struct stack_layout layout = {0};
	uint64_t *words;
	uint8_t *bytes;
	int error;

	*stack = (struct loader_stack){0};
	error = lay_out(request, &layout);
	if (error)
		return error;
	stack->size = request->stack_top - layout.vector;
	bytes = calloc(1, stack->size);
	if (!bytes)
		return -ENOMEM;
	strcpy((char *)bytes + (layout.path - layout.vector), arguments->path);
	copy_strings(bytes + (layout.envp - layout.vector), &arguments->envp);
	copy_strings(bytes + (layout.argv - layout.vector), &arguments->argv);
	memcpy(bytes + (layout.platform - layout.vector), platform_name, sizeof(platform_name));
	memcpy(bytes + (layout.random - layout.vector), request->random_bytes,
		sizeof(request->random_bytes));
	words = (uint64_t *)bytes;
	*words++ = arguments->argv.count;
	words = write_pointers(words, &arguments->argv, layout.argv);
	words = write_pointers(words, &arguments->envp, layout.envp);
	stack->auxv_size = layout.auxv_count * sizeof(struct linux_auxv);
	memcpy(words, layout.auxv, stack->auxv_size);
	stack->auxv = layout.vector + ((uint8_t *)words - bytes);
	stack->bytes = bytes;
	stack->stack_pointer = layout.vector;
	stack->arg_start = layout.argv;
	stack->arg_end = stack->env_start = layout.envp;
	stack->env_end = layout.path;
	return 0;
}

void loader_stack_free(struct loader_stack *stack)
{
	free(stack->bytes);
	*stack = (struct loader_stack){0};
}
