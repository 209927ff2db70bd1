/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_key(2): where it looks and in which order, where it puts what it finds, negative keys,
 * and the authority to make keys, which only a program has that the kernel asked.
 */
#include "tests/guest/keys_test.h"

#include <sys/uio.h>

/* Asked for with a callout, what is not found is made negative for a minute. Where there is a program
 * to be asked, it has nothing to say to these names. */
static void request_in_vain(const char *name, long ring)
{
	CHECK_EQ(request("user", name, "ask", ring), -1);
	CHECK(errno == ENOENT || errno == ENOKEY);
	CHECK_ERRNO(request("user", name, NULL, 0), ENOKEY);
}

static long only_key_of(long ring)
{
	int serials[2];

	CHECK_EQ(ctl(KEYCTL_READ, ring, (long)serials, sizeof(serials), 0), sizeof(int));
	return serials[0];
}

TEST(thread_before_process_before_session)
{
	long session = new_session(), of_session, of_process, of_thread;

	of_session = add_user("key", session);
	CHECK_EQ(request("user", "key", NULL, 0), of_session);
	of_process = add_user("key", KEY_SPEC_PROCESS_KEYRING);
	CHECK_EQ(request("user", "key", NULL, 0), of_process);
	of_thread = add_user("key", KEY_SPEC_THREAD_KEYRING);
	CHECK_EQ(request("user", "key", NULL, 0), of_thread);
	CHECK_EQ(ctl(KEYCTL_SEARCH, SESSION, (long)"user", (long)"key", 0), of_session);
	CHECK_EQ(ctl(KEYCTL_CLEAR, KEY_SPEC_THREAD_KEYRING, 0, 0, 0), 0);
	CHECK_EQ(request("user", "key", NULL, 0), of_process);
	CHECK_EQ(ctl(KEYCTL_UNLINK, of_process, KEY_SPEC_PROCESS_KEYRING, 0, 0), 0);
	CHECK_EQ(request("user", "key", "ask", 0), of_session);
}

TEST(a_keyrings_own_keys_before_those_below)
{
	long session = new_session(), ring = add_ring("ring", session), below, above;

	below = add_user("key", ring);
	CHECK_EQ(request("user", "key", NULL, 0), below);
	above = add_user("key", session);
	CHECK_EQ(request("user", "key", NULL, 0), above);
	CHECK_EQ(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"key", 0), below);
	/* A keyring finds itself. */
	CHECK_EQ(request("keyring", "ring", NULL, 0), ring);
	CHECK_EQ(ctl(KEYCTL_SEARCH, ring, (long)"keyring", (long)"ring", 0), ring);
}

/* What has ended does not hide what comes later; if nothing comes, its end is the answer. */
TEST(ended_keys_are_passed_over)
{
	long session = new_session(), ended, key;

	ended = add_user("key", KEY_SPEC_PROCESS_KEYRING);
	key = add_user("key", session);
	CHECK_EQ(ctl(KEYCTL_REVOKE, ended, 0, 0, 0), 0);
	CHECK_EQ(request("user", "key", NULL, 0), key);
	CHECK_EQ(ctl(KEYCTL_REVOKE, key, 0, 0, 0), 0);
	CHECK_ERRNO(request("user", "key", NULL, 0), EKEYREVOKED);
	CHECK_ERRNO(request("user", "key", "ask", 0), EKEYREVOKED);
	key = add_user("expires", session);
	CHECK_EQ(ctl(KEYCTL_SET_TIMEOUT, key, 1, 0, 0), 0);
	sleep_ms(2100);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, session, (long)"user", (long)"expires", 0), EKEYEXPIRED);
	/* request_key() could make it anew. */
	CHECK_ERRNO(request("user", "expires", NULL, 0), ENOKEY);
}

