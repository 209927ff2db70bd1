/* SPDX-License-Identifier: Apache-2.0 */
/* The process object of config.json, which `exec --process` takes as well. */
#include "abi/ioprio.h"
#include "abi/limits.h"
#include "abi/sched.h"
#include "runsc-c/oci/spec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STRINGS_MAX (1u << 20)

/* By number. */
const char *const oci_capability_names[] = {"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
	"CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
	"CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
	"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE", NULL};

/* By number. */
static const char *const limit_names[] = {"RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA",
	"RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC", "RLIMIT_NOFILE",
	"RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE",
	"RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME", NULL};

int oci_capability_number(const char *name)
{
	for (int i = 0; oci_capability_names[i]; i++) {
		if (!strcasecmp(oci_capability_names[i], name) ||
			!strcasecmp(oci_capability_names[i] + 4, name))
			return i;
	}
	return -1;
}

/* A capability that this kernel does not know cannot be granted: it is left out, as runc does with
 * a warning. */
static int read_set(struct reader *reader, json_t *object, const char *name, uint64_t *set)
{
	const char *const *words = NULL;
	size_t count;

	if (read_strings(reader, object, name, &words, &count))
		return -1;
	for (size_t i = 0; i < count; i++) {
		int number = oci_capability_number(words[i]);

		if (number >= 0)
			*set |= 1ull << number;
	}
	return 0;
}

static int read_capabilities(
	struct reader *reader, json_t *process, struct process_capabilities *capabilities)
{
	json_t *object = NULL;
	size_t mark;

	if (read_object(reader, process, "capabilities", &object))
		return -1;
	if (!object)
		return 0;
	mark = reader_enter(reader, "capabilities");
	if (read_set(reader, object, "bounding", &capabilities->bounding) ||
		read_set(reader, object, "effective", &capabilities->effective) ||
		read_set(reader, object, "inheritable", &capabilities->inheritable) ||
		read_set(reader, object, "permitted", &capabilities->permitted) ||
		read_set(reader, object, "ambient", &capabilities->ambient))
		return -1;
	reader_leave(reader, mark);
	return 0;
}

struct limit {
	int number;
	struct linux_rlimit64 value;
};

static int read_limit(struct reader *reader, json_t *object, void *out)
{
	struct limit *limit = out;
	const char *type;

	if (read_required_string(reader, object, "type", &type))
		return -1;
	limit->number = read_word(reader, type, limit_names);
	if (limit->number < 0 ||
		read_unsigned(reader, object, "soft", UINT64_MAX, &limit->value.rlim_cur) ||
		read_unsigned(reader, object, "hard", UINT64_MAX, &limit->value.rlim_max))
		return -1;
	if (limit->value.rlim_cur > limit->value.rlim_max)
		return reader_fail(reader, "soft is more than hard");
	return 0;
}

static int read_limits(struct reader *reader, json_t *object, struct oci_process *process)
{
	void *items = NULL;
	struct limit *limits;
	size_t count;

	if (read_objects(reader, object, "rlimits", sizeof(*limits), read_limit, &items, &count))
		return -1;
	limits = items;
	for (size_t i = 0; i < count; i++) {
		uint32_t bit = 1u << limits[i].number;

		if (process->limits_given & bit)
			return reader_fail(
				reader, "rlimits: %s twice", limit_names[limits[i].number]);
		process->limits_given |= bit;
		process->limits[limits[i].number] = limits[i].value;
	}
	return 0;
}

static int read_groups(struct reader *reader, json_t *user, struct oci_process *process)
{
	json_t *array = NULL;
	size_t count;

	if (read_array(reader, user, "additionalGids", &array))
		return -1;
	if (!array)
		return 0;
	count = json_array_size(array);
	if (count > LINUX_NGROUPS_MAX)
		return reader_fail(reader, "additionalGids: more than %d", LINUX_NGROUPS_MAX);
	process->groups = arena_allocate(reader->arena, count + 1, sizeof(uint32_t));
	if (!process->groups)
		return reader_fail(reader, "no memory");
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_array_get(array, i);

		if (!json_is_number(value) || json_number_value(value) < 0 ||
			json_number_value(value) >= UINT32_MAX)
			return reader_fail(reader, "additionalGids[%zu]: not a group id", i);
		process->groups[i] = (uint32_t)json_number_value(value);
	}
	process->group_count = count;
	return 0;
}

static int read_user(struct reader *reader, json_t *object, struct oci_process *process)
{
	json_t *user = NULL;
	uint64_t umask = UINT64_MAX;
	size_t mark;

	if (read_object(reader, object, "user", &user))
		return -1;
	if (!user)
		return 0;
	mark = reader_enter(reader, "user");
	if (read_u32(reader, user, "uid", &process->uid) ||
		read_u32(reader, user, "gid", &process->gid) || read_groups(reader, user, process))
		return -1;
	if (process->uid == UINT32_MAX || process->gid == UINT32_MAX)
		return reader_fail(reader, "no id is that large");
	if (json_object_get(user, "umask") && read_unsigned(reader, user, "umask", 0777, &umask))
		return -1;
	process->has_umask = umask != UINT64_MAX;
	process->umask = process->has_umask ? (uint32_t)umask : 0022;
	reader_leave(reader, mark);
	return 0;
}

