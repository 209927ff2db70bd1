/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/mm/ - the memory of guests.
 *
 * A struct mm is one guest address space: vmas say what the guest asked for, a second tree says
 * what backs each page; the platform's address space is brought into line by queued mappings.
 * Locking: one mutex an mm (RANK_MM), taken inside every function here.
 *
 * Guest addresses are gaddr_t: an integer, so that C cannot dereference it.
 */
#pragma once

#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"
#include "platform/platform.h"
#include "sentry/mm/mempolicy.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef uint64_t gaddr_t;

struct file;
struct mm;
struct task;

/* --- life (mm.c, fork.c) --- */

/* An empty address space. mmap_base is the highest address that mmap gives out without a hint
 * (top-down). */
must_check int mm_new(struct platform *platform, struct mm **out);
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm);
/* The copy for fork(2): private pages shared copy-on-write. */
must_check int mm_fork(struct mm *mm, struct mm **out);
/* What the platform switches to. */
struct address_space *mm_address_space(struct mm *mm);
/*
 * For execve when the caller is the only user of the old mm: takes the platform's address space
 * over from it, emptied, so that no other stub is needed. new must be fresh and own none yet. False
 * if old is shared.
 */
must_check bool mm_take_address_space(struct mm *new_mm, struct mm *old, struct context *context);

/* Layout that the loader decided, for brk, mmap and /proc; set before the first guest instruction.
 */
struct mm_layout {
	gaddr_t mmap_base;
	gaddr_t start_code, end_code, start_data, end_data;
	gaddr_t start_brk, brk;
	gaddr_t start_stack; /* stack pointer at entry */
	gaddr_t stack_top;
	gaddr_t arg_start, arg_end, env_start, env_end;
	gaddr_t vdso; /* image base; 0 for none */
};
void mm_get_layout(struct mm *mm, struct mm_layout *layout);
void mm_set_layout(struct mm *mm, const struct mm_layout *layout);
/*
 * The program's own file for /proc/PID/exe, and its auxiliary vector; the mm keeps
 * copies/references. Nobody may open the file for writing meanwhile; -ETXTBSY if somebody has.
 */
must_check int mm_set_exe_file(struct mm *mm, struct file *file);
struct file *mm_get_exe_file(struct mm *mm); /* a reference, or NULL */
must_check int mm_set_auxv(struct mm *mm, const void *auxv, size_t size);
size_t mm_get_auxv(struct mm *mm, void *buffer, size_t size);
/* 0 SUID_DUMP_DISABLE, 1 SUID_DUMP_USER, 2 SUID_DUMP_ROOT */
int mm_dumpable(struct mm *mm);
void mm_set_dumpable(struct mm *mm, int dumpable);
/* What another room keeps for an mm, and releases when nobody runs in it any more. */
struct mm_attachment {
	void (*release)(struct mm_attachment *attachment);
};
/* vfs/aio.c's own; NULL so far. */
struct mm_attachment *_Atomic *mm_aio(struct mm *mm);
/* True when no other task or address-space user shares this mm (refcount of users is 1). */
bool mm_is_single_user(struct mm *mm);

/* --- mapping (mmap.c, brk.c, mremap.c, mprotect.c, madvise.c) --- */

/* What mmap(2) takes, after the handler has checked the descriptor; flags are LINUX_MAP_*. */
struct mmap_request {
	gaddr_t address;
	uint64_t length;
	int protection;
	int flags;
	struct file *file;	      /* NULL for anonymous; borrowed */
	struct shared_memory *shared; /* anonymous and shared: once more what is there; borrowed */
	uint64_t offset;
	bool stack;	  /* the main stack of a program: grows down, named [stack] */
	bool special;	  /* [vdso]/[vvar]: never merged, not dumped */
	const char *name; /* static string for special mappings, or NULL */
};
must_check int mm_mmap(struct mm *mm, const struct mmap_request *request, gaddr_t *address);
must_check int mm_munmap(struct mm *mm, gaddr_t address, uint64_t length);
must_check int mm_mprotect(struct mm *mm, gaddr_t address, uint64_t length, int protection);
must_check int mm_mremap(struct mm *mm, gaddr_t address, uint64_t old_length, uint64_t new_length,
	int flags, gaddr_t new_address, gaddr_t *result);
/* remap_file_pages(2): pages of the shared mapping at address show the file from page_offset (in
 * pages) on. */
must_check int mm_remap_file_pages(
	struct mm *mm, gaddr_t address, uint64_t length, uint64_t page_offset, int flags);
/* Returns the break after the call, as the system call does. */
gaddr_t mm_brk(struct mm *mm, gaddr_t wanted);
must_check int mm_madvise(struct mm *mm, gaddr_t address, uint64_t length, int advice);
/* 0: the page of an address is in memory. -ENOENT: not yet touched; -EFAULT: not mapped. */
must_check int mm_page_there(struct mm *mm, gaddr_t address);
must_check int mm_mincore(struct mm *mm, gaddr_t address, uint64_t length, gaddr_t vector);
must_check int mm_msync(struct mm *mm, gaddr_t address, uint64_t length, int flags);
must_check int mm_mlock(struct mm *mm, gaddr_t address, uint64_t length, bool lock, bool on_fault);
/* mseal(2): -EINVAL, -ENOMEM for holes. */
must_check int mm_mseal(struct mm *mm, gaddr_t address, uint64_t length);
must_check int mm_mlockall(struct mm *mm, int flags); /* 0: munlockall */

/* --- faults (fault.c) --- */

