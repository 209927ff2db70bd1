/* SPDX-License-Identifier: Apache-2.0 */
/* Who may look at whom and who may trace whom: ids, capabilities, user namespaces, dumpability and
 * Yama, through every call and file that asks. */
#include "tests/guest/ptrace_test.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER	   0x59616d61
#define PR_SET_PTRACER_ANY ((unsigned long)-1)
#endif

#define USER_ONE 12345
#define USER_TWO 12346

static volatile long secret = 77;

/* --- the ways in --- */

static bool may_open(pid_t target, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", target, name);
	fd = open(path, flags);
	if (fd < 0)
		CHECK(errno == EACCES || errno == EPERM || errno == ESRCH);
	else
		close(fd);
	return fd >= 0;
}

static bool may_read(pid_t target, const char *name)
{
	char path[64], text[64];
	int fd;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/%s", target, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	size = read(fd, text, sizeof(text));
	close(fd);
	return size >= 0;
}

static bool may_follow(pid_t target, const char *name)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", target, name);
	return readlink(path, text, sizeof(text)) > 0;
}

static bool way_maps(pid_t target)
{
	return may_read(target, "maps");
}

static bool way_environ(pid_t target)
{
	return may_read(target, "environ");
}

static bool way_exe(pid_t target)
{
	return may_follow(target, "exe");
}

static bool way_ns(pid_t target)
{
	return may_follow(target, "ns/user");
}

static bool way_fd(pid_t target)
{
	return may_follow(target, "fd/0");
}

static bool way_kcmp(pid_t target)
{
	long result = syscall(SYS_kcmp, getpid(), target, KCMP_VM, 0, 0);

	if (result < 0)
		CHECK_EQ(errno, EPERM);
	return result >= 0;
}

static bool way_robust_list(pid_t target)
{
	void *head;
	size_t size;
	long result = syscall(SYS_get_robust_list, target, &head, &size);

	if (result < 0)
		CHECK_EQ(errno, EPERM);
	return result == 0;
}

static bool way_mem(pid_t target)
{
	return may_open(target, "mem", O_RDWR);
}

static bool way_vm_read(pid_t target)
{
	long value;
	struct iovec local = {&value, sizeof(value)},
		     remote = {(void *)(uintptr_t)&secret, sizeof(value)};
	long result = syscall(SYS_process_vm_readv, target, &local, 1ul, &remote, 1ul, 0ul);

	if (result < 0)
		CHECK_EQ(errno, EPERM);
	else
		CHECK_EQ(value, 77);
	return result >= 0;
}