TEST(what_is_found_goes_where_it_is_wanted)
{
	long session = new_session(), ring = add_ring("ring", session), key, flat;

	key = add_user("key", KEY_SPEC_PROCESS_KEYRING);
	CHECK_EQ(request("user", "key", NULL, ring), key);
	CHECK_EQ(only_key_of(ring), key);
	CHECK_EQ(request("user", "key", NULL, KEY_SPEC_THREAD_KEYRING), key);
	CHECK_EQ(only_key_of(KEY_SPEC_THREAD_KEYRING), key);
	/* Without a place it goes nowhere, whatever the default. */
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_SESSION_KEYRING, 0, 0, 0), 0);
	CHECK_EQ(request("user", "key", NULL, 0), key);
	CHECK_EQ(count_of(session), 1);
	flat = add_user("flat", session);
	CHECK_ERRNO(request("user", "key", NULL, flat), ENOTDIR);
	CHECK_ERRNO(request("user", "key", NULL, NO_SUCH_KEY), ENOKEY);
	CHECK_ERRNO(request("user", "key", NULL, -99), EINVAL);
	CHECK_ERRNO(request("keyring", "ring", NULL, ring), EDEADLK);
}

TEST(arguments)
{
	static char long_text[5000];
	long ring = new_session();

	memset(long_text, 'x', sizeof(long_text) - 1);
	CHECK_ERRNO(request(NULL, "key", NULL, 0), EFAULT);
	CHECK_ERRNO(request("user", NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(request("user", "key", (char *)8, 0), EFAULT);
	CHECK_ERRNO(request("", "key", NULL, 0), EINVAL);
	CHECK_ERRNO(request(long_text, "key", NULL, 0), EINVAL);
	CHECK_ERRNO(request("user", long_text, NULL, 0), EINVAL);
	CHECK_ERRNO(request("user", "key", long_text, 0), EINVAL);
	CHECK_ERRNO(request(".user", "key", NULL, 0), EPERM);
	CHECK_ERRNO(request("nosuchtype", "key", "ask", ring), ENOKEY);
	CHECK_ERRNO(request("user", "nothing", NULL, ring), ENOKEY);
	CHECK_ERRNO(request("user", "", "ask", ring), EINVAL);
	CHECK_ERRNO(request("logon", "noprefix", "ask", ring), EINVAL);
	CHECK_ERRNO(request("keyring", "nothing", "ask", ring), EPERM);
	CHECK_EQ(count_of(ring), 0);
}

TEST(a_negative_key)
{
	long ring = new_session(), key;
	char text[128], expected[128];

	request_in_vain("vain", ring);
	key = only_key_of(ring);
	snprintf(expected, sizeof(expected), "user;%d;%d;3f010000;vain", getuid(), getgid());
	CHECK(ctl(KEYCTL_DESCRIBE, key, (long)text, sizeof(text), 0) > 0);
	CHECK(!strcmp(text, expected));
	CHECK_ERRNO(ctl(KEYCTL_READ, key, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_UPDATE, key, (long)"x", 1, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_LINK, key, KEY_SPEC_PROCESS_KEYRING, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_REVOKE, key, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_INVALIDATE, key, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"vain", 0), ENOKEY);
	CHECK_ERRNO(add("user", "key", "x", 1, key), ENOKEY);
	CHECK_ERRNO(request("user", "vain", "ask", 0), ENOKEY);
	CHECK_EQ(ctl(KEYCTL_SETPERM, key, POSSESSOR(ALL), 0, 0), 0);
	CHECK_EQ(ctl(KEYCTL_SET_TIMEOUT, key, 100, 0, 0), 0);
	/* One that is added takes its place, as an update. */
	CHECK_EQ(add("user", "vain", SECRET, strlen(SECRET), ring), key);
	check_text(key, SECRET);
	CHECK_EQ(request("user", "vain", NULL, 0), key);
}

TEST(a_negative_key_is_unlinked_and_expires)
{
	long ring = new_session(), key;

	request_in_vain("vain", ring);
	key = only_key_of(ring);
	CHECK_EQ(ctl(KEYCTL_SET_TIMEOUT, key, 1, 0, 0), 0);
	sleep_ms(2100);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"vain", 0), EKEYEXPIRED);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, key, 0, 0, 0), EKEYEXPIRED);
	request_in_vain("vain", ring);
	CHECK(only_key_of(ring) != key);
	CHECK_EQ(ctl(KEYCTL_UNLINK, only_key_of(ring), ring, 0, 0), 0);
	CHECK_EQ(count_of(ring), 0);
	request_in_vain("vain", ring);
}

