/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/kernel/ - tasks, thread groups, and what they do to each other.
 *
 * A task is a guest thread; a thread group is a process. Each task has a host thread, which runs a
 * machine of named states (task_run.c); task_block() is the only place where it waits.
 *
 * Locks: g_tasks.lock (RANK_TASK_SET) guards families, groups, sessions, ptrace relations and exit
 * states; sighand->lock (RANK_SIGHAND) signals and stops; task->lock (RANK_TASK) what others read
 * of one task. The whole order: sentry/lock_order.h. Fields say which one is theirs; "own" means
 * the task's own thread only, and that others may read only when the task is stopped by them.
 */
#pragma once

#include "abi/registers.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"
#include "platform/platform.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/stop.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/mm/mm.h"
#include "sentry/time/timer.h"

#include <bsd/sys/queue.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct container;
struct container_process;
struct exec_image;
struct fd_table;
struct fs_struct;
struct ipc_namespace;
struct mount_namespace;
struct net_namespace;
struct ptrace_state;
struct seccomp_filter;
struct session;
struct tty;
struct uts_namespace;

/* One state of a task's machine; it returns the next. execute NULL: the host thread ends. */
struct run_state {
	struct run_state (*execute)(struct task *task);
};

/* What takes a system call off the fast path, besides seccomp_mode and syscall_dispatch.on. Changed
 * by task_slow_set() and _clear(). */
enum task_slow {
	TASK_SLOW_NEXT = 1,   /* a handler or an exit put another state into task->next_state */
	TASK_SLOW_PTRACE = 2, /* PTRACE_SYSCALL or _SYSEMU */
	TASK_SLOW_STEP = 4,   /* PTRACE_SINGLESTEP or _SINGLEBLOCK */
	TASK_SLOW_TRACE = 8,  /* sentry/trace wants to know */
	TASK_SLOW_KEYS = 16,  /* a child gave it a session keyring */
};

enum task_woken { TASK_AWAKE, TASK_WOKEN, TASK_SLEEPS };

enum exit_state { TASK_ALIVE, TASK_EXITING, TASK_ZOMBIE, TASK_DEAD };

/* What clone(2) may share or not besides mm, files, fs and sighand (namespaces(7)). Immutable,
 * copied on change. */
struct cgroup_namespace;
struct nsproxy {
	struct refcount refs;
	struct uts_namespace *uts;
	struct ipc_namespace *ipc;
	struct mount_namespace *mount;
	struct net_namespace *net;
	struct pid_namespace *pid_for_children;
	struct cgroup_namespace *cgroup;		 /* NULL: the first one */
	struct time_namespace *time, *time_for_children; /* likewise */
};

/*
 * CPU time of a task, kept by its own thread. Nanoseconds. Read it through task_cpu_times(), which
 * adds what is under way: a thread that computes does not come by here.
 */
struct task_times {
	_Atomic uint64_t user_ns, system_ns;
	_Atomic uint64_t user_seen_ns, system_seen_ns; /* the most that anybody was told */
	/* Own thread, [1] in guest code: up to when the host's clocks were asked, and since then by
	 * the stamps; what the host thread's clock said. */
	uint64_t measured_ns[2], unmeasured_ns[2], thread_ns;
	_Atomic uint64_t voluntary_switches, involuntary_switches;
	_Atomic uint64_t minor_faults, major_faults;
};

/* restart_syscall(2): what an interrupted call goes on with. */
struct restart_block {
	int64_t (*restart)(struct task *task);
	union {
		struct {
			int clock;
			int64_t deadline_ns; /* of that clock */
			gaddr_t remaining;
			bool old_format;
		} nanosleep;
		struct {
			gaddr_t address;
			uint32_t value, bitset;
			int64_t deadline_ns;
			int flags;
			bool has_deadline;
		} futex;
		struct {
			gaddr_t fds;
			uint32_t count;
			int64_t deadline_ns;
			bool has_deadline;
		} poll;
	};
};

struct rseq_state {
	gaddr_t address;
	uint32_t length, signature;
	int last_cpu;
};

TAILQ_HEAD(task_list, task);

struct task {
	struct refcount refs;
	struct thread_group *group; /* set once; the task holds a reference */
	TAILQ_ENTRY(task)
	group_link;		     /* RANK_TASK_SET and RANK_SIGHAND both to write, one to read */
	TAILQ_ENTRY(task) dead_link; /* RANK_TASK_SET: in a list of those to be released */
	struct pid *pid; /* RANK_TASK_SET; own reference. Exec swaps it with the leader's */
	enum exit_state exit_state; /* RANK_TASK_SET and RANK_SIGHAND both to write, one to read */
	int exit_code;		    /* wait(2)'s encoding; RANK_SIGHAND until zombie */
	int exit_signal;	    /* to the parent at exit; -1: thread. RANK_TASK_SET */

