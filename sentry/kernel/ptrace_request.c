/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace(2): the requests. All but the attaching ones need a tracee of the caller's; most need it
 * stopped, and freeze the stop, so that not even SIGKILL sets the tracee going while the tracer
 * looks at it.
 */
#include "abi/capability.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/syscall_user_dispatch.h"
#include "sentry/kernel/task_run.h"

#include <errno.h>

/* --- freezing --- */

/* After an execve the tracer may still mean the former leader, whose number the tracee has taken.
 */
static bool is_unexpected_leader(struct task *tracee)
{
	struct ptrace_state *state = tracee->ptrace;

	if (state->stop_code != (LINUX_PTRACE_EVENT_EXEC << 8 | LINUX_SIGTRAP))
		return false;
	return (uint64_t)pid_number_in(tracee->pid, task_pid_namespace(state->tracer)) !=
	       state->message;
}

static bool freeze(struct task *task, struct task *tracee)
{
	bool frozen = false;

	mutex_lock(&g_tasks.lock);
	if (tracee->ptrace->tracer == task) {
		mutex_lock(&tracee->sighand->lock);
		frozen = tracee->stop.kind == STOP_PTRACE && !atomic_load(&tracee->killed) &&
			 !(tracee->stop.jobctl & JOBCTL_LISTENING) && !is_unexpected_leader(tracee);
		if (frozen)
			tracee->stop.frozen = true;
		mutex_unlock(&tracee->sighand->lock);
	}
	mutex_unlock(&g_tasks.lock);
	return frozen;
}

static void thaw(struct task *tracee)
{
	task_lock_sighand(tracee);
	tracee->stop.frozen = false;
	if (atomic_load(&tracee->killed))
		task_stop_kill_locked(tracee);
	task_unlock_sighand(tracee);
}

/* --- setting it going --- */

static void set_modes(
	struct task *tracee, enum ptrace_syscall_mode syscall_mode, enum ptrace_step_mode step_mode)
{
	tracee->ptrace->syscall_mode = syscall_mode;
	tracee->ptrace->step_mode = step_mode;
	task_slow_clear(tracee, TASK_SLOW_PTRACE | TASK_SLOW_STEP);
	if (syscall_mode != PTRACE_SYSCALL_NONE)
		task_slow_set(tracee, TASK_SLOW_PTRACE);
	if (step_mode != PTRACE_STEP_NONE)
		task_slow_set(tracee, TASK_SLOW_STEP);
}

/* The stop ends; the tracee finds the signal in the stop's code. */
static int64_t resume(struct task *tracee, enum ptrace_syscall_mode syscall_mode,
	enum ptrace_step_mode step_mode, uint64_t signal)
{
	if (signal > SIGNAL_COUNT)
		return -EIO;
	set_modes(tracee, syscall_mode, step_mode);
	task_lock_sighand(tracee);
	tracee->ptrace->stop_code = (int)signal;
	task_end_stop_locked(tracee);
	task_unlock_sighand(tracee);
	return 0;
}

static int64_t detach(struct task *task, struct task *tracee, uint64_t signal)
{
	bool dead;

	if (signal > SIGNAL_COUNT)
		return -EIO;
	mutex_lock(&g_tasks.lock);
	mutex_lock(&tracee->sighand->lock);
	tracee->ptrace->stop_code = (int)signal;
	mutex_unlock(&tracee->sighand->lock);
	dead = ptrace_detach_locked(task, tracee);
	mutex_unlock(&g_tasks.lock);
	if (dead)
		task_release(tracee);
	return 0;
}

/* True: the request was one of these, and after success the tracee runs. */
static bool resuming_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t data, int64_t *result)
{
	switch (request) {
	case LINUX_PTRACE_DETACH:
		*result = detach(task, tracee, data);
		return true;
	case LINUX_PTRACE_CONT:
		*result = resume(tracee, PTRACE_SYSCALL_NONE, PTRACE_STEP_NONE, data);
		return true;
	case LINUX_PTRACE_SYSCALL:
		*result = resume(tracee, PTRACE_SYSCALL_STOP, PTRACE_STEP_NONE, data);
		return true;
	case LINUX_PTRACE_SINGLESTEP:
		*result = resume(tracee, PTRACE_SYSCALL_NONE, PTRACE_STEP_INSTRUCTION, data);
		return true;
	case LINUX_PTRACE_SINGLEBLOCK:
		*result = resume(tracee, PTRACE_SYSCALL_NONE, PTRACE_STEP_BLOCK, data);
		return true;
	case LINUX_PTRACE_SYSEMU:
		*result = resume(tracee, PTRACE_SYSCALL_EMULATE, PTRACE_STEP_NONE, data);
		return true;
	case LINUX_PTRACE_SYSEMU_SINGLESTEP:
		*result = resume(tracee, PTRACE_SYSCALL_EMULATE, PTRACE_STEP_INSTRUCTION, data);
		return true;
	default:
		return false;
	}
}

