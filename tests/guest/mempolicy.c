/* SPDX-License-Identifier: Apache-2.0 */
/*
 * set_mempolicy(2), mbind(2), get_mempolicy(2), move_pages(2), migrate_pages(2): what is asked is
 * remembered and told, of tasks and of mappings. Node 0 is on every machine.
 */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>

#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif

#define PAGE 4096l
#define BITS 1024ul /* as many as any kernel has nodes */

enum { DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY };
#define STATIC_NODES   0x8000
#define RELATIVE_NODES 0x4000
#define F_NODE	       1
#define F_ADDR	       2
#define F_MEMS_ALLOWED 4
#define MF_STRICT      1
#define MF_MOVE	       2
#define MF_MOVE_ALL    4

static unsigned long g_nodes[BITS / 64];

static long set(int mode, unsigned long nodes)
{
	g_nodes[0] = nodes;
	return syscall(SYS_set_mempolicy, mode, g_nodes, BITS);
}

static long bind_pages(
	void *address, long length, int mode, unsigned long nodes, unsigned int flags)
{
	g_nodes[0] = nodes;
	return syscall(SYS_mbind, address, length, mode, g_nodes, BITS, flags);
}

static long get(int *mode, unsigned long *nodes, void *address, unsigned long flags)
{
	long result;

	memset(g_nodes, 0xff, sizeof(g_nodes));
	result = syscall(SYS_get_mempolicy, mode, g_nodes, BITS, address, flags);
	*nodes = g_nodes[0];
	return result;
}

static void need_policies(void)
{
	int mode;
	unsigned long nodes;

	if (get(&mode, &nodes, NULL, 0) && errno == ENOSYS)
		SKIP("a kernel without memory policies");
}

#define CHECK_POLICY(mode_, nodes_, address_, flags_)                                              \
	do {                                                                                       \
		int told_mode = -1;                                                                \
		unsigned long told_nodes = ~0ul;                                                   \
                                                                                                   \
		CHECK_EQ(get(&told_mode, &told_nodes, address_, flags_), 0);                       \
		CHECK_EQ(told_mode, mode_);                                                        \
		CHECK_EQ(told_nodes, nodes_);                                                      \
	} while (0)

static char *map(long pages)
{
	char *at = mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	return at;
}

TEST(a_task_remembers_its_policy)
{
	need_policies();
	CHECK_POLICY(DEFAULT, 0, NULL, 0);
	CHECK_EQ(set(INTERLEAVE, 1), 0);
	CHECK_POLICY(INTERLEAVE, 1, NULL, 0);
	CHECK_EQ(set(BIND, 1), 0);
	CHECK_POLICY(BIND, 1, NULL, 0);
	CHECK_EQ(set(PREFERRED, 1), 0);
	CHECK_POLICY(PREFERRED, 1, NULL, 0);
	CHECK_EQ(set(LOCAL, 0), 0);
	CHECK_POLICY(LOCAL, 0, NULL, 0);
	/* Nobody preferred is the local node. */
	CHECK_EQ(set(PREFERRED, 0), 0);
	CHECK_POLICY(LOCAL, 0, NULL, 0);
	CHECK_EQ(set(DEFAULT, 0), 0);
	CHECK_POLICY(DEFAULT, 0, NULL, 0);
}

TEST(flags_are_told_with_the_mode)
{
	need_policies();
	CHECK_EQ(set(BIND | STATIC_NODES, 1), 0);
	CHECK_POLICY(BIND | STATIC_NODES, 1, NULL, 0);
	/* The nodes as they were given, not as they were understood. */
	CHECK_EQ(set(INTERLEAVE | RELATIVE_NODES, 2), 0);
	CHECK_POLICY(INTERLEAVE | RELATIVE_NODES, 2, NULL, 0);
}

