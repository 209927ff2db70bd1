/* SPDX-License-Identifier: Apache-2.0 */
/* System V messages, semaphores and shared memory: what each operation does, waits for and refuses.
 */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"
#include "tests/guest/wait_asleep.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

struct message {
	long type;
	char text[64];
};

union semun {
	int value;
	struct semid_ds *status;
	unsigned short *array;
	struct seminfo *info;
};

TEST(messages_by_type)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct message message = {.type = 3, .text = "three"};

	CHECK(id >= 0);
	CHECK(msgsnd(id, &message, 6, 0) == 0);
	message = (struct message){.type = 1, .text = "one"};
	CHECK(msgsnd(id, &message, 4, 0) == 0);
	message.type = 2;
	CHECK(msgsnd(id, &message, 0, 0) == 0);
	CHECK_EQ(msgrcv(id, &message, 64, -2, 0), 4);
	CHECK_EQ(message.type, 1);
	CHECK_EQ(msgrcv(id, &message, 64, 3, MSG_EXCEPT), 0);
	CHECK_EQ(message.type, 2);
	CHECK_ERRNO(msgrcv(id, &message, 64, 1, IPC_NOWAIT), ENOMSG);
	CHECK_ERRNO(msgrcv(id, &message, 3, 3, 0), E2BIG);
	CHECK_EQ(msgrcv(id, &message, 3, 3, MSG_NOERROR), 3);
	CHECK(!memcmp(message.text, "thr", 3));
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
	CHECK_ERRNO(msgsnd(id, &message, 1, 0), EINVAL);
}

TEST(message_errors)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct message message = {.type = 0};

	CHECK_ERRNO(msgsnd(id, &message, 1, 0), EINVAL);
	message.type = 1;
	CHECK_ERRNO(msgsnd(id, &message, 1 << 20, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, &message, (size_t)-1, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, bad_address, 1, 0), EFAULT);
	CHECK_ERRNO(msgsnd(-1, &message, 1, 0), EINVAL);
	CHECK_ERRNO(msgget(0x7e57, 0), ENOENT);
	CHECK_ERRNO(msgctl(id, 77, NULL), EINVAL);
	CHECK_ERRNO(msgctl(id, IPC_STAT, bad_address), EFAULT);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
}

