/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with a key (keyrings(7), "Access rights"): the bits of possessor, owner, group
 * and others, each operation's right, what belongs to the administrator, and what users may take
 * up.
 */
#include "tests/guest/keys_test.h"

#include <fcntl.h>
#include <grp.h>

/* Users of this test's own, so that no other's keys count. */
static unsigned int stranger(void)
{
	return 20000 + (unsigned int)getpid() % 20000 * 2;
}

static void become(unsigned int id)
{
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(id, id, id) == 0);
	CHECK(setresuid(id, id, id) == 0);
}

static void need_root(void)
{
	if (getuid())
		SKIP("only root becomes another user");
}

/* A key with these rights, that was made here and is looked at by somebody who does not possess it.
 */
static struct {
	long ring, key;
	unsigned int uid, gid;
	void (*look)(void);
} shown;

static void as_somebody(void)
{
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(shown.gid, shown.gid, shown.gid) == 0);
	CHECK(setresuid(shown.uid, shown.uid, shown.uid) == 0);
	new_session();
	shown.look();
}

static void look_as(unsigned int uid, unsigned int gid, long rights, void (*look)(void))
{
	shown.uid = uid;
	shown.gid = gid;
	shown.look = look;
	CHECK_EQ(ctl(KEYCTL_SETPERM, shown.key, rights | POSSESSOR(ALL), 0, 0), 0);
	CHECK_EQ(in_child(as_somebody), 0);
}

static void make_shown(void)
{
	need_root();
	shown.ring = new_session();
	shown.key = add_user("shown", shown.ring);
}

static void nothing_is_granted(void)
{
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, shown.key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_GET_SECURITY, shown.key, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_READ, shown.key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_UPDATE, shown.key, (long)"x", 1, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_LINK, shown.key, SESSION, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, shown.key, SESSION, KEY_SPEC_PROCESS_KEYRING, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_REVOKE, shown.key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_INVALIDATE, shown.key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_SETPERM, shown.key, OTHER(ALL), 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_CHOWN, shown.key, getuid(), -1, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_SET_TIMEOUT, shown.key, 10, 0, 0), EACCES);
	/* Not in this keyring; which key it is needs no right. */
	CHECK_ERRNO(ctl(KEYCTL_UNLINK, shown.key, SESSION, 0, 0), ENOENT);
}

static void only_view_is_granted(void)
{
	CHECK(ctl(KEYCTL_DESCRIBE, shown.key, 0, 0, 0) > 0);
	CHECK(ctl(KEYCTL_GET_SECURITY, shown.key, 0, 0, 0) > 0);
	CHECK_ERRNO(ctl(KEYCTL_READ, shown.key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_UPDATE, shown.key, (long)"x", 1, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_INVALIDATE, shown.key, 0, 0, 0), EACCES);
}

static void only_read_is_granted(void)
{
	check_text(shown.key, SECRET);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, shown.key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_LINK, shown.key, SESSION, 0, 0), EACCES);
}

/* Who writes may revoke. */
static void only_write_is_granted(void)
{
	CHECK_EQ(ctl(KEYCTL_UPDATE, shown.key, (long)SECRET, strlen(SECRET), 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_READ, shown.key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_SET_TIMEOUT, shown.key, 0, 0, 0), EACCES);
}

/* A link makes it possessed, and what its possessor may do is another set. */
static void only_link_is_granted(void)
{
	CHECK_ERRNO(ctl(KEYCTL_READ, shown.key, 0, 0, 0), EACCES);
	CHECK_EQ(ctl(KEYCTL_LINK, shown.key, SESSION, 0, 0), 0);
	check_text(shown.key, SECRET);
}

static void only_setattr_is_granted(void)
{
	CHECK_EQ(ctl(KEYCTL_SET_TIMEOUT, shown.key, 0, 0, 0), 0);
	CHECK_EQ(ctl(KEYCTL_CHOWN, shown.key, 0, -1, 0), 0);
	CHECK_EQ(ctl(KEYCTL_CHOWN, shown.key, -1, getgid(), 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_CHOWN, shown.key, getuid(), -1, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_CHOWN, shown.key, -1, getgid() + 1, 0), EACCES);
	/* Only its owner and the administrator. */
	CHECK_ERRNO(ctl(KEYCTL_SETPERM, shown.key, OTHER(ALL), 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, shown.key, 0, 0, 0), ENOTDIR);
	CHECK_EQ(ctl(KEYCTL_REVOKE, shown.key, 0, 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_SET_TIMEOUT, shown.key, 0, 0, 0), EKEYREVOKED);
}

static void only_search_is_granted(void)
{
	CHECK_ERRNO(ctl(KEYCTL_REVOKE, shown.key, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_READ, shown.key, 0, 0, 0), EACCES);
	CHECK_EQ(ctl(KEYCTL_INVALIDATE, shown.key, 0, 0, 0), 0);
}

