/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.seccomp, turned by libseccomp into a program for the guests' own kernel. The host never
 * sees it.
 *
 * A call that this libseccomp does not know is left out, as other runtimes do: the default action
 * holds for it.
 */
#include "abi/bpf.h"
#include "abi/seccomp.h"
#include "base/cleanup.h"
#include "runsc-c/oci/spec.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const actions[] = {"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
	"SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE",
	"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", NULL};

static int read_action(struct reader *reader, json_t *object, const char *name,
	const char *errno_name, uint32_t *action)
{
	const char *word;
	uint32_t error = EPERM;
	int number;

	if (read_required_string(reader, object, name, &word) ||
		read_u32(reader, object, errno_name, &error))
		return -1;
	if (!strcmp(word, "SCMP_ACT_NOTIFY"))
		return reader_fail(reader, "%s: SCMP_ACT_NOTIFY is not supported", name);
	number = read_word(reader, word, actions);
	if (number < 0)
		return -1;
	if (error > 4095)
		return reader_fail(reader, "%s: out of range", errno_name);
	*action = (const uint32_t[]){SCMP_ACT_KILL_THREAD, SCMP_ACT_KILL_PROCESS,
		SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO(error), SCMP_ACT_TRACE(error),
		SCMP_ACT_ALLOW, SCMP_ACT_LOG}[number];
	return 0;
}

static int read_argument(struct reader *reader, json_t *object, void *out)
{
	static const char *const operators[] = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",
		"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL};
	struct scmp_arg_cmp *compare = out;
	uint64_t index = 0, value = 0, value_two = 0;
	const char *word;
	int number;

	if (read_unsigned(reader, object, "index", 5, &index) ||
		read_unsigned(reader, object, "value", UINT64_MAX, &value) ||
		read_unsigned(reader, object, "valueTwo", UINT64_MAX, &value_two) ||
		read_required_string(reader, object, "op", &word))
		return -1;
	number = read_word(reader, word, operators);
	if (number < 0)
		return -1;
	*compare = (struct scmp_arg_cmp){.arg = (unsigned int)index,
		.op = (enum scmp_compare)(number + 1),
		.datum_a = value,
		.datum_b = value_two};
	return 0;
}

struct rule {
	const char *const *names;
	uint32_t action;
	struct scmp_arg_cmp *arguments;
	size_t argument_count;
};

static int read_rule(struct reader *reader, json_t *object, void *out)
{
	struct rule *rule = out;
	void *arguments = NULL;
	size_t count;

	if (read_strings(reader, object, "names", &rule->names, &count) ||
		read_action(reader, object, "action", "errnoRet", &rule->action) ||
		read_objects(reader, object, "args", sizeof(struct scmp_arg_cmp), read_argument,
			&arguments, &rule->argument_count))
		return -1;
	if (!count)
		return reader_fail(reader, "names: missing");
	if (rule->argument_count > 1000)
		return reader_fail(reader, "args: more than 1000");
	rule->arguments = arguments;
	return 0;
}

static bool has_repeated_index(const struct rule *rule)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < rule->argument_count; i++) {
		unsigned int bit = 1u << rule->arguments[i].arg;

		if (seen & bit)
			return true;
		seen |= bit;
	}
	return false;
}

/* Conditions hold together, but several on one argument stand for one rule each, as runc has it. */
static int add_call(scmp_filter_ctx filter, const struct rule *rule, int call)
{
	int error = 0;

	if (!has_repeated_index(rule))
		return seccomp_rule_add_array(filter, rule->action, call,
			(unsigned int)rule->argument_count, rule->arguments);
	for (size_t i = 0; i < rule->argument_count && !error; i++)
		error = seccomp_rule_add_array(filter, rule->action, call, 1, &rule->arguments[i]);
	return error;
}

static int add_rule(struct reader *reader, scmp_filter_ctx filter, const struct rule *rule,
	uint32_t default_action)
{
	if (rule->action == default_action)
		return 0;
	for (size_t i = 0; rule->names[i]; i++) {
		int call = seccomp_syscall_resolve_name(rule->names[i]), error;

		if (call == __NR_SCMP_ERROR)
			continue;
		error = add_call(filter, rule, call);
		if (error && error != -EEXIST)
			return reader_fail(reader, "syscalls: %s: libseccomp: %s", rule->names[i],
				strerror(-error));
	}
	return 0;
}