static int read_scheduler(struct reader *reader, json_t *object, struct oci_process *process)
{
	/* By number; DEADLINE needs reservations that a kernel in user space cannot give. */
	static const char *const policies[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",
		"SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE", NULL};
	json_t *scheduler = NULL;
	const char *policy = "";
	int64_t nice = 0, priority = 0;
	size_t mark;
	int number;

	if (read_object(reader, object, "scheduler", &scheduler))
		return -1;
	if (!scheduler)
		return 0;
	mark = reader_enter(reader, "scheduler");
	if (read_required_string(reader, scheduler, "policy", &policy))
		return -1;
	number = read_word(reader, policy, policies);
	if (number < 0 || read_integer(reader, scheduler, "nice", -20, 19, &nice) ||
		read_integer(reader, scheduler, "priority", 0, 99, &priority))
		return -1;
	if (number == 4 || number == 6)
		return reader_fail(reader, "policy: %s is not supported", policy);
	process->policy = (uint32_t)number;
	process->nice = (int)nice;
	process->priority = (uint32_t)priority;
	reader_leave(reader, mark);
	return 0;
}

static int read_ioprio(struct reader *reader, json_t *object, struct oci_process *process)
{
	static const char *const classes[] = {"IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT",
		"IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", NULL};
	json_t *priority = NULL;
	const char *name = "";
	int64_t level = 0;
	int number;

	if (read_object(reader, object, "ioPriority", &priority))
		return -1;
	if (!priority)
		return 0;
	if (read_required_string(reader, priority, "class", &name) ||
		read_integer(reader, priority, "priority", 0, 7, &level))
		return -1;
	number = read_word(reader, name, classes);
	if (number < 0)
		return -1;
	process->ioprio = number << 13 | (int)level;
	return 0;
}

/* "0-3,7": a list as cpusets have it. */
static int read_processors(struct reader *reader, json_t *object, const char *name, cpu_set_t *set)
{
	const char *text = "";
	char *end;

	CPU_ZERO(set);
	if (read_string(reader, object, name, &text))
		return -1;
	for (; *text; text = *end == ',' ? end + 1 : end) {
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end != text && *end == '-')
			last = strtoul(end + 1, &end, 10);
		if (*text < '0' || *text > '9' || first > last || last >= CPU_SETSIZE ||
			(*end && (*end != ',' || !end[1])))
			return reader_fail(reader, "%s: not a list of processors", name);
		for (unsigned long cpu = first; cpu <= last; cpu++)
			CPU_SET(cpu, set);
	}
	return 0;
}

/* Of processes that join later. Where they begin before that is of no importance to a sandbox. */
static int read_affinity(struct reader *reader, json_t *object, struct oci_process *process)
{
	json_t *affinity = NULL;
	cpu_set_t initial, *final;
	size_t mark;

	if (read_object(reader, object, "execCPUAffinity", &affinity))
		return -1;
	if (!affinity)
		return 0;
	mark = reader_enter(reader, "execCPUAffinity");
	final = arena_allocate(reader->arena, 1, sizeof(*final));
	if (!final)
		return reader_fail(reader, "no memory");
	if (read_processors(reader, affinity, "initial", &initial) ||
		read_processors(reader, affinity, "final", final))
		return -1;
	process->processors = CPU_COUNT(final) ? final : NULL;
	reader_leave(reader, mark);
	return 0;
}

static int read_console_size(struct reader *reader, json_t *object, struct oci_process *process)
{
	json_t *size = NULL;

	if (read_object(reader, object, "consoleSize", &size))
		return -1;
	if (!size)
		return 0;
	return read_u32(reader, size, "height", &process->console_rows) ||
			       read_u32(reader, size, "width", &process->console_columns)
		       ? -1
		       : 0;
}

static int check(struct reader *reader, const struct oci_process *process, size_t args, size_t envs)
{
	if (!process->args || !args)
		return reader_fail(reader, "args: must not be empty");
	if (args > STRINGS_MAX || envs > STRINGS_MAX)
		return reader_fail(reader, "args, env: more than %u", STRINGS_MAX);
	if (!process->cwd || process->cwd[0] != '/')
		return reader_fail(reader, "cwd: must be an absolute path");
	return 0;
}

int oci_read_process(struct reader *reader, json_t *object, struct oci_process *process)
{
	static const char *const empty[] = {NULL};
	size_t mark = reader_enter(reader, "process"), args = 0, envs = 0;
	int64_t oom_score_adj = 0;

	process->umask = 0022;
	process->env = empty;
	if (read_bool(reader, object, "terminal", &process->terminal) ||
		read_console_size(reader, object, process) || read_user(reader, object, process) ||
		read_strings(reader, object, "args", &process->args, &args) ||
		read_strings(reader, object, "env", &process->env, &envs) ||
		read_string(reader, object, "cwd", &process->cwd) ||
		read_capabilities(reader, object, &process->capabilities) ||
		read_limits(reader, object, process) ||
		read_bool(reader, object, "noNewPrivileges", &process->no_new_privileges) ||
		read_integer(reader, object, "oomScoreAdj", -1000, 1000, &oom_score_adj) ||
		read_string(reader, object, "apparmorProfile", &process->apparmor_profile) ||
		read_string(reader, object, "selinuxLabel", &process->selinux_label) ||
		read_scheduler(reader, object, process) || read_ioprio(reader, object, process) ||
		read_affinity(reader, object, process))
		return -1;
	process->has_oom_score_adj = json_object_get(object, "oomScoreAdj");
	process->oom_score_adj = (int)oom_score_adj;
	if (check(reader, process, args, envs))
		return -1;
	reader_leave(reader, mark);
	return 0;
}