TEST(rights_of_others)
{
	unsigned int id = stranger();

	make_shown();
	look_as(id, id, 0, nothing_is_granted);
	look_as(id, id, USER(ALL) | GROUP(ALL), nothing_is_granted);
	look_as(id, id, OTHER(VIEW), only_view_is_granted);
	look_as(id, id, OTHER(READ), only_read_is_granted);
	look_as(id, id, OTHER(WRITE), only_write_is_granted);
	look_as(id, id, OTHER(LINK), only_link_is_granted);
	look_as(id, id, OTHER(SETATTR), only_setattr_is_granted);
	shown.key = add_user("another", shown.ring);
	look_as(id, id, OTHER(SEARCH), only_search_is_granted);
	CHECK(ctl(KEYCTL_READ, shown.key, 0, 0, 0) < 0);
}

TEST(rights_of_the_group)
{
	unsigned int id = stranger();

	make_shown();
	CHECK_EQ(ctl(KEYCTL_CHOWN, shown.key, -1, id, 0), 0);
	look_as(id, id, GROUP(VIEW), only_view_is_granted);
	/* They stand in for those of others, if there are any. */
	look_as(id, id, GROUP(VIEW) | OTHER(ALL), only_view_is_granted);
	look_as(id, id, OTHER(READ), only_read_is_granted);
	look_as(id, id + 1, GROUP(ALL) | OTHER(READ), only_read_is_granted);
}

TEST(rights_of_the_owner)
{
	unsigned int id = stranger();

	make_shown();
	CHECK_EQ(ctl(KEYCTL_CHOWN, shown.key, id, id, 0), 0);
	look_as(id, id, USER(VIEW), only_view_is_granted);
	look_as(id, id, USER(READ) | GROUP(ALL) | OTHER(ALL), only_read_is_granted);
	look_as(id, id, GROUP(ALL) | OTHER(ALL), nothing_is_granted);
}

static void it_is_set_by_its_owner(void)
{
	CHECK_EQ(ctl(KEYCTL_SETPERM, shown.key, USER(READ), 0, 0), 0);
	only_read_is_granted();
	CHECK_ERRNO(ctl(KEYCTL_SETPERM, shown.key, USER(ALL), 0, 0), EACCES);
}

TEST(the_owner_sets_rights)
{
	unsigned int id = stranger();

	make_shown();
	CHECK_EQ(ctl(KEYCTL_CHOWN, shown.key, id, -1, 0), 0);
	look_as(id, id, USER(SETATTR), it_is_set_by_its_owner);
}

/* Root is the owner here, possesses the key, and has every right from elsewhere: the sets add up.
 */
TEST(possession_adds_to_the_other_rights)
{
	long ring = new_session(), key = add_user("both", ring);

	CHECK_EQ(ctl(KEYCTL_SETPERM, key, POSSESSOR(SEARCH | VIEW) | USER(WRITE), 0, 0), 0);
	CHECK(ctl(KEYCTL_DESCRIBE, key, 0, 0, 0) > 0);
	CHECK_EQ(ctl(KEYCTL_UPDATE, key, (long)"x", 1, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_LINK, key, ring, 0, 0), EACCES);
	/* Capabilities grant nothing. */
	CHECK_EQ(ctl(KEYCTL_SETPERM, ring, POSSESSOR(ALL & ~SEARCH), 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, key, 0, 0, 0), EACCES);
}

TEST(rights_to_a_keyring)
{
	long top = new_session(), ring = add_ring("ring", top), key = add_user("key", ring);
	long fresh = add_user("fresh", top);

	CHECK_EQ(ctl(KEYCTL_SETPERM, ring, POSSESSOR(VIEW | READ | SEARCH | LINK | SETATTR), 0, 0),
		0);
	CHECK_ERRNO(add("user", "new", "x", 1, ring), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_LINK, fresh, ring, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_UNLINK, key, ring, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, key, ring, top, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, fresh, top, ring, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_CLEAR, ring, 0, 0, 0), EACCES);
	CHECK_ERRNO(request("user", "key", NULL, ring), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, top, (long)"user", (long)"fresh", ring), EACCES);
	CHECK_EQ(ctl(KEYCTL_SEARCH, top, (long)"user", (long)"key", 0), key);
	CHECK_EQ(count_of(ring), 1);
	/* What may not be searched hides what is below. */
	CHECK_EQ(
		ctl(KEYCTL_SETPERM, ring, POSSESSOR(ALL & ~SEARCH) | USER(ALL & ~SEARCH), 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, top, (long)"user", (long)"key", 0), ENOKEY);
	CHECK_ERRNO(request("user", "key", NULL, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"key", 0), EACCES);
	CHECK_ERRNO(keyring_id(ring, false), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_READ, key, 0, 0, 0), EACCES);
	CHECK_EQ(count_of(ring), 1);
	CHECK_EQ(ctl(KEYCTL_SETPERM, ring, USER(ALL & ~SETATTR), 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, ring, 0, 0, 0), EACCES);
	CHECK_ERRNO(ctl(KEYCTL_SETPERM, ring, USER(ALL), 0, 0), EACCES);
}