static int take_program(struct reader *reader, scmp_filter_ctx filter, struct oci_seccomp *seccomp)
{
	auto_close int fd = memfd_create("seccomp", MFD_CLOEXEC);
	off_t size;

	if (fd < 0 || seccomp_export_bpf(filter, fd))
		return reader_fail(reader, "libseccomp cannot make a program of it");
	size = lseek(fd, 0, SEEK_END);
	seccomp->count = (size_t)size / sizeof(*seccomp->program);
	if (size <= 0 || seccomp->count > LINUX_BPF_MAXINSNS)
		return reader_fail(reader, "the program is too long");
	seccomp->program = arena_allocate(reader->arena, seccomp->count, sizeof(*seccomp->program));
	if (!seccomp->program || pread(fd, seccomp->program, (size_t)size, 0) != size)
		return reader_fail(reader, "no memory");
	return 0;
}

static int compile(struct reader *reader, uint32_t default_action, const struct rule *rules,
	size_t count, struct oci_seccomp *seccomp)
{
	scmp_filter_ctx filter = seccomp_init(default_action);
	int result = filter ? 0 : reader_fail(reader, "defaultAction: libseccomp refuses it");

	/* Other tables of system calls than the 64-bit one are not there to be filtered. */
	if (!result)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!result)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < count && !result; i++)
		result = add_rule(reader, filter, &rules[i], default_action);
	if (!result)
		result = take_program(reader, filter, seccomp);
	seccomp_release(filter);
	return result;
}

static int read_flags(struct reader *reader, json_t *object, struct oci_seccomp *seccomp)
{
	static const char *const known[] = {"SECCOMP_FILTER_FLAG_TSYNC",
		"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG", NULL};
	const char *const *flags = NULL;
	size_t count;

	if (read_strings(reader, object, "flags", &flags, &count))
		return -1;
	for (size_t i = 0; i < count; i++) {
		int number = read_word(reader, flags[i], known);

		if (number < 0)
			return -1;
		seccomp->log |= number == 2;
	}
	return 0;
}

/* --- a program that was compiled before: the sentry itself makes no files --- */

static const char hex_digits[] = "0123456789abcdef";

static int read_compiled(struct reader *reader, const char *text, struct oci_seccomp *seccomp)
{
	size_t size = strlen(text) / 2;
	uint8_t *bytes = arena_allocate(reader->arena, size + 1, 1);

	seccomp->count = size / sizeof(*seccomp->program);
	if (!bytes || !seccomp->count || seccomp->count > LINUX_BPF_MAXINSNS)
		return reader_fail(reader, "compiled: no program");
	for (size_t i = 0; i < 2 * size; i++) {
		const char *digit = strchr(hex_digits, text[i]);

		if (!digit)
			return reader_fail(reader, "compiled: no program");
		bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (digit - hex_digits));
	}
	seccomp->program = (struct linux_sock_filter *)(void *)bytes;
	seccomp->given = true;
	return 0;
}

json_t *oci_seccomp_compiled(const struct oci_seccomp *seccomp)
{
	const uint8_t *bytes = (const uint8_t *)seccomp->program;
	size_t size = seccomp->count * sizeof(*seccomp->program);
	auto_free char *text = malloc(2 * size + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++) {
		text[2 * i] = hex_digits[bytes[i] >> 4];
		text[2 * i + 1] = hex_digits[bytes[i] & 15];
	}
	text[2 * size] = '\0';
	return json_pack("{s:s, s:b}", "compiled", text, "log", seccomp->log);
}

int oci_read_seccomp(struct reader *reader, json_t *object, struct oci_seccomp *seccomp)
{
	json_t *section = NULL;
	const char *compiled = NULL;
	uint32_t default_action = 0;
	void *rules = NULL;
	size_t count, mark;

	if (read_object(reader, object, "seccomp", &section))
		return -1;
	if (!section)
		return 0;
	mark = reader_enter(reader, "seccomp");
	if (reader->from_command) {
		if (read_required_string(reader, section, "compiled", &compiled) ||
			read_bool(reader, section, "log", &seccomp->log) ||
			read_compiled(reader, compiled, seccomp))
			return -1;
		reader_leave(reader, mark);
		return 0;
	}
	if (read_action(reader, section, "defaultAction", "defaultErrnoRet", &default_action) ||
		read_flags(reader, section, seccomp) ||
		refuse(reader, section, "listenerPath", "calls are decided by the filter alone") ||
		read_objects(reader, section, "syscalls", sizeof(struct rule), read_rule, &rules,
			&count) ||
		compile(reader, default_action, rules, count, seccomp))
		return -1;
	seccomp->given = true;
	reader_leave(reader, mark);
	return 0;
}
