/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and keyrings (add_key(2), keyctl(2)): making, reading, linking, ending; what clone and
 * execve keep. Every test joins a session keyring of its own first, so that nothing stays behind.
 */
#include "tests/guest/keys_test.h"

#include <fcntl.h>
#include <pthread.h>

TEST(payloads_are_read_and_updated)
{
	long ring = new_session(), key = add_user("one", SESSION);
	char text[8] = "";

	check_text(key, "payload");
	CHECK_EQ(ctl(KEYCTL_READ, key, 0, 0, 0), 7);
	CHECK_EQ(ctl(KEYCTL_READ, key, (long)text, 3, 0), 7);
	CHECK_EQ(text[0], 0);
	CHECK_EQ(add("user", "one", "other", 5, ring), key);
	check_text(key, "other");
	CHECK_EQ(ctl(KEYCTL_UPDATE, key, (long)"third", 5, 0), 0);
	check_text(key, "third");
	CHECK_ERRNO(ctl(KEYCTL_READ, key, 8, 100, 0), EFAULT);
}

TEST(arguments_are_checked)
{
	static char long_name[5000];
	long ring = new_session();

	memset(long_name, 'x', sizeof(long_name) - 1);
	CHECK_ERRNO(add("nosuchtype", "n", "p", 1, SESSION), ENODEV);
	CHECK_ERRNO(add("", "n", "p", 1, SESSION), EINVAL);
	CHECK_ERRNO(add(".dot", "n", "p", 1, SESSION), EPERM);
	CHECK_ERRNO(add("user", "n", "p", 0, SESSION), EINVAL);
	CHECK_ERRNO(add("user", "n", long_name, 32768, SESSION), EFAULT);
	CHECK_ERRNO(add("user", "n", "p", 1 << 20, SESSION), EINVAL);
	CHECK_ERRNO(add("user", "", "p", 1, SESSION), EINVAL);
	CHECK_ERRNO(add("user", NULL, "p", 1, SESSION), EINVAL);
	CHECK_ERRNO(add("user", long_name, "p", 1, SESSION), EINVAL);
	CHECK_ERRNO(add("user", (char *)8, "p", 1, SESSION), EFAULT);
	CHECK_ERRNO(add("user", "n", (void *)8, 1, SESSION), EFAULT);
	CHECK_ERRNO(add("user", "n", "p", 1, 0), EINVAL);
	CHECK_ERRNO(add("user", "n", "p", 1, KEY_SPEC_GROUP_KEYRING), EINVAL);
	CHECK_ERRNO(add("keyring", ".n", NULL, 0, SESSION), EPERM);
	CHECK_ERRNO(add("keyring", "n", "p", 1, SESSION), EINVAL);
	CHECK_ERRNO(add("user", "n", "p", 1, add_user("key", ring)), ENOTDIR);
	CHECK_ERRNO(ctl(999, 0, 0, 0, 0), EOPNOTSUPP);
	CHECK_ERRNO(ctl(KEYCTL_UPDATE, ring, 0, 0, 0), EOPNOTSUPP);
	CHECK_ERRNO(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)".dot", 0, 0, 0), EPERM);
}

TEST(description)
{
	long ring = new_session(), key = add_user("described", ring);
	char text[128] = "", expected[128];

	snprintf(expected, sizeof(expected), "user;%d;%d;3f010000;described", getuid(), getgid());
	CHECK_EQ(ctl(KEYCTL_DESCRIBE, key, (long)text, sizeof(text), 0), strlen(expected) + 1);
	CHECK(!strcmp(text, expected));
	CHECK_EQ(ctl(KEYCTL_DESCRIBE, key, 0, 0, 0), strlen(expected) + 1);
	CHECK(ctl(KEYCTL_DESCRIBE, ring, (long)text, sizeof(text), 0) > 0);
	snprintf(expected, sizeof(expected), "keyring;%d;%d;3f030000;_ses", getuid(), getgid());
	CHECK(!strcmp(text, expected));
	CHECK_EQ(ctl(KEYCTL_GET_SECURITY, key, 0, 0, 0) > 0, 1);
}

TEST(logon_keys_are_not_read)
{
	long ring = new_session(), key;

	CHECK_ERRNO(add("logon", "noprefix", "p", 1, ring), EINVAL);
	CHECK_ERRNO(add("logon", ":empty", "p", 1, ring), EINVAL);
	key = add("logon", "test:key", "p", 1, ring);
	CHECK(key > 0);
	CHECK_ERRNO(ctl(KEYCTL_READ, key, 0, 0, 0), EOPNOTSUPP);
	CHECK_EQ(ctl(KEYCTL_UPDATE, key, (long)"xx", 2, 0), 0);
}

