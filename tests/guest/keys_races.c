/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that several threads link, unlink, read, fill, clear, revoke and invalidate at once, and
 * keyrings that displace what holds their own source: nothing breaks, and nothing is left.
 */
#include "tests/guest/keys_test.h"

#include <fcntl.h>
#include <pthread.h>

#define THREADS 4
#define ROUNDS	400
#define NAMES	6

static long shared[3];

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static long any_key(unsigned int *state)
{
	int serials[16];
	long ring = shared[next_random(state) % 3];
	long size = ctl(KEYCTL_READ, ring, (long)serials, sizeof(serials), 0);

	if (size < (long)sizeof(int) || size > (long)sizeof(serials))
		return ring;
	return serials[next_random(state) % ((unsigned long)size / sizeof(int))];
}

static void make_one(unsigned int *state)
{
	char name[8] = {'k', (char)('0' + next_random(state) % NAMES)};
	long ring = shared[next_random(state) % 3];

	if (next_random(state) % 4)
		add("user", name, SECRET, next_random(state) % 7 + 1, ring);
	else
		add("keyring", name, NULL, 0, ring);
}

static void do_one(unsigned int *state)
{
	long key = any_key(state), from = shared[next_random(state) % 3];
	long to = shared[next_random(state) % 3];
	char text[64];

	switch (next_random(state) % 16) {
	case 0:
		ctl(KEYCTL_LINK, key, to, 0, 0);
		break;
	case 1:
		ctl(KEYCTL_UNLINK, key, from, 0, 0);
		break;
	case 2:
		ctl(KEYCTL_MOVE, key, from, to, next_random(state) % 2);
		break;
	case 3:
		if (key != shared[0] && key != shared[1] && key != shared[2])
			ctl(KEYCTL_REVOKE, key, 0, 0, 0);
		break;
	case 4:
		if (key != shared[0] && key != shared[1] && key != shared[2])
			ctl(KEYCTL_INVALIDATE, key, 0, 0, 0);
		break;
	case 5:
		ctl(KEYCTL_CLEAR, key, 0, 0, 0);
		break;
	case 6:
		ctl(KEYCTL_UPDATE, key, (long)text, next_random(state) % 63 + 1, 0);
		break;
	case 7:
		ctl(KEYCTL_DESCRIBE, key, (long)text, sizeof(text), 0);
		break;
	case 8:
		ctl(KEYCTL_SEARCH, from, (long)"user", (long)"k1", to);
		break;
	case 9:
		request("user", "k2", NULL, to);
		break;
	case 10:
		if (key != shared[0] && key != shared[1] && key != shared[2])
			ctl(KEYCTL_SET_TIMEOUT, key, next_random(state) % 2 + 1, 0, 0);
		break;
	default:
		make_one(state);
	}
}

static void *meddle(void *seed)
{
	unsigned int state = (unsigned int)(long)seed;

	for (int i = 0; i < ROUNDS; i++)
		do_one(&state);
	return NULL;
}

static void *look(void *unused)
{
	char text[4096];

	for (int i = 0; i < ROUNDS / 20; i++) {
		int fd = open("/proc/keys", O_RDONLY);

		CHECK(fd >= 0);
		while (read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
	}
	return NULL;
}

TEST(threads_share_keyrings)
{
	long session = new_session();
	pthread_t threads[THREADS + 1];

	for (int i = 0; i < 3; i++) {
		char name[2] = {(char)('0' + i)};

		shared[i] = add_ring(name, i == 2 ? shared[1] : session);
	}
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, meddle, (void *)(i + getpid())) == 0);
	CHECK(pthread_create(&threads[THREADS], NULL, look, NULL) == 0);
	for (int i = 0; i <= THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK_EQ(ctl(KEYCTL_CLEAR, session, 0, 0, 0), 0);
	CHECK_EQ(count_of(session), 0);
}

static void *join_and_leave(void *unused)
{
	for (int i = 0; i < ROUNDS / 4; i++) {
		long ring = new_session();

		add_user("key", ring);
		CHECK(keyring_id(KEY_SPEC_THREAD_KEYRING, true) > 0);
		CHECK_EQ(in_child((void (*)(void))new_session), 0);
	}
	return NULL;
}

TEST(sessions_come_and_go)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, join_and_leave, NULL) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

/* The keyring that a move displaces is all that held the one that is moved from. */
TEST(a_move_displaces_what_holds_its_source)
{
	for (int i = 0; i < 50; i++) {
		long to = new_session(), displaced = add_ring("name", to);
		long from = add_ring("from", displaced), key = add_ring("name", from);

		CHECK_EQ(ctl(KEYCTL_MOVE, key, from, to, 0), 0);
		CHECK_EQ(count_of(to), 1);
		CHECK_EQ(count_of(key), 0);
		CHECK_EQ(ctl(KEYCTL_SEARCH, to, (long)"keyring", (long)"name", 0), key);
	}
}

TEST(an_add_displaces_what_holds_much)
{
	long to = new_session();

	for (int i = 0; i < 20; i++) {
		long ring = add_ring("name", to), inner = add_ring("inner", ring);

		for (int j = 0; j < 20; j++) {
			char name[2] = {(char)('a' + j)};

			add_user(name, inner);
		}
		CHECK_EQ(ctl(KEYCTL_LINK, inner, to, 0, 0), 0);
		CHECK(add_ring("name", to) != ring);
		CHECK_EQ(count_of(inner), 20);
		CHECK_EQ(ctl(KEYCTL_UNLINK, inner, to, 0, 0), 0);
	}
	CHECK_EQ(count_of(to), 1);
}

/* Chains of any length may be made from their ends; no walk follows them all the way. */
TEST(deep_chains)
{
	long top = new_session(), last = top, chain[40];

	for (int i = 0; i < 40; i++) {
		char name[3] = {(char)('a' + i / 10), (char)('0' + i % 10)};

		chain[i] = add("keyring", name, NULL, 0, KEY_SPEC_PROCESS_KEYRING);
		CHECK(chain[i] > 0);
		CHECK_EQ(ctl(KEYCTL_SETPERM, chain[i], POSSESSOR(ALL) | USER(ALL), 0, 0), 0);
		CHECK_EQ(ctl(KEYCTL_LINK, chain[i], last, 0, 0), 0);
		CHECK_EQ(ctl(KEYCTL_UNLINK, chain[i], KEY_SPEC_PROCESS_KEYRING, 0, 0), 0);
		last = chain[i];
	}
	/* A cycle that is too long to be seen is one that is not made. */
	CHECK_ERRNO(ctl(KEYCTL_LINK, chain[0], chain[39], 0, 0), ELOOP);
	CHECK_ERRNO(ctl(KEYCTL_LINK, chain[35], chain[39], 0, 0), EDEADLK);
	CHECK_ERRNO(ctl(KEYCTL_LINK, chain[0], KEY_SPEC_PROCESS_KEYRING, 0, 0), ELOOP);
	add_user("deep", last);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, top, (long)"user", (long)"deep", 0), ENOKEY);
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, chain[30], (long)"user", (long)"deep", 0), ENOKEY);
	/* Found, and not possessed from here: nobody may search it. */
	CHECK_ERRNO(ctl(KEYCTL_SEARCH, chain[36], (long)"user", (long)"deep", 0), EACCES);
	CHECK_EQ(ctl(KEYCTL_CLEAR, top, 0, 0, 0), 0);
}

GUEST_TEST_MAIN()
