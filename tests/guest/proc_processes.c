/* SPDX-License-Identifier: Apache-2.0 */
/* Other processes in /proc: their states, their end, their threads, and the listing of them. */
#include "tests/guest/proc_read.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static pid_t sleeping_child(void)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	CHECK(child > 0);
	proc_wait_for_state(child, 'S');
	return child;
}

TEST(states_have_their_letters)
{
	int status;
	pid_t child = sleeping_child();

	CHECK(strncmp(proc_field(proc_text("/proc/%d/status", child), "State:"), "S (sleeping)\n",
		      13) == 0);
	CHECK(kill(child, SIGSTOP) == 0);
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(strncmp(proc_field(proc_text("/proc/%d/status", child), "State:"), "T (stopped)\n",
		      12) == 0);
	CHECK(kill(child, SIGCONT) == 0);
	proc_wait_for_state(child, 'S');
	CHECK(kill(child, SIGKILL) == 0);
	proc_wait_for_state(child, 'Z');
	CHECK(strncmp(proc_field(proc_text("/proc/%d/status", child), "State:"), "Z (zombie)\n",
		      11) == 0);
	CHECK_EQ(proc_state(getpid()), 'R');
}

TEST(a_tracee_names_its_tracer)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(proc_number(proc_text("/proc/%d/status", child), "TracerPid:"), getpid());
	CHECK(strncmp(proc_field(proc_text("/proc/%d/status", child), "State:"),
		      "t (tracing stop)\n", 17) == 0);
}

TEST(a_zombie_has_little_left)
{
	char name[64], text[256];
	struct stat status;
	pid_t child = fork();

	if (child == 0)
		_exit(3);
	proc_wait_for_state(child, 'Z');
	snprintf(name, sizeof(name), "/proc/%d/cmdline", child);
	CHECK_EQ(proc_try_read(name, text, sizeof(text)), 0);
	snprintf(name, sizeof(name), "/proc/%d/exe", child);
	CHECK_ERRNO(readlink(name, text, sizeof(text)), ENOENT);
	snprintf(name, sizeof(name), "/proc/%d/cwd", child);
	CHECK_ERRNO(readlink(name, text, sizeof(text)), ENOENT);
	snprintf(name, sizeof(name), "/proc/%d/fd/0", child);
	/* What it had open belongs to root by now. */
	CHECK_ERRNO(lstat(name, &status), geteuid() == 0 ? ENOENT : EACCES);
	CHECK(!proc_field(proc_text("/proc/%d/status", child), "VmSize:"));
	CHECK_EQ(proc_stat_field(proc_text("/proc/%d/stat", child), 23), 0);
	CHECK_EQ(proc_stat_field(proc_text("/proc/%d/stat", child), 52), 3 << 8);
	CHECK(strncmp(proc_text("/proc/%d/statm", child), "0 0 0 0 0 0 0\n", 14) == 0);
	snprintf(name, sizeof(name), "/proc/%d/status", child);
	CHECK(stat(name, &status) == 0);
	CHECK_EQ(status.st_uid, 0);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK_ERRNO(stat(name, &status), ENOENT);
}

TEST(what_was_open_ends_with_the_process)
{
	char name[64], byte;
	int fd, directory;
	pid_t child = sleeping_child();

	snprintf(name, sizeof(name), "/proc/%d", child);
	directory = open(name, O_RDONLY | O_DIRECTORY);
	fd = openat(directory, "status", O_RDONLY);
	CHECK(directory >= 0 && fd >= 0);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK_ERRNO(read(fd, &byte, 1), ESRCH);
	errno = 0;
	CHECK(openat(directory, "status", O_RDONLY) < 0);
	CHECK(errno == ENOENT || errno == ESRCH);
}