TEST(what_is_wrong_changes_nothing)
{
	need_policies();
	CHECK_EQ(set(INTERLEAVE, 1), 0);
	CHECK_ERRNO(set(BIND, 0), EINVAL);
	CHECK_ERRNO(set(DEFAULT, 1), EINVAL);
	CHECK_ERRNO(set(LOCAL, 1), EINVAL);
	CHECK_ERRNO(set(77, 1), EINVAL);
	CHECK_ERRNO(set(BIND | STATIC_NODES | RELATIVE_NODES, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_set_mempolicy, BIND, (void *)1l, BITS), EFAULT);
	CHECK_POLICY(INTERLEAVE, 1, NULL, 0);
}

TEST(children_and_threads_inherit_and_exec_keeps)
{
	int status;
	pid_t child;

	need_policies();
	CHECK_EQ(set(INTERLEAVE, 1), 0);
	child = fork();
	if (!child) {
		CHECK_POLICY(INTERLEAVE, 1, NULL, 0);
		CHECK_EQ(set(BIND, 1), 0);
		execl("/bin/sh", "sh", "-c",
			"grep -q ' bind:0' /proc/$$/numa_maps && ! grep -q interleave "
			"/proc/$$/numa_maps",
			NULL);
		_exit(99);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_POLICY(INTERLEAVE, 1, NULL, 0);
}

TEST(a_mapping_has_one_of_its_own)
{
	char *at = map(4);

	need_policies();
	CHECK_EQ(set(PREFERRED, 1), 0);
	CHECK_EQ(bind_pages(at + PAGE, 2 * PAGE, BIND, 1, 0), 0);
	CHECK_POLICY(BIND, 1, at + PAGE, F_ADDR);
	CHECK_POLICY(BIND, 1, at + 3 * PAGE - 1, F_ADDR);
	/* The others have none, which is not the task's. */
	CHECK_POLICY(DEFAULT, 0, at, F_ADDR);
	CHECK_POLICY(DEFAULT, 0, at + 3 * PAGE, F_ADDR);
	CHECK_EQ(bind_pages(at, 4 * PAGE, INTERLEAVE, 1, MF_STRICT | MF_MOVE), 0);
	CHECK_POLICY(INTERLEAVE, 1, at + 2 * PAGE, F_ADDR);
	CHECK_EQ(bind_pages(at, 4 * PAGE, DEFAULT, 0, 0), 0);
	CHECK_POLICY(DEFAULT, 0, at + 2 * PAGE, F_ADDR);
	CHECK_POLICY(PREFERRED, 1, NULL, 0);
}

TEST(it_goes_with_the_mapping)
{
	char *at = map(4), *moved;
	int status;
	pid_t child;

	need_policies();
	CHECK_EQ(bind_pages(at, 2 * PAGE, BIND, 1, 0), 0);
	child = fork();
	if (!child) {
		CHECK_POLICY(BIND, 1, at, F_ADDR);
		CHECK_EQ(bind_pages(at, PAGE, LOCAL, 0, 0), 0);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_POLICY(BIND, 1, at, F_ADDR);
	moved = mremap(at, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map(3));
	CHECK(moved != MAP_FAILED);
	CHECK_POLICY(BIND, 1, moved + 2 * PAGE, F_ADDR);
	CHECK_EQ(mprotect(moved + PAGE, PAGE, PROT_READ), 0);
	CHECK_POLICY(BIND, 1, moved + PAGE, F_ADDR);
	/* A new one has none. */
	CHECK(mmap(moved, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		      0) == moved);
	CHECK_POLICY(DEFAULT, 0, moved, F_ADDR);
	CHECK_POLICY(BIND, 1, moved + PAGE, F_ADDR);
}

TEST(mbind_refuses)
{
	char *at = map(3);

	need_policies();
	CHECK_EQ(munmap(at + PAGE, PAGE), 0);
	CHECK_ERRNO(bind_pages(at, 3 * PAGE, BIND, 1, 0), EFAULT);
	CHECK_ERRNO(bind_pages(at + 1, PAGE, BIND, 1, 0), EINVAL);
	CHECK_ERRNO(bind_pages(at, PAGE, BIND, 0, 0), EINVAL);
	CHECK_ERRNO(bind_pages(at, PAGE, BIND, 1, 64), EINVAL);
	CHECK_ERRNO(bind_pages(at, -PAGE, BIND, 1, 0), EINVAL);
	CHECK_EQ(bind_pages(at, 0, BIND, 1, 0), 0);
}

TEST(the_node_of_a_page)
{
	char *at = map(1);
	int mode = -1;
	unsigned long nodes;

	need_policies();
	at[0] = 1;
	CHECK_EQ(syscall(SYS_get_mempolicy, &mode, NULL, 0l, at, F_NODE | F_ADDR), 0);
	CHECK(mode >= 0);
	CHECK_ERRNO(get(&mode, &nodes, NULL, F_NODE), EINVAL);
	CHECK_EQ(set(INTERLEAVE, 1), 0);
	CHECK_EQ(syscall(SYS_get_mempolicy, &mode, NULL, 0l, NULL, F_NODE), 0);
	CHECK_EQ(mode, 0);
	CHECK_EQ(syscall(SYS_get_mempolicy, NULL, g_nodes, BITS, NULL, F_MEMS_ALLOWED), 0);
	CHECK(g_nodes[0] & 1);
	CHECK_ERRNO(get(&mode, &nodes, NULL, F_MEMS_ALLOWED | F_ADDR), EINVAL);
	CHECK_ERRNO(get(&mode, &nodes, at, 0), EINVAL);
	CHECK_ERRNO(get(&mode, &nodes, (void *)8l, F_ADDR), EFAULT);
	CHECK_ERRNO(get(&mode, &nodes, NULL, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_get_mempolicy, &mode, g_nodes, 0l, NULL, 0), EINVAL);
}

TEST(numa_maps_shows_policies)
{
	char *at = map(3), line[512], want[64];
	bool found = false;
	FILE *file;

	need_policies();
	CHECK_EQ(bind_pages(at + PAGE, PAGE, INTERLEAVE | STATIC_NODES, 1, 0), 0);
	snprintf(want, sizeof(want), "%08lx interleave=static:0", (unsigned long)at + PAGE);
	file = fopen("/proc/self/numa_maps", "r");
	if (!file)
		SKIP("no numa_maps");
	while (fgets(line, sizeof(line), file))
		found |= !strncmp(line, want, strlen(want));
	fclose(file);
	CHECK(found);
}

TEST(a_home_node)
{
	char *at = map(3);

	need_policies();
	if (syscall(SYS_set_mempolicy_home_node, at, 0l, 0l, 0l) && errno == ENOSYS)
		SKIP("no set_mempolicy_home_node");
	CHECK_ERRNO(syscall(SYS_set_mempolicy_home_node, at, PAGE, 0l, 0l), ENOENT);
	CHECK_EQ(bind_pages(at, PAGE, BIND, 1, 0), 0);
	CHECK_EQ(syscall(SYS_set_mempolicy_home_node, at, 3 * PAGE, 0l, 0l), 0);
	CHECK_POLICY(BIND, 1, at, F_ADDR);
	CHECK_EQ(bind_pages(at, PAGE, INTERLEAVE, 1, 0), 0);
	CHECK_ERRNO(syscall(SYS_set_mempolicy_home_node, at, PAGE, 0l, 0l), EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_set_mempolicy_home_node, at + 1, PAGE, 0l, 0l), EINVAL);
	CHECK_ERRNO(syscall(SYS_set_mempolicy_home_node, at, PAGE, 0l, 1l), EINVAL);
	CHECK_ERRNO(syscall(SYS_set_mempolicy_home_node, at, PAGE, 5000l, 0l), EINVAL);
}

static long move(pid_t pid, unsigned long count, void **pages, int *nodes, int *status, int flags)
{
	return syscall(SYS_move_pages, pid, count, pages, nodes, status, flags);
}

TEST(pages_tell_their_nodes)
{
	/* Neighbours may come along with a page; a mapping that nobody touched has none. */
	char *at = map(3), *untouched = map(3 + 512) + 256 * PAGE;
	void *pages[] = {at, untouched + PAGE + 5, at + 2 * PAGE, (void *)64l};
	int status[] = {-99, -99, -99, -99};

	if (move(0, 0, NULL, NULL, NULL, 0) && errno == ENOSYS)
		SKIP("no move_pages");
	at[0] = 1;
	at[2 * PAGE] = 1;
	CHECK_EQ(move(0, 4, pages, NULL, status, 0), 0);
	CHECK(status[0] >= 0);
	CHECK_EQ(status[1], -ENOENT);
	CHECK_EQ(status[2], status[0]);
	CHECK_EQ(status[3], -EFAULT);
}

TEST(pages_move_to_where_they_are)
{
	char *at = map(3), *untouched = map(3 + 512) + 256 * PAGE;
	void *pages[] = {at, untouched + PAGE, at + 2 * PAGE, (void *)64l};
	int status[] = {-99, -99, -99, -99}, nodes[] = {0, 0, 0, 0};

	if (move(0, 0, NULL, NULL, NULL, 0) && errno == ENOSYS)
		SKIP("no move_pages");
	at[0] = 1;
	at[2 * PAGE] = 1;
	CHECK_EQ(move(0, 4, pages, nodes, status, MF_MOVE), 0);
	CHECK_EQ(status[0], 0);
	CHECK_EQ(status[1], -ENOENT);
	CHECK_EQ(status[2], 0);
	CHECK_EQ(status[3], -EFAULT);
	CHECK_EQ(at[0], 1);
	nodes[1] = -1;
	CHECK_ERRNO(move(0, 4, pages, nodes, status, MF_MOVE), ENODEV);
	nodes[1] = 100000;
	CHECK_ERRNO(move(0, 4, pages, nodes, status, MF_MOVE), ENODEV);
}

TEST(move_pages_refuses)
{
	char *at = map(1);
	void *pages[] = {at};
	int status[1], nodes[1] = {0};

	if (move(0, 0, NULL, NULL, NULL, 0) && errno == ENOSYS)
		SKIP("no move_pages");
	CHECK_ERRNO(move(0, 1, pages, nodes, status, 64), EINVAL);
	CHECK_ERRNO(move(0, 1, pages, nodes, status, MF_STRICT), EINVAL);
	CHECK_ERRNO(move(0x3ffffff, 1, pages, nodes, status, MF_MOVE), ESRCH);
	CHECK_ERRNO(move(0, 1, (void **)64l, NULL, status, 0), EFAULT);
	CHECK_ERRNO(move(0, 1, pages, NULL, (int *)64l, 0), EFAULT);
	CHECK_ERRNO(move(0, 1, pages, (int *)64l, status, MF_MOVE), EFAULT);
	CHECK_EQ(setresuid(12345, 12345, 12345), 0);
	CHECK_ERRNO(move(0, 1, pages, nodes, status, MF_MOVE_ALL), EPERM);
	CHECK_ERRNO(move(1, 1, pages, NULL, status, 0), EPERM);
}

TEST(migrate_pages_to_where_they_are)
{
	unsigned long from[BITS / 64] = {1}, to[BITS / 64] = {1}, none[BITS / 64] = {0};

	if (syscall(SYS_migrate_pages, 0, BITS, from, to) && errno == ENOSYS)
		SKIP("no migrate_pages");
	CHECK_EQ(syscall(SYS_migrate_pages, 0, BITS, from, to), 0);
	CHECK_EQ(syscall(SYS_migrate_pages, getpid(), BITS, from, to), 0);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 0x3ffffff, BITS, from, to), ESRCH);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 0, BITS, from, none), EINVAL);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 0, BITS, (void *)64l, to), EFAULT);
	CHECK_EQ(setresuid(12345, 12345, 12345), 0);
	CHECK_ERRNO(syscall(SYS_migrate_pages, 1, BITS, from, to), EPERM);
}

GUEST_TEST_MAIN()
