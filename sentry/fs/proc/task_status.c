/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/status (proc_pid_status(5)).
 *
 * Differs from Linux: memory of files and shared memory are one count (RssFile), and nothing is
 * pinned or swapped.
 */
#include "sentry/fs/proc/task_files.h"

#include "abi/capability.h"
#include "abi/mman.h"
#include "sentry/fs/proc/processor_list.h"
#include "sentry/fs/proc/task_summary.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_count.h"

#define FD_SIZE_LEAST	  64
#define LIBRARY_COUNT_MAX 1024 /* areas that are looked at for VmLib */
#define CAP_VALID	  ((2ul << LINUX_CAP_LAST_CAP) - 1)

static unsigned int descriptor_room(struct task *task, int *umask_out)
{
	struct fd_table *files = task_get_files(task);
	struct fs_struct *fs = task_get_fs(task);
	unsigned int size = files ? FD_SIZE_LEAST : 0;

	while (files && fd_next(files, (int)size, NULL) >= 0)
		size *= 2;
	*umask_out = fs ? (int)fs->umask : -1;
	if (fs)
		fs_struct_put(fs);
	fd_table_put(files);
	return size;
}

static void show_credentials(
	const struct proc_context *context, struct text_writer *out, const struct cred *cred)
{
	const struct user_namespace *ns = context->user_ns;

	text_printf(out, "Uid:\t%u\t%u\t%u\t%u\n", user_namespace_show_uid(ns, cred->uid),
		user_namespace_show_uid(ns, cred->euid), user_namespace_show_uid(ns, cred->suid),
		user_namespace_show_uid(ns, cred->fsuid));
	text_printf(out, "Gid:\t%u\t%u\t%u\t%u\n", user_namespace_show_gid(ns, cred->gid),
		user_namespace_show_gid(ns, cred->egid), user_namespace_show_gid(ns, cred->sgid),
		user_namespace_show_gid(ns, cred->fsgid));
}

static void show_groups(
	const struct proc_context *context, struct text_writer *out, const struct cred *cred)
{
	text_printf(out, "Groups:\t");
	for (size_t i = 0; i < cred->group_count; i++)
		text_printf(out, i ? " %u" : "%u",
			user_namespace_show_gid(context->user_ns, cred->groups[i]));
	text_append(out, " \n", 2);
}

/* A number in each namespace from the mount's own down to the task's; 0 where it has none. */
static void show_numbers(const struct proc_context *context, struct text_writer *out,
	const char *name, const struct pid *pid)
{
	const struct pid *own = context->task->pid;

	text_printf(out, "%s:", name);
	for (unsigned int level = context->super->pid_ns->level; level <= own->level; level++)
		text_printf(out, "\t%d", pid_number_in(pid, own->numbers[level].ns));
	text_append(out, "\n", 1);
}

