/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of the tests of sentry/mm/. */
#include "mm_fixture.h"

#include "abi/signal.h"
#include "base/safe_copy.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/inode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct platform *g_platform;
struct mm *g_mm;
unsigned int g_faults;

void mm_fixture_setup(void)
{
	struct mm_layout layout = {
		.mmap_base = 0x7f0000000000, .start_brk = 0x555500000000, .brk = 0x555500000000};

	safe_copy_init();
	ck_assert_int_eq(memory_file_open(0), 0);
	ck_assert_int_eq(platform_null_new(&g_platform), 0);
	ck_assert_int_eq(mm_new(g_platform, &g_mm), 0);
	mm_set_layout(g_mm, &layout);
	ck_assert_ptr_nonnull(mm_address_space(g_mm));
}

void mm_fixture_teardown(void)
{
	struct memory_file_usage usage;

	mm_put(g_mm);
	memory_file_usage(&usage);
	ck_assert_uint_eq(usage.allocated, 0);
	ck_assert_uint_eq(null_platform_live(g_platform), 0);
	ck_assert_int_eq(refcount_report_leaks(), 0);
	null_platform_free(g_platform);
}

static unsigned char *page_of(
	const struct null_mapping *mapping, gaddr_t address, unsigned char **window)
{
	uint64_t offset = mapping->offset + (address - mapping->address);

	*window = NULL;
	if (mapping->fd == memory_file_fd())
		return memory_file_pointer(offset);
	*window = mmap(NULL, PAGE_SIZE, PROT_READ | (mapping->protection & PROT_WRITE), MAP_SHARED,
		mapping->fd, (off_t)page_floor(offset));
	ck_assert_ptr_ne(*window, MAP_FAILED);
	return *window + offset % PAGE_SIZE;
}

static bool is_behind_end(const struct null_mapping *mapping, gaddr_t address)
{
	struct stat st;

	ck_assert_int_eq(fstat(mapping->fd, &st), 0);
	return mapping->offset + (address - mapping->address) >= page_ceil((uint64_t)st.st_size);
}

/* One try: true when the access was made, else exit says how it failed. */
static bool touch(
	struct mm *mm, gaddr_t address, bool write, unsigned char *byte, struct context_exit *exit)
{
	struct null_mapping mapping = {};
	unsigned char *window, *place;

	ck_assert_int_eq(address_space_flush(mm_address_space(mm)), 0);
	*exit = (struct context_exit){
		.reason = EXIT_FAULT, .signal = LINUX_SIGSEGV, .address = address};
	exit->present = null_address_space_find(mm_address_space(mm), address, &mapping);
	if (!exit->present || !(mapping.protection & (write ? LINUX_PROT_WRITE : LINUX_PROT_READ)))
		return false;
	if (is_behind_end(&mapping, address)) {
		exit->signal = LINUX_SIGBUS;
		return false;
	}
	place = page_of(&mapping, address, &window);
	if (write)
		*place = *byte;
	else
		*byte = *place;
	if (window)
		(void)munmap(window, PAGE_SIZE);
	return true;
}

static int guest_access(struct mm *mm, gaddr_t address, bool write, unsigned char *byte)
{
	for (int tries = 0; tries < 5; tries++) {
		struct fault_outcome outcome;
		struct context_exit exit;

		if (touch(mm, address, write, byte, &exit))
			return 0;
		g_faults++;
		mm_handle_fault(mm, &exit, 0, &outcome);
		if (outcome.signal)
			return outcome.signal * 16 + outcome.code;
	}
	ck_abort_msg("a fault at %#lx never ends", (unsigned long)address);
	return -1;
}

int guest_read(struct mm *mm, gaddr_t address, unsigned char *byte)
{
	return guest_access(mm, address, false, byte);
}

int guest_write(struct mm *mm, gaddr_t address, unsigned char byte)
{
	return guest_access(mm, address, true, &byte);
}

int64_t map_file(struct file *file, gaddr_t address, uint64_t length, uint64_t offset,
	int protection, int flags)
{
	struct mmap_request request = {
		.address = address,
		.length = length,
		.protection = protection,
		.flags = flags,
		.file = file,
		.offset = offset,
	};
	gaddr_t result;
	int error = mm_mmap(g_mm, &request, &result);

	return error ? error : (int64_t)result;
}

int64_t map(gaddr_t address, uint64_t length, int protection, int flags)
{
	return map_file(NULL, address, length, 0, protection, flags | LINUX_MAP_ANONYMOUS);
}

unsigned int vma_count(void)
{
	struct mm_usage usage;

	mm_usage(g_mm, &usage);
	return (unsigned int)usage.map_count;
}

struct host_file {
	struct file file;
	struct inode inode; /* what it is a file of; nothing is set */
	struct mappable mappable;
	int fd;
	bool writable;
};

REFCOUNT_TYPE(host_file_refs, "host file");

static int translate(struct mappable *mappable, uint64_t offset, uint64_t length, bool write,
	struct mapping_extent *extent)
{
	struct host_file *host = container_of(mappable, struct host_file, mappable);
	struct stat st;

	if (fstat(host->fd, &st) != 0)
		return -errno;
	if (offset >= page_ceil((uint64_t)st.st_size))
		return -ERANGE;
	*extent = (struct mapping_extent){
		.host_fd = host->fd,
		.host_offset = offset,
		.length = min_u64(length, page_ceil((uint64_t)st.st_size) - offset),
		.writable = host->writable,
	};
	return 0;
}

static const struct mappable_operations mappable_operations = {.translate = translate};

static int host_mmap(struct file *file, bool shared, int protection, int *max_protection,
	struct mappable **out, bool *anonymous)
{
	*out = &container_of(file, struct host_file, file)->mappable;
	return 0;
}

static const struct file_operations file_operations = {.mmap = host_mmap};

struct file *host_file_new(size_t pages, bool writable)
{
	struct host_file *host = calloc(1, sizeof(*host));
	unsigned char page[PAGE_SIZE];

	ck_assert_ptr_nonnull(host);
	host->file.inode = &host->inode;
	host->fd = memfd_create("host-file", MFD_CLOEXEC);
	for (size_t i = 0; i < pages; i++) {
		memset(page, (int)i + 1, sizeof(page));
		ck_assert_int_eq(write(host->fd, page, sizeof(page)), (ssize_t)sizeof(page));
	}
	host->writable = writable;
	mappable_init(&host->mappable, &mappable_operations);
	refcount_init(&host->file.refs, &host_file_refs);
	host->file.ops = &file_operations;
	host->file.mode = FILE_READ | (writable ? FILE_WRITE : 0);
	return &host->file;
}

struct mappable *host_file_mappable(struct file *file)
{
	return &container_of(file, struct host_file, file)->mappable;
}

void host_file_truncate(struct file *file, size_t bytes)
{
	struct host_file *host = container_of(file, struct host_file, file);

	ck_assert_int_eq(ftruncate(host->fd, (off_t)bytes), 0);
}

void host_file_free(struct file *file)
{
	struct host_file *host = container_of(file, struct host_file, file);

	/* Nobody may hold it any more. */
	ck_assert(refcount_put(&file->refs));
	mappable_destroy(&host->mappable);
	(void)close(host->fd);
	free(host);
}