	/* Running. */
	struct run_state next_state;  /* own */
	struct context *context;      /* set once */
	struct linux_user_regs regs;  /* own, or of the tracer while frozen */
	bool in_syscall;	      /* own: between entry and exit */
	uint64_t syscall_number;      /* own; may be changed by a tracer at entry */
	int64_t syscall_result;	      /* own */
	struct restart_block restart; /* own */
	pthread_t host_thread;
	struct {
		atomic_uint woken; /* task_block()'s futex word: enum task_woken */
		atomic_bool
			interrupt; /* signal, stop or kill is due: leave guest code, end sleeps */
		atomic_bool in_guest; /* between the last look at interrupt and the return of the
					 switch */
		atomic_bool uninterruptible; /* in task_block_killable(): only a kill ends it */
		atomic_uint
			slow; /* enum task_slow: what takes the entry and exit off the fast path */
		_Atomic uint64_t since; /* time stamp (ticks) at which it entered or left guest
					   code, or went on after a sleep; 0: sleeps */
	} run;
	/* Of the last exception, for signal frames; own. */
	struct {
		uint64_t trapno, error_code, cr2;
	} fault;
	struct task_times times;
	uint64_t profiled_ns; /* of them, when an interval timer expired last; RANK_SIGHAND */
	bool accounted;	      /* accounting.c's own: its times are in the sum of the dead */
	int64_t start_ns;     /* CLOCK_BOOTTIME; set once (exec takes the leader's) */

	/* Memory. mm is changed by the own thread with lock held; others use task_get_mm(). NULL
	 * after exit. */
	struct mutex
		lock; /* RANK_TASK: mm, files, fs, nsproxy, comm, cred pointers for other threads */
	struct mm *mm;
	struct mempolicy mempolicy;	     /* own to write, with lock held */
	struct address_space *address_space; /* mm's, once it was asked for; own */
	struct fd_table *files;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	const struct cred *cred; /* subjective and objective */
	char comm[16];
	bool kernel_thread; /* runs no guest code: the reaping init */

	/* Signals; RANK_SIGHAND of sighand. */
	struct sighand *sighand; /* changed only by exec with RANK_TASK_SET and the old lock */
	struct signal_pending pending;
	linux_sigset_t blocked, saved_mask;
	bool has_saved_mask;
	linux_sigset_t
		waiting_for; /* sigtimedwait: not blocked for these although blocked says so */
	struct linux_stack altstack; /* own */
	int pdeath_signal;	     /* own/RANK_TASK_SET */

	/* Stops (stop.h); RANK_SIGHAND. */
	struct task_stop stop;
	struct ptrace_state *ptrace; /* never NULL; ptrace.h says which lock guards what */
	atomic_bool killed;	     /* SIGKILL is pending for this thread (fatal_signal_pending());
					RANK_SIGHAND to write */

	/* Family; RANK_TASK_SET. */
	struct task *vfork_child_of; /* parent that waits in vfork; referenced */
	struct task *vfork_child; /* STOP_VFORK: whom it waits for; not referenced. RANK_SIGHAND */
	uint32_t charged_uid;	  /* whose RLIMIT_NPROC it counts for; own thread */
	bool nproc_exceeded; /* became a user with too many: its next execve fails; own thread */

	/* Threads' own business. */
	gaddr_t set_child_tid;		  /* own: CLONE_CHILD_SETTID, until the child has begun */
	gaddr_t clear_child_tid;	  /* own */
	gaddr_t robust_list;		  /* own */
	struct rseq_state rseq;		  /* own */
	struct futex_pi_list *pi_futexes; /* futex_pi.c's own, as what follows */
	struct futex_pi_state *pi_waits_for;
	uint32_t personality;		/* own */
	bool no_new_privs;		/* own; read by TSYNC under RANK_SIGHAND */
	uint8_t seccomp_mode;		/* RANK_SIGHAND to write */
	struct seccomp_filter *seccomp; /* likewise; a reference */
	struct sem_undo_list *sem_undo; /* own; ipc_sem.c's, shared by CLONE_SYSVSEM */
	struct {
		gaddr_t selector;
		uint64_t offset, length;
		bool on;
	} syscall_dispatch;		    /* own */
	struct linux_sched_attr scheduling; /* RANK_TASK */
	cpu_set_t *affinity;		    /* RANK_TASK; NULL: all */
	int nice_value, ioprio;
	int timer_slack_ns;
	bool securebits_keep_caps;
	struct key *given_session;	  /* a reference; g_keys_lock (sentry/keys/) */
	struct trace_task *trace;	  /* sentry/trace's own */
	struct container_process *launch; /* container_process.c's own, until its program runs */
	struct exec_image *exec;	  /* exec.c's own, while an execve is under way */
	void *start_fpstate; /* floating-point state to begin with, of platform->fpstate_size; NULL:
				a new process's. Own */
};

