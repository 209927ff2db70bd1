/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V shared memory (shmget(2), shmop(2), shmctl(2)).
 *
 * A segment is shared memory of the mm's; each shmat(2) maps it through a file of its own, which
 * the mappings hold. So the last file's release is the last detach.
 *
 * Differs from Linux: there are no huge pages (SHM_HUGETLB gives ENOMEM, as where none are set
 * aside); SHM_LOCK only notes the flag; kernel.shm_rmid_forced leaves a segment that nobody ever
 * attached alone when its creator ends.
 */
#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "sentry/kernel/ipc_private.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/shared_memory.h"
#include "sentry/mm/vma.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct shm_segment {
	struct ipc_object object;
	struct shared_memory *memory;
	uint64_t size;		    /* as asked for */
	unsigned int files;	    /* of attaches */
	int64_t attached, detached; /* seconds */
	int creator, last_pid;
};

static struct shm_segment *segment_of(struct ipc_object *object)
{
	return container_of(object, struct shm_segment, object);
}

static void segment_destroy(struct ipc_object *object)
{
	struct shm_segment *segment = segment_of(object);

	shared_memory_put(segment->memory);
	free(segment);
}

static void segment_on_remove(struct ipc_object *object)
{
	*ipc_used(object->ns, IPC_SHARED_MEMORY) -= page_ceil(segment_of(object)->size) / PAGE_SIZE;
}

static int segment_create(struct task *task, const struct ipc_get *get, struct ipc_object **out)
{
	struct ipc_namespace *ns = ipc_namespace_of(task);
	uint64_t *pages = ipc_used(ns, IPC_SHARED_MEMORY);
	struct shm_segment *segment;
	int error;

	if (get->size < LINUX_SHMMIN || get->size > ipc_limit(ns, IPC_SHMMAX))
		return -EINVAL;
	if (*pages + get->size / PAGE_SIZE + (get->size % PAGE_SIZE != 0) >
		ipc_limit(ns, IPC_SHMALL))
		return -ENOSPC;
	/* Nobody could map more. */
	if (get->size > PLATFORM_GUEST_MAX || (get->flags & LINUX_SHM_HUGETLB))
		return -ENOMEM;
	segment = calloc(1, sizeof(*segment));
	if (!segment)
		return -ENOMEM;
	if (!(get->flags & LINUX_SHM_NORESERVE) && memory_file_is_obvious_overcommit(get->size))
		return -ENOMEM;
	error = shared_memory_new(page_ceil(get->size), &segment->memory);
	if (error) {
		free(segment);
		return error;
	}
	segment->size = get->size;
	segment->creator = task_tgid(task);
	segment->object.destroy = segment_destroy;
	segment->object.on_remove = segment_on_remove;
	*pages += page_ceil(get->size) / PAGE_SIZE;
	*out = &segment->object;
	return 0;
}

static int segment_check(struct ipc_object *object, const struct ipc_get *get)
{
	return get->size > segment_of(object)->size ? -EINVAL : 0;
}

int64_t ipc_shmget(struct task *task, int key, uint64_t size, int flags)
{
	const struct ipc_get get = {
		.kind = IPC_SHARED_MEMORY,
		.key = key,
		.flags = flags,
		.maximum = (unsigned int)ipc_limit(ipc_namespace_of(task), IPC_SHMMNI),
		.create = segment_create,
		.check = segment_check,
		.size = size,
	};

	return ipc_get(task, &get);
}

/* --- attaching --- */

static int shm_mmap(struct file *file, bool shared, int protection, int *max_protection,
	struct mappable **out, bool *anonymous)
{
	struct shm_segment *segment = file->private;

	if (!shared)
		return -EINVAL;
	*out = shared_memory_mappable(segment->memory);
	return 0;
}