static bool is_listed(const char *directory, pid_t pid, unsigned int *entries)
{
	DIR *listing = opendir(directory);
	struct dirent *entry;
	bool found = false;

	CHECK(listing);
	*entries = 0;
	while ((entry = readdir(listing))) {
		(*entries)++;
		if (atoi(entry->d_name) != pid)
			continue;
		struct stat status;

		CHECK(!found);
		CHECK_EQ(entry->d_type, DT_DIR);
		CHECK(fstatat(dirfd(listing), entry->d_name, &status, 0) == 0);
		CHECK_EQ(status.st_ino, entry->d_ino);
		found = true;
	}
	closedir(listing);
	return found;
}

TEST(processes_are_listed)
{
	unsigned int entries;
	pid_t child = sleeping_child();

	CHECK(is_listed("/proc", getpid(), &entries));
	CHECK(is_listed("/proc", child, &entries));
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK(!is_listed("/proc", child, &entries));
}

TEST(many_processes_are_listed_once_each)
{
	pid_t children[100];
	unsigned int seen = 0;
	char small[600];
	int fd;
	long got;

	for (int i = 0; i < 100; i++) {
		children[i] = fork();
		if (children[i] == 0)
			for (;;)
				pause();
	}
	fd = open("/proc", O_RDONLY | O_DIRECTORY);
	while ((got = syscall(SYS_getdents64, fd, small, sizeof(small))) > 0) {
		for (char *at = small; at < small + got; at += *(unsigned short *)(at + 16))
			for (int i = 0; i < 100; i++)
				seen += atoi(at + 19) == children[i];
	}
	CHECK_EQ(got, 0);
	CHECK_EQ(seen, 100);
	for (int i = 0; i < 100; i++)
		kill(children[i], SIGKILL);
}

static int thread_pipe[2];
static _Atomic pid_t thread_id;

static void *waiting_thread(void *argument)
{
	char byte;

	thread_id = (pid_t)syscall(SYS_gettid);
	CHECK_EQ(read(thread_pipe[0], &byte, 1), 1);
	return argument;
}

TEST(threads_are_listed_in_task)
{
	unsigned int entries;
	struct stat status;
	char name[64], text[64];
	pthread_t thread;

	CHECK(pipe(thread_pipe) == 0);
	CHECK(pthread_create(&thread, NULL, waiting_thread, NULL) == 0);
	while (!thread_id)
		sleep_ms(1);
	CHECK(is_listed("/proc/self/task", thread_id, &entries));
	CHECK_EQ(entries, 4);
	CHECK(!is_listed("/proc", thread_id, &entries));
	/* Not listed, but there. */
	snprintf(name, sizeof(name), "/proc/%d", thread_id);
	CHECK(stat(name, &status) == 0);
	CHECK_EQ(proc_number(proc_text("/proc/%d/status", thread_id), "Tgid:"), getpid());
	snprintf(name, sizeof(name), "/proc/self/task/%d/comm", thread_id);
	CHECK(proc_try_read(name, text, sizeof(text)) > 0);
	snprintf(name, sizeof(name), "/proc/self/task/%d", getppid());
	CHECK_ERRNO(stat(name, &status), ENOENT);
	CHECK_EQ(proc_stat_field(proc_text("/proc/self/stat"), 20), 2);
	CHECK_EQ(write(thread_pipe[1], "x", 1), 1);
	CHECK(pthread_join(thread, NULL) == 0);
	snprintf(name, sizeof(name), "/proc/self/task/%d", thread_id);
	for (int i = 0; i < 1000 && stat(name, &status) == 0; i++)
		sleep_ms(1);
	CHECK_ERRNO(stat(name, &status), ENOENT);
}

static void *thread_with_a_name(void *argument)
{
	int fd = open("/proc/thread-self/comm", O_WRONLY);

	CHECK_EQ(write(fd, "worker", 6), 6);
	CHECK(strcmp(proc_text("/proc/thread-self/comm"), "worker\n") == 0);
	return argument;
}

