/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of add_key(2), request_key(2) and keyctl(2), whose meaning the operation tells. */
#include "sentry/trace/decode.h"

#include "abi/keyctl.h"
#include "abi/names.h"
#include "base/compiler.h"

#include <string.h>

#define OPERATION(name_, arguments_) [LINUX_##name_] = {#name_, arguments_}
#define NAME(name_)                                                                                \
	{                                                                                          \
		(uint64_t)(LINUX_##name_), #name_                                                  \
	}
#define RIGHTS(who_, shift_)                                                                       \
	{(uint64_t)LINUX_KEY_VIEW << (shift_), "KEY_" who_ "_VIEW"},                               \
		{(uint64_t)LINUX_KEY_READ << (shift_), "KEY_" who_ "_READ"},                       \
		{(uint64_t)LINUX_KEY_WRITE << (shift_), "KEY_" who_ "_WRITE"},                     \
		{(uint64_t)LINUX_KEY_SEARCH << (shift_), "KEY_" who_ "_SEARCH"},                   \
		{(uint64_t)LINUX_KEY_LINK << (shift_), "KEY_" who_ "_LINK"},                       \
	{                                                                                          \
		(uint64_t) LINUX_KEY_SETATTR << (shift_), "KEY_" who_ "_SETATTR"                   \
	}

/*
 * One letter for each argument after the operation: k a key, s a string, b bytes of the size that
 * follows, o what is put out as a string, O as bytes, v vectors, d a number, u one without a sign,
 * h a hexadecimal one, i an id, p permissions, e an errno, q a default keyring, m flags of a move.
 */
static const struct {
	const char *name, *arguments;
} operations[] = {
	OPERATION(KEYCTL_GET_KEYRING_ID, "kd"),
	OPERATION(KEYCTL_JOIN_SESSION_KEYRING, "s"),
	OPERATION(KEYCTL_UPDATE, "kbu"),
	OPERATION(KEYCTL_REVOKE, "k"),
	OPERATION(KEYCTL_CHOWN, "kii"),
	OPERATION(KEYCTL_SETPERM, "kp"),
	OPERATION(KEYCTL_DESCRIBE, "kou"),
	OPERATION(KEYCTL_CLEAR, "k"),
	OPERATION(KEYCTL_LINK, "kk"),
	OPERATION(KEYCTL_UNLINK, "kk"),
	OPERATION(KEYCTL_SEARCH, "kssk"),
	OPERATION(KEYCTL_READ, "kOu"),
	OPERATION(KEYCTL_INSTANTIATE, "kbuk"),
	OPERATION(KEYCTL_NEGATE, "kuk"),
	OPERATION(KEYCTL_SET_REQKEY_KEYRING, "q"),
	OPERATION(KEYCTL_SET_TIMEOUT, "ku"),
	OPERATION(KEYCTL_ASSUME_AUTHORITY, "k"),
	OPERATION(KEYCTL_GET_SECURITY, "kou"),
	OPERATION(KEYCTL_SESSION_TO_PARENT, ""),
	OPERATION(KEYCTL_REJECT, "kuek"),
	OPERATION(KEYCTL_INSTANTIATE_IOV, "kvuk"),
	OPERATION(KEYCTL_INVALIDATE, "k"),
	OPERATION(KEYCTL_GET_PERSISTENT, "ik"),
	OPERATION(KEYCTL_RESTRICT_KEYRING, "kss"),
	OPERATION(KEYCTL_MOVE, "kkkm"),
	OPERATION(KEYCTL_CAPABILITIES, "hu"),
};

static const struct decode_name special_names[] = {
	NAME(KEY_SPEC_THREAD_KEYRING),
	NAME(KEY_SPEC_PROCESS_KEYRING),
	NAME(KEY_SPEC_SESSION_KEYRING),
	NAME(KEY_SPEC_USER_KEYRING),
	NAME(KEY_SPEC_USER_SESSION_KEYRING),
	NAME(KEY_SPEC_GROUP_KEYRING),
	NAME(KEY_SPEC_REQKEY_AUTH_KEY),
	NAME(KEY_SPEC_REQUESTOR_KEYRING),
};

static const struct decode_name default_names[] = {
	NAME(KEY_REQKEY_DEFL_NO_CHANGE),
	NAME(KEY_REQKEY_DEFL_DEFAULT),
	NAME(KEY_REQKEY_DEFL_THREAD_KEYRING),
	NAME(KEY_REQKEY_DEFL_PROCESS_KEYRING),
	NAME(KEY_REQKEY_DEFL_SESSION_KEYRING),
	NAME(KEY_REQKEY_DEFL_USER_KEYRING),
	NAME(KEY_REQKEY_DEFL_USER_SESSION_KEYRING),
	NAME(KEY_REQKEY_DEFL_GROUP_KEYRING),
	NAME(KEY_REQKEY_DEFL_REQUESTOR_KEYRING),
};

static const struct decode_name right_names[] = {
	RIGHTS("POS", 24),
	RIGHTS("USR", 16),
	RIGHTS("GRP", 8),
	RIGHTS("OTH", 0),
};

static const struct decode_name move_names[] = {NAME(KEYCTL_MOVE_EXCL)};

static const struct decode_names rights = {.word = "key_rights",
	.is_mask = true,
	.names = right_names,
	.count = array_count(right_names)};
static const struct decode_names move_flags = {.word = "keyctl_move",
	.is_mask = true,
	.names = move_names,
	.count = array_count(move_names)};

/* A name, or the number. */
static void named(struct sink *sink, const struct decode_name *names, size_t count, int value)
{
	for (size_t i = 0; i < count; i++) {
		if ((int)names[i].value == value) {
			sink_text(sink, names[i].name);
			return;
		}
	}
	sink_printf(sink, "%d", value);
}

static void show_key(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	named(sink, special_names, array_count(special_names), (int)call->arguments[index]);
}

static bool is_known(const struct decoded_call *call)
{
	uint32_t operation = (uint32_t)call->arguments[0];

	return operation < array_count(operations) && operations[operation].name;
}

static void show_operation(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	if (is_known(call))
		sink_text(sink, operations[(uint32_t)call->arguments[index]].name);
	else
		sink_printf(sink, "%#x /* KEYCTL_??? */", (unsigned int)call->arguments[index]);
}

/* What does not fit is not put out. */
static void show_output(
	struct sink *sink, const struct decoded_call *call, unsigned int index, bool text)
{
	uint64_t address = call->arguments[index], room = call->arguments[index + 1];

	if (call->failed || (uint64_t)call->result > room)
		decode_address(sink, address);
	else if (text)
		decode_string(sink, call->task, address);
	else
		decode_bytes(sink, call->task, address, (uint64_t)call->result);
}

static void show_error(struct sink *sink, int error)
{
	const char *name = linux_errno_name(error);

	if (name)
		sink_text(sink, name);
	else
		sink_printf(sink, "%d", error);
}

static void show_as(
	struct sink *sink, const struct decoded_call *call, unsigned int index, char kind)
{
	uint64_t value = call->arguments[index];

	switch (kind) {
	case 'k':
		show_key(sink, call, index);
		break;
	case 's':
		decode_string(sink, call->task, value);
		break;
	case 'b':
		decode_bytes(sink, call->task, value, call->arguments[index + 1]);
		break;
	case 'o':
	case 'O':
		show_output(sink, call, index, kind == 'o');
		break;
	case 'v':
		decode_struct_find("iovec_in", strlen("iovec_in"))(sink, call, index);
		break;
	case 'd':
	case 'i':
		sink_printf(sink, kind == 'd' || (uint32_t)value == UINT32_MAX ? "%d" : "%u",
			(int)value);
		break;
	case 'p':
		decode_value(sink, &rights, (uint32_t)value);
		break;
	case 'e':
		show_error(sink, (int)value);
		break;
	case 'q':
		named(sink, default_names, array_count(default_names), (int)value);
		break;
	case 'm':
		decode_value(sink, &move_flags, (uint32_t)value);
		break;
	case 'u':
		sink_printf(sink, "%lu", (unsigned long)value);
		break;
	default:
		sink_printf(sink, value ? "%#lx" : "%lx", (unsigned long)value);
	}
}

static void show_argument(struct sink *sink, const struct decoded_call *call, unsigned int index)
{
	const char *kinds =
		is_known(call) ? operations[(uint32_t)call->arguments[0]].arguments : "hhhh";

	if (index <= strlen(kinds))
		show_as(sink, call, index, kinds[index - 1]);
}

decode_function *decode_key_find(const char *word, size_t size)
{
	static const struct {
		const char *word;
		decode_function *function;
	} words[] = {
		{"key", show_key},
		{"keyctl", show_operation},
		{"keyctl_arg", show_argument},
		{"keyctl_arg_out", show_argument},
	};

	for (size_t i = 0; i < array_count(words); i++)
		if (strlen(words[i].word) == size && !strncmp(words[i].word, word, size))
			return words[i].function;
	return NULL;
}
