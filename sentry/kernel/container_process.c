/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are started in a container from outside: its init, and what joins it later. */
#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/sched.h"
#include "base/log.h"
#include "sentry/fs/devpts/tty.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/container_private.h"
#include "sentry/kernel/launch.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task_run.h"
#include "sentry/keys/key.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_NOT_STARTED (127 << 8)
#define TERMINAL_DRAIN_MS  500

/* --- on the process's own thread --- */

static void set_stage(struct container_process *process, enum process_stage stage)
{
	pthread_mutex_lock(&g_containers.lock);
	process->stage = stage;
	pthread_cond_broadcast(&g_containers.changed);
	pthread_mutex_unlock(&g_containers.lock);
}

static struct run_state fail_start(struct container_process *process, struct task *task)
{
	task->exit_code = STATUS_NOT_STARTED;
	set_stage(process, PROCESS_FAILED);
	return run_state(task_state_exit);
}

/* As runc words it, since callers look for that. */
static int explain_program(const char *name, int err, struct container_error *error)
{
	error->not_runnable = true;
	if (err == -ENOENT && !strchr(name, '/'))
		return container_fail(
			error, err, "exec: \"%s\": executable file not found in $PATH", name);
	if (err == -ENOENT || err == -ENOTDIR)
		return container_fail(
			error, err, "exec: \"%s\": stat %s: no such file or directory", name, name);
	if (err == -EACCES)
		return container_fail(error, err, "exec: \"%s\": permission denied", name);
	if (err == -ENOEXEC)
		return container_fail(error, err, "exec %s: exec format error", name);
	return container_fail(error, err, "exec: \"%s\": %s", name, strerror(-err));
}

static int make_cred(const struct process_config *config, struct cred **out)
{
	const struct process_capabilities *capabilities = &config->capabilities;
	struct cred *cred;
	int err = cred_new_root(&cred);

	if (err)
		return err;
	cred->uid = cred->euid = cred->suid = cred->fsuid = config->uid;
	cred->gid = cred->egid = cred->sgid = cred->fsgid = config->gid;
	cred->cap_bounding &= capabilities->bounding;
	cred->cap_permitted &= capabilities->permitted;
	cred->cap_effective &= capabilities->effective & cred->cap_permitted;
	cred->cap_inheritable = capabilities->inheritable & LINUX_CAP_FULL_SET;
	cred->cap_ambient = capabilities->ambient & cred->cap_permitted & cred->cap_inheritable;
	err = cred_set_groups(cred, config->groups, config->group_count);
	if (err) {
		cred_put(cred);
		return err;
	}
	*out = cred;
	return 0;
}

/* The first process's working directory is made if it is not there, as engines expect. */
static int make_directories(const char *path)
{
	uninitialized_ char text[LINUX_PATH_MAX];
	int err = 0;

	if (strlen(path) >= sizeof(text))
		return -ENAMETOOLONG;
	strcpy(text, path);
	for (char *slash = strchr(text + 1, '/'); !err; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		err = path_mkdir(LINUX_AT_FDCWD, text, 0755);
		if (err == -EEXIST)
			err = 0;
		if (!slash)
			break;
		*slash = '/';
	}
	return err;
}

static int enter_working_directory(
	struct container_process *process, struct task *task, struct container_error *error)
{
	const char *name = process->process->working_directory;
	struct path pwd;
	int err = path_lookup(LINUX_AT_FDCWD, name, WALK_FOLLOW | WALK_DIRECTORY, &pwd);

	if (err == -ENOENT && process->is_init) {
		err = make_directories(name);
		if (!err)
			err = path_lookup(LINUX_AT_FDCWD, name, WALK_FOLLOW | WALK_DIRECTORY, &pwd);
	}
	if (err)
		return container_fail(error, err, "process.cwd: chdir to %s: %s", name,
			err == -ENOENT ? "no such file or directory" : strerror(-err));
	fs_struct_set(task->fs, &task->fs->pwd, &pwd);
	return 0;
}

static void take_terminal(struct container_process *process, struct task *task)
{
	struct session *session = thread_group_session(task->group);
	struct pid *group = thread_group_process_group(task->group);

	tty_force_controlling(process->tty, session, group);
	pid_put(group);
	session_put(session);
}

static void set_attributes(const struct process_config *config, struct task *task)
{
	task->no_new_privs = config->no_new_privileges;
	task->group->oom_score_adj = config->oom_score_adj;
	task->personality = config->personality;
	mutex_lock(&task->lock);
	task->nice_value = config->nice;
	task->ioprio = config->ioprio;
	task->scheduling.sched_policy = config->policy;
	task->scheduling.sched_nice = config->nice;
	task->scheduling.sched_priority = config->priority;
	mutex_unlock(&task->lock);
}