TEST(finding_into_a_keyring_needs_link)
{
	long top = new_session(), ring = add_ring("ring", top), key = add_user("key", top);

	CHECK_EQ(ctl(KEYCTL_SETPERM, key, POSSESSOR(ALL & ~LINK), 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, top, (long)"user", (long)"key", ring), EACCES);
	CHECK_ERRNO(request("user", "key", NULL, ring), EACCES);
	CHECK_EQ(request("user", "key", NULL, 0), key);
	CHECK_EQ(ctl(KEYCTL_SETPERM, key, POSSESSOR(ALL & ~WRITE), 0, 0), 0);
	CHECK_ERRNO(add("user", "key", "other", 5, top), EACCES);
	check_text(key, SECRET);
}

TEST(what_is_not_there)
{
	long top = new_session();

	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, NO_SUCH_KEY, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_SETPERM, NO_SUCH_KEY, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_CHOWN, NO_SUCH_KEY, 1, 1, 0), ENOKEY);
	CHECK_EQ(ctl(KEYCTL_CHOWN, NO_SUCH_KEY, -1, -1, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_SET_TIMEOUT, NO_SUCH_KEY, 1, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_REVOKE, NO_SUCH_KEY, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_INVALIDATE, NO_SUCH_KEY, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_LINK, NO_SUCH_KEY, top, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_LINK, top, NO_SUCH_KEY, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_UNLINK, NO_SUCH_KEY, top, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, NO_SUCH_KEY, top, top, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, NO_SUCH_KEY, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_GET_SECURITY, NO_SUCH_KEY, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_READ, NO_SUCH_KEY, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_READ, KEY_SPEC_GROUP_KEYRING, 0, 0, 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, KEY_SPEC_GROUP_KEYRING, 0, 0, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, -99, 0, 0, 0), EINVAL);
	CHECK_ERRNO(keyring_id(KEY_SPEC_REQKEY_AUTH_KEY, true), ENOKEY);
	CHECK_ERRNO(keyring_id(KEY_SPEC_REQUESTOR_KEYRING, true), ENOKEY);
}

TEST(errors_of_moves_and_restrictions)
{
	long top = new_session(), ring = add_ring("ring", top), key = add_user("key", top);

	CHECK_ERRNO(ctl(KEYCTL_MOVE, key, top, ring, 2), EINVAL);
	CHECK_EQ(ctl(KEYCTL_MOVE, key, top, top, 0), 0);
	CHECK_EQ(ctl(KEYCTL_MOVE, key, top, top, KEYCTL_MOVE_EXCL), 0);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, key, key, ring, 0), ENOTDIR);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, key, top, key, 0), ENOTDIR);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, key, ring, top, 0), ENOENT);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, ring, top, ring, 0), EDEADLK);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, ring, (long)"user", 0, 0), EINVAL);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, ring, (long)"nosuchtype", (long)"x", 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, ring, (long)".type", (long)"x", 0), EPERM);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, ring, 8, (long)"x", 0), EFAULT);
	CHECK_ERRNO(ctl(KEYCTL_RESTRICT_KEYRING, key, 0, 0, 0), ENOTDIR);
	CHECK_EQ(ctl(KEYCTL_RESTRICT_KEYRING, ring, 0, 0, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_MOVE, key, top, ring, 0), EPERM);
	CHECK_EQ(count_of(top), 2);
}

TEST(security_and_capabilities)
{
	long ring = new_session();
	unsigned char *two = tail_alloc(2), many[64];

	CHECK_EQ(ctl(KEYCTL_CAPABILITIES, 0, 0, 0, 0), 2);
	CHECK_EQ(ctl(KEYCTL_CAPABILITIES, (long)two, 2, 0, 0), 2);
	CHECK(two[0] & KEYCTL_CAPS0_CAPABILITIES);
	CHECK(two[0] & KEYCTL_CAPS0_INVALIDATE);
	CHECK(two[0] & KEYCTL_CAPS0_MOVE);
	CHECK_EQ(two[1], 3);
	memset(many, 0xff, sizeof(many));
	CHECK_EQ(ctl(KEYCTL_CAPABILITIES, (long)many, sizeof(many) - 1, 0, 0), 2);
	CHECK_EQ(many[2], 0);
	CHECK_EQ(many[sizeof(many) - 2], 0);
	CHECK_EQ(many[sizeof(many) - 1], 0xff);
	CHECK_EQ(ctl(KEYCTL_CAPABILITIES, (long)(two + 1), 1, 0, 0), 2);
	CHECK_ERRNO(ctl(KEYCTL_CAPABILITIES, (long)(two + 1), 2, 0, 0), EFAULT);
	CHECK_ERRNO(ctl(KEYCTL_CAPABILITIES, (long)two, 100, 0, 0), EFAULT);
	CHECK_ERRNO(ctl(KEYCTL_GET_SECURITY, ring, 8, 100, 0), EFAULT);
	CHECK_ERRNO(ctl(KEYCTL_DESCRIBE, ring, 8, 100, 0), EFAULT);
}

