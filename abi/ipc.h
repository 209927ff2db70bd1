/* SPDX-License-Identifier: Apache-2.0 */
/* System V IPC (semaphores, messages, shared memory) and POSIX message queues. */
#pragma once

#include <stdint.h>

#define LINUX_IPC_PRIVATE 0
#define LINUX_IPC_CREAT	  01000
#define LINUX_IPC_EXCL	  02000
#define LINUX_IPC_NOWAIT  04000

#define LINUX_IPC_RMID 0
#define LINUX_IPC_SET  1
#define LINUX_IPC_STAT 2
#define LINUX_IPC_INFO 3
#define LINUX_IPC_64   0x0100

struct linux_ipc64_perm {
	int32_t key;
	uint32_t uid;
	uint32_t gid;
	uint32_t cuid;
	uint32_t cgid;
	uint32_t mode;
	uint16_t seq;
	uint16_t pad2;
	uint32_t pad0;
	uint64_t unused1;
	uint64_t unused2;
};

/* Semaphores. */
#define LINUX_SEM_UNDO	   4096
#define LINUX_GETPID	   11
#define LINUX_GETVAL	   12
#define LINUX_GETALL	   13
#define LINUX_GETNCNT	   14
#define LINUX_GETZCNT	   15
#define LINUX_SETVAL	   16
#define LINUX_SETALL	   17
#define LINUX_SEM_STAT	   18
#define LINUX_SEM_INFO	   19
#define LINUX_SEM_STAT_ANY 20
#define LINUX_SEMMNI	   32000
#define LINUX_SEMMSL	   32000
#define LINUX_SEMMNS	   1024000000
#define LINUX_SEMOPM	   500
#define LINUX_SEMVMX	   32767
#define LINUX_SEMAEM	   32767

struct linux_sembuf {
	uint16_t sem_num;
	int16_t sem_op;
	int16_t sem_flg;
};

struct linux_semid64_ds {
	struct linux_ipc64_perm sem_perm;
	int64_t sem_otime;
	uint64_t unused1;
	int64_t sem_ctime;
	uint64_t unused2;
	uint64_t sem_nsems;
	uint64_t unused3;
	uint64_t unused4;
};

struct linux_seminfo {
	int32_t semmap;
	int32_t semmni;
	int32_t semmns;
	int32_t semmnu;
	int32_t semmsl;
	int32_t semopm;
	int32_t semume;
	int32_t semusz;
	int32_t semvmx;
	int32_t semaem;
};

/* Messages. */
#define LINUX_MSG_STAT	   11
#define LINUX_MSG_INFO	   12
#define LINUX_MSG_STAT_ANY 13
#define LINUX_MSG_NOERROR  4096
#define LINUX_MSG_EXCEPT   8192
#define LINUX_MSG_COPY	   16384
#define LINUX_MSGMNI	   32000
#define LINUX_MSGMAX	   8192
#define LINUX_MSGMNB	   16384

struct linux_msqid64_ds {
	struct linux_ipc64_perm msg_perm;
	int64_t msg_stime;
	int64_t msg_rtime;
	int64_t msg_ctime;
	uint64_t msg_cbytes;
	uint64_t msg_qnum;
	uint64_t msg_qbytes;
	int32_t msg_lspid;
	int32_t msg_lrpid;
	uint64_t unused4;
	uint64_t unused5;
};

struct linux_msginfo {
	int32_t msgpool;
	int32_t msgmap;
	int32_t msgmax;
	int32_t msgmnb;
	int32_t msgmni;
	int32_t msgssz;
	int32_t msgtql;
	uint16_t msgseg;
	uint16_t pad0;
};

/* Shared memory. */
#define LINUX_SHM_LOCK	   11
#define LINUX_SHM_UNLOCK   12
#define LINUX_SHM_STAT	   13
#define LINUX_SHM_INFO	   14
#define LINUX_SHM_STAT_ANY 15
#define LINUX_SHMMIN	   1
#define LINUX_SHMMNI	   4096

#define LINUX_SHM_R	    0400
#define LINUX_SHM_W	    0200
#define LINUX_SHM_HUGETLB   04000
#define LINUX_SHM_NORESERVE 010000
#define LINUX_SHM_RDONLY    010000
#define LINUX_SHM_RND	    020000
#define LINUX_SHM_REMAP	    040000
#define LINUX_SHM_EXEC	    0100000

#define LINUX_SHM_DEST	 01000
#define LINUX_SHM_LOCKED 02000
#define LINUX_SHMMAX	 (UINT64_MAX - (1ULL << 24))
#define LINUX_SHMALL	 (UINT64_MAX - (1ULL << 24))

struct linux_shmid64_ds {
	struct linux_ipc64_perm shm_perm;
	uint64_t shm_segsz;
	int64_t shm_atime;
	int64_t shm_dtime;
	int64_t shm_ctime;
	int32_t shm_cpid;
	int32_t shm_lpid;
	uint64_t shm_nattch;
	uint64_t unused4;
	uint64_t unused5;
};

struct linux_shminfo64 {
	uint64_t shmmax;
	uint64_t shmmin;
	uint64_t shmmni;
	uint64_t shmseg;
	uint64_t shmall;
	uint64_t unused[4];
};

struct linux_shm_info {
	int32_t used_ids;
	uint32_t pad0;
	uint64_t shm_tot;
	uint64_t shm_rss;
	uint64_t shm_swp;
	uint64_t swap_attempts;
	uint64_t swap_successes;
};

/* mq_open(2). */
#define LINUX_MQ_PRIO_MAX 32768
/* What a queue tells the netlink socket of SIGEV_THREAD: the last byte of the cookie. */
#define LINUX_NOTIFY_NONE	0
#define LINUX_NOTIFY_WOKENUP	1
#define LINUX_NOTIFY_REMOVED	2
#define LINUX_NOTIFY_COOKIE_LEN 32

struct linux_mq_attr {
	int64_t mq_flags;
	int64_t mq_maxmsg;
	int64_t mq_msgsize;
	int64_t mq_curmsgs;
	int64_t reserved[4];
};

_Static_assert(sizeof(struct linux_ipc64_perm) == 48, "struct ipc64_perm");
_Static_assert(sizeof(struct linux_sembuf) == 6, "struct sembuf");
_Static_assert(sizeof(struct linux_semid64_ds) == 104, "struct semid64_ds");
_Static_assert(sizeof(struct linux_seminfo) == 40, "struct seminfo");
_Static_assert(sizeof(struct linux_msqid64_ds) == 120, "struct msqid64_ds");
_Static_assert(sizeof(struct linux_msginfo) == 32, "struct msginfo");
_Static_assert(sizeof(struct linux_shmid64_ds) == 112, "struct shmid64_ds");
_Static_assert(sizeof(struct linux_shminfo64) == 72, "struct shminfo64");
_Static_assert(sizeof(struct linux_shm_info) == 48, "struct shm_info");
_Static_assert(sizeof(struct linux_mq_attr) == 64, "struct mq_attr");
