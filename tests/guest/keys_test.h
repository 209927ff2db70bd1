/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of keyrings(7) share: the system calls, sessions of their own, contents. */
#pragma once

#include "tests/guest/guest_test.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>

/* Rights, to be shifted to whom they are granted. */
#define VIEW	0x01
#define READ	0x02
#define WRITE	0x04
#define SEARCH	0x08
#define LINK	0x10
#define SETATTR 0x20
#define ALL	0x3f

#define OTHER(rights)	  ((long)(rights))
#define GROUP(rights)	  ((long)(rights) << 8)
#define USER(rights)	  ((long)(rights) << 16)
#define POSSESSOR(rights) ((long)(rights) << 24)

#define SESSION	     KEY_SPEC_SESSION_KEYRING
#define NO_SUCH_KEY  0x7ffffff0
#define SECRET	     "payload"
#define USER_PAYLOAD 32767

__attribute__((unused)) static long add(
	const char *type, const char *name, const void *payload, size_t size, long ring)
{
	return syscall(SYS_add_key, type, name, payload, size, (int)ring);
}

__attribute__((unused)) static long request(
	const char *type, const char *name, const char *callout, long ring)
{
	return syscall(SYS_request_key, type, name, callout, (int)ring);
}

__attribute__((unused)) static long ctl(long operation, long a, long b, long c, long d)
{
	return syscall(SYS_keyctl, (int)operation, a, b, c, d);
}

__attribute__((unused)) static long keyring_id(long special, bool create)
{
	return ctl(KEYCTL_GET_KEYRING_ID, special, create, 0, 0);
}

/* A session keyring of its own, so that nothing stays behind. */
__attribute__((unused)) static long new_session(void)
{
	long ring = ctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);

	if (ring < 0 && (errno == ENOSYS || errno == EPERM))
		SKIP("the kernel has no keys");
	CHECK(ring > 0);
	return ring;
}

__attribute__((unused)) static long add_user(const char *name, long ring)
{
	long key = add("user", name, SECRET, strlen(SECRET), ring);

	CHECK(key > 0);
	return key;
}

__attribute__((unused)) static long add_ring(const char *name, long ring)
{
	long key = add("keyring", name, NULL, 0, ring);

	CHECK(key > 0);
	return key;
}

__attribute__((unused)) static void check_text(long key, const char *expected)
{
	char text[64] = "";

	CHECK_EQ(ctl(KEYCTL_READ, key, (long)text, sizeof(text) - 1, 0), strlen(expected));
	CHECK(!strcmp(text, expected));
}

/* How many keys hang in a keyring. */
__attribute__((unused)) static long count_of(long ring)
{
	long size = ctl(KEYCTL_READ, ring, 0, 0, 0);

	CHECK(size >= 0);
	return size / (long)sizeof(int);
}
