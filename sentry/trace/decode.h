/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of system calls as text: the words of abi/syscalls.def, a function for each. What a
 * guest gives is bounded and escaped: the text is printable ASCII, apart from DECODE_SEPARATOR
 * between arguments.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/mm/mm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

#define DECODE_SEPARATOR '\x1f'
#define DECODE_ARGUMENTS 6

/* Text of bounded size; what does not fit is left out. */
struct sink {
	char *text;
	size_t size, capacity;
};

void sink_char(struct sink *sink, char c);
void sink_text(struct sink *sink, const char *text);
void sink_printf(struct sink *sink, const char *format, ...) format_(2, 3);
/* In quotes, with C's escapes. */
void sink_quoted(struct sink *sink, const void *bytes, size_t size);

/* A call as its decoders see it. */
struct decoded_call {
	struct task *task; /* current */
	uint64_t number;
	uint64_t arguments[DECODE_ARGUMENTS];
	int64_t result; /* at the exit */
	bool at_exit, failed;
};

/* What writes nothing leaves the argument out. */
typedef void decode_function(
	struct sink *sink, const struct decoded_call *call, unsigned int index);

/* A set of names: of single bits or fields, or of values. */
struct decode_names {
	const char *word;
	bool is_mask;
	const char *zero; /* what 0 is called; NULL: 0 */
	const struct decode_name {
		uint64_t value;
		const char *name;
	} * names;
	size_t count;
};

/* What a word of abi/syscalls.def means; exactly one of the two. */
struct decoder {
	decode_function *function;
	const struct decode_names *names;
	bool at_exit;	  /* what it shows is there when the call returns */
	bool is_mode;	  /* only calls that may make a file have it */
	bool is_optional; /* shown at the exit, and not in every call: it may write nothing */
};

/* False for a word that nobody knows. */
must_check bool decoder_find(const char *word, size_t size, struct decoder *out);
void decode_argument(struct sink *sink, const struct decoder *decoder,
	const struct decoded_call *call, unsigned int index);
/* decode_flags.c */
const struct decode_names *decode_names_find(const char *word, size_t size);
void decode_value(struct sink *sink, const struct decode_names *names, uint64_t value);
/* decode_structs.c */
decode_function *decode_struct_find(const char *word, size_t size);
/* decode_keys.c */
decode_function *decode_key_find(const char *word, size_t size);
/* Shared by the two: a descriptor with its path, an address, and a string of the guest's. */
void decode_fd(struct sink *sink, struct task *task, int fd);
void decode_address(struct sink *sink, uint64_t address);
void decode_string(struct sink *sink, struct task *task, gaddr_t address);
void decode_bytes(struct sink *sink, struct task *task, gaddr_t address, uint64_t size);
void decode_signal_name(struct sink *sink, int signal);