/* Where a negative key goes tells where a made one would. */
TEST(default_keyrings)
{
	long session = new_session();

	request_in_vain("session", 0);
	CHECK_EQ(count_of(session), 1);
	CHECK(keyring_id(KEY_SPEC_PROCESS_KEYRING, true) > 0);
	request_in_vain("process", 0);
	CHECK_EQ(count_of(KEY_SPEC_PROCESS_KEYRING), 1);
	CHECK(keyring_id(KEY_SPEC_THREAD_KEYRING, true) > 0);
	request_in_vain("thread", 0);
	CHECK_EQ(count_of(KEY_SPEC_THREAD_KEYRING), 1);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_SESSION_KEYRING, 0, 0, 0), 0);
	request_in_vain("other", 0);
	CHECK_EQ(count_of(session), 2);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_PROCESS_KEYRING, 0, 0, 0),
		KEY_REQKEY_DEFL_SESSION_KEYRING);
	request_in_vain("another", 0);
	CHECK_EQ(count_of(KEY_SPEC_PROCESS_KEYRING), 2);
}

TEST(choosing_a_default)
{
	new_session();
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, -1, 0, 0, 0), 0);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_THREAD_KEYRING, 0, 0, 0), 0);
	/* It is made by being chosen. */
	CHECK(keyring_id(KEY_SPEC_THREAD_KEYRING, false) > 0);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_PROCESS_KEYRING, 0, 0, 0), 1);
	CHECK(keyring_id(KEY_SPEC_PROCESS_KEYRING, false) > 0);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_REQUESTOR_KEYRING, 0, 0, 0), 2);
	CHECK_ERRNO(ctl(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_GROUP_KEYRING, 0, 0, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_SET_REQKEY_KEYRING, 8, 0, 0, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_SET_REQKEY_KEYRING, -2, 0, 0, 0), EINVAL);
	CHECK_EQ(ctl(KEYCTL_SET_REQKEY_KEYRING, -1, 0, 0, 0), KEY_REQKEY_DEFL_REQUESTOR_KEYRING);
}

TEST(nobody_has_the_authority_to_make_keys)
{
	long ring = new_session(), key = add_user("key", ring);
	struct iovec one = {"x", 1}, large = {"x", 1 << 20};

	CHECK_EQ(ctl(KEYCTL_ASSUME_AUTHORITY, 0, 0, 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_ASSUME_AUTHORITY, -1, 0, 0, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_ASSUME_AUTHORITY, key, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_ASSUME_AUTHORITY, NO_SUCH_KEY, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE, key, (long)"x", 1, ring), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE, key, 0, 0, 0), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE, key, (long)"x", 1 << 20, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE_IOV, key, (long)&one, 1, ring), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE_IOV, key, (long)&large, 1, ring), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE_IOV, key, 8, 1, ring), EFAULT);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE_IOV, key, (long)&one, 5000, ring), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_INSTANTIATE_IOV, key, 0, 5, ring), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_NEGATE, key, 10, 0, 0), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_NEGATE, NO_SUCH_KEY, 10, ring, 0), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_REJECT, key, 10, EKEYREJECTED, 0), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_REJECT, key, 10, 0, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_REJECT, key, 10, 4095, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_REJECT, key, 10, 4094, 0), EPERM);
	for (long restart = 512; restart <= 516; restart++)
		CHECK_ERRNO(
			ctl(KEYCTL_REJECT, key, 10, restart, 0), restart == 515 ? EPERM : EINVAL);
	check_text(key, SECRET);
}

GUEST_TEST_MAIN()
