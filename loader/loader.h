/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader/ - from the bytes of a program to a plan of how to load it.
 *
 * The room is pure: it maps, opens and reads nothing, and takes randomness as arguments, so that
 * hostile files can be tried on it alone. execve(2) reads the bytes, hands them in, and carries the
 * plan out:
 *
 *     loader_identify        ELF, #! script, or neither, from the first bytes
 *     loader_parse_script    the line of a script: interpreter and argument
 *     loader_parse_header    the ELF header: where the program headers are
 *     loader_parse_segments  the program headers: what to map, which interpreter
 *     loader_place ...       where things go in the address space
 *     loader_arguments_...   argv and envp, gathered within Linux's limits
 *     loader_build_stack     the bytes that a program finds at its stack pointer
 *     loader_parse_dynamic   the shared libraries that a file links to
 *
 * Errors are what execve(2) returns. Those that Linux finds only after the old program is gone,
 * when all it can do is kill the task with SIGSEGV, are kept apart: they are called late.
 */
#pragma once

#include "abi/limits.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- what it is (script.c) --- */

/*
 * As many bytes of a file as loader_identify and loader_parse_script look at; shorter files give
 * fewer.
 */
#define LOADER_HEAD_SIZE LINUX_BINPRM_BUF_SIZE

enum loader_format { LOADER_NEITHER, LOADER_ELF, LOADER_SCRIPT };

enum loader_format loader_identify(const void *bytes, size_t size);

struct loader_script {
	char interpreter[LOADER_HEAD_SIZE];
	char argument[LOADER_HEAD_SIZE]; /* one, with the blanks inside it */
	bool has_argument;
};

/* Linux follows at most this many interpreters of interpreters; ELOOP then. */
#define LOADER_SCRIPT_DEPTH 5

/* -ENOEXEC if the line names no interpreter or its path may be cut off. */
must_check int loader_parse_script(const void *bytes, size_t size, struct loader_script *script);

/* --- ELF (elf.c) --- */

/*
 * The program that was asked for, or the interpreter that its PT_INTERP names: their errors
 * differ.
 */
enum loader_role { LOADER_PROGRAM, LOADER_INTERPRETER };

/* The most bytes of program headers that are accepted. */
#define LOADER_PHDR_MAX 65536

struct loader_header {
	uint16_t type; /* LINUX_ET_EXEC, LINUX_ET_DYN */
	uint64_t entry;
	uint64_t phdr_offset; /* in the file: phdr_size bytes are to be read from there */
	uint32_t phdr_count;
	uint32_t phdr_size;
};

/*
 * Takes the first bytes of the file, 64 or more unless the file is shorter. -ENOEXEC; -ELIBBAD,
 * -EIO.
 */
must_check int loader_parse_header(
	const void *bytes, size_t size, enum loader_role role, struct loader_header *header);

struct loader_segment {
	uint64_t address; /* p_vaddr, before the bias */
	uint64_t file_offset;
	uint64_t file_size;
	uint64_t memory_size;
	int protection; /* LINUX_PROT_* */
};

struct loader_image {
	uint16_t type;
	uint64_t entry; /* this and all addresses below are before the bias */
	struct loader_segment *segments;
	size_t segment_count;
	uint64_t min_address, total_size; /* of all segments, in whole pages; 0 if there are none */
	uint64_t alignment;		  /* the greatest p_align, at least a page */
	uint64_t start_code, end_code, start_data, end_data, brk;
	uint64_t phdr_address; /* where the program headers lie in memory, for AT_PHDR */
	uint32_t phdr_count;
	bool has_interpreter;
	uint64_t interpreter_offset; /* in the file */
	uint32_t interpreter_size;   /* 2 to LINUX_PATH_MAX, with the zero byte at its end */
	uint64_t dynamic_offset, dynamic_size; /* in the file: PT_DYNAMIC; 0: there is none */
	bool executable_stack;
	int late_error; /* 0, or a negative errno: see above */
};

/*
 * phdrs: the header.phdr_size bytes, or fewer if the file ends there (-EIO). -ENOEXEC, -ENOMEM. The
 * image owns memory when 0 is returned.
 */
must_check int loader_parse_segments(const struct loader_header *header, const void *phdrs,
	size_t size, enum loader_role role, struct loader_image *image);
void loader_image_free(struct loader_image *image);

/*
 * The bytes of PT_INTERP are a path: 0, -ENOEXEC if no zero byte ends them, -EIO if fewer than
 * asked for were there.
 */
must_check int loader_check_interpreter(
	const struct loader_image *image, const char *bytes, size_t size);

/* --- where it goes (layout.c) --- */

/* Guest addresses that may be used: [min, max). */
struct loader_limits {
	uint64_t min, max;
};

/*
 * Where a program goes. True: at *bias. False: anywhere; ask for loader_span() bytes as mmap(2)
 * without a hint does, and loader_bias_at() tells the bias for the address that came back.
 * Interpreters always go anywhere unless they are ET_EXEC. random: any 64 bits, 0 without address
 * space randomisation.
 */
must_check bool loader_place(
	const struct loader_image *image, enum loader_role role, uint64_t random, uint64_t *bias);
uint64_t loader_span(const struct loader_image *image);
uint64_t loader_bias_at(const struct loader_image *image, uint64_t address);