/* --- requests that need no stop --- */

static int64_t request_interrupt(struct task *tracee)
{
	if (!tracee->ptrace->seized)
		return -EIO;
	task_lock_sighand(tracee);
	if (!atomic_load(&tracee->killed) && tracee->exit_state == TASK_ALIVE) {
		tracee->stop.jobctl |= JOBCTL_TRAP_STOP;
		ptrace_wake_locked(tracee, tracee->stop.jobctl & JOBCTL_LISTENING);
	}
	task_unlock_sighand(tracee);
	return 0;
}

static int64_t request_kill(struct task *task, struct task *tracee)
{
	struct linux_siginfo info;

	siginfo_user(&info, LINUX_SIGKILL, task, tracee);
	(void)signal_send_task(tracee, &info);
	return 0;
}

static bool is_tracee(struct task *task, struct task *target)
{
	mutex_guard(&g_tasks.lock);
	return target->ptrace->tracer == task;
}

/* --- memory --- */

/* A tracee that changed its credentials since the attach keeps its memory to itself. */
static struct mm *tracee_memory(struct task *tracee)
{
	struct mm *mm = task_get_mm(tracee);

	if (!mm)
		return NULL;
	if (mm_dumpable(mm) == 1 || cred_capable_in(tracee->ptrace->tracer_cred,
					    tracee->cred->user_ns, LINUX_CAP_SYS_PTRACE))
		return mm;
	mm_put(mm);
	return NULL;
}

static int64_t access_word(struct task *tracee, uint64_t address, uint64_t *word, bool write)
{
	struct mm *mm = tracee_memory(tracee);
	size_t size;

	if (!mm)
		return -EIO;
	size = mm_access_force(mm, address, word, sizeof(*word), write);
	mm_put(mm);
	return size == sizeof(*word) ? 0 : -EIO;
}

static int64_t memory_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data)
{
	uint64_t word = data;
	int64_t err;

	if (request == LINUX_PTRACE_POKETEXT || request == LINUX_PTRACE_POKEDATA)
		return access_word(tracee, address, &word, true);
	err = access_word(tracee, address, &word, false);
	if (!err && mm_copy_out(task->mm, data, &word, sizeof(word)))
		err = -EFAULT;
	return err;
}

/* --- options, messages, filters --- */

static int64_t set_options(struct task *task, struct task *tracee, uint64_t options)
{
	int err = ptrace_check_options(task, options);

	if (err)
		return err;
	task_lock_sighand(tracee);
	tracee->ptrace->options = (unsigned int)options;
	task_unlock_sighand(tracee);
	return 0;
}

static int64_t listen(struct task *tracee)
{
	struct ptrace_state *state = tracee->ptrace;
	int64_t result = -EIO;

	if (!state->seized)
		return -EIO;
	task_lock_sighand(tracee);
	if (state->info && state->info->si_code >> 8 == LINUX_PTRACE_EVENT_STOP) {
		tracee->stop.jobctl |= JOBCTL_LISTENING;
		/* The group's state changed since: it stops anew at once. The stop is frozen until
		 * the request is done. */
		if (tracee->stop.jobctl & JOBCTL_TRAP_NOTIFY) {
			tracee->stop.frozen = false;
			ptrace_wake_locked(tracee, true);
		}
		result = 0;
	}
	task_unlock_sighand(tracee);
	return result;
}

static int64_t seccomp_metadata(
	struct task *task, struct task *tracee, uint64_t size, uint64_t data)
{
	struct linux_seccomp_metadata metadata = {0};
	int64_t err;

	if (!cred_capable(task->cred, LINUX_CAP_SYS_ADMIN) || task->seccomp_mode)
		return -EACCES;
	size = min_u64(size, sizeof(metadata));
	if (size < sizeof(metadata.filter_off))
		return -EINVAL;
	if (mm_copy_in(task->mm, &metadata.filter_off, data, sizeof(metadata.filter_off)))
		return -EFAULT;
	err = seccomp_get_flags(tracee, metadata.filter_off, &metadata.flags);
	if (err)
		return err;
	return mm_copy_out(task->mm, data, &metadata, size) ? -EFAULT : (int64_t)size;
}

static int64_t seccomp_filter(struct task *task, struct task *tracee, uint64_t index, uint64_t data)
{
	if (!cred_capable(task->cred, LINUX_CAP_SYS_ADMIN) || task->seccomp_mode)
		return -EACCES;
	return seccomp_get_filter(task, tracee, index, data);
}