TEST(links)
{
	long ring = new_session(), key = add_user("linked", ring);
	long other = add("keyring", "other", NULL, 0, ring);
	int serials[4];

	CHECK(other > 0);
	CHECK_EQ(ctl(KEYCTL_LINK, key, other, 0, 0), 0);
	CHECK_EQ(ctl(KEYCTL_READ, other, (long)serials, sizeof(serials), 0), 4);
	CHECK_EQ(serials[0], key);
	CHECK_EQ(ctl(KEYCTL_READ, ring, (long)serials, sizeof(serials), 0), 8);
	CHECK_EQ(serials[0] == key ? serials[1] : serials[0], other);
	CHECK_EQ(ctl(KEYCTL_UNLINK, key, ring, 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_UNLINK, key, ring, 0, 0), ENOENT);
	check_text(key, "payload");
	CHECK_EQ(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"linked", 0), key);
	CHECK_EQ(ctl(KEYCTL_MOVE, key, other, ring, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, key, other, ring, 0), ENOENT);
	add_user("linked", other);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, key, ring, other, KEYCTL_MOVE_EXCL), EEXIST);
	CHECK_EQ(ctl(KEYCTL_MOVE, key, ring, other, 0), 0);
	CHECK_EQ(ctl(KEYCTL_CLEAR, other, 0, 0, 0), 0);
	CHECK_EQ(ctl(KEYCTL_READ, other, 0, 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_CLEAR, add_user("flat", ring), 0, 0, 0), ENOTDIR);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"nothing", 0), ENOKEY);
}

TEST(no_cycles_and_a_depth_limit)
{
	long ring = new_session(), chain[10], outside;

	chain[0] = add("keyring", "0", NULL, 0, ring);
	for (int i = 1; i < 10; i++) {
		char name[2] = {(char)('0' + i)};

		chain[i] = add("keyring", name, NULL, 0, chain[i - 1]);
		/* Possession ends with the search's depth. */
		if (chain[i] < 0)
			break;
	}
	CHECK(chain[3] > 0);
	CHECK_ERRNO(ctl(KEYCTL_LINK, chain[0], chain[0], 0, 0), EDEADLK);
	CHECK_ERRNO(ctl(KEYCTL_LINK, chain[0], chain[3], 0, 0), EDEADLK);
	outside = add("keyring", "outside", NULL, 0, ring);
	CHECK(outside > 0);
	CHECK_EQ(ctl(KEYCTL_LINK, chain[2], outside, 0, 0), 0);
}

TEST(ends)
{
	long ring = new_session(), key = add_user("revoked", ring);

	CHECK_EQ(ctl(KEYCTL_REVOKE, key, 0, 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_READ, key, 0, 0, 0), EKEYREVOKED);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, key, 0, 0, 0), EKEYREVOKED);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"revoked", 0), EKEYREVOKED);
	CHECK(add_user("revoked", ring) != key);
	key = add_user("invalid", ring);
	CHECK_EQ(ctl(KEYCTL_INVALIDATE, key, 0, 0, 0), 0);
	CHECK(ctl(KEYCTL_READ, key, 0, 0, 0) < 0);
	/* Its link may be there for a moment: ENOKEY or EKEYREVOKED. */
	CHECK(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"invalid", 0) < 0);
	key = add_user("short", ring);
	CHECK_EQ(ctl(KEYCTL_SET_TIMEOUT, key, 1, 0, 0), 0);
	sleep_ms(2100);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, key, 0, 0, 0), EKEYEXPIRED);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"short", 0), EKEYEXPIRED);
	CHECK_ERRNO(ctl(KEYCTL_SET_TIMEOUT, key, 0, 0, 0), EKEYEXPIRED);
}

TEST(restriction)
{
	long ring = new_session(), closed = add("keyring", "closed", NULL, 0, ring);

	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, closed, 0, (long)"x", 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, closed, (long)"user", (long)"x", 0), ENOENT);
	CHECK_EQ(ctl(KEYCTL_RESTRICT_KEYRING, closed, 0, 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, closed, 0, 0, 0), EEXIST);
	CHECK_ERRNO(add("user", "n", "p", 1, closed), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_LINK, add_user("free", ring), closed, 0, 0), EPERM);
}

