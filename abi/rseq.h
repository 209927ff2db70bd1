/* SPDX-License-Identifier: Apache-2.0 */
/* Restartable sequences: rseq(2). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_RSEQ_CPU_ID_UNINITIALIZED		 (-1)
#define LINUX_RSEQ_CPU_ID_REGISTRATION_FAILED	 (-2)
#define LINUX_RSEQ_FLAG_UNREGISTER		 1
#define LINUX_RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT 0x1
#define LINUX_RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL	 0x2
#define LINUX_RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE 0x4

/* The first registered size, and the bytes of it that mean something (AT_RSEQ_FEATURE_SIZE). */
#define LINUX_RSEQ_ORIG_SIZE	32
#define LINUX_RSEQ_FEATURE_SIZE 28
#define LINUX_RSEQ_ALIGN	32

struct linux_rseq_cs {
	uint32_t version;
	uint32_t flags;
	uint64_t start_ip;
	uint64_t post_commit_offset;
	uint64_t abort_ip;
};

struct linux_rseq {
	uint32_t cpu_id_start;
	uint32_t cpu_id;
	uint64_t rseq_cs;
	uint32_t flags;
	uint32_t node_id;
	uint32_t mm_cid;
	uint32_t pad0;
};

_Static_assert(sizeof(struct linux_rseq_cs) == 32, "struct rseq_cs");
_Static_assert(sizeof(struct linux_rseq) == LINUX_RSEQ_ORIG_SIZE, "struct rseq");
_Static_assert(offsetof(struct linux_rseq, mm_cid) == 24, "struct rseq");