static bool way_pidfd_getfd(pid_t target)
{
	int pidfd = (int)syscall(SYS_pidfd_open, target, 0), fd;

	CHECK(pidfd >= 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	if (fd < 0)
		CHECK_EQ(errno, EPERM);
	else
		close(fd);
	close(pidfd);
	return fd >= 0;
}

static bool way_seize(pid_t target)
{
	if (request(PTRACE_SEIZE, target, 0, 0)) {
		CHECK_EQ(errno, EPERM);
		return false;
	}
	CHECK_EQ(request(PTRACE_INTERRUPT, target, 0, 0), 0);
	CHECK_EQ(wait_for(target), EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(request(PTRACE_DETACH, target, 0, 0), 0);
	return true;
}

/* By what they ask for: to read or to attach, with the file system's ids or the real ones. */
enum { WAYS_READ_FS = 5, WAYS_READ = 7, WAYS_ATTACH_FS = 8, WAYS_ALL = 11 };

static const struct {
	const char *name;
	bool (*may)(pid_t target);
} ways[WAYS_ALL] = {
	{"maps", way_maps},
	{"environ", way_environ},
	{"exe", way_exe},
	{"ns", way_ns},
	{"fd", way_fd},
	{"kcmp", way_kcmp},
	{"get_robust_list", way_robust_list},
	{"mem", way_mem},
	{"process_vm_readv", way_vm_read},
	{"pidfd_getfd", way_pidfd_getfd},
	{"seize", way_seize},
};

static void check_ways(pid_t target, size_t from, size_t to, bool expected)
{
	for (size_t i = from; i < to; i++)
		if (ways[i].may(target) != expected)
			FAIL("%s: %s", ways[i].name, expected ? "denied" : "allowed");
}

static void check_all(pid_t target, bool expected)
{
	check_ways(target, 0, WAYS_ALL, expected);
}

/* --- the two --- */

static int ready[2];

static void need_root(void)
{
	if (getuid() != 0)
		SKIP("not root");
	CHECK(pipe(ready) == 0);
}

static void become(uid_t real, uid_t effective, uid_t saved)
{
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(USER_ONE, USER_ONE, USER_ONE) == 0);
	CHECK(setresuid(real, effective, saved) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

static void become_one(void)
{
	become(USER_ONE, USER_ONE, USER_ONE);
}

static pid_t target_of(void (*prepare)(void))
{
	pid_t child = fork();
	char byte;

	if (child == 0) {
		prepare();
		CHECK_EQ(write(ready[1], "x", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	return child;
}

static void finish(pid_t target)
{
	kill(target, SIGKILL);
	wait_for(target);
}

/* In a process of its own, so that several can look at one target. */
static void as(void (*prepare)(void), pid_t target, bool expected)
{
	pid_t child = fork();

	if (child == 0) {
		prepare();
		check_all(target, expected);
		_exit(0);
	}
	CHECK_EQ(wait_for(child), 0);
}

static void stay(void)
{
}

static void become_two(void)
{
	become(USER_TWO, USER_TWO, USER_TWO);
}

static void differ_in_real(void)
{
	become(USER_TWO, USER_ONE, USER_ONE);
}

static void differ_in_effective(void)
{
	become(USER_ONE, USER_TWO, USER_ONE);
}

static void differ_in_saved(void)
{
	become(USER_ONE, USER_ONE, USER_TWO);
}

static void differ_in_group(void)
{
	CHECK(setgroups(0, NULL) == 0 && setresgid(USER_ONE, USER_ONE, USER_TWO) == 0);
	CHECK(setresuid(USER_ONE, USER_ONE, USER_ONE) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

static void drop_dumpable(void)
{
	become_one();
	CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static void keep_only(uint64_t caps)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};

	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(caps >> (32 * i));
	CHECK(syscall(SYS_capset, &header, data) == 0);
}

/* User one, with some capabilities. */
static void become_with(uint64_t caps)
{
	CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	become_one();
	keep_only(caps);
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

static void with_net_raw(void)
{
	become_with(1ull << CAP_NET_RAW);
}

static void with_more(void)
{
	become_with(1ull << CAP_NET_RAW | 1ull << CAP_CHOWN);
}

static void two_with_ptrace(void)
{
	CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	become_two();
	/* The other two are for the modes of the files. */
	keep_only(1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_DAC_READ_SEARCH);
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

/* --- ids --- */

TEST(the_same_user)
{
	need_root();
	as(become_one, target_of(become_one), true);
}

TEST(another_user)
{
	need_root();
	as(become_two, target_of(become_one), false);
}

TEST(root_may_all)
{
	need_root();
	as(stay, target_of(become_one), true);
	as(stay, target_of(drop_dumpable), true);
}

TEST(all_ids_of_the_target_must_match)
{
	need_root();
	as(become_one, target_of(differ_in_real), false);
	as(become_one, target_of(differ_in_effective), false);
	as(become_one, target_of(differ_in_saved), false);
	as(become_one, target_of(differ_in_group), false);
}

/* Files ask for the effective ids, calls for the real ones. */
TEST(ids_of_the_caller)
{
	pid_t target, child;

	need_root();
	target = target_of(become_one);
	child = fork();
	if (child == 0) {
		become(USER_ONE, USER_TWO, USER_ONE);
		check_ways(target, 0, WAYS_READ_FS, false);
		check_ways(target, WAYS_READ_FS, WAYS_READ, true);
		check_ways(target, WAYS_READ, WAYS_ATTACH_FS, false);
		check_ways(target, WAYS_ATTACH_FS, WAYS_ALL, true);
		_exit(0);
	}
	CHECK_EQ(wait_for(child), 0);
	child = fork();
	if (child == 0) {
		become(USER_TWO, USER_ONE, USER_TWO);
		check_ways(target, 0, WAYS_READ_FS, true);
		check_ways(target, WAYS_READ_FS, WAYS_READ, false);
		check_ways(target, WAYS_READ, WAYS_ATTACH_FS, true);
		check_ways(target, WAYS_ATTACH_FS, WAYS_ALL, false);
		_exit(0);
	}
	CHECK_EQ(wait_for(child), 0);
	finish(target);
}

/* --- capabilities --- */

TEST(a_target_with_more_capabilities)
{
	pid_t target;

	need_root();
	target = target_of(with_net_raw);
	as(become_one, target, false);
	as(with_net_raw, target, true);
	as(with_more, target, true);
	finish(target);
	target = target_of(with_more);
	as(with_net_raw, target, false);
	finish(target);
}

TEST(sys_ptrace_is_enough)
{
	need_root();
	as(two_with_ptrace, target_of(become_one), true);
	as(two_with_ptrace, target_of(drop_dumpable), true);
	as(two_with_ptrace, target_of(with_more), true);
	as(two_with_ptrace, target_of(stay), true);
}

/* --- dumpable --- */

TEST(not_dumpable)
{
	need_root();
	as(become_one, target_of(drop_dumpable), false);
}

/* Changing ids makes a process undumpable, until it says otherwise or executes. */
static void change_ids(void)
{
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	CHECK(setgroups(0, NULL) == 0 && setresgid(USER_ONE, USER_ONE, USER_ONE) == 0);
	CHECK(setresuid(USER_ONE, USER_ONE, USER_ONE) == 0);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1);
}

TEST(changed_ids)
{
	need_root();
	as(become_one, target_of(change_ids), false);
}

/* A process may look at itself all the same. */
TEST(oneself)
{
	need_root();
	drop_dumpable();
	CHECK(way_kcmp(getpid()));
	CHECK(way_vm_read(getpid()));
	CHECK(way_robust_list(getpid()));
	CHECK(way_pidfd_getfd(getpid()));
}

/* A tracee that was attached before it lost its dumpability keeps its memory to itself. */
static void drop_while_traced(void)
{
	raise(SIGUSR1);
	CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	raise(SIGUSR1);
}

TEST(memory_of_a_tracee_that_is_not_dumpable_any_more)
{
	unsigned long word;
	pid_t tracee;

	need_root();
	become_one();
	tracee = tracee_of(drop_while_traced);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	CHECK_EQ(request(PTRACE_PEEKDATA, tracee, (unsigned long)&secret, (unsigned long)&word), 0);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	CHECK_ERRNO(request(PTRACE_PEEKDATA, tracee, (unsigned long)&secret, (unsigned long)&word),
		EIO);
	CHECK_ERRNO(request(PTRACE_POKEDATA, tracee, (unsigned long)&secret, 1), EIO);
	/* Its registers are still there for the tracer. */
	CHECK(peek_user(tracee, REGISTER(rip)) != 0);
	end(tracee);
}

/* --- user namespaces --- */

static void enter_user_namespace(void)
{
	become_one();
	if (unshare(CLONE_NEWUSER))
		SKIP("no user namespaces");
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
}

/* The owner of a namespace has all capabilities in it. */
TEST(the_owner_of_a_user_namespace)
{
	pid_t target;

	need_root();
	target = target_of(enter_user_namespace);
	as(become_one, target, true);
	as(become_two, target, false);
	as(stay, target, true);
	finish(target);
}

/* Whoever is all-powerful inside has nothing to say outside. */
TEST(out_of_a_user_namespace)
{
	need_root();
	as(enter_user_namespace, target_of(become_one), false);
}

/* --- TRACEME --- */

/* A parent with fewer capabilities than the child cannot become its tracer. */
TEST(traceme_asks_for_the_parent_s_right)
{
	pid_t parent;

	need_root();
	parent = fork();
	if (parent == 0) {
		int fds[2];
		char byte;
		pid_t child;

		CHECK(pipe(fds) == 0);
		child = fork();
		if (child == 0) {
			/* The parent has given everything up by now. */
			CHECK_EQ(read(fds[0], &byte, 1), 1);
			CHECK_ERRNO(request(PTRACE_TRACEME, 0, 0, 0), EPERM);
			_exit(0);
		}
		become_two();
		CHECK_EQ(write(fds[1], "x", 1), 1);
		CHECK_EQ(wait_for(child), 0);
		_exit(0);
	}
	CHECK_EQ(wait_for(parent), 0);
}

/* --- Yama --- */

static const char *const scope_file = "/proc/sys/kernel/yama/ptrace_scope";

/* False: there is no Yama here, or it cannot be set, and nothing to see. */
static bool set_scope(int scope)
{
	int fd = open(scope_file, O_WRONLY);
	char text[2] = {(char)('0' + scope), '\n'};
	bool done = fd >= 0 && write(fd, text, 2) == 2;

	if (fd >= 0)
		close(fd);
	return done;
}

/* The ways that only look are open; those that attach are as the scope says. */
static void check_attach(pid_t target, bool expected)
{
	check_ways(target, 0, WAYS_READ, true);
	check_ways(target, WAYS_READ, WAYS_ALL, expected);
}

static void check_attach_as(void (*prepare)(void), pid_t target, bool expected)
{
	pid_t child = fork();

	if (child == 0) {
		prepare();
		check_attach(target, expected);
		_exit(0);
	}
	CHECK_EQ(wait_for(child), 0);
}

static void allow_any(void)
{
	become_one();
	CHECK(prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0) == 0);
}

static void allow_parent(void)
{
	become_one();
	CHECK(prctl(PR_SET_PTRACER, getppid(), 0, 0, 0) == 0);
}

static void allow_then_not(void)
{
	allow_any();
	CHECK(prctl(PR_SET_PTRACER, 0, 0, 0, 0) == 0);
}

static void check_traceme(bool allowed)
{
	pid_t child = fork();

	if (child == 0)
		_exit(request(PTRACE_TRACEME, 0, 0, 0) == 0 ? 1 : 2);
	CHECK_EQ(wait_for(child), EXITED(allowed ? 1 : 2));
}

/* 1: descendants, and whom the target names. */
static void check_relations(void)
{
	pid_t child, sibling = target_of(become_one), any = target_of(allow_any),
		     named = target_of(allow_parent), not_any = target_of(allow_then_not);

	check_attach_as(become_one, sibling, false);
	check_attach_as(become_one, any, true);
	/* Whom it names, and the descendants of that one. */
	check_attach_as(become_one, named, true);
	check_attach_as(become_one, not_any, false);
	check_attach_as(stay, sibling, true);
	child = fork();
	if (child == 0) {
		pid_t own;

		become_one();
		own = target_of(stay);
		check_attach(own, true);
		check_traceme(true);
		finish(own);
		_exit(0);
	}
	CHECK_EQ(wait_for(child), 0);
	finish(sibling);
	finish(any);
	finish(named);
	finish(not_any);
}

/* 2: only with the capability. */
static void check_capability(void)
{
	pid_t child, any = target_of(allow_any);

	check_attach_as(become_one, any, false);
	check_attach_as(stay, any, true);
	check_traceme(true);
	child = fork();
	if (child == 0) {
		become_one();
		check_traceme(false);
		_exit(0);
	}
	CHECK_EQ(wait_for(child), 0);
	finish(any);
}

/* 3: nobody, for ever. */
static void check_nobody(void)
{
	pid_t any = target_of(allow_any);

	check_attach_as(stay, any, false);
	check_traceme(false);
	CHECK(!set_scope(0));
	finish(any);
}

/* Scope 3 cannot be left again: only for who asks for it, on a kernel of his own. */
TEST(scopes)
{
	need_root();
	if (!set_scope(0))
		return;
	as(become_one, target_of(become_one), true);
	CHECK(set_scope(1));
	check_relations();
	CHECK(set_scope(2));
	check_capability();
	CHECK(set_scope(0));
	as(become_one, target_of(become_one), true);
	if (getenv("YAMA_SCOPE_3") && set_scope(3))
		check_nobody();
}

TEST(naming_a_tracer)
{
	if (access(scope_file, F_OK))
		return;
	CHECK_ERRNO(prctl(PR_SET_PTRACER, 0x7fffffff, 0, 0, 0), EINVAL);
	CHECK(prctl(PR_SET_PTRACER, getpid(), 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_PTRACER, 0, 0, 0, 0) == 0);
}

GUEST_TEST_MAIN()