/* --- quotas --- */

static long setting(const char *name)
{
	char path[64], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/kernel/keys/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		SKIP("the kernel has no keys");
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atol(text);
}

/* What is unlinked may be counted for a moment longer. */
static long add_again(long size, long ring)
{
	static char payload[USER_PAYLOAD];
	long key = -1;

	for (int tries = 0; key < 0 && tries < 2000; tries++) {
		key = add("user", "again", payload, (size_t)size, ring);
		if (key < 0)
			sleep_ms(20);
	}
	return key;
}

TEST(keys_are_counted)
{
	long most = setting("maxkeys"), made = 0, ring;
	char name[32];

	need_root();
	become(stranger());
	ring = new_session();
	while (made <= most) {
		snprintf(name, sizeof(name), "%ld", made);
		if (add("user", name, "x", 1, ring) < 0)
			break;
		made++;
	}
	CHECK_EQ(errno, EDQUOT);
	CHECK(made > most / 2 && made < most);
	CHECK_ERRNO(add("keyring", "ring", NULL, 0, ring), EDQUOT);
	CHECK_ERRNO(ctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0), EDQUOT);
	CHECK_ERRNO(ctl(KEYCTL_JOIN_SESSION_KEYRING, (long)"named", 0, 0, 0), EDQUOT);
	/* A keyring of a thread or a process is made all the same. */
	CHECK(keyring_id(KEY_SPEC_THREAD_KEYRING, true) > 0);
	CHECK_EQ(ctl(KEYCTL_CLEAR, ring, 0, 0, 0), 0);
	CHECK(add_again(1, ring) > 0);
}

TEST(bytes_are_counted)
{
	static char payload[USER_PAYLOAD];
	long most = setting("maxbytes"), ring, key, inner;

	need_root();
	if (most >= USER_PAYLOAD)
		SKIP("one key fits the quota");
	become(stranger());
	ring = new_session();
	CHECK_ERRNO(add("user", "large", payload, (size_t)most, ring), EDQUOT);
	key = add("user", "half", payload, (size_t)most / 2, ring);
	CHECK(key > 0);
	CHECK_ERRNO(add("user", "other", payload, (size_t)most / 2, ring), EDQUOT);
	CHECK_ERRNO(add("user", "half", payload, (size_t)most, ring), EDQUOT);
	CHECK_EQ(ctl(KEYCTL_READ, key, 0, 0, 0), most / 2);
	/* Links count; what a revoked key held does not. */
	inner = add_ring("inner", ring);
	CHECK_EQ(ctl(KEYCTL_UPDATE, key, (long)payload, 1, 0), 0);
	for (long size = most; size > 0 && add("user", "fill", payload, (size_t)size, ring) < 0;)
		size--;
	CHECK_ERRNO(ctl(KEYCTL_LINK, key, inner, 0, 0), EDQUOT);
	CHECK_EQ(ctl(KEYCTL_REVOKE, ctl(KEYCTL_SEARCH, ring, (long)"user", (long)"fill", 0), 0, 0,
			 0),
		0);
	CHECK_EQ(ctl(KEYCTL_LINK, key, inner, 0, 0), 0);
	CHECK(add_again(most / 2, ring) > 0);
}

TEST(a_gift_is_counted_with_who_gets_it)
{
	static char payload[USER_PAYLOAD];
	long most = setting("maxbytes"), ring = new_session(), first, second;
	unsigned int id = stranger();

	need_root();
	if (most >= USER_PAYLOAD)
		SKIP("one key fits the quota");
	first = add("user", "first", payload, (size_t)most / 2 + 1, ring);
	second = add("user", "second", payload, (size_t)most / 2 + 1, ring);
	CHECK(first > 0 && second > 0);
	CHECK_EQ(ctl(KEYCTL_CHOWN, first, id, -1, 0), 0);
	CHECK_ERRNO(ctl(KEYCTL_CHOWN, second, id, -1, 0), EDQUOT);
	CHECK_EQ(ctl(KEYCTL_CHOWN, first, 0, -1, 0), 0);
	CHECK_EQ(ctl(KEYCTL_CHOWN, second, id, -1, 0), 0);
}

GUEST_TEST_MAIN()