static void show_identity(
	const struct proc_context *context, struct text_writer *out, const struct task_summary *s)
{
	struct task *task = context->task;
	const struct cred *cred = task_get_cred(task);
	int umask;
	unsigned int room = descriptor_room(task, &umask);

	text_printf(out, "Name:\t");
	proc_escape_name(out, s->comm);
	text_append(out, "\n", 1);
	if (umask >= 0)
		text_printf(out, "Umask:\t%#04o\n", (unsigned int)umask);
	text_printf(out,
		"State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		s->state, task_state_name(s->state), s->tgid, s->tid, s->parent, s->tracer);
	show_credentials(context, out, cred);
	text_printf(out, "FDSize:\t%u\n", room);
	show_groups(context, out, cred);
	cred_put(cred);
	mutex_lock(&g_tasks.lock);
	show_numbers(context, out, "NStgid", task->group->pid);
	show_numbers(context, out, "NSpid", task->pid);
	show_numbers(context, out, "NSpgid", task->group->process_group);
	show_numbers(context, out, "NSsid", task->group->session_pid);
	mutex_unlock(&g_tasks.lock);
	text_printf(out, "Kthread:\t0\n");
}

/* Executable memory of files but the program's own. */
static uint64_t library_bytes(struct mm *mm, const struct mm_usage *usage)
{
	struct vma_info info;
	uint64_t bytes = 0;

	if (usage->map_count > LIBRARY_COUNT_MAX)
		return 0;
	for (gaddr_t at = 0; mm_next_vma(mm, at, false, &info); at = info.end) {
		if ((info.protection & LINUX_PROT_EXEC) && info.file)
			bytes += info.end - info.start;
		if (info.file)
			file_put(info.file);
	}
	return bytes > usage->text ? bytes - usage->text : 0;
}

static void show_memory(struct text_writer *out, struct mm *mm)
{
	struct mm_usage usage;

	mm_usage(mm, &usage);
	const struct {
		const char *name;
		uint64_t bytes;
	} lines[] = {
		{"VmPeak", usage.total_peak},
		{"VmSize", usage.total},
		{"VmLck", usage.locked},
		{"VmPin", 0},
		{"VmHWM", usage.resident_peak},
		{"VmRSS", usage.resident},
		{"RssAnon", usage.resident - min_u64(usage.resident, usage.shared)},
		{"RssFile", usage.shared},
		{"RssShmem", 0},
		{"VmData", usage.data},
		{"VmStk", usage.stack},
		{"VmExe", usage.text},
		{"VmLib", library_bytes(mm, &usage)},
		{"VmPTE", usage.page_tables},
		{"VmSwap", usage.swap},
		{"HugetlbPages", 0},
	};

	for (size_t i = 0; i < array_count(lines); i++)
		text_printf(out, "%s:\t%8lu kB\n", lines[i].name, lines[i].bytes >> 10);
	text_printf(out, "CoreDumping:\t0\nTHP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\n");
}

static void show_signals(struct task *task, struct text_writer *out, const struct task_summary *s)
{
	const struct cred *cred = task_get_cred(task);

	text_printf(out, "Threads:\t%d\n", s->threads);
	text_printf(out, "SigQ:\t%lu/%lu\n", user_count_of(USER_SIGNALS, cred->uid),
		rlimit_of(task->group, LINUX_RLIMIT_SIGPENDING));
	text_printf(out,
		"SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%"
		"016lx\n",
		s->pending, s->shared_pending, s->blocked, s->ignored, s->caught);
	text_printf(out,
		"CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%"
		"016lx\n",
		cred->cap_inheritable & CAP_VALID, cred->cap_permitted & CAP_VALID,
		cred->cap_effective & CAP_VALID, cred->cap_bounding & CAP_VALID,
		cred->cap_ambient & CAP_VALID);
	cred_put(cred);
}

static void show_limits(struct task *task, struct text_writer *out, const struct task_summary *s)
{
	cpu_set_t set;

	text_printf(out, "NoNewPrivs:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%u\n",
		task->no_new_privs, task->seccomp_mode, seccomp_filter_count(task));
	text_printf(out, "Speculation_Store_Bypass:\tthread vulnerable\n");
	text_printf(out, "SpeculationIndirectBranch:\tconditional enabled\n");
	task_get_affinity(task, &set);
	text_printf(out, "Cpus_allowed:\t");
	processor_set_show_mask(&set, out);
	text_printf(out, "\nCpus_allowed_list:\t");
	processor_set_show_list(&set, out);
	text_printf(out, "\nMems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n");
	text_printf(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		s->voluntary, s->involuntary);
}

int task_show_status(const struct proc_context *context, struct text_writer *out)
{
	struct task *task = context->task;
	struct mm *mm = task_get_mm(task);
	struct task_summary summary;

	task_summary_get(context, &summary);
	show_identity(context, out, &summary);
	if (mm)
		show_memory(out, mm);
	mm_put(mm);
	show_signals(task, out, &summary);
	show_limits(task, out, &summary);
	return 0;
}
