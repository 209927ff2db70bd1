/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Controlling terminals and the foreground process group.
 *
 * Differs from Linux: the controlling terminal is the session's, not each process's, so TIOCNOTTY
 * by a process that does not lead its session changes nothing for it (such programs call setsid(2)
 * next).
 */
#include "sentry/fs/devpts/tty.h"

#include "abi/capability.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"

#include <errno.h>

struct tty *tty_current(void)
{
	struct session *session = thread_group_session(current->group);
	struct tty *tty = NULL;

	if (!session)
		return NULL;
	mutex_lock(&g_tasks.lock);
	if (session->tty)
		tty = tty_get(session->tty);
	mutex_unlock(&g_tasks.lock);
	session_put(session);
	return tty;
}

/* Both locks are held, and neither has the other end. The session and the tty refer to each other
 * from here on. */
static void attach_locked(struct tty *tty, struct session *session, struct pid *foreground)
{
	session->tty = tty_get(tty);
	tty->session = session_get(session);
	tty->foreground = pid_get(foreground);
}

void tty_force_controlling(struct tty *tty, struct session *session, struct pid *foreground)
{
	mutex_lock(&tty->lock);
	mutex_lock(&g_tasks.lock);
	attach_locked(tty, session, foreground);
	mutex_unlock(&g_tasks.lock);
	mutex_unlock(&tty->lock);
}

/* Ends what attach_locked() began; true: the caller drops the session's reference to the tty,
 * without locks. */
static bool detach_locked(struct tty *tty)
{
	bool had;

	if (!tty->session)
		return false;
	mutex_lock(&g_tasks.lock);
	had = tty->session->tty == tty;
	if (had)
		tty->session->tty = NULL;
	mutex_unlock(&g_tasks.lock);
	session_put(tty->session);
	tty->session = NULL;
	pid_put(tty->foreground);
	tty->foreground = NULL;
	return had;
}

static bool is_leader(struct session *session, struct task *task)
{
	mutex_guard(&g_tasks.lock);
	return session->leader == task->group;
}

static int set_controlling_locked(
	struct tty *tty, struct task *task, struct session *session, bool steal, bool *drop)
{
	struct pid *group;
	int error = 0;

	*drop = false;
	if (tty->session == session)
		return is_leader(session, task) ? 0 : -EPERM;
	if (tty->session) {
		if (!steal || !capable(LINUX_CAP_SYS_ADMIN))
			return -EPERM;
		*drop = detach_locked(tty);
	}
	group = thread_group_process_group(task->group);
	mutex_lock(&g_tasks.lock);
	if (session->leader != task->group || session->tty)
		error = -EPERM;
	else
		attach_locked(tty, session, group);
	mutex_unlock(&g_tasks.lock);
	pid_put(group);
	return error;
}

int tty_set_controlling(struct tty *tty, struct task *task, bool steal)
{
	struct session *session = thread_group_session(task->group);
	bool drop;
	int error;

	mutex_lock(&tty->lock);
	error = set_controlling_locked(tty, task, session, steal, &drop);
	mutex_unlock(&tty->lock);
	if (drop)
		tty_put(tty);
	session_put(session);
	return error;
}

/* The foreground group loses its terminal: SIGHUP, and SIGCONT unless the leader ended. */
static void disassociate(struct tty *tty, struct session *session, bool ended)
{
	bool drop = false;

	mutex_lock(&tty->lock);
	if (tty->session == session) {
		tty_signal_foreground_locked(tty, LINUX_SIGHUP);
		if (!ended)
			tty_signal_foreground_locked(tty, LINUX_SIGCONT);
		drop = detach_locked(tty);
	}
	mutex_unlock(&tty->lock);
	if (drop)
		tty_put(tty);
}

int tty_drop_controlling(struct tty *tty, struct task *task)
{
	struct session *session = thread_group_session(task->group);
	bool leader, controlling;

	mutex_lock(&g_tasks.lock);
	controlling = session->tty == tty;
	leader = session->leader == task->group;
	mutex_unlock(&g_tasks.lock);
	if (controlling && leader)
		disassociate(tty, session, false);
	session_put(session);
	return controlling ? 0 : -ENOTTY;
}

static void on_leader_exited(struct session *session)
{
	struct tty *tty = NULL;

	mutex_lock(&g_tasks.lock);
	if (session->tty)
		tty = tty_get(session->tty);
	mutex_unlock(&g_tasks.lock);
	if (!tty)
		return;
	disassociate(tty, session, true);
	tty_put(tty);
}

void tty_job_control_init(void)
{
	static const struct session_hooks hooks = {.leader_exited = on_leader_exited};

	session_set_hooks(&hooks);
}

static bool is_deaf(struct task *task, int signal)
{
	bool deaf;

	mutex_lock(&task->sighand->lock);
	deaf = (task->blocked & signal_bit(signal)) ||
	       task->sighand->actions[signal - 1].sa_handler == LINUX_SIG_IGN;
	mutex_unlock(&task->sighand->lock);
	return deaf;
}

int tty_check_background(struct tty *tty, struct task *task, int signal)
{
	struct session *session = thread_group_session(task->group);
	struct pid *group = thread_group_process_group(task->group);
	struct linux_siginfo info;
	bool concerned;
	int error = 0;

	mutex_lock(&tty->lock);
	concerned = tty->session == session && tty->foreground && tty->foreground != group;
	mutex_unlock(&tty->lock);
	if (!concerned)
		goto out;
	if (is_deaf(task, signal)) {
		error = signal == LINUX_SIGTTIN ? -EIO : 0;
	} else if (process_group_is_orphaned(group)) {
		error = -EIO;
	} else {
		siginfo_kernel(&info, signal);
		(void)signal_send_process_group(group, &info);
		error = -ERESTARTSYS;
	}
out:
	session_put(session);
	pid_put(group);
	return error;
}

int64_t tty_get_foreground(struct tty *tty, struct task *task, bool from_master)
{
	struct session *session = thread_group_session(task->group);
	int64_t number = -ENOTTY;

	mutex_lock(&tty->lock);
	if (from_master || tty->session == session)
		number = pid_number_in(tty->foreground, task_pid_namespace(task));
	mutex_unlock(&tty->lock);
	session_put(session);
	return number;
}

int tty_set_foreground(struct tty *tty, struct task *task, int process_group)
{
	struct session *session = thread_group_session(task->group);
	struct pid *group = NULL, *known = NULL;
	int error = tty_check_background(tty, task, LINUX_SIGTTOU);

	if (error)
		goto out;
	error = process_group < 0 ? -EINVAL : 0;
	if (!error) {
		known = pid_find(task_pid_namespace(task), process_group);
		group = process_group_find_in_session(task, session, process_group);
		error = !known ? -ESRCH : !group ? -EPERM : 0;
	}
	mutex_lock(&tty->lock);
	if (tty->session != session) {
		error = -ENOTTY;
	} else if (!error) {
		struct pid *old = tty->foreground;

		tty->foreground = steal_pointer(&group);
		group = old;
	}
	mutex_unlock(&tty->lock);
out:
	if (group)
		pid_put(group);
	if (known)
		pid_put(known);
	session_put(session);
	return error;
}
