/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptor tables (what CLONE_FILES shares).
 *
 * A table with one reference is changed by its own thread only, so that thread looks a descriptor
 * up without the lock; whoever else looks at it took a reference first, and changes nothing.
 */
#include "sentry/vfs/fd_table.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/dnotify.h"
#include "sentry/vfs/file_lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BITS	   64u
#define FIRST_SIZE 64u

struct fd_table {
	struct refcount refs;
	struct mutex lock;   /* RANK_FD_TABLE, of all below */
	unsigned int size;   /* a multiple of BITS */
	unsigned int least;  /* no descriptor below is free */
	struct file **files; /* NULL: free, or reserved */
	uint64_t *used;	     /* open or reserved */
	uint64_t *cloexec;
};

REFCOUNT_TYPE(table_refs, "fd table");

static bool bit_get(const uint64_t *bits, unsigned int n)
{
	return bits[n / BITS] >> (n % BITS) & 1;
}

static void bit_set(uint64_t *bits, unsigned int n, bool value)
{
	uint64_t mask = (uint64_t)1 << (n % BITS);

	bits[n / BITS] = value ? bits[n / BITS] | mask : bits[n / BITS] & ~mask;
}

static unsigned int descriptor_limit(void)
{
	return (unsigned int)min_u64(rlimit_current(LINUX_RLIMIT_NOFILE), LINUX_NR_OPEN);
}

static int grow_array(void **array, size_t old, size_t new, size_t element)
{
	char *grown = realloc(*array, new *element);

	if (!grown)
		return -ENOMEM;
	memset(grown + old * element, 0, (new - old) * element);
	*array = grown;
	return 0;
}

/* Makes room for a descriptor; it is below LINUX_NR_OPEN. */
static int grow(struct fd_table *table, unsigned int fd)
{
	unsigned int size = table->size ? table->size : FIRST_SIZE;

	while (size <= fd)
		size *= 2;
	if (size == table->size)
		return 0;
	if (grow_array((void **)&table->files, table->size, size, sizeof(*table->files)) ||
		grow_array((void **)&table->used, table->size / BITS, size / BITS, 8) ||
		grow_array((void **)&table->cloexec, table->size / BITS, size / BITS, 8))
		return -ENOMEM;
	table->size = size;
	return 0;
}

static void table_free(struct fd_table *table)
{
	mutex_destroy(&table->lock);
	free(table->files);
	free(table->used);
	free(table->cloexec);
	free(table);
}

static int table_new(unsigned int size, struct fd_table **out)
{
	struct fd_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	mutex_init(&table->lock, RANK_FD_TABLE, "fd table");
	if (grow(table, size ? size - 1 : 0)) {
		table_free(table);
		return -ENOMEM;
	}
	refcount_init(&table->refs, &table_refs);
	*out = table;
	return 0;
}

int fd_table_new(struct fd_table **out)
{
	return table_new(FIRST_SIZE, out);
}

/* One more than the last descriptor in use below max. */
static unsigned int used_end(const struct fd_table *table, unsigned int max)
{
	unsigned int end = table->size < max ? table->size : max;

	while (end > 0 && !table->files[end - 1]) {
		if (end % BITS == 0 && !table->used[end / BITS - 1])
			end -= BITS;
		else
			end--;
	}
	return end;
}

int fd_table_copy(struct fd_table *table, unsigned int max, struct fd_table **out)
{
	struct fd_table *copy;
	unsigned int end;
	int result;

	mutex_lock(&table->lock);
	end = used_end(table, max);
	result = table_new(end, &copy);
	for (unsigned int fd = 0; result == 0 && fd < end; fd++) {
		if (!table->files[fd])
			continue;
		copy->files[fd] = file_get(table->files[fd]);
		bit_set(copy->used, fd, true);
		bit_set(copy->cloexec, fd, bit_get(table->cloexec, fd));
	}
	mutex_unlock(&table->lock);
	if (result == 0)
		*out = copy;
	return result;
}

struct fd_table *fd_table_get(struct fd_table *table)
{
	refcount_get(&table->refs);
	return table;
}

bool fd_table_is_shared(const struct fd_table *table)
{
	return refcount_read(&table->refs) > 1;
}

/* What close(2) does once the descriptor is free. Consumes the reference. */
static int close_file(struct fd_table *table, struct file *file)
{
	int result = file->ops && file->ops->flush ? file->ops->flush(file) : 0;

	if (unlikely(file->notified))
		dnotify_close(file, table);
	if (unlikely(file->inode->locks != NULL) && !(file->mode & FILE_PATH))
		file_lock_release_posix(file, table);
	file_put(file);
	return result;
}

void fd_table_put(struct fd_table *table)
{
	if (!table || !refcount_put(&table->refs))
		return;
	for (unsigned int fd = 0; fd < table->size; fd++)
		if (table->files[fd])
			(void)close_file(table, table->files[fd]);
	table_free(table);
}

/* The lowest free descriptor at or above least, or size. */
static unsigned int find_free(const struct fd_table *table, unsigned int least)
{
	unsigned int fd = least > table->least ? least : table->least;

	while (fd < table->size) {
		uint64_t available = ~table->used[fd / BITS] >> (fd % BITS);

		if (available)
			return fd + (unsigned int)__builtin_ctzll(available);
		fd = (fd / BITS + 1) * BITS;
	}
	return fd;
}

static int reserve_locked(struct fd_table *table, int least, bool close_on_exec)
{
	unsigned int limit = descriptor_limit(), fd;

	fd = find_free(table, (unsigned int)least);
	if (fd >= limit) {
		accounting_descriptor(-1);
		return -EMFILE;
	}
	if (fd >= table->size && grow(table, fd))
		return -ENOMEM;
	bit_set(table->used, fd, true);
	bit_set(table->cloexec, fd, close_on_exec);
	if ((unsigned int)least <= table->least)
		table->least = fd + 1;
	accounting_descriptor((int)fd);
	return (int)fd;
}