static bool is_to_go(const struct shm_segment *segment)
{
	return !segment->files && !segment->object.removed &&
	       ((segment->object.mode & LINUX_SHM_DEST) ||
		       ipc_limit(segment->object.ns, IPC_SHM_RMID_FORCED));
}

void ipc_shm_remove_forced(struct ipc_namespace *ns)
{
	for (int i = 0; i <= ipc_highest_index(ns, IPC_SHARED_MEMORY); i++) {
		struct ipc_object *object = ipc_at(ns, IPC_SHARED_MEMORY, i);

		if (object && segment_of(object)->detached && is_to_go(segment_of(object)))
			ipc_remove(object);
	}
}

static void shm_release(struct file *file)
{
	struct shm_segment *segment = file->private;

	mutex_lock(&g_ipc_lock);
	segment->detached = ipc_now_seconds();
	segment->files--;
	if (is_to_go(segment))
		ipc_remove(&segment->object);
	mutex_unlock(&g_ipc_lock);
	ipc_object_put(&segment->object);
}

static const struct file_operations shm_operations = {
	.mmap = shm_mmap,
	.release = shm_release,
	.name = "SYSV",
};

/* Mappings, each part of a split one for itself. */
static unsigned int attach_count(struct shm_segment *segment)
{
	struct mappable *mappable = shared_memory_mappable(segment->memory);
	unsigned int count = 0;
	struct vma *vma;

	mutex_guard(&mappable->lock);
	LIST_FOREACH (vma, &mappable->vmas, mapping) {
		count++;
	}
	return count;
}

/* The file to map through; the segment is found and checked. */
static int attach_open(struct task *task, int id, int flags, struct file **file, uint64_t *size)
{
	unsigned int mode = FILE_READ | (flags & LINUX_SHM_RDONLY ? 0 : FILE_WRITE);
	uint32_t wanted = flags & LINUX_SHM_RDONLY ? 0444 : 0666;
	struct shm_segment *segment;
	struct ipc_object *object;
	char name[32];
	int error;

	if (flags & LINUX_SHM_EXEC)
		wanted |= 0111;
	mutex_lock(&g_ipc_lock);
	error = ipc_find(task, IPC_SHARED_MEMORY, id, &object);
	if (!error)
		error = ipc_check_access(task, object, wanted);
	if (error) {
		mutex_unlock(&g_ipc_lock);
		return error;
	}
	segment = segment_of(ipc_object_get(object));
	segment->files++;
	*size = segment->size;
	(void)snprintf(name, sizeof(name), "SYSV%08x", (unsigned int)object->key);
	mutex_unlock(&g_ipc_lock);
	error = file_new_anonymous(anon_inode_get(), &shm_operations, mode,
		flags & LINUX_SHM_RDONLY ? LINUX_O_RDONLY : LINUX_O_RDWR, segment, name, file);
	if (error) {
		mutex_lock(&g_ipc_lock);
		segment->files--;
		mutex_unlock(&g_ipc_lock);
		ipc_object_put(&segment->object);
	}
	return error;
}

static int attach_map(struct task *task, struct file *file, uint64_t size, gaddr_t address,
	int flags, gaddr_t *out)
{
	struct mmap_request request = {
		.address = address,
		.length = page_ceil(size),
		.protection = LINUX_PROT_READ,
		.flags = LINUX_MAP_SHARED,
		.file = file,
	};
	int error;

	if (!(flags & LINUX_SHM_RDONLY))
		request.protection |= LINUX_PROT_WRITE;
	if (flags & LINUX_SHM_EXEC)
		request.protection |= LINUX_PROT_EXEC;
	if (address)
		request.flags |=
			flags & LINUX_SHM_REMAP ? LINUX_MAP_FIXED : LINUX_MAP_FIXED_NOREPLACE;
	error = mm_mmap(task->mm, &request, out);
	return error == -EEXIST ? -EINVAL : error;
}