/* One link for each thread: how some programs see that they have no other. */
TEST(the_links_of_task_count_threads)
{
	pthread_t thread;
	struct stat st;

	CHECK_EQ(stat("/proc/self/task", &st), 0);
	CHECK_EQ(st.st_nlink, 3);
	CHECK(pipe(thread_pipe) == 0);
	CHECK(pthread_create(&thread, NULL, waiting_thread, NULL) == 0);
	CHECK_EQ(stat("/proc/self/task", &st), 0);
	CHECK_EQ(st.st_nlink, 4);
	CHECK(write(thread_pipe[1], "x", 1) == 1);
	CHECK(pthread_join(thread, NULL) == 0);
	for (int i = 0; i < 1000 && st.st_nlink != 3; i++) {
		sleep_ms(1);
		CHECK_EQ(stat("/proc/self/task", &st), 0);
	}
	CHECK_EQ(st.st_nlink, 3);
}

TEST(threads_have_names_of_their_own)
{
	char before[64];
	pthread_t thread;

	strcpy(before, proc_text("/proc/self/comm"));
	CHECK(pthread_create(&thread, NULL, thread_with_a_name, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(strcmp(proc_text("/proc/self/comm"), before) == 0);
}

TEST(children_are_named)
{
	char expected[64];
	pid_t child = sleeping_child();

	snprintf(expected, sizeof(expected), "%d ", child);
	if (access("/proc/thread-self/children", F_OK))
		SKIP("no children files");
	CHECK(strcmp(proc_text("/proc/thread-self/children"), expected) == 0);
}

TEST(another_s_comm_is_not_written)
{
	char name[64];
	int fd;
	pid_t child = sleeping_child();

	snprintf(name, sizeof(name), "/proc/%d/comm", child);
	fd = open(name, O_WRONLY);
	CHECK(fd >= 0);
	CHECK_ERRNO(write(fd, "x", 1), EINVAL);
}

TEST(a_title_is_seen_from_outside)
{
	char text[4096], name[64];
	pid_t child = fork();

	if (child == 0) {
		execl("/bin/sh", "a title", "-c", "exec /bin/sleep 30", "with", "words", NULL);
		_exit(1);
	}
	snprintf(name, sizeof(name), "/proc/%d/cmdline", child);
	for (int i = 0; i < 2000; i++) {
		ssize_t size = proc_try_read(name, text, sizeof(text));

		if (size == 14 && memcmp(text, "/bin/sleep\00030", 14) == 0) {
			CHECK(strcmp(proc_text("/proc/%d/comm", child), "sleep\n") == 0);
			kill(child, SIGKILL);
			return;
		}
		sleep_ms(2);
	}
	FAIL("the new command line never came");
}

TEST(a_deleted_program_says_so)
{
	char name[64], copy[] = "/tmp/guest-exe-XXXXXX", expected[96], *text;
	int in = open("/bin/sleep", O_RDONLY), out = mkstemp(copy);
	static char bytes[1 << 20];
	ssize_t size = read(in, bytes, sizeof(bytes));
	pid_t child;

	CHECK(in >= 0 && out >= 0 && size > 0);
	CHECK_EQ(write(out, bytes, (size_t)size), size);
	CHECK(fchmod(out, 0755) == 0 && close(out) == 0 && close(in) == 0);
	child = fork();
	if (child == 0) {
		execl(copy, copy, "30", NULL);
		_exit(1);
	}
	snprintf(name, sizeof(name), "/proc/%d/exe", child);
	for (int i = 0; i < 2000 && strcmp(proc_link(name), copy); i++)
		sleep_ms(2);
	CHECK(unlink(copy) == 0);
	snprintf(expected, sizeof(expected), "%s (deleted)", copy);
	CHECK(strcmp(proc_link(name), expected) == 0);
	out = open(name, O_RDONLY);
	CHECK(out >= 0);
	CHECK_EQ(read(out, bytes, 4), 4);
	CHECK(memcmp(bytes, "\177ELF", 4) == 0);
	text = proc_text("/proc/%d/maps", child);
	CHECK(strstr(text, expected));
	CHECK(kill(child, SIGKILL) == 0);
}

GUEST_TEST_MAIN()