int fd_reserve(struct fd_table *table, int least, bool close_on_exec)
{
	mutex_guard(&table->lock);
	return reserve_locked(table, least, close_on_exec);
}

static void free_locked(struct fd_table *table, unsigned int fd)
{
	table->files[fd] = NULL;
	bit_set(table->used, fd, false);
	bit_set(table->cloexec, fd, false);
	if (fd < table->least)
		table->least = fd;
}

void fd_cancel(struct fd_table *table, int fd)
{
	mutex_guard(&table->lock);
	free_locked(table, (unsigned int)fd);
}

void fd_commit(struct fd_table *table, int fd, struct file *file)
{
	mutex_guard(&table->lock);
	table->files[fd] = file;
}

int fd_install(struct fd_table *table, int least, struct file *file, bool close_on_exec)
{
	int fd;

	mutex_guard(&table->lock);
	fd = reserve_locked(table, least, close_on_exec);
	if (fd >= 0)
		table->files[fd] = file;
	return fd;
}

int fd_replace(struct fd_table *table, int fd, struct file *file, bool close_on_exec)
{
	struct file *old;

	if (fd < 0 || (unsigned int)fd >= descriptor_limit())
		return -EBADF;
	mutex_lock(&table->lock);
	if ((unsigned int)fd >= table->size && grow(table, (unsigned int)fd)) {
		mutex_unlock(&table->lock);
		return -ENOMEM;
	}
	old = table->files[fd];
	if (!old && bit_get(table->used, (unsigned int)fd)) {
		/* An open(2) of another thread has it reserved. */
		mutex_unlock(&table->lock);
		return -EBUSY;
	}
	table->files[fd] = file_get(file);
	accounting_descriptor(fd);
	bit_set(table->used, (unsigned int)fd, true);
	bit_set(table->cloexec, (unsigned int)fd, close_on_exec);
	mutex_unlock(&table->lock);
	if (old)
		(void)close_file(table, old);
	return 0;
}

struct file *fd_get_path_too(struct fd_table *table, int fd)
{
	struct file *file = NULL;

	if (likely(atomic_load_explicit(&table->refs.count, memory_order_acquire) == 1)) {
		if ((unsigned int)fd < table->size && table->files[fd])
			file = file_get(table->files[fd]);
		return file;
	}
	mutex_lock(&table->lock);
	if ((unsigned int)fd < table->size && table->files[fd])
		file = file_get(table->files[fd]);
	mutex_unlock(&table->lock);
	return file;
}

struct file *fd_get(struct fd_table *table, int fd)
{
	struct file *file = fd_get_path_too(table, fd);

	if (file && unlikely(file->mode & FILE_PATH)) {
		file_put(file);
		file = NULL;
	}
	return file;
}

int fd_close(struct fd_table *table, int fd)
{
	struct file *file = NULL;

	mutex_lock(&table->lock);
	if ((unsigned int)fd < table->size)
		file = table->files[fd];
	if (file)
		free_locked(table, (unsigned int)fd);
	mutex_unlock(&table->lock);
	return file ? close_file(table, file) : -EBADF;
}

/* The next open descriptor from fd to last with its file taken out, or NULL. */
static struct file *take_next(struct fd_table *table, unsigned int *fd, unsigned int last)
{
	mutex_guard(&table->lock);
	for (; *fd <= last && *fd < table->size; ++*fd) {
		struct file *file = table->files[*fd];

		if (file) {
			free_locked(table, (*fd)++);
			return file;
		}
	}
	return NULL;
}

int fd_close_range(
	struct fd_table *table, unsigned int first, unsigned int last, bool only_set_cloexec)
{
	struct file *file;

	if (!only_set_cloexec) {
		while ((file = take_next(table, &first, last)))
			(void)close_file(table, file);
		return 0;
	}
	mutex_guard(&table->lock);
	for (unsigned int fd = first; fd <= last && fd < table->size; fd++)
		if (table->files[fd])
			bit_set(table->cloexec, fd, true);
	return 0;
}

void fd_close_on_exec(struct fd_table *table)
{
	for (unsigned int word = 0; word < table->size / BITS; word++) {
		while (table->cloexec[word]) {
			unsigned int fd =
				word * BITS + (unsigned int)__builtin_ctzll(table->cloexec[word]);
			struct file *file;

			mutex_lock(&table->lock);
			file = table->files[fd];
			free_locked(table, fd);
			mutex_unlock(&table->lock);
			if (file)
				(void)close_file(table, file);
		}
	}
}

int fd_get_flags(struct fd_table *table, int fd)
{
	mutex_guard(&table->lock);
	if ((unsigned int)fd >= table->size || !table->files[fd])
		return -EBADF;
	return bit_get(table->cloexec, (unsigned int)fd) ? LINUX_FD_CLOEXEC : 0;
}

int fd_set_flags(struct fd_table *table, int fd, int flags)
{
	mutex_guard(&table->lock);
	if ((unsigned int)fd >= table->size || !table->files[fd])
		return -EBADF;
	bit_set(table->cloexec, (unsigned int)fd, flags & LINUX_FD_CLOEXEC);
	return 0;
}

int fd_next(struct fd_table *table, int fd, struct file **file)
{
	mutex_guard(&table->lock);
	for (unsigned int next = fd < 0 ? 0 : (unsigned int)fd; next < table->size; next++) {
		if (!table->files[next])
			continue;
		if (file)
			*file = file_get(table->files[next]);
		return (int)next;
	}
	return -EBADF;
}