int64_t ipc_shmat(struct task *task, int id, gaddr_t address, int flags)
{
	struct shm_segment *segment;
	auto_file struct file *file = NULL;
	uint64_t size;
	gaddr_t place;
	int error;

	if (id < 0)
		return -EINVAL;
	if (address & (PAGE_SIZE - 1)) {
		if (!(flags & LINUX_SHM_RND))
			return -EINVAL;
		address = page_floor(address);
	}
	if (!address && (flags & LINUX_SHM_REMAP))
		return -EINVAL;
	error = attach_open(task, id, flags, &file, &size);
	if (error)
		return error;
	segment = file->private;
	error = attach_map(task, file, size, address, flags, &place);
	if (error)
		return error;
	mutex_lock(&g_ipc_lock);
	segment->attached = ipc_now_seconds();
	segment->last_pid = task_tgid(task);
	mutex_unlock(&g_ipc_lock);
	return (int64_t)place;
}

static void note_detach(struct task *task, struct shm_segment *segment)
{
	mutex_lock(&g_ipc_lock);
	segment->detached = ipc_now_seconds();
	segment->last_pid = task_tgid(task);
	mutex_unlock(&g_ipc_lock);
}

/* The pieces of the attach at an address: they belong to one file, and their offsets count from
 * there. */
int64_t ipc_shmdt(struct task *task, gaddr_t address)
{
	struct file *attach = NULL;
	gaddr_t at = address, end = UINT64_MAX;
	struct vma_info info;
	int error = 0;

	if (address & (PAGE_SIZE - 1))
		return -EINVAL;
	while (!error && at < end && mm_next_vma(task->mm, at, false, &info) && info.start < end) {
		bool ours = info.file && info.file->ops == &shm_operations &&
			    info.start >= address && info.start - info.offset == address &&
			    (!attach || info.file == attach);

		at = info.end;
		if (ours && !attach) {
			struct shm_segment *segment = info.file->private;

			attach = file_get(info.file);
			end = address + page_ceil(segment->size);
		}
		if (ours)
			error = mm_munmap(task->mm, info.start, info.end - info.start);
		if (info.file)
			file_put(info.file);
	}
	if (!attach)
		return -EINVAL;
	note_detach(task, attach->private);
	file_put(attach);
	return error;
}

/* --- shmctl(2) --- */

static void status_fill(
	struct task *task, struct shm_segment *segment, struct linux_shmid64_ds *status)
{
	*status = (struct linux_shmid64_ds){
		.shm_segsz = segment->size,
		.shm_atime = segment->attached,
		.shm_dtime = segment->detached,
		.shm_ctime = segment->object.changed,
		.shm_cpid = segment->creator,
		.shm_lpid = segment->last_pid,
		.shm_nattch = attach_count(segment),
	};
	ipc_perm_show(task, &segment->object, &status->shm_perm);
}

static int64_t control_stat(struct task *task, int id, int command, gaddr_t argument)
{
	struct linux_shmid64_ds status;
	struct ipc_object *object;
	int64_t result;
	int error;

	mutex_lock(&g_ipc_lock);
	error = command == LINUX_IPC_STAT ? ipc_find(task, IPC_SHARED_MEMORY, id, &object)
					  : ipc_find_index(task, IPC_SHARED_MEMORY, id, &object);
	if (!error && command != LINUX_SHM_STAT_ANY)
		error = ipc_check_access(task, object, 0444);
	if (!error)
		status_fill(task, segment_of(object), &status);
	result = error ? error : command == LINUX_IPC_STAT ? 0 : object->id;
	mutex_unlock(&g_ipc_lock);
	if (!error && mm_copy_out(task->mm, argument, &status, sizeof(status)))
		return -EFAULT;
	return result;
}