TEST(a_full_queue_and_a_removed_one)
{
	int id = msgget(IPC_PRIVATE, 0600), status;
	struct message message = {.type = 1};
	struct msqid_ds info;
	pid_t child;

	CHECK(msgctl(id, IPC_STAT, &info) == 0);
	while (msgsnd(id, &message, 64, IPC_NOWAIT) == 0)
		;
	CHECK_EQ(errno, EAGAIN);
	CHECK(msgctl(id, IPC_STAT, &info) == 0);
	CHECK_EQ(info.msg_cbytes, info.msg_qnum * 64);
	CHECK_EQ(info.msg_lspid, getpid());
	child = fork();
	if (child == 0)
		_exit(msgsnd(id, &message, 64, 0) == -1 && errno == EIDRM ? 0 : 1);
	wait_asleep(child);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(a_receiver_waits)
{
	int id = msgget(IPC_PRIVATE, 0600), status;
	struct message message;
	pid_t child = fork();

	if (child == 0)
		_exit(msgrcv(id, &message, 64, 5, 0) == 2 && message.type == 5 ? 0 : 1);
	wait_asleep(child);
	message = (struct message){.type = 4};
	CHECK(msgsnd(id, &message, 2, 0) == 0);
	message.type = 5;
	CHECK(msgsnd(id, &message, 2, 0) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
}

TEST(semaphores_all_or_nothing)
{
	int id = semget(IPC_PRIVATE, 2, 0600);
	struct sembuf both[2] = {{0, -1, IPC_NOWAIT}, {1, -1, IPC_NOWAIT}};
	unsigned short values[2] = {1, 0};

	CHECK(id >= 0);
	CHECK(semctl(id, 0, SETALL, (union semun){.array = values}) == 0);
	CHECK_ERRNO(semop(id, both, 2), EAGAIN);
	CHECK_EQ(semctl(id, 0, GETVAL), 1);
	CHECK(semctl(id, 1, SETVAL, (union semun){.value = 3}) == 0);
	CHECK(semop(id, both, 2) == 0);
	CHECK(semctl(id, 0, GETALL, (union semun){.array = values}) == 0);
	CHECK(values[0] == 0 && values[1] == 2);
	CHECK_EQ(semctl(id, 1, GETPID), getpid());
	CHECK(semctl(id, 0, IPC_RMID) == 0);
	CHECK_ERRNO(semop(id, both, 1), EINVAL);
}

TEST(waiting_for_a_semaphore)
{
	int id = semget(IPC_PRIVATE, 1, 0600), status;
	struct sembuf down = {0, -1, 0}, up = {0, 1, 0}, zero = {0, 0, 0};
	struct timespec soon = {0, 20000000};
	pid_t child;

	CHECK_ERRNO(semtimedop(id, &down, 1, &soon), EAGAIN);
	child = fork();
	if (child == 0)
		_exit(semop(id, &down, 1) ? 1 : 0);
	do
		sleep_ms(1);
	while (semctl(id, 0, GETNCNT) != 1);
	CHECK(semop(id, &up, 1) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(semop(id, &up, 1) == 0);
	child = fork();
	if (child == 0)
		_exit(semop(id, &zero, 1) ? 1 : 0);
	do
		sleep_ms(1);
	while (semctl(id, 0, GETZCNT) != 1);
	CHECK(semop(id, &down, 1) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	child = fork();
	if (child == 0)
		_exit(semop(id, &down, 1) == -1 && errno == EIDRM ? 0 : 1);
	do
		sleep_ms(1);
	while (semctl(id, 0, GETNCNT) != 1);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(exit_undoes)
{
	int id = semget(IPC_PRIVATE, 1, 0600), status;
	struct sembuf up = {0, 2, SEM_UNDO}, down = {0, -1, SEM_UNDO};
	pid_t child = fork();

	if (child == 0)
		_exit(semop(id, &up, 1) || semop(id, &down, 1) || semctl(id, 0, GETVAL) != 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK_EQ(semctl(id, 0, GETVAL), 0);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
}

TEST(semaphore_errors)
{
	int id = semget(IPC_PRIVATE, 2, 0600);
	struct sembuf operation = {5, 1, 0};

	CHECK_ERRNO(semop(id, &operation, 1), EFBIG);
	CHECK_ERRNO(semop(id, &operation, 0), EINVAL);
	CHECK_ERRNO(semop(id, &operation, 100000), E2BIG);
	CHECK_ERRNO(semop(id, bad_address, 1), EFAULT);
	operation = (struct sembuf){0, 32767, 0};
	CHECK(semop(id, &operation, 1) == 0);
	CHECK_ERRNO(semop(id, &operation, 1), ERANGE);
	CHECK_ERRNO(semctl(id, 0, SETVAL, (union semun){.value = 40000}), ERANGE);
	CHECK_ERRNO(semctl(id, 5, GETVAL), EINVAL);
	CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERRNO(semget(IPC_PRIVATE, 100000, 0600), EINVAL);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
}

TEST(shared_memory_is_shared)
{
	int id = shmget(IPC_PRIVATE, 10000, 0600), status;
	struct shmid_ds info;
	char *memory = shmat(id, NULL, 0), *again;
	pid_t child;

	CHECK(id >= 0 && memory != (void *)-1);
	again = shmat(id, NULL, SHM_RDONLY);
	CHECK(again != (void *)-1 && again != memory);
	strcpy(memory, "hello");
	CHECK(!strcmp(again, "hello"));
	child = fork();
	if (child == 0) {
		strcpy(memory + 9000, "from the child");
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(!strcmp(again + 9000, "from the child"));
	CHECK(shmctl(id, IPC_STAT, &info) == 0);
	CHECK_EQ(info.shm_nattch, 2);
	CHECK_EQ(info.shm_segsz, 10000);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK(shmctl(id, IPC_STAT, &info) == 0);
	CHECK(info.shm_perm.mode & SHM_DEST);
	CHECK(shmdt(memory) == 0);
	CHECK(!strcmp(again, "hello"));
	CHECK(shmdt(again) == 0);
	CHECK_ERRNO(shmctl(id, IPC_STAT, &info), EINVAL);
	CHECK_ERRNO(shmdt(again), EINVAL);
}

TEST(shared_memory_by_key)
{
	key_t key = 0x5ca1ab1e ^ getpid();
	int id = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);

	CHECK(id >= 0);
	CHECK_EQ(shmget(key, 0, 0), id);
	CHECK_ERRNO(shmget(key, 8192, 0), EINVAL);
	CHECK_ERRNO(shmget(key, 4096, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK_ERRNO(shmget(key, 0, 0), ENOENT);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
}

TEST(attaching_at_an_address)
{
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	char *at = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_ERRNO((long)shmat(id, at, 0), EINVAL);
	CHECK(shmat(id, at + 4096, SHM_REMAP) == at + 4096);
	CHECK_ERRNO((long)shmat(id, at + 1, SHM_REMAP), EINVAL);
	CHECK(shmat(id, at + 20481, SHM_REMAP | SHM_RND) == at + 20480);
	CHECK_ERRNO((long)shmat(id, NULL, SHM_REMAP), EINVAL);
	at[4096] = 7;
	CHECK_EQ(at[20480], 7);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

TEST(others_may_not)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600), messages = msgget(IPC_PRIVATE, 0600), status;
	struct shmid_ds info;
	pid_t child = fork();

	if (child == 0) {
		CHECK(setresuid(1000, 1000, 1000) == 0);
		CHECK_ERRNO((long)shmat(id, NULL, 0), EACCES);
		CHECK_ERRNO(shmctl(id, IPC_STAT, &info), EACCES);
		CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
		CHECK_ERRNO(msgctl(messages, IPC_RMID, NULL), EPERM);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK(msgctl(messages, IPC_RMID, NULL) == 0);
}

GUEST_TEST_MAIN()