TEST(permissions_of_a_possessor)
{
	long ring = new_session(), key = add_user("guarded", ring);

	CHECK_ERRNO(ctl(KEYCTL_SETPERM, key, 0x40, 0, 0), EINVAL);
	CHECK_EQ(ctl(KEYCTL_SETPERM, key, POSSESSOR(VIEW | SETATTR), 0, 0), 0);
	/* What cannot be searched is not possessed. */
	CHECK_ERRNO(ctl(KEYCTL_READ, key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_SETPERM, key, POSSESSOR(ALL), 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, key, 0, 0, 0), EACCES);
	key = add_user("searched", ring);
	CHECK_EQ(ctl(KEYCTL_SETPERM, key, POSSESSOR(SEARCH | VIEW), 0, 0), 0);
	check_text(key, "payload");
	CHECK_ERRNO(ctl(KEYCTL_UPDATE, key, (long)"x", 1, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_LINK, key, KEY_SPEC_PROCESS_KEYRING, 0, 0), EACCES);
}

static void *of_another_thread(void *unused)
{
	CHECK_ERRNO(ctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0, 0, 0), ENOKEY);
	return (void *)ctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 0, 0, 0);
}

TEST(of_threads_and_processes)
{
	long session = new_session(), process, thread;
	void *theirs;
	pthread_t other;
	int status;
	pid_t child;

	CHECK_ERRNO(ctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0, 0, 0), ENOKEY);
	process = ctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1, 0, 0);
	CHECK(process > 0);
	CHECK(pthread_create(&other, NULL, of_another_thread, NULL) == 0);
	CHECK(pthread_join(other, &theirs) == 0);
	CHECK_EQ((long)theirs, process);
	thread = ctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 1, 0, 0);
	CHECK(thread > 0 && thread != process);
	child = fork();
	if (child == 0) {
		CHECK_ERRNO(ctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 0, 0, 0), ENOKEY);
		CHECK_ERRNO(ctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0, 0, 0), ENOKEY);
		CHECK_EQ(ctl(KEYCTL_GET_KEYRING_ID, SESSION, 0, 0, 0), session);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(sessions_by_name)
{
	long first, second;
	char name[64];
	int status;
	pid_t child;

	new_session();
	snprintf(name, sizeof(name), "csandbox-test-%d", getpid());
	first = ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)name, 0, 0, 0);
	CHECK(first > 0);
	CHECK_EQ(ctl(KEYCTL_SETPERM, first, POSSESSOR(ALL) | USER(ALL), 0, 0), 0);
	child = fork();
	if (child == 0) {
		new_session();
		second = ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)name, 0, 0, 0);
		CHECK_EQ(second, first);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(requests)
{
	long ring = new_session(), key = add_user("wanted", ring);
	long other = add("keyring", "other", NULL, 0, ring);

	CHECK_EQ(syscall(SYS_request_key, "user", "wanted", NULL, 0), key);
	CHECK_EQ(syscall(SYS_request_key, "user", "wanted", NULL, (int)other), key);
	CHECK_EQ(ctl(KEYCTL_UNLINK, key, other, 0, 0), 0);
	CHECK_ERRNO(syscall(SYS_request_key, "user", "unwanted", NULL, 0), ENOKEY);
	CHECK_ERRNO(syscall(SYS_request_key, "nosuchtype", "unwanted", NULL, 0), ENOKEY);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_NO_CHANGE, 0, 0, 0), 0);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_SESSION_KEYRING, 0, 0, 0), 0);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_NO_CHANGE, 0, 0, 0), 3);
	CHECK_ERRNO(ctl(KEYCTL_SET_REQKEY_KEYRING, 99, 0, 0, 0), EINVAL);
	CHECK_EQ(ctl(KEYCTL_ASSUME_AUTHORITY, 0, 0, 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_ASSUME_AUTHORITY, key, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE, key, (long)"x", 1, 0), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_NEGATE, key, 10, 0, 0), EPERM);
}

TEST(proc_keys)
{
	char text[65536] = "", wanted[64];
	long key, size = 0, got;
	int fd;

	new_session();
	key = add_user("shown", SESSION);
	fd = open("/proc/keys", O_RDONLY);
	CHECK(fd >= 0);
	while ((got = read(fd, text + size, sizeof(text) - 1 - (size_t)size)) > 0)
		size += got;
	snprintf(wanted, sizeof(wanted), "%08lx I--Q---", key);
	CHECK(strstr(text, wanted));
	CHECK(strstr(strstr(text, wanted), "user      shown: 7\n"));
}

GUEST_TEST_MAIN()
