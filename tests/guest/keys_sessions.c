/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which keyrings a process has: through fork, execve and new user ids, by name, from a child, of a
 * user, and those that persist (session-keyring(7), user-keyring(7), persistent-keyring(7)).
 */
#include "tests/guest/keys_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/fsuid.h>

static unsigned int stranger(void)
{
	return 20001 + (unsigned int)getpid() % 20000 * 2;
}

static void need_root(void)
{
	if (getuid())
		SKIP("only root becomes another user");
}

static void describe(long key, char text[128])
{
	CHECK(ctl(KEYCTL_DESCRIBE, key, (long)text, 128, 0) > 0);
}

static void check_described(long key, const char *expected)
{
	char text[128];

	describe(key, text);
	if (strcmp(text, expected))
		FAIL("%s, not %s", text, expected);
}

/* --- execve --- */

static int after_exec(char **argv)
{
	long session = atol(argv[2]), key = atol(argv[3]);

	CHECK_EQ(keyring_id(SESSION, false), session);
	check_text(key, SECRET);
	CHECK_ERRNO(keyring_id(KEY_SPEC_THREAD_KEYRING, false), ENOKEY);
	CHECK_ERRNO(keyring_id(KEY_SPEC_PROCESS_KEYRING, false), ENOKEY);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, -1, 0, 0, 0), KEY_REQKEY_DEFL_USER_KEYRING);
	return 0;
}

TEST(execve_keeps_the_session_alone)
{
	long session = new_session(), key = add_user("key", session);
	char number[2][32];

	CHECK(keyring_id(KEY_SPEC_THREAD_KEYRING, true) > 0);
	CHECK(keyring_id(KEY_SPEC_PROCESS_KEYRING, true) > 0);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_USER_KEYRING, 0, 0, 0), 0);
	snprintf(number[0], sizeof(number[0]), "%ld", session);
	snprintf(number[1], sizeof(number[1]), "%ld", key);
	execl("/proc/self/exe", "keys_sessions", "--after-exec", number[0], number[1], NULL);
	FAIL("execve: errno %d", errno);
}

/* --- user ids --- */

TEST(a_new_user_keeps_the_session)
{
	long session = new_session(), key = add_user("key", session), own;
	unsigned int id = stranger();
	char text[128];

	need_root();
	own = keyring_id(KEY_SPEC_USER_KEYRING, false);
	CHECK(own > 0);
	CHECK(setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0);
	CHECK_EQ(keyring_id(SESSION, false), session);
	check_text(key, SECRET);
	CHECK_EQ(ctl(KEYCTL_UPDATE, key, (long)"new", 3, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_SETPERM, key, POSSESSOR(ALL), 0, 0), EACCES);
	/* What it makes now is its own. */
	key = add_user("mine", session);
	snprintf(text, sizeof(text), "user;%u;%u;3f010000;mine", id, id);
	check_described(key, text);
	CHECK(keyring_id(KEY_SPEC_USER_KEYRING, false) != own);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, own, 0, 0, 0), EACCES);
}

TEST(the_threads_keyring_follows_its_user)
{
	unsigned int id = stranger();
	long thread, process;
	char text[128];

	need_root();
	new_session();
	thread = keyring_id(KEY_SPEC_THREAD_KEYRING, true);
	process = keyring_id(KEY_SPEC_PROCESS_KEYRING, true);
	check_described(thread, "keyring;0;0;3f010000;_tid");
	setfsgid(id);
	setfsuid(id);
	snprintf(text, sizeof(text), "keyring;%u;%u;3f010000;_tid", id, id);
	check_described(thread, text);
	check_described(process, "keyring;0;0;3f010000;_pid");
}

TEST(keyrings_of_a_user)
{
	unsigned int id = stranger();
	long own, session;
	char text[128];
	int serials[2];

	need_root();
	CHECK(setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0);
	new_session();
	own = keyring_id(KEY_SPEC_USER_KEYRING, false);
	session = keyring_id(KEY_SPEC_USER_SESSION_KEYRING, false);
	CHECK(own > 0 && session > 0 && own != session);
	snprintf(text, sizeof(text), "keyring;%u;65534;1f3f0000;_uid.%u", id, id);
	check_described(own, text);
	snprintf(text, sizeof(text), "keyring;%u;65534;1f3f0000;_uid_ses.%u", id, id);
	check_described(session, text);
	CHECK_EQ(ctl(KEYCTL_READ, session, (long)serials, sizeof(serials), 0), sizeof(int));
	CHECK_EQ(serials[0], own);
	/* It is the user's; that alone does not make what is in it possessed. */
	add_user("kept", KEY_SPEC_USER_KEYRING);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, SESSION, (long)"user", (long)"kept", 0), ENOKEY);
	CHECK_ERRNO(request("user", "kept", NULL, 0), ENOKEY);
	CHECK_EQ(ctl(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, SESSION, 0, 0), 0);
	CHECK(request("user", "kept", NULL, 0) > 0);
	CHECK_EQ(ctl(KEYCTL_CLEAR, own, 0, 0, 0), 0);
}