static int set_up(struct container_process *process, struct task *task)
{
	const struct process_config *config = process->process;
	struct container_error *error = &process->error;
	struct cred *cred;
	int err = 0;

	if (process->is_init)
		err = container_set_up(process->container, process->config, error);
	if (!err)
		err = container_open_files(process, error);
	if (!err && process->tty)
		take_terminal(process, task);
	if (!err && process->is_init && process->tty)
		err = container_bind_console(process, error);
	if (!err)
		err = enter_working_directory(process, task, error);
	if (err)
		return err;
	task->fs->umask = config->umask;
	err = keys_join_container_session(process->container->id);
	if (err)
		return container_fail(error, err, "a session keyring: %s", strerror(-err));
	err = make_cred(config, &cred);
	if (err)
		return container_fail(error, err, "process.user: %s", strerror(-err));
	cred->session_keyring = key_get(current_cred()->session_keyring);
	task_commit_cred(cred);
	set_attributes(config, task);
	if (config->processors && !process->is_init)
		err = scheduling_set_affinity(task, task, config->processors);
	if (err)
		return container_fail(error, err, "process.execCPUAffinity.final: %s",
			err == -EINVAL ? "none of these processors is there" : strerror(-err));
	if (config->seccomp_count)
		err = seccomp_attach_program(
			task, config->seccomp, config->seccomp_count, config->seccomp_log);
	if (err)
		return container_fail(error, err, "linux.seccomp: %s", strerror(-err));
	err = launch_check(task, config->argv, config->envp);
	return err ? explain_program(config->argv[0], err, error) : 0;
}

/* False: killed before it was told to run. */
static bool wait_for_start(struct container_process *process, struct task *task)
{
	while (!atomic_load(&process->go)) {
		if (task_block_killable(task, INT64_MAX) < 0)
			return false;
	}
	return true;
}

static struct run_state first_state(struct task *task)
{
	struct container_process *process = task->launch;
	const struct process_config *config = process->process;
	int err = set_up(process, task);

	task->launch = NULL;
	if (err)
		return fail_start(process, task);
	if (process->park) {
		set_stage(process, PROCESS_PARKED);
		if (!wait_for_start(process, task)) {
			(void)container_fail(&process->error, -ESRCH, "the container was killed");
			set_stage(process, PROCESS_FAILED);
			return run_state(task_state_interrupt);
		}
	}
	err = launch_exec(task, config->argv, config->envp);
	if (err) {
		(void)explain_program(config->argv[0], err, &process->error);
		return fail_start(process, task);
	}
	set_stage(process, PROCESS_RUNNING);
	/* One that joins a paused container waits with the others. */
	container_pause_point(task);
	return task->next_state;
}

/* --- starting one --- */

static int make_task(struct container_process *process, struct nsproxy *nsproxy,
	const struct path *root, struct task **out)
{
	struct container *container = process->container;
	struct cred *cred;
	struct task *task;
	int err = launch_task_new(process->process->limits, process->process->argv[0], &task);

	if (err)
		return err;
	task->group->container = container_get(container);
	task->nsproxy = nsproxy_get(nsproxy);
	task->next_state = run_state(first_state);
	task->launch = process;
	err = cred_new_root(&cred);
	if (!err) {
		task->cred = cred;
		err = fs_struct_new(root, root, 0022, &task->fs);
	}
	if (!err)
		err = fd_table_new(&task->files);
	if (!err)
		err = launch_publish(task, boot_init_task(), container->pid_ns, false);
	if (err) {
		task_abandon(task);
		return err;
	}
	*out = task;
	return 0;
}

/* References to what the container has, while it has it. */
static int look_into(struct container *container, struct nsproxy **nsproxy, struct path *root)
{
	int err = -ESRCH;

	pthread_mutex_lock(&g_containers.lock);
	if (container->root.mount) {
		*nsproxy = nsproxy_get(container->nsproxy);
		*root = container->root;
		path_get(root);
		err = 0;
	}
	pthread_mutex_unlock(&g_containers.lock);
	return err;
}