enum group_stop_state { GROUP_RUNNING, GROUP_STOPPING, GROUP_STOPPED };

struct thread_group {
	struct refcount refs;
	struct pid *pid;	     /* the leader's; set once */
	struct container *container; /* set once; a reference; NULL outside of containers */
	struct task *leader;	     /* RANK_TASK_SET; exec changes it */
	struct task_list tasks;	     /* as task.group_link */
	unsigned int task_count;     /* not yet released; RANK_TASK_SET */
	unsigned int live_count;     /* not yet exiting; RANK_SIGHAND */
	unsigned int quick_count;    /* not even on their way to it; RANK_SIGHAND */
	struct sighand *sighand; /* the tasks'; a reference of its own. Changed by exec as theirs */
	struct signal_pending shared_pending; /* RANK_SIGHAND */

	/* Family; RANK_TASK_SET. */
	struct task *parent; /* the thread that made it (or its reaper); NULL for init */
	LIST_HEAD(, thread_group) children; /* processes whose parent is any thread of this one */
	LIST_ENTRY(thread_group) sibling;
	struct pid *process_group, *session_pid; /* references */
	LIST_ENTRY(thread_group) group_member, session_member;
	struct session *session; /* a reference */
	bool subreaper, has_child_subreaper;
	bool did_exec;			/* setpgid(2) by the parent is refused from now on */
	unsigned int exec_count;	/* execves that it made; own */
	unsigned int parent_exec_count; /* the parent's at the fork: another exit signal than
					   SIGCHLD is for that program alone */
	struct wait_queue child_queue;	/* wait4(2) of this process's threads */

	/* End and stops; RANK_SIGHAND. */
	bool exiting; /* a group exit or fatal signal is under way */
	int exit_code;
	struct task *execing; /* waits for the others to die */
	bool sighand_shared;  /* with another process (CLONE_SIGHAND without CLONE_THREAD);
				 RANK_TASK_SET */
	enum group_stop_state stop_state;
	unsigned int stop_count; /* tasks that have still to stop */
	int stop_report_code;	 /* the stop's signal, for WUNTRACED; 0: reported already */
	bool continue_pending;	 /* for WCONTINUED */
	int cld_pending; /* LINUX_CLD_STOPPED or _CONTINUED that a thread has still to tell the
			    parent; 0 */
	bool unkillable; /* a namespace's init: only handled signals, and SIGKILL from above */

	/* cred_guard.h */
	atomic_bool cred_guard_held;
	struct wait_queue cred_guard_queue;

	struct mutex lock; /* RANK_LEAF: limits */
	struct linux_rlimit64 limits[LINUX_RLIM_NLIMITS];
	struct posix_timer_table *timers;   /* time/posix_timer.c's own */
	struct itimer_state *itimers;	    /* time/itimer.c's own */
	struct linux_rusage children_usage; /* RANK_TASK_SET: of waited-for children */
	struct task_times dead_threads;	    /* of threads that ended */
	uint64_t max_rss, children_max_rss; /* bytes */
	int64_t start_ns;
	int oom_score_adj;
	atomic_uint coredump_filter; /* XOR with the default: 0 is that */
	struct pid *yama_tracer;     /* PR_SET_PTRACER: a reference; RANK_TASK_SET */
	bool yama_any_tracer;	     /* PR_SET_PTRACER_ANY */
	char *command_line_override; /* PR_SET_MM; unused otherwise */
	struct membarrier_state {
		uint32_t registered;
	} membarrier;
	bool thp_disabled; /* PR_SET_THP_DISABLE; syscalls/prctl.c's own, as the next */
	uint8_t mce_kill;  /* PR_MCE_KILL: LINUX_PR_MCE_KILL_DEFAULT and so on, plus one; 0: never
			      set */
};

/* The task set: everything that exists. */
struct task_set {
	struct mutex lock; /* RANK_TASK_SET */
	struct pid_namespace *root_pid_ns;
	unsigned int task_count, process_count;
	atomic_ulong forks, context_switches;
};
extern struct task_set g_tasks;

/* The calling host thread's task; NULL on threads of the sentry's own. */
extern __thread struct task *current_task_;
#define current (current_task_)

struct task *task_get(struct task *task);
void task_put(struct task *task);
struct thread_group *thread_group_get(struct thread_group *group);
void thread_group_put(struct thread_group *group);

/*
 * Locks the handlers that a task has now, which an execve may change: task->sighand is stable after
 * it. Own threads and holders of RANK_TASK_SET may lock task->sighand->lock directly. Returns
 * task->sighand.
 */
struct sighand *task_lock_sighand(struct task *task);
static inline void task_unlock_sighand(struct task *task)
{
	mutex_unlock(&task->sighand->lock);
}

