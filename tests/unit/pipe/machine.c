/* SPDX-License-Identifier: Apache-2.0 */
/* The machine of the tests of pipes, epoll and sockets. */
#include "machine.h"

#include "abi/limits.h"
#include "abi/mman.h"
#include "base/safe_copy.h"
#include "platform/null/null_platform.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/host_poll.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task_run.h"
#include "sentry/mm/memory_file.h"
#include "sentry/net/net_namespace.h"
#include "sentry/time/clock.h"
#include "sentry/time/timer.h"
#include "sentry/vfs/file.h"

#include <string.h>
#include <unistd.h>

static struct platform *platform;
static struct task *first;
static struct mount_namespace *mounts;

static void make_namespaces(struct nsproxy **out)
{
	const struct file_system_type *tmpfs;
	struct super_block *sb;
	struct uts_namespace *uts;
	struct net_namespace *net;

	tmpfs_register();
	tmpfs = file_system_find("tmpfs");
	ck_assert_ptr_nonnull(tmpfs);
	ck_assert_int_eq(tmpfs->mount(tmpfs, "tmpfs", 0, NULL, &sb), 0);
	ck_assert_int_eq(mount_namespace_new(sb, 0, &mounts), 0);
	ck_assert_int_eq(uts_namespace_new(user_namespace_initial(), &uts), 0);
	ck_assert_int_eq(net_namespace_new(user_namespace_initial(), &net), 0);
	ck_assert_int_eq(nsproxy_new(uts, NULL, mount_namespace_get(mounts), net,
				 pid_namespace_get(g_tasks.root_pid_ns), out),
		0);
}

static void publish(struct task *task)
{
	mutex_lock(&g_tasks.lock);
	ck_assert_int_eq(pid_allocate_locked(g_tasks.root_pid_ns, NULL, 0, &task->pid), 0);
	task->group->pid = pid_get(task->pid);
	task->pid->task = task;
	task->pid->group = task->group;
	task->group->leader = task;
	TAILQ_INSERT_TAIL(&task->group->tasks, task, group_link);
	task->group->task_count = task->group->live_count = 1;
	ck_assert_int_eq(session_init_locked(task->group), 0);
	mutex_unlock(&g_tasks.lock);
}

static struct task *make_task(void)
{
	struct task *task;
	struct cred *cred;

	ck_assert_int_eq(task_new(platform, &task), 0);
	ck_assert_int_eq(thread_group_new(&task->group), 0);
	ck_assert_int_eq(sighand_new(&task->sighand), 0);
	task->group->sighand = sighand_get(task->sighand);
	ck_assert_int_eq(cred_new_root(&cred), 0);
	task->cred = cred;
	for (int i = 0; i < LINUX_RLIM_NLIMITS; i++)
		task->group->limits[i] = (struct linux_rlimit64){4096, 4096};
	publish(task);
	return task;
}

static void make_memory(struct task *task)
{
	struct mm_layout layout = {
		.mmap_base = 0x7f0000000000, .start_brk = 0x555500000000, .brk = 0x555500000000};
	struct mmap_request request = {
		.address = ARENA,
		.length = ARENA_SIZE,
		.protection = LINUX_PROT_READ | LINUX_PROT_WRITE,
		.flags = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED,
	};
	gaddr_t address;

	ck_assert_int_eq(mm_new(platform, &task->mm), 0);
	mm_set_layout(task->mm, &layout);
	ck_assert_int_eq(mm_mmap(task->mm, &request, &address), 0);
}

void machine_setup(void)
{
	struct path root;

	safe_copy_init();
	ck_assert_int_eq(memory_file_open(0), 0);
	ck_assert_int_eq(clock_start(NULL), 0);
	ck_assert_int_eq(timer_start_thread(), 0);
	ck_assert_int_eq(host_poll_start(), 0);
	ck_assert_int_eq(platform_null_new(&platform), 0);
	g_platform = platform;
	ck_assert_int_eq(task_set_init(), 0);
	first = make_task();
	g_tasks.root_pid_ns->init = first;
	make_memory(first);
	make_namespaces(&first->nsproxy);
	mount_namespace_root(mounts, &root);
	ck_assert_int_eq(fs_struct_new(&root, &root, 022, &first->fs), 0);
	path_put(&root);
	ck_assert_int_eq(fd_table_new(&first->files), 0);
	current_task_ = first;
}

void machine_teardown(void)
{
	struct memory_file_usage usage;

	fd_table_put(steal_pointer(&first->files));
	mm_put(steal_pointer(&first->mm));
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0);
}

struct task *machine_enter_new(void)
{
	struct task *task = make_task();

	task->mm = mm_get(first->mm);
	task->files = fd_table_get(first->files);
	task->fs = fs_struct_get(first->fs);
	task->nsproxy = nsproxy_get(first->nsproxy);
	current_task_ = task;
	return task;
}

void machine_leave(struct task *task)
{
	/* The task itself stays: its pid may be in credentials that somebody still holds. */
	fd_table_put(steal_pointer(&task->files));
	mm_put(steal_pointer(&task->mm));
	fs_struct_put(steal_pointer(&task->fs));
	nsproxy_put(steal_pointer(&task->nsproxy));
	current_task_ = NULL;
}

int64_t machine_call(syscall_handler *handler, const uint64_t args[6])
{
	return handler(current, args);
}

void guest_put(gaddr_t address, const void *bytes, size_t size)
{
	ck_assert_int_eq(mm_copy_out(current->mm, address, bytes, size), 0);
}

void guest_get(gaddr_t address, void *bytes, size_t size)
{
	ck_assert_int_eq(mm_copy_in(current->mm, bytes, address, size), 0);
}

int32_t guest_int(gaddr_t address)
{
	int32_t value;

	guest_get(address, &value, sizeof(value));
	return value;
}

static void *thread_main(void *argument)
{
	struct machine_thread *thread = argument;
	struct task *task = machine_enter_new();

	thread->task = task;
	thread->result = thread->function(thread->argument);
	machine_leave(task);
	return NULL;
}

void machine_start(
	struct machine_thread *thread, int64_t (*function)(void *argument), void *argument)
{
	*thread = (struct machine_thread){.function = function, .argument = argument};
	ck_assert_int_eq(pthread_create(&thread->thread, NULL, thread_main, thread), 0);
}

int64_t machine_join(struct machine_thread *thread)
{
	ck_assert_int_eq(pthread_join(thread->thread, NULL), 0);
	return thread->result;
}

void machine_wait_asleep(struct machine_thread *thread)
{
	while (!thread->task || atomic_load(&thread->task->run.woken) != TASK_SLEEPS)
		(void)usleep(200);
}

void machine_interrupt(struct machine_thread *thread)
{
	atomic_store(&thread->task->run.interrupt, true);
	task_kick(thread->task);
}