static int start(struct container_process *process)
{
	struct container *container = process->container;
	struct nsproxy *nsproxy;
	struct path root;
	struct task *task;
	int err = look_into(container, &nsproxy, &root);

	if (err)
		return err;
	err = make_task(process, nsproxy, &root, &task);
	path_put(&root);
	nsproxy_put(nsproxy);
	if (err)
		return err;
	process->group = thread_group_get(task->group);
	pthread_mutex_lock(&g_containers.lock);
	LIST_INSERT_HEAD(&g_containers.processes, process, link);
	if (process->is_init)
		container->init = thread_group_get(task->group);
	pthread_mutex_unlock(&g_containers.lock);
	err = launch_start(task);
	panic_if(err, "no thread for the first task of a container");
	return 0;
}

/* g_containers.lock held: until the process is past a stage. */
static void wait_past(struct container_process *process, enum process_stage stage)
{
	while (process->stage == stage)
		pthread_cond_wait(&g_containers.changed, &g_containers.lock);
}

static void free_process(struct container_process *process)
{
	container_put(process->container);
	free(process);
}

int container_launch(struct container *container, const struct container_config *config,
	const struct process_config *process_config, const struct container_process_events *events,
	bool park, struct container_process **out, struct container_error *error)
{
	struct container_process *process = calloc(1, sizeof(*process));
	bool failed;
	int err;

	*error = (struct container_error){0};
	if (!process)
		return container_fail(error, -ENOMEM, "no memory for a process");
	process->container = container_get(container);
	process->config = config;
	process->process = process_config;
	process->is_init = !container->init;
	process->park = park;
	if (events)
		process->events = *events;
	err = start(process);
	if (err) {
		free_process(process);
		return container_fail(error, err, "cannot start a process: %s",
			err == -ESRCH || err == -ENOMEM ? "container not running" : strerror(-err));
	}
	pthread_mutex_lock(&g_containers.lock);
	wait_past(process, PROCESS_SETTING_UP);
	failed = process->stage == PROCESS_FAILED;
	if (failed)
		process->events = (struct container_process_events){0};
	pthread_mutex_unlock(&g_containers.lock);
	if (!failed) {
		*out = process;
		return 0;
	}
	*error = process->error;
	container_process_free(process);
	return error->error;
}

int container_process_start(struct container_process *process, struct container_error *error)
{
	struct task *leader;
	bool failed;

	*error = (struct container_error){0};
	pthread_mutex_lock(&g_containers.lock);
	if (process->stage != PROCESS_PARKED || atomic_load(&process->go)) {
		bool gone = process->stage == PROCESS_FAILED || process->ended;

		pthread_mutex_unlock(&g_containers.lock);
		return gone ? container_fail(error, -ESRCH, "the container is stopped")
			    : container_fail(error, -EINVAL, "the container was started already");
	}
	atomic_store(&process->go, true);
	pthread_mutex_unlock(&g_containers.lock);
	mutex_lock(&g_tasks.lock);
	leader = process->group->leader;
	task_wake(leader);
	mutex_unlock(&g_tasks.lock);
	pthread_mutex_lock(&g_containers.lock);
	wait_past(process, PROCESS_PARKED);
	failed = process->stage == PROCESS_FAILED;
	*error = process->error;
	pthread_mutex_unlock(&g_containers.lock);
	return failed ? error->error : 0;
}

/* --- the end of one --- */

void container_note_exit(struct thread_group *group, int status)
{
	struct container *container = group->container;
	struct container_process_events events = {0};
	struct container_process *process;
	uint64_t user, system;
	bool kill_rest = false;

	thread_group_cpu_times(group, &user, &system);
	atomic_fetch_add(&container->dead_user_ns, user);
	atomic_fetch_add(&container->dead_system_ns, system);
	pthread_mutex_lock(&g_containers.lock);
	LIST_FOREACH (process, &g_containers.processes, link) {
		if (process->group != group)
			continue;
		process->ended = true;
		process->status = status;
		events = process->events;
		kill_rest = process->is_init && !container->own_pid_ns;
		pthread_cond_broadcast(&g_containers.changed);
		break;
	}
	pthread_mutex_unlock(&g_containers.lock);
	if (kill_rest)
		container_signal_all(container, LINUX_SIGKILL);
	if (events.exited)
		events.exited(events.argument, status);
}

void container_process_free(struct container_process *process)
{
	pthread_mutex_lock(&g_containers.lock);
	while (!process->ended)
		pthread_cond_wait(&g_containers.changed, &g_containers.lock);
	LIST_REMOVE(process, link);
	pthread_mutex_unlock(&g_containers.lock);
	if (process->tty) {
		console_drain_tty(process->tty, TERMINAL_DRAIN_MS);
		console_free(process->tty);
	}
	thread_group_put(process->group);
	free_process(process);
}
