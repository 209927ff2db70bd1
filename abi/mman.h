/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory mappings: mmap(2), mprotect(2), mremap(2), madvise(2), msync(2), mlock(2),
 * memfd_create(2).
 */
#pragma once

#include <stdint.h>

/* Protections. */
#define LINUX_PROT_READ	     0x1
#define LINUX_PROT_WRITE     0x2
#define LINUX_PROT_EXEC	     0x4
#define LINUX_PROT_SEM	     0x8
#define LINUX_PROT_NONE	     0x0
#define LINUX_PROT_GROWSDOWN 0x1000000
#define LINUX_PROT_GROWSUP   0x2000000

/* Mapping flags. */
#define LINUX_MAP_32BIT		  0x40
#define LINUX_MAP_TYPE		  0xf
#define LINUX_MAP_FIXED		  0x10
#define LINUX_MAP_ANONYMOUS	  0x20
#define LINUX_MAP_POPULATE	  0x8000
#define LINUX_MAP_NONBLOCK	  0x10000
#define LINUX_MAP_STACK		  0x20000
#define LINUX_MAP_HUGETLB	  0x40000
#define LINUX_MAP_SYNC		  0x80000
#define LINUX_MAP_FIXED_NOREPLACE 0x100000
#define LINUX_MAP_UNINITIALIZED	  0x4000000
#define LINUX_MAP_FILE		  0x0
#define LINUX_MAP_GROWSDOWN	  0x100
#define LINUX_MAP_DENYWRITE	  0x800
#define LINUX_MAP_EXECUTABLE	  0x1000
#define LINUX_MAP_LOCKED	  0x2000
#define LINUX_MAP_NORESERVE	  0x4000
#define LINUX_MAP_SHARED	  0x1
#define LINUX_MAP_PRIVATE	  0x2
#define LINUX_MAP_SHARED_VALIDATE 0x3

#define LINUX_MAP_DROPPABLE 0x08 /* Linux 6.11 */
#define LINUX_MAP_ANON	    LINUX_MAP_ANONYMOUS
#define LINUX_MAP_ABOVE4G   0x80

#define LINUX_MAP_HUGE_SHIFT 26
#define LINUX_MAP_HUGE_MASK  63

/* mremap(2), msync(2), mlockall(2), mlock2(2). */
#define LINUX_MREMAP_MAYMOVE   0x1
#define LINUX_MREMAP_FIXED     0x2
#define LINUX_MREMAP_DONTUNMAP 0x4
#define LINUX_MS_ASYNC	       0x1
#define LINUX_MS_INVALIDATE    0x2
#define LINUX_MS_SYNC	       0x4
#define LINUX_MCL_CURRENT      0x1
#define LINUX_MCL_FUTURE       0x2
#define LINUX_MCL_ONFAULT      0x4
#define LINUX_MLOCK_ONFAULT    0x1

/* madvise(2). */
#define LINUX_MADV_NORMAL	   0
#define LINUX_MADV_RANDOM	   1
#define LINUX_MADV_SEQUENTIAL	   2
#define LINUX_MADV_WILLNEED	   3
#define LINUX_MADV_DONTNEED	   4
#define LINUX_MADV_FREE		   8
#define LINUX_MADV_REMOVE	   9
#define LINUX_MADV_DONTFORK	   10
#define LINUX_MADV_DOFORK	   11
#define LINUX_MADV_HWPOISON	   100
#define LINUX_MADV_SOFT_OFFLINE	   101
#define LINUX_MADV_MERGEABLE	   12
#define LINUX_MADV_UNMERGEABLE	   13
#define LINUX_MADV_HUGEPAGE	   14
#define LINUX_MADV_NOHUGEPAGE	   15
#define LINUX_MADV_DONTDUMP	   16
#define LINUX_MADV_DODUMP	   17
#define LINUX_MADV_WIPEONFORK	   18
#define LINUX_MADV_KEEPONFORK	   19
#define LINUX_MADV_COLD		   20
#define LINUX_MADV_PAGEOUT	   21
#define LINUX_MADV_POPULATE_READ   22
#define LINUX_MADV_POPULATE_WRITE  23
#define LINUX_MADV_DONTNEED_LOCKED 24
#define LINUX_MADV_COLLAPSE	   25

#define LINUX_MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#define LINUX_MADV_GUARD_REMOVE	 103

/* Protection keys. */
#define LINUX_PKEY_DISABLE_ACCESS 0x1
#define LINUX_PKEY_DISABLE_WRITE  0x2
#define LINUX_PKEY_ACCESS_MASK	  0x3

/* memfd_create(2). */
#define LINUX_MFD_CLOEXEC	0x1
#define LINUX_MFD_ALLOW_SEALING 0x2
#define LINUX_MFD_HUGETLB	0x4

#define LINUX_MFD_NOEXEC_SEAL  0x0008U /* Linux 6.3 */
#define LINUX_MFD_EXEC	       0x0010U
#define LINUX_MFD_HUGE_SHIFT   26
#define LINUX_MFD_HUGE_MASK    0x3f
#define LINUX_MFD_NAME_MAX_LEN 249

/* mseal(2) and map_shadow_stack(2). */
#define LINUX_SHADOW_STACK_SET_TOKEN 0x1

/* mbind(2), set_mempolicy(2), get_mempolicy(2). */
#define LINUX_MPOL_DEFAULT	    0x0
#define LINUX_MPOL_PREFERRED	    0x1
#define LINUX_MPOL_BIND		    0x2
#define LINUX_MPOL_INTERLEAVE	    0x3
#define LINUX_MPOL_LOCAL	    0x4
#define LINUX_MPOL_PREFERRED_MANY   0x5
#define LINUX_MPOL_F_STATIC_NODES   0x8000
#define LINUX_MPOL_F_RELATIVE_NODES 0x4000
#define LINUX_MPOL_F_NUMA_BALANCING 0x2000
#define LINUX_MPOL_F_NODE	    0x1
#define LINUX_MPOL_F_ADDR	    0x2
#define LINUX_MPOL_F_MEMS_ALLOWED   0x4
#define LINUX_MPOL_MF_STRICT	    0x1
#define LINUX_MPOL_MF_MOVE	    0x2
#define LINUX_MPOL_MF_MOVE_ALL	    0x4

#define LINUX_MPOL_WEIGHTED_INTERLEAVE 0x6 /* Linux 6.9 */

/* cachestat(2). */
struct linux_cachestat_range {
	uint64_t off;
	uint64_t len;
};

struct linux_cachestat {
	uint64_t nr_cache;
	uint64_t nr_dirty;
	uint64_t nr_writeback;
	uint64_t nr_evicted;
	uint64_t nr_recently_evicted;
};

_Static_assert(sizeof(struct linux_cachestat) == 40, "struct cachestat");