TEST(keyrings_that_persist)
{
	unsigned int id = stranger();
	long top = new_session(), ring, theirs;
	char text[128];

	need_root();
	theirs = ctl(KEYCTL_GET_PERSISTENT, id, top, 0, 0);
	if (theirs < 0 && errno == EOPNOTSUPP)
		SKIP("no persistent keyrings");
	CHECK(theirs > 0);
	snprintf(text, sizeof(text), "keyring;%u;65534;1f030000;_persistent.%u", id, id);
	check_described(theirs, text);
	CHECK_EQ(ctl(KEYCTL_GET_PERSISTENT, id, top, 0, 0), theirs);
	CHECK_EQ(count_of(top), 1);
	CHECK_ERRNO(ctl(KEYCTL_GET_PERSISTENT, -1, 0, 0, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_GET_PERSISTENT, -1, add_user("key", top), 0, 0), ENOTDIR);
	CHECK(setresuid(id, id, id) == 0);
	ring = new_session();
	CHECK_EQ(ctl(KEYCTL_GET_PERSISTENT, -1, ring, 0, 0), theirs);
	CHECK_EQ(ctl(KEYCTL_GET_PERSISTENT, id, ring, 0, 0), theirs);
	CHECK_ERRNO(ctl(KEYCTL_GET_PERSISTENT, id + 1, ring, 0, 0), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_GET_PERSISTENT, 0, ring, 0, 0), EPERM);
	add_user("kept", theirs);
	ring = new_session();
	CHECK_EQ(ctl(KEYCTL_GET_PERSISTENT, -1, ring, 0, 0), theirs);
	CHECK(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"kept", 0) > 0);
	CHECK_EQ(ctl(KEYCTL_INVALIDATE, theirs, 0, 0, 0), 0);
}

/* --- names --- */

static char session_name[64];
static long named_session;

static void of_another_user(void)
{
	unsigned int id = stranger();

	CHECK(setresuid(id, id, id) == 0);
	new_session();
	CHECK(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)session_name, 0, 0, 0) != named_session);
}

static void write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void in_another_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER))
		SKIP("no user namespaces");
	write_map("/proc/self/uid_map", "0 0 1");
	new_session();
	CHECK(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)session_name, 0, 0, 0) != named_session);
}

static void of_the_same(void)
{
	new_session();
	CHECK_EQ(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)session_name, 0, 0, 0), named_session);
	/* That it is joined already gives no number. */
	CHECK_EQ(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)session_name, 0, 0, 0), 0);
}

TEST(a_named_session)
{
	int status;

	need_root();
	new_session();
	snprintf(session_name, sizeof(session_name), "csandbox-named-%d", getpid());
	named_session = ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)session_name, 0, 0, 0);
	CHECK(named_session > 0);
	/* Not to be searched by who does not possess it: another one is made. */
	CHECK_EQ(in_child(of_another_user), 0);
	CHECK_EQ(ctl(KEYCTL_SETPERM, named_session, POSSESSOR(ALL) | USER(ALL), 0, 0), 0);
	CHECK_EQ(in_child(of_another_user), 0);
	CHECK_EQ(in_child(of_the_same), 0);
	status = in_child(in_another_user_namespace);
	CHECK(status == 0 || status == GUEST_TEST_SKIPPED << 8);
	CHECK_EQ(ctl(KEYCTL_REVOKE, SESSION, 0, 0, 0), 0);
	CHECK_ERRNO(keyring_id(SESSION, false), EKEYREVOKED);
	CHECK(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)session_name, 0, 0, 0) != named_session);
}

TEST(names_are_checked)
{
	static char long_name[5000];

	new_session();
	memset(long_name, 'x', sizeof(long_name) - 1);
	CHECK_ERRNO(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)".name", 0, 0, 0), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_JOIN_SESSION_KEYRING, 8, 0, 0, 0), EFAULT);
	CHECK_ERRNO(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)long_name, 0, 0, 0), EINVAL);
}

/* --- from a child --- */

static long given;

static void give(void)
{
	long ring = new_session();

	add_user("given", ring);
	CHECK_EQ(ctl(KEYCTL_SESSION_TO_PARENT, 0, 0, 0, 0), 0);
}

static void give_as_another(void)
{
	unsigned int id = stranger();

	CHECK(setresuid(id, id, id) == 0);
	new_session();
	CHECK_ERRNO(ctl(KEYCTL_SESSION_TO_PARENT, 0, 0, 0, 0), EPERM);
}

static void give_what_is_its_own(void)
{
	CHECK_EQ(ctl(KEYCTL_SESSION_TO_PARENT, 0, 0, 0, 0), 0);
}

static void give_in_vain(void)
{
	new_session();
	CHECK_ERRNO(ctl(KEYCTL_SESSION_TO_PARENT, 0, 0, 0, 0), EPERM);
}

TEST(a_child_gives_its_session)
{
	long before = new_session();

	CHECK_EQ(in_child(give_what_is_its_own), 0);
	CHECK_EQ(keyring_id(SESSION, false), before);
	CHECK_EQ(in_child(give), 0);
	given = keyring_id(SESSION, false);
	CHECK(given > 0 && given != before);
	CHECK(ctl(KEYCTL_SEARCH, SESSION, (long)"user", (long)"given", 0) > 0);
	if (getuid() == 0)
		CHECK_EQ(in_child(give_as_another), 0);
	CHECK_EQ(keyring_id(SESSION, false), given);
}

static void *wait_for_end(void *end)
{
	char byte;

	(void)!read(*(int *)end, &byte, 1);
	return NULL;
}

TEST(who_has_threads_is_given_nothing)
{
	long before = new_session();
	pthread_t thread;
	int ends[2];

	CHECK(pipe(ends) == 0);
	CHECK(pthread_create(&thread, NULL, wait_for_end, &ends[0]) == 0);
	CHECK_EQ(in_child(give_in_vain), 0);
	CHECK_EQ(keyring_id(SESSION, false), before);
	close(ends[1]);
	CHECK(pthread_join(thread, NULL) == 0);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--after-exec"))
		return after_exec(argv);
	return guest_test_main(argc, argv);
}