/* What a fault comes to; signal 0: mended, run on. */
struct fault_outcome {
	int signal; /* LINUX_SIGSEGV, LINUX_SIGBUS, or LINUX_SIGKILL when memory ran out for good */
	int code;   /* LINUX_SEGV_MAPERR, _ACCERR, LINUX_BUS_ADRERR */
	uint64_t address;
	uint64_t error_code; /* as the processor would have pushed it: bit 0 present, 1 write, 2
				user, 4 fetch */
};
void mm_handle_fault(struct mm *mm, const struct context_exit *exit, gaddr_t stack_pointer,
	struct fault_outcome *outcome);

/* --- access (access.c) --- */

/* All or nothing as far as the return value goes: 0 or -EFAULT (bytes before the fault may have
 * been copied). */
must_check int mm_copy_in(struct mm *mm, void *destination, gaddr_t source, size_t size);
must_check int mm_copy_out(struct mm *mm, gaddr_t destination, const void *source, size_t size);
/* As far as it goes: bytes copied, possibly fewer than size, 0 included. */
size_t mm_copy_in_partial(struct mm *mm, void *destination, gaddr_t source, size_t size);
size_t mm_copy_out_partial(struct mm *mm, gaddr_t destination, const void *source, size_t size);
/*
 * A string with its NUL into a buffer: its length without the NUL, -EFAULT, or -ENAMETOOLONG when
 * no NUL is found in size bytes (callers map that to what their call returns).
 */
must_check int64_t mm_copy_in_string(struct mm *mm, char *destination, gaddr_t source, size_t size);
must_check int mm_zero(struct mm *mm, gaddr_t destination, size_t size);
/*
 * Reads or writes regardless of the vma's protection, as ptrace(2) and /proc/PID/mem do
 * (FOLL_FORCE): writes to a private mapping break it copy-on-write; a shared one that is not
 * writable gives -EIO/-EFAULT as Linux does.
 */
size_t mm_access_force(struct mm *mm, gaddr_t address, void *buffer, size_t size, bool write);

/* Atomic 32-bit operations on a guest word, for futexes and robust lists. -EFAULT, -EAGAIN if the
 * comparison fails. */
must_check int mm_load_u32(struct mm *mm, gaddr_t address, uint32_t *value);
must_check int mm_cmpxchg_u32(
	struct mm *mm, gaddr_t address, uint32_t expected, uint32_t desired, uint32_t *actual);

/*
 * What a shared futex is keyed by: the memory-file page (or host file's identity) behind an
 * address, stable as long as the mapping is. Private mappings give the mm itself and the address.
 * No reference is taken.
 */
struct futex_key {
	uint64_t object; /* the mm, or the identity of the backing object */
	uint64_t offset;
};
must_check int mm_futex_key(
	struct mm *mm, gaddr_t address, bool shared, bool write, struct futex_key *key);

/*
 * Pins guest memory for host I/O straight into it: fills iov with pointers of the sentry's to up to
 * max pieces of [address, address+size). Pages stay valid until mm_unpin() even if the guest unmaps
 * them. Returns the number of bytes covered (0 < n <= size) or -EFAULT. Memory behind a host file
 * may raise SIGBUS in a memcpy (use safe_copy()) but only -EFAULT in a host system call. write: the
 * pages will be written.
 */
#define MM_PIN_MAX 16
struct mm_pin {
	struct iovec iov[MM_PIN_MAX];
	int count;
	struct {
		uint64_t offset,
			size; /* memory-file pages held; size 0 for a piece of a host file */
	} held[MM_PIN_MAX];
	void *windows[MM_PIN_MAX]; /* host-file windows held */
};
must_check int64_t mm_pin(
	struct mm *mm, gaddr_t address, size_t size, bool write, struct mm_pin *pin);
void mm_unpin(struct mm_pin *pin);

/* --- looking (maps.c) --- */

struct vma_info {
	gaddr_t start, end;
	int protection; /* LINUX_PROT_* */
	int max_protection;
	bool shared, grows_down, locked, special, huge_hint, dont_fork, dont_dump, wipe_on_fork,
		no_reserve, sealed;
	struct mempolicy policy;
	uint64_t offset;
	struct file *file; /* a reference of the caller's, or NULL */
	char name[80];	   /* [heap], [stack], [vdso], [anon:...] or empty */
	uint64_t rss, private_clean, private_dirty, shared_clean, shared_dirty,
		anonymous; /* bytes; smaps only */
};
/* The first vma that ends above address. False when there is none. with_pages: fill the byte
 * counts. */
must_check bool mm_next_vma(struct mm *mm, gaddr_t address, bool with_pages, struct vma_info *info);
/* Names an anonymous range (PR_SET_VMA_ANON_NAME); NULL removes. */
must_check int mm_set_anon_name(struct mm *mm, gaddr_t address, uint64_t length, const char *name);

/* --- policies (mempolicy.c) --- */

/* The policy of [start, end), page-aligned. -EFAULT: not all of it is mapped; -ENOMEM. */
must_check int mm_set_mempolicy(
	struct mm *mm, gaddr_t start, gaddr_t end, const struct mempolicy *policy);
/* That of the mapping at an address. -EFAULT: there is none. */
must_check int mm_get_mempolicy(struct mm *mm, gaddr_t address, struct mempolicy *policy);
/* set_mempolicy_home_node(2): -ENOENT, -EOPNOTSUPP as there. */
must_check int mm_check_home_node(struct mm *mm, gaddr_t start, gaddr_t end);

struct mm_usage {
	uint64_t total, resident, resident_peak, total_peak, shared, text, data, stack, locked,
		swap; /* bytes */
	uint64_t page_tables;
	unsigned long map_count;
};
void mm_usage(struct mm *mm, struct mm_usage *usage);