/* With its bias: does all of it lie within the limits? 0, or a late error. */
must_check int loader_check_placement(
	const struct loader_image *image, uint64_t bias, const struct loader_limits *limits);

/* How one segment is mapped, in whole pages, in this order; parts of length 0 are left out. */
struct loader_mapping {
	uint64_t address, length, file_offset; /* private, from the file, with protection */
	uint64_t zero_start, zero_length; /* bytes to clear at the end of that, if it is writable */
	uint64_t anonymous_address, anonymous_length;
	int protection;
	int anonymous_protection;
};
void loader_plan_segment(
	const struct loader_segment *segment, uint64_t bias, struct loader_mapping *mapping);

/* The highest address that mmap(2) gives out, the end of the stack, and the start of the heap. */
uint64_t loader_mmap_base(
	const struct loader_limits *limits, uint64_t stack_rlimit, uint64_t random);
uint64_t loader_stack_top(const struct loader_limits *limits, uint64_t random);
uint64_t loader_brk_start(const struct loader_image *image, uint64_t bias,
	const struct loader_limits *limits, uint64_t random);
/* A hint where to map the vDSO and what goes before it, size bytes together. */
uint64_t loader_vdso_hint(
	const struct loader_limits *limits, uint64_t stack_top, uint64_t size, uint64_t random);

/* --- argv and envp (arguments.c) --- */

/* Strings one after the other, each with its zero byte. */
struct loader_strings {
	char *bytes;
	size_t size, capacity;
	size_t count;
};

struct loader_arguments {
	struct loader_strings argv, envp;
	char *path;	 /* AT_EXECFN */
	uint64_t budget; /* bytes that strings may still take */
};

/*
 * Knowing how many strings will come. stack_rlimit is the soft RLIMIT_STACK. -E2BIG, -ENOMEM. With
 * argc 0 an empty argv[0] is added, as Linux does.
 */
must_check int loader_arguments_init(struct loader_arguments *arguments, uint64_t stack_rlimit,
	size_t argc, size_t envc, const char *path);
void loader_arguments_free(struct loader_arguments *arguments);

/* Appends one of length bytes, without its zero byte, to argv or envp. -E2BIG, -ENOMEM. */
must_check int loader_arguments_add(struct loader_arguments *arguments,
	struct loader_strings *strings, const char *string, size_t length);
/*
 * The same without a copy: room for size bytes at the end of argv or envp; when a string of length
 * bytes and its zero byte were written there, commit it.
 */
must_check int loader_arguments_room(struct loader_arguments *arguments,
	struct loader_strings *strings, size_t size, char **room);
must_check int loader_arguments_commit(
	struct loader_arguments *arguments, struct loader_strings *strings, size_t length);
/*
 * For a script: argv[0] gives way to interpreter, argument and the script's path. -E2BIG, -ENOMEM.
 */
must_check int loader_arguments_script(
	struct loader_arguments *arguments, const struct loader_script *script, const char *path);

/* --- the stack (stack.c) --- */

struct loader_stack_request {
	const struct loader_arguments *arguments;
	uint64_t stack_top;	  /* the end of the stack's mapping */
	uint64_t random;	  /* moves the stack pointer down by less than two pages */
	uint8_t random_bytes[16]; /* AT_RANDOM */
	uint64_t hwcap, hwcap2;	  /* the processor's, as the host's own vector tells them */
	uint64_t phdr_address, phdr_count, interpreter_base,
		entry;	      /* AT_PHDR, AT_PHNUM, AT_BASE, AT_ENTRY: with bias */
	uint64_t vdso;	      /* 0: none */
	uint64_t minsigstksz; /* what a signal frame takes */
	uint32_t uid, euid, gid, egid;
	bool secure;
	bool preserve_argv0;
};

/* Bytes for [stack_pointer, stack_top), and where in guest memory the parts of it are. */
struct loader_stack {
	uint8_t *bytes;
	size_t size;
	uint64_t stack_pointer;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t auxv;
	size_t auxv_size; /* bytes; the vector lies at bytes + (auxv - stack_pointer) */
};

/* -ENOMEM; -E2BIG if it does not fit below stack_top. */
must_check int loader_build_stack(
	const struct loader_stack_request *request, struct loader_stack *stack);
void loader_stack_free(struct loader_stack *stack);

/* --- shared libraries (dynamic.c, library_cache.c) --- */

/* More entries of a dynamic section are not looked at. */
#define LOADER_DYNAMIC_MAX 65536

/* What ld.so(8) goes by. Strings start at these offsets in the file. */
struct loader_dynamic {
	uint64_t *needed; /* owned */
	size_t needed_count;
	uint64_t rpath, runpath; /* 0: none */
};

/*
 * bytes: size bytes of the file from image->dynamic_offset on. -ENOEXEC if it has names, but no
 * table of strings within a segment; -ENOMEM.
 */
must_check int loader_parse_dynamic(const struct loader_image *image, const void *bytes,
	size_t size, struct loader_dynamic *dynamic);
void loader_dynamic_free(struct loader_dynamic *dynamic);

/*
 * The paths that /etc/ld.so.cache (ldconfig(8), the format since glibc 2.2) has for the name of an
 * x86-64 library, one by one: NULL after the last. position starts as 0. What is returned lies
 * within bytes.
 */
const char *loader_library_cache_next(
	const void *bytes, size_t size, const char *name, size_t *position);