static int64_t control_limits(struct task *task, gaddr_t argument)
{
	struct ipc_namespace *ns = ipc_namespace_of(task);
	const struct linux_shminfo64 info = {
		.shmmax = ipc_limit(ns, IPC_SHMMAX),
		.shmmin = LINUX_SHMMIN,
		.shmmni = ipc_limit(ns, IPC_SHMMNI),
		.shmseg = ipc_limit(ns, IPC_SHMMNI),
		.shmall = ipc_limit(ns, IPC_SHMALL),
	};
	int highest;

	mutex_lock(&g_ipc_lock);
	highest = ipc_highest_index(ns, IPC_SHARED_MEMORY);
	mutex_unlock(&g_ipc_lock);
	if (mm_copy_out(task->mm, argument, &info, sizeof(info)))
		return -EFAULT;
	return highest < 0 ? 0 : highest;
}

static int64_t control_usage(struct task *task, gaddr_t argument)
{
	struct linux_shm_info info = {0};
	int highest;

	mutex_lock(&g_ipc_lock);
	highest = ipc_highest_index(ipc_namespace_of(task), IPC_SHARED_MEMORY);
	info.used_ids = (int32_t)ipc_count(ipc_namespace_of(task), IPC_SHARED_MEMORY);
	info.shm_tot = *ipc_used(ipc_namespace_of(task), IPC_SHARED_MEMORY);
	mutex_unlock(&g_ipc_lock);
	if (mm_copy_out(task->mm, argument, &info, sizeof(info)))
		return -EFAULT;
	return highest < 0 ? 0 : highest;
}

/* A segment that is attached somewhere goes when it is not any more; nobody finds it by its key
 * until then. */
static void segment_mark_removed(struct shm_segment *segment)
{
	if (!segment->files) {
		ipc_remove(&segment->object);
		return;
	}
	segment->object.mode |= LINUX_SHM_DEST;
	segment->object.key = LINUX_IPC_PRIVATE;
}

static int64_t control_lock(struct task *task, struct ipc_object *object, bool lock)
{
	bool owner = task->cred->euid == object->uid || task->cred->euid == object->cuid;

	if (!capable(LINUX_CAP_IPC_LOCK)) {
		if (!owner)
			return -EPERM;
		if (lock && !rlimit_current(LINUX_RLIMIT_MEMLOCK))
			return -EPERM;
	}
	if (lock)
		object->mode |= LINUX_SHM_LOCKED;
	else
		object->mode &= ~(uint32_t)LINUX_SHM_LOCKED;
	return 0;
}

static int64_t control_object(struct task *task, int id, int command, gaddr_t argument)
{
	struct linux_shmid64_ds status;
	struct ipc_object *object;
	int error;

	if (command == LINUX_IPC_SET && mm_copy_in(task->mm, &status, argument, sizeof(status)))
		return -EFAULT;
	mutex_guard(&g_ipc_lock);
	error = ipc_find(task, IPC_SHARED_MEMORY, id, &object);
	if (error)
		return error;
	if (command == LINUX_SHM_LOCK || command == LINUX_SHM_UNLOCK)
		return control_lock(task, object, command == LINUX_SHM_LOCK);
	error = ipc_check_owner(task, object);
	if (error)
		return error;
	if (command == LINUX_IPC_SET)
		return ipc_perm_set(task, object, &status.shm_perm);
	segment_mark_removed(segment_of(object));
	return 0;
}

int64_t ipc_shmctl(struct task *task, int id, int command, gaddr_t argument)
{
	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case LINUX_IPC_INFO:
		return control_limits(task, argument);
	case LINUX_SHM_INFO:
		return control_usage(task, argument);
	case LINUX_IPC_STAT:
	case LINUX_SHM_STAT:
	case LINUX_SHM_STAT_ANY:
		return control_stat(task, id, command, argument);
	case LINUX_IPC_SET:
	case LINUX_IPC_RMID:
	case LINUX_SHM_LOCK:
	case LINUX_SHM_UNLOCK:
		return control_object(task, id, command, argument);
	default:
		return -EINVAL;
	}
}