static int64_t rseq_configuration(
	struct task *task, struct task *tracee, uint64_t size, uint64_t data)
{
	struct linux_ptrace_rseq_configuration configuration = {
		.rseq_abi_pointer = tracee->rseq.address,
		.rseq_abi_size = tracee->rseq.length,
		.signature = tracee->rseq.signature,
	};

	size = min_u64(size, sizeof(configuration));
	if (mm_copy_out(task->mm, data, &configuration, size))
		return -EFAULT;
	return sizeof(configuration);
}

static int64_t get_dispatch(struct task *task, struct task *tracee, uint64_t size, uint64_t data)
{
	struct linux_ptrace_sud_config configuration = {
		.mode = tracee->syscall_dispatch.on,
		.selector = tracee->syscall_dispatch.selector,
		.offset = tracee->syscall_dispatch.offset,
		.len = tracee->syscall_dispatch.length,
	};

	if (size != sizeof(configuration))
		return -EINVAL;
	return mm_copy_out(task->mm, data, &configuration, sizeof(configuration));
}

static int64_t set_dispatch(struct task *task, struct task *tracee, uint64_t size, uint64_t data)
{
	struct linux_ptrace_sud_config configuration;

	if (size != sizeof(configuration))
		return -EINVAL;
	if (mm_copy_in(task->mm, &configuration, data, sizeof(configuration)))
		return -EFAULT;
	return syscall_user_dispatch_set(tracee, configuration.mode, configuration.offset,
		configuration.len, configuration.selector);
}

/* --- all --- */

static int64_t frozen_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data)
{
	switch (request) {
	case LINUX_PTRACE_PEEKTEXT:
	case LINUX_PTRACE_PEEKDATA:
	case LINUX_PTRACE_POKETEXT:
	case LINUX_PTRACE_POKEDATA:
		return memory_request(task, tracee, request, address, data);
	case LINUX_PTRACE_PEEKUSR:
	case LINUX_PTRACE_POKEUSR:
		return ptrace_user_request(task, tracee, request, address, data);
	case LINUX_PTRACE_GETSIGINFO:
	case LINUX_PTRACE_SETSIGINFO:
	case LINUX_PTRACE_PEEKSIGINFO:
	case LINUX_PTRACE_GETSIGMASK:
	case LINUX_PTRACE_SETSIGMASK:
		return ptrace_siginfo_request(task, tracee, request, address, data);
	case LINUX_PTRACE_SETOPTIONS:
	case LINUX_PTRACE_OLDSETOPTIONS:
		return set_options(task, tracee, data);
	case LINUX_PTRACE_GETEVENTMSG:
		return mm_copy_out(task->mm, data, &tracee->ptrace->message, sizeof(uint64_t));
	case LINUX_PTRACE_LISTEN:
		return listen(tracee);
	case LINUX_PTRACE_GET_SYSCALL_INFO:
		return ptrace_get_syscall_info(task, tracee, address, data);
	case LINUX_PTRACE_SET_SYSCALL_INFO:
		return ptrace_set_syscall_info(task, tracee, address, data);
	case LINUX_PTRACE_SECCOMP_GET_FILTER:
		return seccomp_filter(task, tracee, address, data);
	case LINUX_PTRACE_SECCOMP_GET_METADATA:
		return seccomp_metadata(task, tracee, address, data);
	case LINUX_PTRACE_GET_RSEQ_CONFIGURATION:
		return rseq_configuration(task, tracee, address, data);
	case LINUX_PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG:
		return get_dispatch(task, tracee, address, data);
	case LINUX_PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG:
		return set_dispatch(task, tracee, address, data);
	default:
		return ptrace_registers_request(task, tracee, request, address, data);
	}
}

static int64_t tracee_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data)
{
	int64_t result;

	if (request == LINUX_PTRACE_KILL || request == LINUX_PTRACE_INTERRUPT) {
		if (!is_tracee(task, tracee))
			return -ESRCH;
		return request == LINUX_PTRACE_KILL ? request_kill(task, tracee)
						    : request_interrupt(tracee);
	}
	if (!freeze(task, tracee))
		return -ESRCH;
	if (resuming_request(task, tracee, request, data, &result)) {
		if (result)
			thaw(tracee);
		return result;
	}
	result = frozen_request(task, tracee, request, address, data);
	thaw(tracee);
	return result;
}

int64_t ptrace_request(struct task *task, int64_t request, int pid, uint64_t address, uint64_t data)
{
	struct task *target;
	int64_t result;

	if (request == LINUX_PTRACE_TRACEME)
		return ptrace_traceme(task);
	target = task_find(task, pid);
	if (!target)
		return -ESRCH;
	if (request == LINUX_PTRACE_ATTACH || request == LINUX_PTRACE_SEIZE)
		result = ptrace_attach(task, target, request == LINUX_PTRACE_SEIZE, address, data);
	else
		result = tracee_request(task, target, request, address, data);
	task_put(target);
	return result;
}
