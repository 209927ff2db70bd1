/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of System V IPC in /proc/sys/kernel: of an ipc namespace each, and held to. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static bool set(const char *name, const char *value)
{
	char path[64];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	done = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return done;
}

static void show(const char *name, char text[128])
{
	char path[64];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	size = read(fd, text, 127);
	CHECK(size > 0);
	text[size] = '\0';
	close(fd);
}

static void enter(void)
{
	if (unshare(CLONE_NEWIPC) || !set("msgmax", "8192"))
		SKIP("no ipc namespace with settings of its own");
}

TEST(a_namespace_begins_with_the_defaults)
{
	char text[128];

	enter();
	CHECK(set("shmmax", "1234567") && set("msgmni", "7"));
	CHECK(unshare(CLONE_NEWIPC) == 0);
	show("shmmax", text);
	CHECK(!strcmp(text, "18446744073692774399\n"));
	show("msgmni", text);
	CHECK(!strcmp(text, "32000\n"));
	show("sem", text);
	CHECK(!strcmp(text, "32000\t1024000000\t500\t32000\n"));
}

static void change_in_child(void)
{
	char text[128];

	CHECK(unshare(CLONE_NEWIPC) == 0);
	CHECK(set("shmmni", "3") && set("sem", "10 20 5 4"));
	show("sem", text);
	CHECK(!strcmp(text, "10\t20\t5\t4\n"));
}

TEST(a_childs_namespace_leaves_the_parents)
{
	char before[128], after[128];

	enter();
	show("sem", before);
	CHECK(in_child(change_in_child) == 0);
	show("sem", after);
	CHECK(!strcmp(before, after));
	show("shmmni", after);
	CHECK(!strcmp(after, "4096\n"));
}

TEST(shared_memory)
{
	struct shminfo info;

	enter();
	CHECK(set("shmmax", "16384") && set("shmall", "6") && set("shmmni", "2"));
	CHECK(shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&info) >= 0);
	CHECK_EQ(info.shmmax, 16384);
	CHECK_EQ(info.shmall, 6);
	CHECK_EQ(info.shmmni, 2);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 16385, 0600), EINVAL);
	CHECK(shmget(IPC_PRIVATE, 16384, 0600) >= 0);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 12288, 0600), ENOSPC);
	CHECK(shmget(IPC_PRIVATE, 8192, 0600) >= 0);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	CHECK(set("shmall", "100"));
	CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	CHECK(set("shmmni", "3"));
	CHECK(shmget(IPC_PRIVATE, 1, 0600) >= 0);
}

TEST(messages)
{
	struct {
		long type;
		char text[100];
	} message = {.type = 1};
	struct msginfo info;
	struct msqid_ds status;
	int id;

	enter();
	CHECK(set("msgmax", "50") && set("msgmnb", "80") && set("msgmni", "1"));
	CHECK(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&info) >= 0);
	CHECK_EQ(info.msgmax, 50);
	CHECK_EQ(info.msgmnb, 80);
	CHECK_EQ(info.msgmni, 1);
	id = msgget(IPC_PRIVATE, 0600);
	CHECK(id >= 0);
	CHECK_ERRNO(msgget(IPC_PRIVATE, 0600), ENOSPC);
	CHECK_ERRNO(msgsnd(id, &message, 51, 0), EINVAL);
	CHECK(msgsnd(id, &message, 50, 0) == 0);
	CHECK_ERRNO(msgsnd(id, &message, 31, IPC_NOWAIT), EAGAIN);
	CHECK(msgsnd(id, &message, 30, IPC_NOWAIT) == 0);
	CHECK(msgctl(id, IPC_STAT, &status) == 0);
	CHECK_EQ(status.msg_qbytes, 80);
}

TEST(semaphores)
{
	struct sembuf operations[4] = {{.sem_num = 0, .sem_op = 1}, {.sem_num = 0, .sem_op = 1},
		{.sem_num = 0, .sem_op = 1}, {.sem_num = 0, .sem_op = 1}};
	struct seminfo info;
	int id;

	enter();
	CHECK(set("sem", "5 8 3 2"));
	CHECK(semctl(0, 0, IPC_INFO, &info) >= 0);
	CHECK_EQ(info.semmsl, 5);
	CHECK_EQ(info.semmns, 8);
	CHECK_EQ(info.semopm, 3);
	CHECK_EQ(info.semmni, 2);
	CHECK_ERRNO(semget(IPC_PRIVATE, 6, 0600), EINVAL);
	id = semget(IPC_PRIVATE, 5, 0600);
	CHECK(id >= 0);
	CHECK_ERRNO(semget(IPC_PRIVATE, 4, 0600), ENOSPC);
	CHECK(semget(IPC_PRIVATE, 1, 0600) >= 0);
	CHECK_ERRNO(semget(IPC_PRIVATE, 1, 0600), ENOSPC);
	CHECK_ERRNO(semop(id, operations, 4), E2BIG);
	CHECK(semop(id, operations, 3) == 0);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
	CHECK(semget(IPC_PRIVATE, 5, 0600) >= 0);
	CHECK(set("sem", "6"));
	CHECK_ERRNO(semget(IPC_PRIVATE, 7, 0600), EINVAL);
}

TEST(values_that_are_none)
{
	enter();
	CHECK(!set("sem", "1 2 3 32769"));
	CHECK(!set("sem", "x"));
	CHECK(!set("msgmni", "32769"));
	CHECK(!set("shmmni", "-1"));
	CHECK(!set("msgmax", "2147483648"));
	CHECK(!set("shm_rmid_forced", "2"));
	CHECK(set("shmmax", "18446744073709551615\n"));
}

TEST(segments_go_with_their_last_user)
{
	struct shmid_ds status;
	void *memory;
	int id, second;

	enter();
	id = shmget(IPC_PRIVATE, 4096, 0600);
	second = shmget(IPC_PRIVATE, 4096, 0600);
	memory = shmat(id, NULL, 0);
	CHECK(memory != (void *)-1);
	CHECK(set("shm_rmid_forced", "1"));
	CHECK(shmctl(id, IPC_STAT, &status) == 0);
	CHECK(shmdt(memory) == 0);
	CHECK_ERRNO(shmctl(id, IPC_STAT, &status), EINVAL);
	CHECK(shmctl(second, IPC_STAT, &status) == 0);
}

GUEST_TEST_MAIN()
