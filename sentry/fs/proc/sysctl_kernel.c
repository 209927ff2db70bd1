/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/sys/kernel (proc_sys_kernel(5)).
 *
 * Of what can be set, hostname, domainname, yama/ptrace_scope and System V IPC's limits have an
 * effect; the rest is kept.
 */
#include "sentry/fs/proc/sysctl.h"

#include "abi/capability.h"
#include "abi/limits.h"
#include "sentry/kernel/ipc_namespace.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/random.h"
#include "sentry/kernel/task.h"
#include "sentry/keys/key.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#define CORE_PATTERN_MAX 128

/* --- names of the system --- */

static int show_uts(const struct proc_context *context, struct text_writer *out)
{
	struct linux_new_utsname name = {0};

	if (!current)
		return -ESRCH;
	uts_namespace_read(current->nsproxy->uts, &name);
	text_printf(out, "%s\n", (const char *)&name + context->entry->data);
	return 0;
}

static int64_t store_uts(const struct proc_context *context, const char *text, size_t size)
{
	bool domain = context->entry->data == offsetof(struct linux_new_utsname, domainname);
	struct uts_namespace *uts = current->nsproxy->uts;

	if (!cred_capable_in(current->cred, uts->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	uts_namespace_set(uts, domain, text, min_u64(strcspn(text, "\n"), LINUX_NEW_UTS_LEN));
	return (int64_t)size;
}

#define UTS(name_, mode_, field, store_)                                                           \
	{                                                                                          \
		SYSCTL_BASE(name_, mode_), .show = show_uts, .store = (store_),                    \
					   .data = offsetof(struct linux_new_utsname, field)       \
	}

/* --- core_pattern --- */

static char core_pattern[CORE_PATTERN_MAX] = "core";
static pthread_mutex_t core_pattern_lock = PTHREAD_MUTEX_INITIALIZER;

static int show_core_pattern(const struct proc_context *context, struct text_writer *out)
{
	pthread_mutex_lock(&core_pattern_lock);
	text_printf(out, "%s\n", core_pattern);
	pthread_mutex_unlock(&core_pattern_lock);
	return 0;
}

static int64_t store_core_pattern(const struct proc_context *context, const char *text, size_t size)
{
	size_t length = min_u64(strcspn(text, "\n"), CORE_PATTERN_MAX - 1);

	pthread_mutex_lock(&core_pattern_lock);
	memcpy(core_pattern, text, length);
	core_pattern[length] = '\0';
	pthread_mutex_unlock(&core_pattern_lock);
	return (int64_t)size;
}

/* --- random --- */

static void show_uuid(struct text_writer *out, const uint8_t bytes[16])
{
	for (int i = 0; i < 16; i++)
		text_printf(
			out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
	text_append(out, "\n", 1);
}

static void make_uuid(uint8_t bytes[16])
{
	random_bytes(bytes, 16);
	bytes[6] = (uint8_t)((bytes[6] & 15) | 0x40); /* version 4 */
	bytes[8] = (uint8_t)((bytes[8] & 63) | 0x80);
}

static int show_fresh_uuid(const struct proc_context *context, struct text_writer *out)
{
	uint8_t bytes[16];

	make_uuid(bytes);
	show_uuid(out, bytes);
	return 0;
}

static uint8_t boot_id[16];

static void make_boot_id(void)
{
	make_uuid(boot_id);
}

static int show_boot_id(const struct proc_context *context, struct text_writer *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_boot_id);
	show_uuid(out, boot_id);
	return 0;
}

static const struct proc_entry random_entries[] = {
	SYSCTL_FILE("boot_id", 0444, show_boot_id, NULL),
	SYSCTL_TEXT("entropy_avail", "256"),
	SYSCTL_TEXT("poolsize", "256"),
	SYSCTL_NUMBER("urandom_min_reseed_secs", 60, 0, INT32_MAX),
	SYSCTL_FILE("uuid", 0444, show_fresh_uuid, NULL),
	SYSCTL_NUMBER("write_wakeup_threshold", 256, 0, INT32_MAX),
};
static PROC_DIRECTORY(random_directory, random_entries);

/* --- yama --- */

static int show_ptrace_scope(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%d\n", ptrace_scope());
	return 0;
}

static int64_t store_ptrace_scope(const struct proc_context *context, const char *text, size_t size)
{
	int64_t value, error = proc_parse_integer(text, 0, 3, &value);

	if (error)
		return error;
	if (!cred_capable_in(current->cred, user_namespace_initial(), LINUX_CAP_SYS_PTRACE))
		return -EPERM;
	error = ptrace_scope_set((int)value);
	return error ? error : (int64_t)size;
}

static const struct proc_entry yama_entries[] = {
	SYSCTL_FILE("ptrace_scope", 0644, show_ptrace_scope, store_ptrace_scope),
};
static PROC_DIRECTORY(yama_directory, yama_entries);

/* --- seccomp, keys, pty --- */

#define SECCOMP_ACTIONS "kill_process kill_thread trap errno user_notif trace log allow"

static const struct proc_entry seccomp_entries[] = {
	SYSCTL_TEXT("actions_avail", SECCOMP_ACTIONS),
	SYSCTL_TEXT("actions_logged", "kill_process kill_thread trap errno user_notif trace log"),
};
static PROC_DIRECTORY(seccomp_directory, seccomp_entries);

static int show_key_limit(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%lld\n", (long long)g_key_limits[context->entry->data]);
	return 0;
}

static int64_t store_key_limit(const struct proc_context *context, const char *text, size_t size)
{
	bool seconds = context->entry->data == KEY_GC_DELAY ||
		       context->entry->data == KEY_PERSISTENT_EXPIRY;
	int64_t value, error = proc_parse_integer(text, seconds ? 0 : 1, INT32_MAX, &value);

	if (error)
		return error;
	g_key_limits[context->entry->data] = value;
	return (int64_t)size;
}

#define KEY_LIMIT(name_, limit_)                                                                   \
	{                                                                                          \
		SYSCTL_BASE(name_, 0644), .show = show_key_limit, .store = store_key_limit,        \
					  .data = (limit_)                                         \
	}

static const struct proc_entry keys_entries[] = {
	KEY_LIMIT("gc_delay", KEY_GC_DELAY),
	KEY_LIMIT("maxbytes", KEY_MAXBYTES),
	KEY_LIMIT("maxkeys", KEY_MAXKEYS),
	KEY_LIMIT("persistent_keyring_expiry", KEY_PERSISTENT_EXPIRY),
	KEY_LIMIT("root_maxbytes", KEY_ROOT_MAXBYTES),
	KEY_LIMIT("root_maxkeys", KEY_ROOT_MAXKEYS),
};
static PROC_DIRECTORY(keys_directory, keys_entries);

static const struct proc_entry pty_entries[] = {
	SYSCTL_TEXT("max", "1024"),
	SYSCTL_TEXT("nr", "0"),
	SYSCTL_TEXT("reserve", "0"),
};
static PROC_DIRECTORY(pty_directory, pty_entries);

/* --- the rest --- */

/* The last number of the caller's namespace; who may choose the next one's predecessor is told that
 * it cannot be. */
static int show_last_pid(const struct proc_context *context, struct text_writer *out)
{
	mutex_guard(&g_tasks.lock);
	text_printf(out, "%d\n", current ? task_pid_namespace(current)->last_pid : 0);
	return 0;
}

static const struct proc_entry entries[] = {
	SYSCTL_NUMBER("acct", 4, 0, INT32_MAX),
	SYSCTL_TEXT("arch", "x86_64"),
	SYSCTL_NUMBER("auto_msgmni", 0, 0, 1),
	SYSCTL_TEXT("bootloader_type", "114"),
	SYSCTL_TEXT("bootloader_version", "2"),
	SYSCTL_TEXT("cad_pid", "1"),
	SYSCTL_TEXT("cap_last_cap", "40"),
	SYSCTL_FILE("core_pattern", 0644, show_core_pattern, store_core_pattern),
	SYSCTL_NUMBER("core_pipe_limit", 0, 0, INT32_MAX),
	SYSCTL_NUMBER("core_uses_pid", 0, 0, INT32_MAX),
	SYSCTL_NUMBER("ctrl-alt-del", 0, 0, INT32_MAX),
	SYSCTL_NUMBER("dmesg_restrict", 1, 0, 1),
	UTS("domainname", 0644, domainname, store_uts),
	UTS("hostname", 0644, nodename, store_uts),
	SYSCTL_NUMBER("hung_task_timeout_secs", 120, 0, INT32_MAX),
	SYSCTL_NUMBER("io_uring_disabled", 2, 0, 2),
	SYSCTL_NUMBER("kexec_load_disabled", 1, 1, 1),
	SYSCTL_DIRECTORY("keys", &keys_directory),
	SYSCTL_NUMBER("kptr_restrict", 1, 0, 2),
	SYSCTL_NUMBER("modules_disabled", 1, 1, 1),
	SYSCTL_IPC("msgmax", IPC_MSGMAX),
	SYSCTL_IPC("msgmnb", IPC_MSGMNB),
	SYSCTL_IPC("msgmni", IPC_MSGMNI),
	SYSCTL_TEXT("ngroups_max", "65536"),
	SYSCTL_NUMBER("nmi_watchdog", 0, 0, 1),
	SYSCTL_FILE("ns_last_pid", 0444, show_last_pid, NULL),
	SYSCTL_TEXT("numa_balancing", "0"),
	UTS("osrelease", 0444, release, NULL),
	UTS("ostype", 0444, sysname, NULL),
	SYSCTL_TEXT("overflowgid", "65534"),
	SYSCTL_TEXT("overflowuid", "65534"),
	SYSCTL_NUMBER("panic", 0, INT32_MIN, INT32_MAX),
	SYSCTL_NUMBER("panic_on_oops", 0, 0, 1),
	SYSCTL_NUMBER("perf_cpu_time_max_percent", 25, 0, 100),
	SYSCTL_NUMBER("perf_event_max_sample_rate", 100000, 1, INT32_MAX),
	SYSCTL_NUMBER("perf_event_mlock_kb", 516, 0, INT32_MAX),
	SYSCTL_NUMBER("perf_event_paranoid", 3, -1, 4),
	SYSCTL_TEXT("pid_max", "32768"),
	SYSCTL_TEXT("poweroff_cmd", "/sbin/poweroff"),
	SYSCTL_NUMBER("print-fatal-signals", 0, 0, 1),
	SYSCTL_TEXT("printk", "4\t4\t1\t7"),
	SYSCTL_DIRECTORY("pty", &pty_directory),
	SYSCTL_DIRECTORY("random", &random_directory),
	SYSCTL_TEXT("randomize_va_space", "2"),
	SYSCTL_NUMBER("sched_autogroup_enabled", 0, 0, 1),
	SYSCTL_NUMBER("sched_child_runs_first", 0, 0, 1),
	SYSCTL_NUMBER("sched_rr_timeslice_ms", 100, INT32_MIN, INT32_MAX),
	SYSCTL_NUMBER("sched_rt_period_us", 1000000, 1, INT32_MAX),
	SYSCTL_NUMBER("sched_rt_runtime_us", 950000, -1, INT32_MAX),
	SYSCTL_DIRECTORY("seccomp", &seccomp_directory),
	SYSCTL_FILE("sem", 0644, sysctl_show_semaphores, sysctl_store_semaphores),
	SYSCTL_IPC("shm_rmid_forced", IPC_SHM_RMID_FORCED),
	SYSCTL_IPC("shmall", IPC_SHMALL),
	SYSCTL_IPC("shmmax", IPC_SHMMAX),
	SYSCTL_IPC("shmmni", IPC_SHMMNI),
	SYSCTL_NUMBER("sysrq", 0, 0, INT32_MAX),
	SYSCTL_TEXT("tainted", "0"),
	SYSCTL_NUMBER("threads-max", 192686, 20, 4194303),
	SYSCTL_NUMBER("timer_migration", 1, 0, 1),
	SYSCTL_NUMBER("unprivileged_bpf_disabled", 2, 0, 2),
	SYSCTL_NUMBER("unprivileged_userns_clone", 1, 0, 1),
	UTS("version", 0444, version, NULL),
	SYSCTL_NUMBER("watchdog", 0, 0, 1),
	SYSCTL_DIRECTORY("yama", &yama_directory),
};

const struct proc_directory sysctl_kernel_directory = {
	.entries = entries, .count = array_count(entries)};
