/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of buffers: readv(2), preadv2(2), process_vm_readv(2), splice(2), vmsplice(2), aio. */
#pragma once

#include <stdint.h>

#define LINUX_UIO_FASTIOV 8
#define LINUX_UIO_MAXIOV  1024
#define LINUX_IOV_MAX	  LINUX_UIO_MAXIOV

/* Linux cuts every transfer to this many bytes: INT_MAX rounded down to a page. */
#define LINUX_MAX_RW_COUNT 0x7ffff000

/* preadv2(2), pwritev2(2). */
#define LINUX_RWF_HIPRI	 0x1
#define LINUX_RWF_DSYNC	 0x2
#define LINUX_RWF_SYNC	 0x4
#define LINUX_RWF_NOWAIT 0x8
#define LINUX_RWF_APPEND 0x10

#define LINUX_RWF_NOAPPEND  0x20 /* Linux 6.9 */
#define LINUX_RWF_ATOMIC    0x40 /* Linux 6.11 */
#define LINUX_RWF_DONTCACHE 0x80 /* Linux 6.14 */
#define LINUX_RWF_NOSIGNAL  0x100 /* Linux 6.18 */

#define LINUX_SPLICE_F_MOVE	0x01
#define LINUX_SPLICE_F_NONBLOCK 0x02
#define LINUX_SPLICE_F_MORE	0x04
#define LINUX_SPLICE_F_GIFT	0x08
#define LINUX_SPLICE_F_ALL	0x0f

struct linux_iovec {
	uint64_t iov_base;
	uint64_t iov_len;
};

/* io_submit(2), io_getevents(2). */
struct linux_io_event {
	uint64_t data;
	uint64_t obj;
	int64_t res;
	int64_t res2;
};

struct linux_iocb {
	uint64_t aio_data;
	uint32_t aio_key;
	uint32_t aio_rw_flags;
	uint16_t aio_lio_opcode;
	int16_t aio_reqprio;
	uint32_t aio_fildes;
	uint64_t aio_buf;
	uint64_t aio_nbytes;
	int64_t aio_offset;
	uint64_t aio_reserved2;
	uint32_t aio_flags;
	uint32_t aio_resfd;
};

#define LINUX_IOCB_CMD_PREAD   0
#define LINUX_IOCB_CMD_PWRITE  1
#define LINUX_IOCB_CMD_FSYNC   2
#define LINUX_IOCB_CMD_FDSYNC  3
#define LINUX_IOCB_CMD_POLL    5
#define LINUX_IOCB_CMD_PREADV  7
#define LINUX_IOCB_CMD_PWRITEV 8

#define LINUX_IOCB_FLAG_RESFD  1
#define LINUX_IOCB_FLAG_IOPRIO 2

/* io_pgetevents(2)'s last argument. */
struct linux_aio_sigset {
	uint64_t sigmask;
	uint64_t sigsetsize;
};

_Static_assert(sizeof(struct linux_iovec) == 16, "struct iovec");
_Static_assert(sizeof(struct linux_io_event) == 32, "struct io_event");
_Static_assert(sizeof(struct linux_iocb) == 64, "struct iocb");