/* CPU time up to now, of a task that may be running. Nanoseconds. */
void task_cpu_times(struct task *task, uint64_t *user_ns, uint64_t *system_ns);
/* Of all threads, the dead ones included. Takes RANK_SIGHAND; the _locked form needs it. */
void thread_group_cpu_times(struct thread_group *group, uint64_t *user_ns, uint64_t *system_ns);
void thread_group_cpu_times_locked(
	struct thread_group *group, uint64_t *user_ns, uint64_t *system_ns);
/* The letter of /proc/PID/stat: R S D T t Z X. */
char task_state_letter(struct task *task);

/* --- numbers, as a task's own pid namespace sees them --- */
struct pid_namespace *task_pid_namespace(struct task *task); /* borrowed */
int task_tid(struct task *task);			     /* gettid() */
int task_tgid(struct task *task);			     /* getpid() */
/* A reference to the task or process with a number in the caller's namespace, or NULL. */
struct task *task_find(struct task *caller, int tid);
/* The number of a task or process as another task's namespace sees it; 0: not at all. */
int task_tid_seen_by(struct task *task, struct task *viewer);
int thread_group_number_seen_by(struct thread_group *group, struct task *viewer);
struct thread_group *thread_group_find(struct task *caller, int tgid);

/* --- references to what another task has: NULL once it is gone --- */
struct mm *task_get_mm(struct task *task);
void task_get_mempolicy(struct task *task, struct mempolicy *policy);
struct fd_table *task_get_files(struct task *task);
struct fs_struct *task_get_fs(struct task *task);
const struct cred *task_get_cred(struct task *task);
struct nsproxy *task_get_nsproxy(struct task *task);
/* Puts new credentials in place of the current task's; consumes the reference. Handles dumpable and
 * pdeath signal as commit_creds(). */
void task_commit_cred(struct cred *cred);
/* current's own, no reference needed while it runs. */
static inline const struct cred *current_cred(void)
{
	return current->cred;
}
static inline bool capable(int capability)
{
	return cred_capable_in(current->cred, current->cred->user_ns, capability);
}

/* --- waiting (task_block.c): no lock may be held --- */

/*
 * Sleeps until task_wake(), a signal, stop or kill that is due, or the deadline (CLOCK_MONOTONIC
 * nanoseconds, INT64_MAX for never). 0: woken (maybe for nothing: look again). -ETIMEDOUT.
 * -ERESTARTSYS: interrupted. A wake-up that came since the last task_block() returned makes it
 * return at once, so the pattern is: add a waiter, then loop {try; task_block}, then remove the
 * waiter.
 */
must_check int task_block(struct task *task, int64_t deadline_ns);
/* Only a kill interrupts: -EINTR then. */
must_check int task_block_killable(struct task *task, int64_t deadline_ns);
/* From any thread, with or without locks (it takes RANK_RUN at most). */
void task_wake(struct task *task);
/* Sets run.interrupt, and makes the task leave guest code or task_block() and look at what is due.
 * From any thread. */
void task_kick(struct task *task);
static inline void task_slow_set(struct task *task, unsigned int flags)
{
	atomic_fetch_or(&task->run.slow, flags);
}
static inline void task_slow_clear(struct task *task, unsigned int flags)
{
	atomic_fetch_and(&task->run.slow, ~flags);
}

/* --- life --- */
must_check int64_t task_clone(
	struct task *parent, const struct linux_clone_args *args); /* clone.c: the child's tid */
/* exit.c: what the handlers of exit and exit_group, and fatal signals, do. They only mark; the
 * state machine does the rest. */
void task_exit(struct task *task, int status);
/* status is wait(2)'s encoding; the first exit of a process decides it. On the task's own thread
 * the caller returns to its state machine. */
void thread_group_exit(struct task *task, int status);
/*
 * RANK_SIGHAND held, from any thread: marks the process and kills all of its threads
 * (signal_kill_task_locked()), but for current itself, which goes to task_state_exit next.
 */
void thread_group_exit_locked(struct task *task, int status);

/* Called at the end of each task on its own thread, with its memory and files still there, no lock
 * held. Registered at start. */
void task_add_leave_hook(void (*hook)(struct task *task));

/* Called at each successful clone on the parent's thread, no lock held, before the child first
 * runs. Registered at start. */
void task_add_fork_hook(
	void (*hook)(struct task *parent, struct task *child, uint64_t clone_flags));

/* --- states (task_run.c and the files that own them) --- */
struct run_state task_state_run(struct task *task); /* guest code */
struct run_state task_state_syscall(struct task *task);
struct run_state task_state_syscall_exit(struct task *task);
struct run_state task_state_interrupt(struct task *task); /* signals and stops */
struct run_state task_state_exit(struct task *task);
