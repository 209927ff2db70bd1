/* SPDX-License-Identifier: Apache-2.0 */
/* Flags and choices of system calls as text, by the words of abi/syscalls.def. */
#include "sentry/trace/decode.h"
#include "sentry/trace/decode_names.h"

#include "abi/fanotify.h"
#include "abi/fcntl.h"
#include "abi/sched.h"
#include "abi/socket.h"

#include <string.h>

const struct decode_names *decode_names_find(const char *word, size_t size)
{
	static const struct decode_names *const families[] = {
		g_names_of_files, g_names_of_memory, g_names_of_processes, g_names_of_sockets};

	for (size_t i = 0; i < array_count(families); i++) {
		for (const struct decode_names *names = families[i]; names->word; names++) {
			if (strlen(names->word) == size && !strncmp(names->word, word, size))
				return names;
		}
	}
	return NULL;
}

static void show_choice(struct sink *sink, const struct decode_names *names, uint64_t value)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->names[i].value == value) {
			sink_text(sink, names->names[i].name);
			return;
		}
	}
	sink_printf(sink, value < 10 ? "%lu" : "%#lx", value);
}

/* The access mode, the class of a group, the type of a socket and the signal of an end are fields
 * of their own, of which 0 or 1 is a value. */
static uint64_t show_field(
	struct sink *sink, const struct decode_names *names, uint64_t value, bool *first)
{
	static const char *const socket_types[] = {
		NULL, "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"};
	uint64_t type = value & LINUX_SOCK_TYPE_MASK;

	if (!strcmp(names->word, "open_flags") && !(value & LINUX_O_ACCMODE)) {
		sink_text(sink, "O_RDONLY");
		*first = false;
	} else if (!strcmp(names->word, "fanotify_init_flags") &&
		   !(value & (LINUX_FAN_CLASS_CONTENT | LINUX_FAN_CLASS_PRE_CONTENT))) {
		sink_text(sink, "FAN_CLASS_NOTIF");
		*first = false;
	} else if (!strcmp(names->word, "socket_type") && type &&
		   type < array_count(socket_types)) {
		sink_text(sink, socket_types[type]);
		*first = false;
		return value & ~(uint64_t)LINUX_SOCK_TYPE_MASK;
	} else if (!strcmp(names->word, "clone_flags") && (value & LINUX_CSIGNAL)) {
		decode_signal_name(sink, (int)(value & LINUX_CSIGNAL));
		*first = false;
		return value & ~(uint64_t)LINUX_CSIGNAL;
	}
	return value;
}

static void show_mask(struct sink *sink, const struct decode_names *names, uint64_t value)
{
	bool first = true;

	value = show_field(sink, names, value, &first);
	for (size_t i = 0; i < names->count && value; i++) {
		uint64_t bits = names->names[i].value;

		if (!bits || (value & bits) != bits)
			continue;
		if (!first)
			sink_char(sink, '|');
		sink_text(sink, names->names[i].name);
		first = false;
		value &= ~bits;
	}
	if (value) {
		if (!first)
			sink_char(sink, '|');
		sink_printf(sink, "%#lx", value);
	} else if (first) {
		sink_text(sink, names->zero ? names->zero : "0");
	}
}

void decode_value(struct sink *sink, const struct decode_names *names, uint64_t value)
{
	/* All of these are ints, or have nothing in their upper half. */
	value &= UINT32_MAX;
	if (names->is_mask)
		show_mask(sink, names, value);
	else
		show_choice(sink, names, value);
}
